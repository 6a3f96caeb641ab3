# ---
# title: Laboratory
# description: Draw a digit, choose noise and level, and watch four trained denoisers heal it in your browser; walk through a code, and see a digit born from noise.
# hide:
#   - toc
# ---

# %% [markdown]
# # Laboratory
#
# Draw a digit, spoil it, and see at once what four trained networks make of it. They are
# the models of [Pretrained models](further/pretrained.py), and they run here, in your
# browser: what you draw goes nowhere.
#
# ## Draw, spoil, heal
#
# <div class="laboratory" data-part="heal"><button type="button" class="lab-button lab-go" disabled>Start the laboratory</button> <span class="lab-hint">It loads 4.4 MB, once.</span> <noscript>The laboratory needs JavaScript. The figures below do not.</noscript></div>
#
# ## What to look for
#
# Before you start anything: here is one digit of the [test set](glossary.md#test-set) under
# four kinds of noise, and what each network answers. All but one were trained on the first kind only, Gaussian noise
# with $\sigma = 0.5$, clipped to $[0, 1]$. The other one is the control: a
# [twin](glossary.md#twin) of the dense autoencoder that met clean digits only.

# %% tags=["hide-code"]
from functools import partial

import matplotlib.pyplot as plt
import torch

from dae_tutorial import figures
from dae_tutorial.evaluate import psnr
from dae_tutorial.further.laboratory import DENOISERS
from dae_tutorial.further.onnx_export import in_eight_bits
from dae_tutorial.further.pretrained import load_pretrained
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
)

test = load_mnist(train=False)
models = {name: in_eight_bits(load_pretrained(w)) for name, w in DENOISERS.items()}
noises = {
    "Gaussian\nσ = 0.5": partial(add_gaussian_noise, noise_factor=0.5),
    "masking\np = 0.5": partial(add_masking_noise, mask_prob=0.5),
    "salt and pepper\np = 0.25": partial(add_salt_and_pepper_noise, flip_prob=0.25),
    "block\n10 × 10": partial(add_block_occlusion, block_size=10),
}


def answers(clean, corrupt, seed=1):
    """Return the noisy images and each model's answer to them."""
    noisy = corrupt(clean, generator=torch.Generator().manual_seed(seed))
    shown = {"noisy": noisy}
    with torch.no_grad():
        for name, model in models.items():
            shown[name] = model(noisy).reshape(clean.shape)
    return shown


# %% tags=["hide-code"] alt="A handwritten three in four rows, one for each kind of noise, and six columns: clean, noisy, and the answers of the clean-trained autoencoder, the dense denoising autoencoder, the convolutional one and the U-Net, each with its PSNR. Under Gaussian noise the clean-trained one gives a smear, and the others a clean three, the U-Net the sharpest. Under the other kinds the results are mixed; no network fills the hole of the block."
names = {
    "clean": "dense,\nclean-trained",
    "dense": "dense",
    "conv": "convo-\nlutional",
    "unet": "U-Net",
}
three = test.images[30:31]
with plt.rc_context(figures.STYLE | {"font.size": 9}):
    figure, axes = plt.subplots(4, 6, figsize=(7, 5.6), layout="constrained")
