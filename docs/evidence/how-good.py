# ---
# title: How good is it?
# description: A ladder of image denoisers on MNIST, from doing nothing over median, total variation, non-local means, PCA and the best linear map to autoencoders, U-Net and the exact posterior mean.
# data: dae_tutorial/evidence/tables/ladder.*
# ---

# %% [markdown]
# # How good is it?
#
# !!! abstract "In two sentences"
#     At σ = 0.5 a denoising autoencoder that trained for four
#     [epochs](../glossary.md#epoch) has a mean squared error of 0.0168 on clipped and
#     0.0161 on unclipped noise: less than every filter, though these are told what
#     clipping does to the brightness (at best 0.0220 and 0.0253), but only 3 to 11 % less
#     than a single matrix (0.0175 and 0.0179). After sixteen epochs it leads the matrix
#     by 15 to 21 %; but at σ = 0.1 it has, after four, more error than the noisy image
#     itself, on both noises, and five times that of non-local means.
#
# An error of 0.015 alone says nothing. Is that good? This page puts the denoising
# autoencoder on a ladder. At its foot stands *doing nothing*. Above it come the filters
# that every image program has, then linear algebra, then networks. At the end stands
# a method that knows all training images by heart.
#
# Every method meets the same noisy test images, once with Gaussian noise that is
# [clipped to $[0, 1]$](clipped-or-not.py), and once without clipping. Clipping brightens
# what is black. A network that trained on it takes that off again; a filter cannot know.
# So **whoever never saw the noise is told for free** what it does to the brightness, in
# both noises, and what this page calls better has to be better in both.
#
# ## Build the ladder yourself
#
# The classical methods are one line each, in
# [`dae_tutorial.evidence.baselines`](../reference/baselines.md). First the images, and
# the noise that all of them meet:

# %%
import torch

from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.noise import add_gaussian_noise

mnist = load_mnist(train=True)
train_images = ImageTensors(mnist.images[:20_000], mnist.labels[:20_000])
clean = load_mnist(train=False).images[::100]  # 100 from all over the test set

sigma = 0.5


def seeded(seed):
    return torch.Generator().manual_seed(seed)


noisy = add_gaussian_noise(clean, sigma, generator=seeded(0))

# %% [markdown]
# Filters need no training. They look at a pixel's neighbourhood, or, as non-local means
# does, for places in the image that look alike. Here each has one setting, typed by
# hand.

# %%
from functools import partial

from dae_tutorial.evidence.baselines import (
    blur,
    median,
    non_local_means,
    total_variation,
    wavelet,
)

denoisers = {
    "doing nothing": lambda images: images,
    "blur": partial(blur, width=1.0),
    "median": partial(median, size=3),
    "total variation": partial(total_variation, weight=0.25),
    "non-local means": partial(non_local_means, sigma=0.6 * sigma, strength=0.4),
    "wavelets": partial(wavelet, sigma=0.5 * sigma),
}

# %% [markdown]
# The next three are fitted to training images. All are of the form
# $\hat{x} = W\tilde{x} + b$: a matrix and an offset. The [mean
# image](../glossary.md#mean-image) has $W = 0$. PCA projects onto the directions in
# which digits vary most. The *best linear* map is [ridge](../glossary.md#ridge)
# regression: the matrix and offset that have the least squared error on these training
# images under one draw of the noise, with a small penalty on large weights. It is found
# by solving one linear system. (Without the penalty, and with endless images and draws,
# it would be the best of all matrices.)

# %%
from dae_tutorial.evidence.baselines import fit_linear, fit_mean_image, fit_pca

noisy_train = add_gaussian_noise(train_images.images, sigma, generator=seeded(1))
linear = fit_linear(noisy_train, train_images.images, ridge=100)

denoisers["mean image"] = fit_mean_image(train_images.images)
denoisers["PCA"] = fit_pca(train_images.images, 64)
denoisers["best linear"] = linear

# %% [markdown]
# Last, two autoencoders, alike in everything but the noise in their training. A short
# training, to keep this page quick; the study below has a longer one.

# %%
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import no_noise
from dae_tutorial.train import fit, one_cycle


