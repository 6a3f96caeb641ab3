"""Operators against dense matrices and conjugate gradients."""

import pytest
import torch
from hypothesis import given, settings, strategies as st

from dae_tutorial.beyond.operators import (
    Blur,
    Downsample,
    LinearOperator,
    Mask,
    gaussian_kernel,
)

SHAPE = (1, 8, 12)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


SLANTED = normal(3, 5, seed=1)  # no symmetry that a wrong adjoint could hide behind
OPERATORS = {
    "mask": Mask((normal(1, *SHAPE, seed=2) > 0).double()),
    "masks": Mask((normal(3, *SHAPE, seed=3) > 0.5).double()),
    "blur": Blur(SLANTED, SHAPE[1:]),
    "Gaussian": Blur(gaussian_kernel(1.0).double(), SHAPE[1:]),
    "half": Downsample(2),
    "quarter": Downsample(4),
}
STRENGTHS = [0.003, 1.0, 40.0]


@pytest.fixture(params=OPERATORS)
def operator(request) -> LinearOperator:
    return OPERATORS[request.param]


def matrix(operator: LinearOperator, which: int = 0) -> torch.Tensor:
    """Return A as it is for image `which`, column by column."""
    size = torch.Size(SHAPE).numel()
    columns = [
        operator.forward(unit.reshape(1, *SHAPE).expand(3, *SHAPE))[which].flatten()
        for unit in torch.eye(size, dtype=torch.float64)
    ]
    return torch.stack(columns, dim=1)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
@pytest.mark.parametrize("name", OPERATORS)
def test_adjoint(name, seed):
    operator, images = OPERATORS[name], normal(3, *SHAPE, seed=seed)
    seen = operator.forward(images)
    measured = normal(*seen.shape, seed=seed + 1)
    left = (seen * measured).sum()
    right = (images * operator.adjoint(measured)).sum()
    size = seen.norm() * measured.norm()
    assert abs(left - right) < 1e-12 * size


def test_the_adjoint_is_the_transposed_matrix(operator):
    seen = operator.forward(normal(3, *SHAPE))
    measured = normal(*seen.shape, seed=4)
    for which in range(3):
        wanted = matrix(operator, which).T @ measured[which].flatten()
        found = operator.adjoint(measured)[which].flatten()
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("signal", [0.0, 0.3])
def test_solve_inverts_the_covariance_of_measurements(operator, signal):
    measured, noise = normal(*operator.forward(normal(3, *SHAPE)).shape), 0.07
    found = operator.solve(measured, signal, noise)
    back = signal * operator.forward(operator.adjoint(found)) + noise * found
    torch.testing.assert_close(back, measured, rtol=1e-10, atol=1e-10)


def conjugate_gradients(apply, right, steps=600):
    """Solve apply(x) = right for a symmetric positive map, image by image."""
    x = torch.zeros_like(right)
    rest = right - apply(x)
    towards, size = rest.clone(), dot(rest, rest)
    for _ in range(steps):
        moved = apply(towards)
        step = size / dot(towards, moved).clamp(min=1e-300)
        x, rest = x + step * towards, rest - step * moved
        grown = dot(rest, rest)
        towards, size = rest + grown / size.clamp(min=1e-300) * towards, grown
    return x


def dot(a, b):
    return (a * b).sum(dim=(1, 2, 3), keepdim=True)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_data_step_agrees_with_conjugate_gradients(operator, strength):
    """They know of forward and adjoint alone, which are checked above."""
    images = normal(3, *SHAPE, seed=5)
    measured = normal(*operator.forward(images).shape, seed=6)

    def normal_equations(x):
        return operator.adjoint(operator.forward(x)) + strength * x

    right = operator.adjoint(measured) + strength * images
    wanted = conjugate_gradients(normal_equations, right)
    found = operator.proximal(images, measured, strength)
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["mask", "masks", "blur", "half", "quarter"])
def test_pseudo_inverse_is_that_of_the_matrix(name):
    operator = OPERATORS[name]
    measured = normal(*operator.forward(normal(3, *SHAPE)).shape)
    found = operator.pseudo_inverse(measured)
    for which in range(3):
        wanted = torch.linalg.pinv(matrix(operator, which)) @ measured[which].flatten()
        torch.testing.assert_close(found[which].flatten(), wanted, rtol=1e-7, atol=1e-7)


