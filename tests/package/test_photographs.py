"""Photographs: all there without a network, and patches from everywhere in them."""

import math
import socket

import pytest
import torch

from dae_tutorial.evidence.photographs import (
    TEST,
    TRAINING,
    VALIDATION,
    draw_patches,
    load_photograph,
)


@pytest.mark.parametrize("name", TRAINING + VALIDATION + TEST)
def test_every_photograph_is_there_without_a_network(name, monkeypatch):
    def refuse(*_):
        raise AssertionError("a photograph was looked for on the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    photograph = load_photograph(name)
    assert photograph.dtype == torch.float32
    assert photograph.shape[0] == 3
    assert min(photograph.shape[1:]) >= 300
    assert photograph.min() >= 0
    assert 0.9 < photograph.max() <= 1
    assert photograph.std(dim=0).mean() > 0.01, "the channels are all alike"


def test_no_photograph_serves_twice():
    names = TRAINING + VALIDATION + TEST
    assert len(set(names)) == len(names)


def test_unknown_photograph():
    with pytest.raises(ValueError, match="name must be one of astronaut, chelsea"):
        load_photograph("lena")


def test_patches_are_cut_where_they_fit_and_nowhere_else():
    """Each pixel holds its own number, so a patch tells where it came from."""
    height, width, size, draws = 7, 5, 3, 6000
    photograph = torch.arange(height * width).reshape(1, height, width)
    generator = torch.Generator().manual_seed(0)
    patches = draw_patches([photograph], draws, size, generator=generator)
    corners = patches[:, 0, 0, 0]
    expected = corners[:, None, None] + photograph[0, :size, :size]
    assert torch.equal(patches[:, 0], expected)
    places = (height - size + 1) * (width - size + 1)
    counts = torch.bincount(corners)
    assert (counts > 0).sum() == places
    error = math.sqrt(draws / places * (1 - 1 / places))
    assert (counts[counts > 0] - draws / places).abs().max() < 5 * error


def test_every_photograph_is_drawn_from_alike():
    small, large = torch.zeros(1, 10, 10), torch.ones(1, 50, 50)
    draws = 2000
    generator = torch.Generator().manual_seed(0)
    share = draw_patches([small, large], draws, 8, generator=generator).mean()
    assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(draws)


def test_generator_alone_decides():
    photograph = torch.rand(3, 20, 20)

    def draw(seed):
        generator = torch.Generator().manual_seed(seed)
        return draw_patches([photograph], 4, 8, generator=generator)

    first = draw(1)
    torch.rand(7)  # moves the global state, which must not matter
    assert torch.equal(first, draw(1))
    assert not torch.equal(first, draw(2))


@pytest.mark.parametrize(("count", "size"), [(1, 0), (1, 21), (0, 8)])
def test_patches_out_of_range(count, size):
    with pytest.raises(ValueError, match="must be"):
        draw_patches([torch.rand(1, 20, 30)], count, size)


def test_patches_of_nothing():
    with pytest.raises(ValueError, match="size must be"):
        draw_patches([], 1)