def trained(corrupt, epochs=4):
    torch.manual_seed(0)
    model = Autoencoder()
    loader = train_images.loader(128, shuffle=True)
    optimizer, scheduler = one_cycle(model, loader, epochs, peak=15e-3)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": epochs}
    fit(model, loader, corrupt, device="cpu", **recipe)
    return lambda images: model(images).detach().reshape(images.shape)


denoisers["clean-trained AE"] = trained(no_noise)
denoisers["DAE"] = trained(add_gaussian_noise)

# %% [markdown]
# The mean image, the matrix and the DAE need no telling. To the others we give what they
# cannot know, fitted on [validation images](../glossary.md#validation-set): a constant
# for each pixel, taken off before they look and after, and one factor for the contrast,
# since clipping darkens what is white, too.

# %%
validation = mnist.images[-500:]
seen = add_gaussian_noise(validation, sigma, generator=seeded(2))


def corrected(denoise):
    before = (seen - validation).mean(dim=0)
    result = denoise(seen - before)
    spread = result - result.mean()
    factor = (spread * (validation - validation.mean())).mean() / spread.square().mean()
    after = (factor * result - validation).mean(dim=0)
    return lambda images: factor * denoise(images - before) - after


need_none = ("doing nothing", "mean image", "best linear", "DAE")
told = {
    name: corrected(denoise)
    for name, denoise in denoisers.items()
    if name not in need_none
}

# %% [markdown]
# From the largest error to the smallest, of images cut to $[0, 1]$:

# %%
from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.evidence.comparison import Comparison

raw = {name: denoise(noisy).clamp(0, 1) for name, denoise in denoisers.items()}
denoised = raw | {name: denoise(noisy).clamp(0, 1) for name, denoise in told.items()}
raw_error, error = (
    {n: mean_squared_error(image, clean).mean().item() for n, image in images.items()}
    for images in (raw, denoised)
)
Comparison(
    "Mean squared error, clipped noise, σ = 0.5",
    {"as it is": ".4f", "told the brightness": ".4f"},
    {
        name: [raw_error[name], error[name] if name in told else None]
        for name in sorted(error, key=error.get, reverse=True)
    },
    best={"as it is": min, "told the brightness": min},
)

# %% [markdown]
# Three things may surprise you. The mean image, which does not even look at its input,
# beats doing nothing by far. **Brightness and contrast alone are half of the error** of a
# blur or of total variation; without the second column we would praise the networks for
# it. And even so **the best linear map has the least error**: a single matrix beats every
# filter, the autoencoder that was trained on clean images, and our denoising autoencoder
# too, after so short a training. If you compare a network with the noisy image only, you
# will be impressed too early.
#
# Does a network ever overtake the matrix? With more training, it does. These three come
# with the site, and trained for minutes, not seconds: 30, 12 and 6 epochs on all 60,000
# training images.

# %%
from dae_tutorial.further.pretrained import load_pretrained, read_card

short_dae = error["DAE"]
pretrained = {
    "DAE": "autoencoder",
    "conv. DAE": "conv-autoencoder",
    "U-Net": "unet",
}
for name, file in pretrained.items():
    with torch.no_grad():
        denoised[name] = load_pretrained(file)(noisy).reshape(noisy.shape)
    error[name] = mean_squared_error(denoised[name], clean).mean().item()

Comparison(
    "Mean squared error, clipped noise, σ = 0.5",
    {"error": ".4f"},
    {name: [error[name]] for name in pretrained},
    best={"error": min},
)

# %% tags=["check"]
assert error["mean image"] < 0.7 * raw_error["doing nothing"]
for name in ("blur", "total variation"):
    assert 0.4 < error[name] / raw_error[name] < 0.55
others = [error[name] for name in (*told, "mean image")]
assert error["best linear"] < 0.9 * min(others)
assert error["best linear"] < 0.95 * short_dae
for name in pretrained:
    assert error[name] < 0.95 * error["best linear"]
assert [read_card(file)["epochs"] for file in pretrained.values()] == [30, 12, 6]
assert all("60,000" in read_card(file)["data"] for file in pretrained.values())
assert error["U-Net"] < 0.9 * error["DAE"]

# %% [markdown]
# ## The same digits under every method
#
# Under each digit stands its PSNR in decibels: ten more mean a tenth of the squared
# error. Those who never saw the noise were told the brightness. The last three rows are
# the trained networks from above.