def test_a_data_step_without_strength_explains_the_measurement():
    for operator in (OPERATORS["blur"], OPERATORS["half"]):
        images = normal(3, *SHAPE)
        measured = normal(*operator.forward(images).shape, seed=7)
        found = operator.proximal(images, measured, 0.0)
        torch.testing.assert_close(
            operator.forward(found), measured, rtol=1e-8, atol=1e-8
        )


def test_what_a_mask_does_not_see_is_left_alone():
    operator, images = OPERATORS["masks"], normal(3, *SHAPE)
    measured = operator.forward(normal(3, *SHAPE, seed=8))
    found = operator.proximal(images, measured, 0.1)
    hidden = operator.seen == 0
    assert torch.equal(found[hidden], images[hidden])
    assert not torch.isclose(found[~hidden], images[~hidden]).any()


@pytest.mark.parametrize("signal", [0.0, 0.3])
def test_energies_are_those_of_the_matrix(operator, signal):
    points, noise = normal(4, *SHAPE, seed=9), 0.07
    found = operator.energies(points, signal, noise)
    masks = len(found) if found.ndim == 2 else 1
    for which in range(masks):
        map_ = matrix(operator, which)
        unit = torch.eye(len(map_), dtype=torch.float64)
        covariance = signal * map_ @ map_.T + noise * unit
        seen = points.flatten(1) @ map_.T
        wanted = (seen * torch.linalg.solve(covariance, seen.T).T).sum(1)
        row = found[which] if found.ndim == 2 else found
        torch.testing.assert_close(row, wanted, rtol=1e-9, atol=1e-9)


def test_a_blur_keeps_brightness_and_agrees_with_torchvision_inside():
    from torchvision.transforms.v2.functional import gaussian_blur

    images = normal(2, 1, 28, 28).float()
    found = Blur(gaussian_kernel(1.0)).forward(images)
    wanted = gaussian_blur(images, kernel_size=7, sigma=1.0)
    torch.testing.assert_close(
        found[..., 3:-3, 3:-3], wanted[..., 3:-3, 3:-3], rtol=1e-5, atol=1e-5
    )
    torch.testing.assert_close(found.mean(), images.mean(), rtol=1e-4, atol=1e-6)


def test_single_precision_is_enough():
    operator = Blur(gaussian_kernel(1.5))
    images = normal(2, 1, 28, 28)
    measured = operator.forward(images)
    wanted = Blur(gaussian_kernel(1.5).double()).proximal(images, measured, 0.01)
    found = operator.proximal(images.float(), measured.float(), 0.01)
    torch.testing.assert_close(found, wanted.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mask(torch.ones(8, 8)), "seen must hold zeros and ones"),
        (lambda: Mask(torch.full((1, 1, 2, 2), 0.5)), "seen must hold zeros and ones"),
        (lambda: Blur(torch.ones(2, 3)), "kernel must have two odd sides"),
        (lambda: Blur(torch.ones(3)), "kernel must have two odd sides"),
        (lambda: Blur(torch.ones(9, 3), (7, 7)), "kernel must have two odd sides"),
        (lambda: Downsample(0), "factor must be a positive integer, got 0"),
        (lambda: Downsample(2.0), "factor must be a positive integer, got 2.0"),
        (lambda: gaussian_kernel(0.0), "width must be a finite number above 0"),
        (
            lambda: Downsample(2).proximal(normal(1, *SHAPE), normal(1, 1, 4, 6), -1.0),
            "strength must be a finite number of at least 0, got -1.0",
        ),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