for index, (noise, corrupt) in enumerate(noises.items()):
    row = axes[index]
    shown = {"original": three, **answers(three, corrupt)}
    for axis, (name, image) in zip(row, shown.items(), strict=True):
        axis.imshow(image[0, 0], cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        if name != "original":
            axis.set_xlabel(f"{psnr(image, three).item():.1f} dB")
        if index == 0:
            axis.set_title(names.get(name, name), fontsize=9)
    row[0].set_ylabel(noise, rotation=0, ha="right", va="center")
plt.close(figure)
figure

# %% tags=["check"]
digits = test.images[:1000]
scores = {
    noise: {name: psnr(x, digits).mean().item() for name, x in found.items()}
    for noise, corrupt in noises.items()
    for found in [answers(digits, corrupt)]
}
gaussian, masking, salt, block = scores.values()
assert gaussian["noisy"] < gaussian["dense"] < gaussian["conv"] < gaussian["unet"]
assert gaussian["clean"] < gaussian["noisy"] + 2
assert gaussian["dense"] > gaussian["noisy"] + 8
assert max(block[name] for name in models) < block["noisy"]

# %% [markdown]
# Numbers are [PSNR](notation.md) in decibels: higher is better, and what is below "noisy" in
# its row is worse than doing nothing. On a thousand test digits the order of the first row
# holds: each network that was trained on this noise gains more than eight decibels, the
# [U-Net](glossary.md#u-net) most. The twin gains less than two. And against the block, a
# damage that none of them has met, doing nothing beats them all on average, whatever this
# one digit says.
#
# **Things to try**
#
# - Move the level slowly from 0 to 1. Where does each curve cross the dashed one, *doing
#   nothing*? Where is its gain largest?
# - Draw a digit in your own hand, then a letter. What does a network make of what it has
#   never seen?
# - Press "New noise" a few times at $\sigma = 0.9$. What the networks are sure of stays;
#   what they guess changes with the noise.
#
# ## A walk in the code
#
# The dense autoencoder writes each digit down as 32 numbers, its code. The mean of two
# *pictures* shows both digits at once. The mean of two *codes*, decoded, shows something
# between them, and often nearly a digit.

# %% tags=["hide-code"] alt="Two rows of nine pictures on the way from a two to a seven. Above, decoded from codes between the two: the two bends and opens step by step until it is a seven. Below, pictures faded into each other: in the middle both digits shine through."
dense = load_pretrained("autoencoder")
two, seven = test.images[1:2], test.images[0:1]
shares = torch.linspace(0, 1, 9).unsqueeze(1)
with torch.no_grad():
    codes = (1 - shares) * dense.encode(two) + shares * dense.encode(seven)
    decoded = dense.decode(codes).reshape(-1, 1, 28, 28)
faded = (1 - shares) * two.flatten(1) + shares * seven.flatten(1)
rows = {"in the code": decoded, "in the pixels": faded.reshape(-1, 1, 28, 28)}
figures.compare_images(rows, captions=[f"{share:.0%}" for share in shares.flatten()])

# %% [markdown]
# <div class="laboratory" data-part="walk"><button type="button" class="lab-button lab-go" disabled>Start the laboratory</button></div>
#
# ## A digit is born
#
# A denoiser that knows [every level of noise](theory/from-denoiser-to-generator.py) can draw.
# It begins with noise alone, and goes down through 18 levels. Here is its answer at ten of
# them. In the laboratory the same seed gives birth to the same digit as in Python. Hide half
# of a digit, and it draws the rest: at each level it is told the half that is known.

# %% tags=["hide-code"] alt="Ten pictures of one digit being born, at falling noise levels from 10 to 0.01: first a grey cloud, then a blob, and from about the fifth picture on a digit that grows sharper."
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.pretrained import load_multilevel
from dae_tutorial.theory.sampling import draw_start, heun, noise_levels

denoiser = load_multilevel()
denoiser = Preconditioned(in_eight_bits(denoiser.network), denoiser.sigma_data, 10)
levels = noise_levels(18, highest=10, lowest=0.01)
seen = {}


def watched(x, sigma):
    """Denoise, and keep the first answer at each level."""
    with torch.no_grad():
        return seen.setdefault(sigma, denoiser(x, sigma))


start = draw_start((1, 1, 28, 28), 10, generator=torch.Generator().manual_seed(1))
born = heun(watched, start, levels)
shown = [levels[step] for step in (0, 2, 4, 6, 7, 8, 9, 11, 13, 17)]
figures.compare_images(
    {"answer": torch.cat([seen[sigma] for sigma in shown])},
    captions=[f"{sigma:.2g}" for sigma in shown],
)

# %% [markdown]
# <div class="laboratory" data-part="birth"><button type="button" class="lab-button lab-go" disabled>Start the laboratory</button></div>
#
# ## Two dimensions
#
# What does a denoiser do to a *place*? In the plane one can see all of it. The points below
# are the data. The perfect denoiser moves each place $x$ to the mean of the points that may
# lie behind it, so the arrow $r(x) - x$ points to the data; divided by $\sigma^2$, it is the
# [score](theory/what-a-denoiser-learns.py), the slope of the log-density.

# %% tags=["hide-code"] alt="Two panels with points along a spiral, and arrows from a grid of places. On the left, noise of 0.1: arrows are short and lead to the nearest turn of the spiral. On the right, noise of 0.4: arrows are long and all lead towards the middle, and the turns cannot be told apart."
from dae_tutorial.theory.score import FiniteSet

turn = 0.6 + torch.linspace(0, 1, 60) * 3.1 * torch.pi
radius = 0.09 * turn - 0.03
points = torch.stack([radius * turn.cos(), radius * turn.sin()], dim=1)
side = torch.linspace(-1, 1, 15)
places = torch.cartesian_prod(side, side)
with plt.rc_context(figures.STYLE | {"font.size": 10}):
    figure, axes = plt.subplots(1, 2, figsize=(6.5, 3.3), layout="constrained")
for axis, sigma in zip(axes, (0.1, 0.4), strict=True):
    moves = FiniteSet(points).posterior_mean(places, sigma) - places
    length = moves.norm(dim=1, keepdim=True).clamp(min=1e-9)
    moves = moves * (0.14 / length).clamp(max=1)
    axis.quiver(
        *places.T,
        *moves.T,
        color=figures.COLOURS["blue"],
        **{
            "angles": "xy",
            "scale_units": "xy",
            "scale": 1,
            "width": 0.006,
        },
    )
    axis.plot(*points.T, "o", color=figures.COLOURS["orange"], markersize=3)
    axis.set(title=f"σ = {sigma}", xticks=[], yticks=[], aspect="equal")
plt.close(figure)
figure

# %% [markdown]
# <div class="laboratory" data-part="plane"><button type="button" class="lab-button lab-go" disabled>Start the laboratory</button></div>
#
# ## How it works
#
# [`export_onnx`][dae_tutorial.further.onnx_export.export_onnx] writes what a model computes to
# a file, and ONNX Runtime Web (MIT licence, by Microsoft and others) runs it in the browser.
# Weights are rounded to eight bits by
# [`in_eight_bits`][dae_tutorial.further.onnx_export.in_eight_bits]: that saves three quarters
# of what you have to load, and costs at most 0.025 dB. A drawing is prepared [as MNIST's digits
# were](reference/drawings.md). The random numbers are PyTorch's own, so that a seed means the
# same here and there: unfold "The same in Python" for a program that prints the numbers that
# you see.

# %% tags=["check"]
for name, weights in DENOISERS.items():
    with torch.no_grad():
        noisy = add_gaussian_noise(digits, generator=torch.Generator().manual_seed(1))
        exact = psnr(load_pretrained(weights)(noisy).reshape(digits.shape), digits)
    assert abs(exact.mean().item() - gaussian[name]) < 0.025, name