# %%
from dae_tutorial.evaluate import psnr
from dae_tutorial.evidence.baselines import posterior_mean

few = slice(10, 70, 12)  # five digits
rows = {"clean": clean[few], "noisy": noisy[few]}
for name in ("mean image", *list(told)[:-1], "best linear", "clean-trained AE"):
    rows[name.replace(" ", "\n")] = denoised[name][few]
rows["posterior\nmean"] = posterior_mean(noisy[few], train_images.images, sigma)
for name in pretrained:
    rows[name] = denoised[name][few]

# %% tags=["hide-code"] alt="Five test digits in fifteen rows, one row a method, with the PSNR under each image. Under noise they are hard to read. The mean image is the same grey blob for all. Blur, median, total variation and wavelets leave grey spots around uneven strokes; non-local means leaves fewer, and ragged edges. PCA and the best linear map give readable digits with faint ripples, the clean-trained autoencoder digits of which two are badly distorted. The posterior mean returns sharp digits of which some have another shape than the original. The denoising autoencoders and the U-Net return clean digits with the right shape."
import matplotlib.pyplot as plt

from dae_tutorial import figures

with plt.rc_context(figures.STYLE):
    figure, grid = plt.subplots(
        len(rows), 5, figsize=(figures.WIDTH, 1.16 * len(rows)), layout="constrained"
    )
for (name, images), axes_row in zip(rows.items(), grid, strict=True):
    scores = psnr(images.clamp(0, 1), clean[few])
    for axes, image, score in zip(axes_row, images, scores, strict=True):
        axes.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if name != "clean":
            axes.set_xlabel(f"{score:.1f} dB", labelpad=2)
    axes_row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8)
figure

# %% [markdown]
# ## The whole ladder
#
# Now at full size: 50,000 training images, 500 test images from all over the [test
# set](../glossary.md#test-set), four noise levels, three seeds, and both noises. Settings
# are chosen for each noise and level, on validation images. The two dense networks train
# for four epochs, and at $\sigma = 0.5$ also for sixteen. Two more networks are
# *[blind](../glossary.md#blind)*: one network for all levels, which is not told σ. They
# train for one epoch.
#
# Methods that never saw the noise are told the brightness, where that helps them on
# validation images. Every result is cut to $[0, 1]$, so doing nothing has the same error
# in both noises.

# %% tags=["hide-code"] alt="Sixteen methods with two mean squared errors each at σ = 0.5, clipped as dots and unclipped as squares, on a logarithmic axis, from the largest to the smallest. Doing nothing has 0.116, the mean image 0.067, the clean-trained autoencoder after sixteen epochs 0.039 and 0.042, and after four 0.031 and 0.034. Wavelets, median, blur, total variation, the posterior mean, non-local means and PCA follow. The best linear map has 0.0175 and 0.0179, the blind convolutional autoencoder 0.018 and 0.016, the denoising autoencoder after four epochs 0.017 and 0.016; the blind U-Net and the denoising autoencoder after sixteen epochs have 0.015 and 0.014."
import numpy as np

from dae_tutorial.evidence import tables

table, record = tables.read("ladder"), tables.read_record("ladder")
for row in table:
    row["name"] = row["method"] + (", 16 epochs" if row["epochs"] == 16 else "")
    if row["name"] == "doing nothing":  # to take an offset off would be to do something
        row |= {f"{name}_off": row[name] for name in ("mse", "psnr", "ssim")}
scores = {
    column: tables.spread(table, column, "clip", "name", "sigma")
    for column in ("mse", "mse_off", "psnr_off", "ssim_off", "milliseconds")
}
mse = scores["mse_off"]
CLIPS = ("clipped", "unclipped")
names = list(dict.fromkeys(row["name"] for row in table))
names.remove("posterior mean, own images")
order = sorted(names, key=lambda name: -sum(mse[c, name, 0.5][0] for c in CLIPS))
kind = {"clean-trained AE": "orange", "clean-trained AE, 16 epochs": "orange"}
kind |= dict.fromkeys(("DAE", "DAE, 16 epochs"), "blue")
kind |= dict.fromkeys(("conv. DAE, blind", "U-Net, blind"), "blue")

