# ---
# title: Types of noise
# description: Gaussian, masking, salt-and-pepper noise and block occlusion for denoising autoencoders, with formula, PyTorch code and a live figure of each.
# ---

# %% [markdown]
# # Types of noise
#
# A corruption takes clean images and returns noisy ones of the same shape. Four of
# them appear again and again in the literature. All four are plain functions here:
# they never modify their input, and they draw their randomness from a `generator`, so
# the same seed gives the same noise. Below you see the code of each, as it stands in the
# package. What begins with an underscore, such as `_check_images`, refuses input that
# cannot be right.

# %%
import torch

from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.figures import compare_images
from dae_tutorial.loaders import get_mnist_loaders
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
)

_, test_loader = get_mnist_loaders()
images, labels = next(iter(test_loader))
clean = images[:8]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# %% [markdown]
# ## Gaussian noise
#
# [`add_gaussian_noise`][dae_tutorial.noise.add_gaussian_noise] adds a normally
# distributed number to every pixel. The standard deviation $\sigma$ is called
# `noise_factor` in the code:
#
# $$\tilde{x} = x + \sigma\,\varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, I)$$
#
# It is the usual stand-in for the noise of a sensor. The result is clipped to $[0, 1]$,
# so that it stays an image.
#
# {{ code of dae_tutorial.noise.add_gaussian_noise }}

# %% alt="The digits 7, 2, 1, 0, 4, 1, 4, 9 in four rows: clean, then with Gaussian noise of standard deviation 0.25, 0.5 and 1. At 0.5 the digits are still easy to see through the grain; at 1 they are hard to find."
compare_images(
    {
        "clean": clean,
        "σ = 0.25": add_gaussian_noise(clean, 0.25, generator=seeded()),
        "σ = 0.5": add_gaussian_noise(clean, 0.5, generator=seeded()),
        "σ = 1": add_gaussian_noise(clean, 1.0, generator=seeded()),
    }
)

# %% [markdown]
# ??? warning "What clipping does"
#     Gaussian noise has mean zero, but clipped noise does not. A black pixel can only
#     become brighter: at $\sigma = 0.5$ its noise has mean 0.195 and mean square 0.115,
#     where the unclipped noise has 0 and 0.25. Most of an MNIST image is black, so this
#     matters. It matters in experiments, too: a model that trained on clipped noise has
#     learned to take off this grey, and a model that never saw the noise knows nothing
#     of it. So part of what looks like denoising is only taking off this grey. Use
#     `clip=False` whenever an argument needs zero-mean or Gaussian noise, and compare
#     clipped scores with clipped scores only.

# %% tags=["check"]
black = torch.zeros(1_000_000)
clipped = add_gaussian_noise(black, 0.5, generator=seeded())
unclipped = add_gaussian_noise(black, 0.5, clip=False, generator=seeded())
# Four standard errors of a mean over a million pixels are below 0.0015.
assert abs(clipped.mean() - 0.195) < 0.0015
assert abs(clipped.square().mean() - 0.115) < 0.0015
assert abs(unclipped.mean()) < 0.002
assert abs(unclipped.square().mean() - 0.25) < 0.002

# %% [markdown]
# ## Masking noise
#
# [`add_masking_noise`][dae_tutorial.noise.add_masking_noise] sets each pixel to zero
# with probability $p$, its `mask_prob`:
#
# $$\tilde{x}_i = m_i\,x_i, \qquad m_i \sim \mathrm{Bernoulli}(1 - p)$$
#
# It stands for missing values, and is the noise of the paper that gave denoising
# autoencoders their name (Vincent and others, 2008). It differs from
# [dropout](../glossary.md#dropout) in one point: the pixels that survive are not scaled
# up.
#
# {{ code of dae_tutorial.noise.add_masking_noise }}

# %% alt="The same eight digits in four rows: clean, then with a quarter, a half and three quarters of the pixels set to black. The strokes grow sparse but keep their shape even when a quarter of the pixels is left."
compare_images(
    {
        "clean": clean,
        "p = 0.25": add_masking_noise(clean, 0.25, generator=seeded()),
        "p = 0.5": add_masking_noise(clean, 0.5, generator=seeded()),
        "p = 0.75": add_masking_noise(clean, 0.75, generator=seeded()),
    }
)

