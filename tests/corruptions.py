"""The corruptions that every general test goes through."""

from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    add_varied_gaussian_noise,
)

CORRUPTIONS = [
    add_gaussian_noise,
    add_varied_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    add_block_occlusion,
]