COLUMNS = (0.22, 0.46)
text = {"ha": "center", "va": "center", "size": 9, "color": figures.INK["light"]}

with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 5.8), layout="constrained")
for place, name in enumerate(order):
    colour = figures.COLOURS[kind.get(name, "teal")]
    for clip, marker, column in zip(CLIPS, ("o", "s"), COLUMNS, strict=True):
        mean, deviation = mse[clip, name, 0.5]
        fill = colour if clip == "clipped" else "none"
        axes.errorbar(
            mean, place, xerr=deviation, fmt=marker, color=colour, mfc=fill, capsize=3
        )
        axes.text(column, place, f"{mean:.4f}", **text)
for heading, column in zip(("● clipped", "□ not"), COLUMNS, strict=True):
    axes.text(column, -1, heading, **text)
axes.set_yticks(range(len(order)), order)
axes.set(xscale="log", xlabel="mean squared error at σ = 0.5", xlim=(0.012, 0.64))
axes.set_xticks([0.02, 0.05, 0.1], ["0.02", "0.05", "0.1"])
axes.minorticks_off()
axes.set_ylim(len(order) - 0.4, -1.6)
figure

# %% [markdown]
# Dots are averages over three seeds, bars their standard deviation; most are too small
# to see.
#
# - **A matrix is hard to beat.** The best linear map has less error than any filter, PCA
#   and the [posterior mean](../glossary.md#posterior-mean), explained below. After four
#   epochs the DAE is only 3 to 5 % ahead of it on clipped noise, and 9 to 11 % on
#   unclipped. An earlier version of this page trained with smaller steps and even had
#   the matrix ahead. After sixteen epochs the DAE leads by 15 to 21 %.
# - **The noise in training matters, and more so the longer it is.** The same network,
#   trained as long on clean images and told the brightness, has about twice the error of
#   its [twin](../glossary.md#twin) after four epochs, and more than blur, total
#   variation and non-local means. From four epochs to sixteen the DAE gets better, and
#   the clean-trained network becomes a worse denoiser.
# - **The [U-Net](../glossary.md#u-net)** saw each image once and does not know σ. It has
#   7 to 13 % less error than the dense DAE after four epochs, and is level with it after
#   sixteen. By SSIM it is far behind both, and behind the matrix.

# %% tags=["check"]
by_key = {(r["clip"], r["name"], r["sigma"], r["seed"]): r for r in table}
SEEDS = record["seeds"]
compared = set()


def ratios(better, worse, level, column="mse_off"):
    """Divide two methods' scores, for both noises and every seed: (2, seeds)."""
    compared.add((better, worse, level, column.removesuffix("_off")))
    return np.array(
        [
            [
                by_key[clip, better, level, seed][column]
                / by_key[clip, worse, level, seed][column]
                for seed in SEEDS
            ]
            for clip in CLIPS
        ]
    )


arguments = record["arguments"]
assert (arguments["train_images"], arguments["test_images"]) == (50_000, 500)
assert len(arguments["sigmas"]) == 4
assert len(SEEDS) == 3
budgets = {row["name"]: row["epochs"] for row in table}
assert budgets["DAE"] == budgets["clean-trained AE"] == 4
assert budgets["conv. DAE, blind"] == budgets["U-Net, blind"] == 1
filters = ("blur", "median", "total variation", "non-local means", "wavelets")
for rival in (*filters, "PCA", "posterior mean"):
    assert (ratios("best linear", rival, 0.5) < 0.9).all(), rival
    assert (ratios("DAE", rival, 0.5) < 0.9).all(), rival
ahead = ratios("DAE", "best linear", 0.5)
per_cent = (100 * (1 - ahead)).round()
assert (per_cent[0].min(), per_cent[0].max()) == (3, 5)
assert (per_cent[1].min(), per_cent[1].max()) == (9, 11)
longer = (100 * (1 - ratios("DAE, 16 epochs", "best linear", 0.5))).round()
assert (longer.min(), longer.max()) == (15, 21)
twice = ratios("clean-trained AE", "DAE", 0.5)
assert 1.75 < twice.min() < twice.max() < 2.25
for rival in ("blur", "total variation", "non-local means"):
    assert (ratios(rival, "clean-trained AE", 0.5) < 1).all()