# %% [markdown]
# On MNIST, masking is gentler than it sounds. About 81 % of the pixels are black
# already, and masking a black pixel changes nothing.

# %% tags=["check"]
share_black = (test_loader.dataset.images == 0).float().mean().item()
assert 0.80 < share_black < 0.815, share_black

# %% [markdown]
# ## Salt-and-pepper noise
#
# [`add_salt_and_pepper_noise`][dae_tutorial.noise.add_salt_and_pepper_noise] replaces
# each pixel, with probability $p$, by black or white, each equally likely:
#
# $$\tilde{x}_i = \begin{cases} 0 & \text{with probability } p/2 \\
# 1 & \text{with probability } p/2 \\ x_i & \text{otherwise} \end{cases}$$
#
# It models dead and stuck pixels. Unlike masking, it also damages the background: white
# specks appear where there was nothing.
#
# {{ code of dae_tutorial.noise.add_salt_and_pepper_noise }}

# %% alt="The same eight digits in four rows: clean, then with a tenth, a quarter and a half of the pixels replaced by black or white specks. At a half the digits are hard to make out."
compare_images(
    {
        "clean": clean,
        "p = 0.1": add_salt_and_pepper_noise(clean, 0.1, generator=seeded()),
        "p = 0.25": add_salt_and_pepper_noise(clean, 0.25, generator=seeded()),
        "p = 0.5": add_salt_and_pepper_noise(clean, 0.5, generator=seeded()),
    }
)

# %% [markdown]
# ## Block occlusion
#
# [`add_block_occlusion`][dae_tutorial.noise.add_block_occlusion] blacks out one square
# at a random place in each image. The noise of the other three can be averaged away
# over neighbouring pixels; here a whole neighbourhood is gone, and the network must
# know the digit to fill it in.
#
# {{ code of dae_tutorial.noise.add_block_occlusion }}

# %% alt="The same eight digits in four rows: clean, then with one black square of 6, 10 and 14 pixels hidden at a random place in each image. Larger squares cut away whole strokes."
compare_images(
    {
        "clean": clean,
        "6 × 6": add_block_occlusion(clean, 6, generator=seeded()),
        "10 × 10": add_block_occlusion(clean, 10, generator=seeded()),
        "14 × 14": add_block_occlusion(clean, 14, generator=seeded()),
    }
)

# %% [markdown]
# ## How much damage is that?
#
# The mean squared error between noisy and clean images is what *doing nothing* scores.
# It is the first number to know about any corruption: a denoiser that does not beat it
# is worse than no denoiser.

# %%
from dae_tutorial.evidence.comparison import Comparison

corruptions = {
    "Gaussian, 0.5": add_gaussian_noise,
    "masking, 0.5": add_masking_noise,
    "salt-and-pepper, 0.25": add_salt_and_pepper_noise,
    "block, 10 × 10": add_block_occlusion,
}
damage = {}
for name, corrupt in corruptions.items():
    noisy = corrupt(images, generator=seeded())
    damage[name] = mean_squared_error(noisy, images).mean().item()

Comparison(
    "Mean squared error of the noisy image",
    {"error": ".3f"},
    {name: [error] for name, error in damage.items()},
)

# %% [markdown]
# Gaussian noise at its default does more damage than masking half of all pixels. The
# reason stands above: most of the pixels that masking hides were black.

# %% tags=["check"]
assert damage["Gaussian, 0.5"] > damage["masking, 0.5"]

# %% [markdown]
# ## In a torchvision pipeline
#
# If your data goes through `torchvision.transforms.v2`, wrap a corruption in
# [`Corrupt`][dae_tutorial.further.transforms.Corrupt]. Images are corrupted, labels pass
# through.

# %%
from functools import partial

from torchvision import tv_tensors
from torchvision.transforms import v2

from dae_tutorial.further.transforms import Corrupt

pipeline = v2.Compose(
    [
        v2.ToDtype(torch.float32, scale=True),
        Corrupt(partial(add_masking_noise, mask_prob=0.3, generator=seeded())),
    ]
)
photo = tv_tensors.Image(torch.full((1, 28, 28), 255, dtype=torch.uint8))
noisy_photo, label = pipeline((photo, 7))
print(f"{noisy_photo.mean():.2f} of the pixels are left; the label is still {label}")

# %% [markdown]
# Next: [Why add noise?](why-noise.md)
