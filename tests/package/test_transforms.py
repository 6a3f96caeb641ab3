"""Corruption inside a torchvision pipeline."""

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from dae_tutorial.further.transforms import Corrupt
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise
from tests.corruptions import CORRUPTIONS


@pytest.mark.parametrize("corruption", CORRUPTIONS)
@pytest.mark.parametrize("kind", [tv_tensors.Image, tv_tensors.Video, torch.Tensor])
def test_images_are_corrupted_and_keep_their_type(corruption, kind):
    image = torch.full((3, 3, 28, 28), 0.5).as_subclass(kind)
    noisy, label = Corrupt(corruption)((image, 7))
    assert type(noisy) is kind
    assert not torch.equal(noisy, image)
    assert label == 7


def test_masks_boxes_and_labels_pass_through():
    sample = {
        "image": tv_tensors.Image(torch.rand(1, 28, 28)),
        "mask": tv_tensors.Mask(torch.ones(1, 28, 28)),
        "label": torch.tensor(3),
    }
    corrupted = Corrupt(add_masking_noise)(sample)
    assert corrupted["mask"].all()
    assert corrupted["label"] == 3
    assert not torch.equal(corrupted["image"], sample["image"])


def test_in_a_pipeline_from_bytes():
    pipeline = v2.Compose(
        [v2.ToDtype(torch.float32, scale=True), Corrupt(add_gaussian_noise)]
    )
    image = tv_tensors.Image(torch.randint(256, (1, 28, 28), dtype=torch.uint8))
    noisy = pipeline(image)
    assert noisy.dtype == torch.float32
    assert 0 <= noisy.min() <= noisy.max() <= 1


def test_corruption_must_be_callable():
    with pytest.raises(TypeError, match="corruption must be a function"):
        Corrupt(0.5)
