"""Distances between sets of images: against closed forms, and on layouts by hand."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from dae_tutorial.theory.sample_quality import (
    DigitFeatures,
    frechet_distance,
    nearest_distances,
    precision_and_recall,
)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def whitened(points: Tensor) -> Tensor:
    """Give points mean 0 and covariance 1, exactly."""
    points = points.double() - points.double().mean(dim=0)
    return torch.linalg.solve_triangular(
        torch.linalg.cholesky(points.T.cov()), points.T, upper=False
    ).T


def with_moments(mean: Tensor, covariance: Tensor, *, seed: int) -> Tensor:
    """Return 200 points of exactly this mean and covariance."""
    points = whitened(normal(200, len(mean), seed=seed))
    return points @ torch.linalg.cholesky(covariance.double()).T + mean.double()


def test_the_frechet_distance_of_round_gaussians_has_a_closed_form():
    shift = torch.tensor([3.0, 0.0, 4.0])
    first = with_moments(torch.zeros(3), torch.eye(3), seed=0)
    second = with_moments(shift, 9 * torch.eye(3), seed=1)
    # The means are 5 apart; the deviations, 1 and 3, differ by 2 along three axes.
    assert frechet_distance(first, second) == pytest.approx(5**2 + 3 * 2**2)


def test_one_feature_has_a_frechet_distance_too():
    first = normal(200, 1).double()
    first = (first - first.mean()) / first.std()
    assert frechet_distance(first, 3 * first + 1) == pytest.approx(1 + 2**2)


def test_the_frechet_distance_is_that_of_the_matrix_square_root():
    tilts = normal(5, 5, seed=2), normal(5, 5, seed=3)
    covariances = [tilt @ tilt.T + 0.1 * torch.eye(5) for tilt in tilts]  # they differ
    means = normal(5, seed=4), normal(5, seed=5)
    sets = [
        with_moments(mean, covariance, seed=seed)
        for seed, (mean, covariance) in enumerate(zip(means, covariances, strict=True))
    ]
    product = (covariances[0].double() @ covariances[1].double()).numpy()
    root = np.trace(scipy.linalg.sqrtm(product).real)
    expected = (means[0] - means[1]).square().sum() - 2 * root
    expected += sum(covariance.trace() for covariance in covariances)
    assert frechet_distance(*sets) == pytest.approx(expected.item(), rel=1e-4)


def test_the_frechet_distance_knows_neither_order_nor_direction():
    first, second = normal(300, 4), 2 * normal(200, 4, seed=1) + 1
    distance = frechet_distance(first, second)
    shuffled = first[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    assert frechet_distance(shuffled, second) == pytest.approx(distance)
    assert frechet_distance(second, first) == pytest.approx(distance)
    assert frechet_distance(first, shuffled) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(first, first) >= 0


def test_the_frechet_distance_sees_nothing_but_mean_and_covariance():
    bell = whitened(normal(4000, 2))
    four_points = whitened(normal(4000, 2, seed=1).sign())
    assert frechet_distance(bell, four_points) == pytest.approx(0, abs=1e-9)


def test_sets_that_lie_in_a_plane_have_a_distance():
    """The covariance of few, or of dead, features has no inverse."""
    first = torch.cat([normal(100, 2), torch.zeros(100, 3)], dim=1)
    second = torch.cat([torch.zeros(100, 3), normal(100, 2, seed=1)], dim=1)
    total = first.T.cov().trace() + second.T.cov().trace()
    total += (first.mean(0) - second.mean(0)).square().sum()
    assert frechet_distance(first, second) == pytest.approx(total.item(), rel=1e-3)


@pytest.mark.parametrize("change", ["shift", "noise", "dropped"])
def test_the_frechet_distance_grows_with_what_is_wrong(change):
    real = torch.cat([normal(500, 3, seed=seed) + 8 * seed for seed in range(4)])
    noise = normal(2000, 3, seed=9)
    worse = {
        "shift": [real + step for step in (0, 1, 2, 4)],
        "noise": [real + step * noise for step in (0, 1, 2, 4)],
        "dropped": [real[500 * step :] for step in (0, 1, 2, 3)],
    }[change]
    distances = [frechet_distance(real, other) for other in worse]
    assert distances == sorted(distances)
    assert distances[0] == pytest.approx(0, abs=1e-6)
    assert distances[1] > 0.1


def test_small_sets_look_further_apart_than_they_are():
    """So a floor holds for one count of images: here about one over the count."""
    reference = normal(20_000, 8, seed=1)

    def floor(count: int) -> float:
        sets = normal(20 * count, 8).split(count)
        return sum(frechet_distance(part, reference) for part in sets) / 20

    assert floor(100) == pytest.approx(4 * floor(400), rel=0.3)


def corners(*, seed: int) -> Tensor:
    """Return four crowds of 50 points, far from each other."""
    middles = torch.tensor([[0.0, 0], [100, 0], [0, 100], [100, 100]])
    return normal(200, 2, seed=seed) + middles.repeat_interleave(50, dim=0)


def test_copies_have_full_precision_and_recall():
    real = corners(seed=0)
    assert precision_and_recall(real, real) == (1, 1)


def test_a_dropped_mode_costs_recall_alone():
    real, samples = corners(seed=0), corners(seed=1)
    precision, recall = precision_and_recall(real, samples)
    fewer = precision_and_recall(real, samples[50:])
    assert fewer[0] == pytest.approx(precision, abs=0.05)
    assert fewer[1] == pytest.approx(0.75 * recall, abs=0.05)


def test_outliers_cost_precision_alone():
    real, samples = corners(seed=0), corners(seed=1)
    precision, recall = precision_and_recall(real, samples)
    # Strays have balls around them, too: so far off that none reaches back.
    strays = torch.tensor([[1e8, 0.0]]) + torch.arange(100)[:, None] * 1e4
    found = precision_and_recall(real, torch.cat([samples, strays]))
    assert found[0] == pytest.approx(precision * 200 / 300)
    assert found[1] == recall


def test_one_sample_again_and_again_is_precise_and_covers_nothing():
    real = normal(200, 2)
    assert precision_and_recall(real, real[:1].repeat(50, 1)) == (1, 1 / 200)


def test_precision_and_recall_change_places_with_the_sets():
    real, samples = normal(300, 3), 0.5 * normal(200, 3, seed=1)
    there = precision_and_recall(real, samples)
    assert precision_and_recall(samples, real) == there[::-1]
    assert there[0] > there[1] + 0.2


@pytest.mark.parametrize("neighbours", [1, 2, 3])
def test_balls_reach_to_the_neighbour_that_was_asked_for(neighbours):
    real = torch.tensor([[0.0], [1.0], [3.0], [6.0], [10.0]])
    # Nearest others of the point at 10: 6, 3 and 1, at distances 4, 7 and 9.
    reach = {1: 4, 2: 7, 3: 9}[neighbours]
    for off, inside in ((-0.5, 1), (0.5, 0)):
        samples = torch.full((5, 1), 10 + reach + off)
        found, _ = precision_and_recall(real, samples, neighbours=neighbours)
        assert found == inside


def test_nearest_distances_are_those_of_a_search_by_hand():
    images, others = normal(7, 1, 3, 4), normal(11, 1, 3, 4, seed=1)
    distances, which = nearest_distances(images, others)
    for image, distance, index in zip(images, distances, which, strict=True):
        all_of_them = [math.dist(image.flatten(), other.flatten()) for other in others]
        assert distance == pytest.approx(min(all_of_them), rel=1e-4)
        assert index == np.argmin(all_of_them)


def test_more_images_than_fit_into_one_part_keep_their_order():
    others = normal(60, 5)
    order = torch.arange(1203) % 60
    distances, which = nearest_distances(others[order] + 1e-3, others)
    assert torch.equal(which, order)
    assert (distances < 0.02).all()


@pytest.mark.parametrize(
    ("first", "second"), [((5, 3), (5, 4)), ((5,), (5, 3)), ((1, 3), (5, 3))]
)
def test_features_that_do_not_fit_are_refused(first, second):
    for compare in (frechet_distance, precision_and_recall):
        for pair in ((first, second), (second, first)):
            with pytest.raises(ValueError, match="features"):
                compare(*(torch.zeros(shape) for shape in pair))


@pytest.mark.parametrize("neighbours", [0, 5, -1, 2.0])
def test_a_count_of_neighbours_that_the_sets_do_not_have_is_refused(neighbours):
    sets = normal(9, 2), normal(5, 2, seed=1)
    with pytest.raises(ValueError, match="from 1 to 4"):
        precision_and_recall(*sets, neighbours=neighbours)
    precision_and_recall(*sets, neighbours=4)


@pytest.mark.parametrize("others", [torch.zeros(0, 4), torch.zeros(3, 5)])
def test_images_without_any_like_them_are_refused(others):
    with pytest.raises(ValueError, match="one shape"):
        nearest_distances(torch.zeros(2, 4), others)


def test_the_classifier_reads_its_digits_off_its_features():
    classifier = DigitFeatures()
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    features = classifier.features(images)
    assert (features >= 0).all()
    assert features.shape == (4, 64)
    torch.testing.assert_close(classifier(images), classifier.head(features))