assert (ratios("DAE, 16 epochs", "DAE", 0.5) < 0.95).all()
assert (ratios("clean-trained AE", "clean-trained AE, 16 epochs", 0.5) < 0.95).all()
less = (100 * (1 - ratios("U-Net, blind", "DAE", 0.5))).round()
assert (less.min(), less.max()) == (7, 13)
level = ratios("U-Net, blind", "DAE, 16 epochs", 0.5)
assert 0.94 < level.min() < 1 < level.max() < 1.08
for other in ("DAE", "conv. DAE, blind", "best linear"):
    assert (ratios("U-Net, blind", other, 0.5, "ssim_off") < 0.9).all()
assert (ratios("U-Net, blind", "DAE, 16 epochs", 0.5, "ssim_off") < 0.85).all()

# What the first lines of the page and the figure's description say:
stated = {
    "DAE": (0.0168, 0.0161),
    "best linear": (0.0175, 0.0179),
    "non-local means": (0.0220, 0.0253),
    "doing nothing": (0.116, 0.116),
    "mean image": (0.067, 0.067),
    "clean-trained AE": (0.031, 0.034),
    "clean-trained AE, 16 epochs": (0.039, 0.042),
    "conv. DAE, blind": (0.018, 0.016),
    "U-Net, blind": (0.015, 0.014),
    "DAE, 16 epochs": (0.015, 0.014),
}
for name, values in stated.items():
    digits = 3 if values == tuple(round(value, 3) for value in values) else 4
    for clip, value in zip(CLIPS, values, strict=True):
        assert round(mse[clip, name, 0.5][0], digits) == value, (clip, name)
for clip in CLIPS:
    assert mse[clip, "non-local means", 0.5] == min(mse[clip, f, 0.5] for f in filters)


# %% [markdown]
# ## Where the autoencoder loses
#
# One noise level is one point of view. Here are four.

# %% tags=["hide-code"] alt="Two panels, clipped and unclipped: mean squared error over the noise level, both on logarithmic axes. At σ = 0.1 the denoising autoencoder and its clean-trained twin stand close together above doing nothing, non-local means and the best linear map far below. All rise with σ, doing nothing the most. At σ = 0.5 the U-Net is lowest, with the denoising autoencoder and the best linear map close above it. The posterior mean is a nearly horizontal line, the highest of all at σ = 0.1 and the lowest at σ = 1."
lines = {
    "doing nothing": (figures.INK["light"], "-"),
    "non-local means": (figures.COLOURS["teal"], "--"),
    "best linear": (figures.COLOURS["teal"], "-"),
    "clean-trained AE": (figures.COLOURS["orange"], "-"),
    "DAE": (figures.COLOURS["blue"], "-"),
    "U-Net, blind": (figures.COLOURS["blue"], "--"),
    "posterior mean": (figures.COLOURS["orange"], ":"),
}
levels = sorted({row["sigma"] for row in table})
with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 4.6), sharey=True, layout="constrained"
    )
for axes, clip in zip(panels, CLIPS, strict=True):
    for name, (colour, style) in lines.items():
        points = [mse[clip, name, level] for level in levels]
        means, deviations = zip(*points, strict=True)
        axes.errorbar(
            levels, means, yerr=deviations, color=colour, linestyle=style, label=name
        )
    axes.set(xscale="log", yscale="log", xlabel="noise level σ", title=clip)
    axes.set_xticks(levels, [f"{level:g}" for level in levels])
    axes.minorticks_off()
ticks = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
panels[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
panels[0].set_ylabel("MSE")
figure.legend(
    *panels[0].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=2,
    frameon=False,
    labelcolor=figures.INK["light"],
)
figure

# %% [markdown]
# At $\sigma = 0.1$ the dense DAE is **worse than doing nothing**, after four epochs. The
# noise does little harm, and squeezing a digit through 32 numbers does more. Non-local
# means and total variation, which have never seen a digit, have less than a quarter of
# its error. The noise in its training helps it little here: its twin has 1 to 2 % more
# error on clipped noise, and about a tenth more on unclipped. If your noise is weak,
# avoid a narrow bottleneck. The U-Net has none, and is better; but in this short training
# it, too, stays far behind those filters. (Mind the cut: without it, doing nothing has an
# error of $\sigma^2 = 0.01$, and the DAE would be better.)
#
# At $\sigma = 1$ it is the other way round. A pixel's neighbourhood has little left to
# average; what helps is to know digits. No filter takes even a third off the error of the
# mean image. The matrix, fitted to digits and drawing on the whole image, takes off
# about half, and the DAE more than the matrix. The posterior mean knows most
# digits and has the least error.

# %% tags=["check"]

assert (ratios("doing nothing", "DAE", 0.1) < 0.75).all()
for method in ("non-local means", "total variation"):
    assert (ratios(method, "DAE", 0.1) < 1 / 4).all()
    assert (ratios(method, "U-Net, blind", 0.1) < 0.5).all()
more = 100 * (ratios("clean-trained AE", "DAE", 0.1) - 1)
assert (more[0].round().min(), more[0].round().max()) == (1, 2)
assert 7 < more[1].min() < more[1].max() < 12
fifth = ratios("non-local means", "DAE", 0.1)
assert 0.17 < fifth.min() < fifth.max() < 0.21
assert (ratios("U-Net, blind", "DAE", 0.1) < 0.8).all()
assert all(by_key["unclipped", "DAE", 0.1, seed]["mse"] < 0.01 for seed in SEEDS)
for method in filters:
    assert (ratios(method, "mean image", 1.0) > 2 / 3).all(), method
    assert (ratios("DAE", method, 1.0) < 0.75).all()
half = ratios("best linear", "mean image", 1.0)
assert 0.45 < half.min() < half.max() < 0.56
assert (ratios("DAE", "best linear", 1.0) < 1).all()
for method in ("DAE", "U-Net, blind", "conv. DAE, blind", "best linear"):
    assert (ratios("posterior mean", method, 1.0) < 1).all()


# %% [markdown]
# ## All numbers at σ = 0.5

# %% tags=["hide-code"]
from IPython.display import display

MEASURES = ("mse", "mse_off", "psnr_off", "ssim_off")


def all_numbers(clip):
    return Comparison(
        f"Gaussian noise of σ = 0.5, {clip}, mean of three seeds",
        {"MSE as it is": ".4f", "MSE told": ".4f", "PSNR in dB": ".2f", "SSIM": ".2f"},
        {name: [scores[m][clip, name, 0.5][0] for m in MEASURES] for name in order},
        best={"MSE as it is": min, "MSE told": min, "PSNR in dB": max, "SSIM": max},
    )


display(*map(all_numbers, CLIPS))

# %% [markdown]
# The first column is the mean squared error of each method as it is; in the others it is
# told the brightness, if it needs to be. And this is what each cost. The matrix and the
# dense denoising autoencoder are fitted anew for every level.


# %% tags=["hide-code"]
def cost(name):
    one = tables.select(table, name=name, sigma=0.5)
    counts = [one[0][column] for column in ("epochs", "images_seen", "parameters")]
    times = ("seconds", "milliseconds")
    return counts + [np.mean([row[time] for row in one]) for time in times]


Comparison(
    "What each method costs",
    {
        "epochs": "d",
        "images seen": ",d",
        "numbers learned": ",d",
        "seconds": ".0f",
        "ms an image": ".2f",
    },
    {name: cost(name) for name in order},
)

# %% [markdown]
# Trust only the orders of magnitude of the times, which depend on the machine: a dense
# network was more than a hundred times faster than non-local means.
#
# Look at [SSIM](../glossary.md#structural-similarity), too. By this measure, which
# compares structure in small windows, the U-Net falls behind the dense autoencoder and
# the matrix. A likely reason is a faint haze on the black background: in a window that
# is all black it counts much, and for MSE very little. Which one is better depends on
# what you need; choose your measure before you see the results.

# %% tags=["check"]

for clip in CLIPS:
    for network in ("DAE", "clean-trained AE"):
        slow, fast = (
            scores["milliseconds"][clip, name, 0.5][0]
            for name in ("non-local means", network)
        )
        assert slow > 100 * fast, network


# %% [markdown]
# ## The method that knows everything by heart
#
# If clean images were drawn from a known list, we could compute the best denoiser
# there is. By Bayes' rule, each image $x_n$ of the list explains the noisy one with
# probability proportional to $p(\tilde{x} \mid x_n)$, and the squared error is least for
# their average with those weights:
#
# $$\hat{x} = \sum_n w_n\, x_n, \qquad
# w_n = \frac{p(\tilde{x} \mid x_n)}{\sum_k p(\tilde{x} \mid x_k)}$$
#
# Without clipping, the likelihood of a pixel is the normal density. With clipped noise it
# has three cases. Between 0 and 1 it is that density. All that falls below 0 was moved
# onto 0, so a pixel found at 0 has a probability, that of falling below:
# $\Phi(-x/\sigma)$, where $\Phi(t)$ is the probability that a standard normal number lies
# below $t$. A pixel found at 1 has that of ending above 1: $\Phi((x-1)/\sigma)$. The
# logarithms are summed over the pixels. A [softmax](../glossary.md#softmax) then turns
# the sums into weights that add up to 1: it takes the exponential of each and divides by
# their total. That is [`posterior_mean`][dae_tutorial.evidence.baselines.posterior_mean].
#
# A DAE with endless capacity and training on this list would learn exactly this. So is
# it a bound that no method can beat?

# %%
known = train_images.images[:100]
unknown = clean[:100]
for name, images in {"training": known, "test": unknown}.items():
    given = add_gaussian_noise(images, sigma, generator=seeded(2))
    found = posterior_mean(given, train_images.images, sigma)
    error[name] = mean_squared_error(found, images).mean().item()
    print(f"{name:8} images: MSE {error[name]:.6f}")

# %% [markdown]
# On images of its list it is all but perfect: at $\sigma = 0.5$, 784 pixels are more than
# enough to tell 20,000 images apart. On *new* images the same certainty misleads it. It
# returns the nearest image it knows, sharp, and often of another shape, as the figure
# above shows; weaker noise hardly helps it. A single matrix does better.
# Only at $\sigma = 1$, where many images could explain what is seen, does it average over
# enough of them to be the best on this page.
#
# So the posterior mean over a training set is a bound for images **of that set** only.
# For weak noise, a network that reached it would do badly on new ones. That a denoiser
# generalises does not follow from its loss. It must come from elsewhere: from the shape
# of the network, and from a training that ends before everything is remembered.

# %% tags=["check"]
assert error["training"] < 0.001
assert error["test"] > 0.02
for level in (0.1, 0.25, 0.5):
    assert (ratios("best linear", "posterior mean", level) < 0.85).all()
    for clip in CLIPS:
        assert mse[clip, "posterior mean, own images", level][0] < 1e-3
        less, at_half = (
            mse[clip, "posterior mean", sigma][0] for sigma in (level, 0.5)
        )
        assert less > 0.98 * at_half, level

# %% [markdown]
# ## What this rests on
#
# The text above makes 53 comparisons of two methods at one level, each in two noises and
# with three seeds. Where it names no exception, all six agree. They share 500 test images,
# so do not read much into a few per cent.
#
# Both sides were tuned, but not to the end. Filters, PCA and the matrix have the best of
# a few settings. The [learning rate](../glossary.md#learning-rate) of the dense networks
# is the best of four at $\sigma = 0.5$, with one seed; the U-Net's is the best of three,
# and a third less of it would have put it clearly behind the DAE of sixteen epochs.

# %% tags=["check"]
assert len(compared) == 53

# %% [markdown]
# ## Exercise: what does the matrix look at?
#
# A row of the best linear map's matrix holds the weights with which one pixel is
# estimated. Show the row of the pixel in the middle. Is it a blur?

# %% tags=["solution"] alt="The weights of the best linear map for the pixel in the middle: a spot of positive weights about three pixels wide, longer along one diagonal, in a field of weights near zero, most of them faintly negative near the spot."
import matplotlib.pyplot as plt

from dae_tutorial import figures

row = linear.weight[14 * 28 + 14].reshape(28, 28)
with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(3.2, 3.2))
axes.imshow(row.numpy(), cmap="RdBu_r", vmin=-row.abs().max(), vmax=row.abs().max())
axes.set(xticks=[], yticks=[])
figure

# %% [markdown] tags=["solution"]
# Not quite. It averages close neighbours, as a blur does, but the spot is longer along
# one diagonal: the way in which most people slant their strokes. And each pixel has
# weights of its own.
