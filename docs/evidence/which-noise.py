# ---
# title: Which noise for which noise?
# description: Ten denoising autoencoders, each trained on another noise and tested on all of them, over three seeds, with a sweep of the noise level and a model for all.
# data: dae_tutorial/evidence/tables/which_noise.*
# ---

# %% [markdown]
# # Which noise for which noise?
#
# !!! abstract "In two sentences"
#     After three [epochs](../glossary.md#epoch), with Gaussian noise clipped, the model
#     that trained on a noise is the best on that noise, or level with the best, in all
#     nine columns. One model for a mixture of all is 5 to 26 % behind the specialists
#     on noisy images, and on blocks it is worse than doing nothing (25 against 24, in
#     thousandths).
#
# A denoising autoencoder trains on a noise that *we* choose. Later it meets a noise
# that we did not choose. How much does it matter whether the two agree? This page
# trains on nine noises, tests on the same nine, and then looks for one model for all.
# ("No noise at all" counts as one of the nine.)
#
# ## Two noises, two models
#
# Begin with two. One model trains on Gaussian noise, another on masking noise, and a
# third one, the [twin](../glossary.md#twin) that every experiment needs, on clean
# images. Nothing else differs: the same initial weights, the same images in the same
# order.

# %%
import torch

from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise, no_noise
from dae_tutorial.train import fit, one_cycle

mnist = load_mnist(train=True)
train_images = ImageTensors(mnist.images[:20_000], mnist.labels[:20_000])
test_images = ImageTensors(*load_mnist(train=False)[:2000])


def trained(corrupt, epochs=3):
    torch.manual_seed(0)
    model = Autoencoder()
    loader = train_images.loader(128, shuffle=True)
    optimizer, scheduler = one_cycle(model, loader, epochs, peak=6e-3)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": epochs}
    fit(model, loader, corrupt, device="cpu", **recipe)
    return model


models = {
    "clean": trained(no_noise),
    "Gaussian": trained(add_gaussian_noise),
    "masking": trained(add_masking_noise),
}

# %% [markdown]
# Now each of them meets each noise. The first two lines are the numbers to beat: what
# doing nothing scores, and what the mean of the training images scores, an answer that
# does not even look at its input.

# %%
from torch import nn

from dae_tutorial.evaluate import evaluate
from dae_tutorial.evidence.baselines import fit_mean_image

tests = {"Gaussian": add_gaussian_noise, "masking": add_masking_noise}
mean_image = fit_mean_image(train_images.images)
opponents = {"(nothing)": nn.Identity(), "(mean image)": mean_image}
score = {}
print("trained on    tested on Gaussian   tested on masking")
for name, model in (opponents | models).items():
    for test, corrupt in tests.items():
        score[name, test] = evaluate(model, test_images.loader(500), corrupt).mse
    print(f"{name:12} {score[name, 'Gaussian']:14.4f} {score[name, 'masking']:18.4f}")

# %% [markdown]
# Each model is the best on its own noise. What the model trained on masking noise does
# to Gaussian noise is worth a second look: it does **worse than the twin that has never
# seen any noise**. A likely reason: it has learned that whatever is bright is ink, for
# masking never brightens a pixel, and clipped noise brightens every black one. So it
# takes the specks for pieces of strokes. The [mean image](../glossary.md#mean-image)
# does better. And the twin, which beats doing nothing on Gaussian noise, is ahead of
# the mean image by a fifth at most.

# %% tags=["check"]
assert score["Gaussian", "Gaussian"] < 0.8 * score["clean", "Gaussian"]
assert score["masking", "masking"] < 0.95 * score["clean", "masking"]
assert score["masking", "masking"] < 0.8 * score["Gaussian", "masking"]
assert score["masking", "Gaussian"] > 1.15 * score["clean", "Gaussian"]
assert score["masking", "Gaussian"] > score["(mean image)", "Gaussian"]
assert score["clean", "Gaussian"] < 0.7 * score["(nothing)", "Gaussian"]
twin = score["clean", "Gaussian"] / score["(mean image)", "Gaussian"]
assert 0.8 < twin < 1, twin

# %% alt="Eight test digits under Gaussian noise, and what three models make of them. The model trained on Gaussian noise returns clean, readable digits. The one trained on clean images returns faint and broken ones. The one trained on masking noise returns bright blotches, in which half of the digits can no longer be read."
from dae_tutorial.figures import compare_images

clean = test_images.images[:8]
noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(0))
rows = {"clean": clean, "noisy": noisy}
for name, model in models.items():
    with torch.no_grad():
        rows[f"trained on\n{name}"] = model(noisy)
compare_images(rows)

# %% [markdown]
# ## Nine noises, ten models
#
# The same at full size: all 60,000 images, three epochs, three seeds, nine noises, and
# a tenth model for which each image of a [batch](../glossary.md#batch) is given one of
# the nine at random. The Gaussian noises are clipped. All are tested on the first 2,000
# test images. (These are easier than the last ones: the mean image scores 0.064 on them
# and 0.071 on the last 2,000.) The numbers in the table are mean squared errors **times
# 1,000**, averaged over the seeds. Read it by columns: *this* noise comes in, which
# model should I have trained?

# %% tags=["hide-code"] alt="A table of mean squared errors, a row for each noise in training, a column for each noise in the test. The smallest number of a column stands on the diagonal, where both agree, in all columns but one, in which two models tie. The models trained on masking noise have by far the largest errors on Gaussian and salt-and-pepper noise. The row of the mixture is never the best; it is furthest behind on clean images, where its error is 16 against 10."
import math

import matplotlib.pyplot as plt
import numpy as np

from dae_tutorial import figures
from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.evidence import tables

table = tables.read("which_noise")
train_noises = list(dict.fromkeys(row["train_noise"] for row in table))
noises = [noise for noise in train_noises if noise != "mixture"]
mse = tables.spread(table, "mse", "train_noise", "test_noise")
nothing = {
    test: value
    for test, (value, _) in tables.spread(table, "noisy_mse", "test_noise").items()
}
rows = np.array([[mse[train, test][0] for test in noises] for train in train_noises])
matrix = np.vstack([[nothing[test] for test in noises], rows])
best = matrix[1:].min(axis=0)

with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 5.4))
shade = np.log2(np.maximum(matrix, best) / best)
axes.imshow(shade, cmap="Blues", vmin=0, vmax=4, aspect="auto")
for row, column in np.ndindex(matrix.shape):
    is_best = row > 0 and matrix[row, column] == best[column]
    axes.text(
        column,
        row,
        f"{1000 * matrix[row, column]:.0f}",
        ha="center",
        va="center",
        color="white" if shade[row, column] > 2 else "#111827",
        weight="bold" if is_best else "normal",
    )
short = {"Gaussian": "Gauss", "salt-and-pepper": "salt&p.", "masking": "mask"}


def shortened(name):
    for long, abbreviation in short.items():
        name = name.replace(long, abbreviation)
    return name


axes.set_xticks(range(len(noises)), [shortened(n) for n in noises], rotation=60)
axes.set_yticks(range(len(matrix)), ["(nothing)", *train_noises])
axes.set(xlabel="noise in the test", ylabel="noise in training")
axes.tick_params(length=0)
axes.spines[:].set_visible(False)
figure.tight_layout()
plt.close(figure)
figure

# %% tags=["hide-code"]
seeds = len({row["seed"] for row in table})
relative = {key: deviation / mean for key, (mean, deviation) in mse.items()}
print(f"Standard deviation over {seeds} seeds, as a share of the error:")
print(f"median {np.median(list(relative.values())):.1%}, ", end="")
print(f"largest {max(relative.values()):.1%}.")

# %% [markdown]
# Bold marks the best model of a column; a darker cell is further behind it. The mean
# image would score 64 in every column. Six things stand out:
#
# - **The diagonal wins.** In every column the model that trained on that very noise is
#   the best, or so close to it that the seeds cannot tell the two apart. A denoiser
#   knows the noise that it has met.
# - **Mistakes are not symmetric.** Every model for masking noise makes weak Gaussian
#   noise ($\sigma = 0.25$, clipped) worse than doing nothing. The model for Gaussian
#   noise of 0.5 nearly halves the error of half-masked images, though it was not made for
#   them.
# - **More noise in training is not safer.** The model for Gaussian noise of 1 makes
#   Gaussian noise of 0.25 worse than it was.
# - **Blocks want a specialist.** Only the model that has trained on blocks alone improves
#   images with a block cut out. All others spoil more of the image than the block had
#   hidden. So does the mixture's model, in every seed, although a ninth of what it saw
#   were blocks.
# - **Seeing noise is not enough.** On Gaussian noise of 1, six of the ten models score
#   worse than the mean image, and only the specialist, the mixture and the models for
#   Gaussian noise of 0.5 and for salt-and-pepper noise score better.
# - **Clean images went best with a clean-trained model.** Each of the eight denoisers
#   reconstructs clean images worse than the plain autoencoder does, after three epochs.

# %% tags=["check"]
for test in noises:
    specialist, deviation = mse[test, test]
    rivals = [mse[train, test] for train in train_noises if train != test]
    mean, its_deviation = min(rivals)
    assert specialist < mean + 4 * max(deviation, its_deviation), test
for train in ("masking 0.25", "masking 0.5", "masking 0.75"):
    assert mse[train, "Gaussian 0.25"][0] > 1.15 * nothing["Gaussian 0.25"], train
assert mse["Gaussian 0.5", "masking 0.5"][0] < 0.6 * nothing["masking 0.5"]
assert mse["Gaussian 1", "Gaussian 0.25"][0] > 1.15 * nothing["Gaussian 0.25"]
for train in set(train_noises) - {"blocks 10"}:
    for row in tables.select(table, train_noise=train, test_noise="blocks 10"):
        assert row["mse"] > row["noisy_mse"], train
for row in tables.select(table, train_noise="blocks 10", test_noise="blocks 10"):
    assert row["mse"] < 0.9 * row["noisy_mse"]
assert round(1000 * mse["mixture", "blocks 10"][0]) == 25
assert round(1000 * nothing["blocks 10"]) == 24
assert mse["mixture", "blocks 10"][0] < 0.9 * mse["clean", "blocks 10"][0]
for train in noises[1:]:
    assert mse[train, "clean"][0] > 1.2 * mse["clean", "clean"][0], train
everything = load_mnist(train=False).images
easier, harder = (
    mean_squared_error(mean_image(part), part).mean().item()
    for part in (everything[:2000], everything[-2000:])
)
assert abs(easier - 0.064) < 0.0005
assert abs(harder - 0.071) < 0.0005
better = {train for train in train_noises if mse[train, "Gaussian 1"][0] < easier}
assert better == {"Gaussian 1", "mixture", "Gaussian 0.5", "salt-and-pepper 0.25"}
assert len(train_noises) - len(better) == 6
assert all(mse["mixture", test][0] > best[noises.index(test)] for test in noises)
assert round(1000 * mse["mixture", "clean"][0]) == 16
assert round(1000 * mse["clean", "clean"][0]) == 10

record = tables.read_record("which_noise")
arguments = record["arguments"]
assert arguments["train_images"] == 60_000
assert arguments["test_images"] == 2000
assert arguments["steps"] == 3 * math.ceil(arguments["train_images"] / 128)
assert len(record["seeds"]) == 3
assert (len(noises), len(train_noises)) == (9, 10)

# %% [markdown]
# ## How much noise?
#
# Gaussian noise has a level, and in use the level is rarely the one of the training.
# So move it, from none at all to three times the usual. Each dot marks the level at
# which a model has trained.

# %% tags=["hide-code"] alt="Mean squared error over the level of Gaussian noise in the test, a line for each of five models and a dashed one for doing nothing. The clean-trained model starts lowest and climbs soon. Each model for one level has its lowest error near that level, marked with a dot, and does worse on weaker noise as well as on stronger noise. The model of the mixture stays low from weak to strong noise."
levels = {
    row["test_noise"]: float(row["test_noise"].removeprefix("Gaussian "))
    for row in table
    if row["test_noise"].startswith("Gaussian")
}
levels = dict(sorted({"clean": 0.0, **levels}.items(), key=lambda item: item[1]))
x = list(levels.values())
lines = {
    "clean": ("#6b7280", (1.53, 0.005)),
    "Gaussian 0.25": (figures.COLOURS["blue"], (1.53, -0.005)),
    "Gaussian 0.5": (figures.COLOURS["orange"], (1.53, 0.0)),
    "Gaussian 1": (figures.COLOURS["teal"], (1.53, 0.006)),
    "mixture": ("#a855f7", (1.53, -0.006)),
}

with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 4))
for train, (colour, (right, shift)) in lines.items():
    mean, deviation = np.array([mse[train, test] for test in levels]).T
    axes.plot(x, mean, color=colour)
    axes.fill_between(x, mean - deviation, mean + deviation, color=colour, alpha=0.25)
    axes.text(right, mean[-1] + shift, train, color=colour, va="center")
    if train in levels:
        axes.plot(levels[train], mse[train, train][0], "o", color=colour)
axes.plot(x, [nothing[test] for test in levels], "--", color=figures.INK["light"])
axes.text(0.63, 0.17, "doing nothing", ha="right")
axes.set(
    xlabel="standard deviation of the noise in the test",
    ylabel="mean squared error",
    xlim=(0, 2.15),
    ylim=(0, 0.2),
    xticks=np.arange(0, 1.6, 0.25),
)
axes.spines["bottom"].set_bounds(0, 1.5)
figure.tight_layout()
plt.close(figure)
figure

# %% [markdown]
# After three epochs, the model for a level of 0.5 does **worse on weaker noise** than at
# its own level, and on clean images it does worse still. It has learned to subtract the
# grey that clipped noise of one level leaves on black, and it subtracts that from clean
# images, too. At a level of 0.25 it still improves the image, by about a quarter. At 0.1
# its error is more than five times that of doing nothing.
#
# **Longer training undoes this.** The same network, trained for thirty epochs at a level
# of 0.5, [comes with the package](../further/pretrained.py):

# %%
from functools import partial

from dae_tutorial.further.pretrained import load_pretrained, read_card

longer = load_pretrained("autoencoder")
by_level = {}
print("level   doing nothing   thirty epochs at 0.5")
for level in (0.0, 0.1, 0.25, 0.5):
    corrupt = partial(add_gaussian_noise, noise_factor=level)
    by_level[level] = evaluate(longer, test_images.loader(500), corrupt)
    print(f"{level:5}{by_level[level].noisy_mse:16.4f}{by_level[level].mse:18.4f}")

# %% [markdown]
# It is *better* on weaker noise, and on clean images, than at its own level. At 0.1 doing
# nothing still beats it. So the rise of the curves above towards the left belongs to
# models that have trained for a short time, not to denoisers as such.

# %% tags=["check"]
own = mse["Gaussian 0.5", "Gaussian 0.5"]
for weaker in ("Gaussian 0.25", "clean"):
    mean, deviation = mse["Gaussian 0.5", weaker]
    assert mean > own[0] + 2 * deviation, weaker
assert mse["Gaussian 0.5", "Gaussian 0.1"][0] > 5 * nothing["Gaussian 0.1"]
assert 0.7 < mse["Gaussian 0.5", "Gaussian 0.25"][0] / nothing["Gaussian 0.25"] < 0.8
assert read_card("autoencoder")["epochs"] == 30
for weaker in (0.0, 0.1, 0.25):
    assert by_level[weaker].mse < 0.95 * by_level[0.5].mse, weaker
assert by_level[0.1].mse > by_level[0.1].noisy_mse

# %% [markdown]
# ## One model for all
#
# The model of the mixture has seen every noise, and each of them only a ninth of the
# time. What does it pay for that?

# %% tags=["hide-code"]
price = {test: mse["mixture", test][0] / mse[test, test][0] for test in noises}
print("error of the mixture's model, specialist = 1")
for test, ratio in price.items():
    print(f"{test:22}{ratio:.2f}")

# %% [markdown]
# On each noise the specialist is better, by 5 to 26 % of its own error. Clean images cost
# the most: the error is more than half as large again. On blocks the mixture's model
# beats the clean-trained twin, and is still worse than doing nothing.
#
# Between the Gaussian levels of the training the picture is mixed. At 0.75, which no
# model was made for, the mixture's model is the best of all ten. At 0.375 it is not:
# there the model for **salt-and-pepper noise** is ahead of it, and ahead of every model
# for Gaussian noise. That model is the surprise of this page. It has never met Gaussian
# noise, and yet it beats the mixture, in every seed, at four Gaussian levels: 0.1, 0.25,
# 0.375 and 0.5. We can only guess why. Like clipped Gaussian noise, it puts bright specks
# on black and dark ones on ink, and unlike the mixture's model, it has had to learn one
# kind of damage only.
#
# If you know your noise, train on it. If you don't, a mixture is a fair choice, but test
# it against doing nothing on each noise that you expect.

# %% tags=["check"]
assert round(100 * min(price[test] for test in noises[1:])) == 105
assert round(100 * max(price[test] for test in noises[1:])) == 126
for test in noises[1:]:
    (own, deviation), (mixed, its_deviation) = mse[test, test], mse["mixture", test]
    assert mixed > own + 2 * max(deviation, its_deviation), test
assert max(price, key=price.get) == "clean"
assert 1.5 < price["clean"] < 1.8
for seed in record["seeds"]:
    for level in (0.1, 0.25, 0.375, 0.5):
        met = tables.select(table, test_noise=f"Gaussian {level}", seed=seed)
        at = {row["train_noise"]: row["mse"] for row in met}
        assert at["salt-and-pepper 0.25"] < at["mixture"], level
        if level == 0.375:
            assert min(at, key=at.get) == "salt-and-pepper 0.25"
between = {train: mse[train, "Gaussian 0.75"] for train in train_noises}
(mixed, its_deviation), second = between.pop("mixture"), min(between.values())
assert mixed < second[0] - 2 * max(second[1], its_deviation)
others = [train for train in noises if train != "clean"]
for train in others:
    worst = max(mse[train, test][0] / mse[test, test][0] for test in noises)
    assert max(price.values()) < worst, train

# %% [markdown]
# ## What the evidence says
#
# | claim | what we found |
# |---|---|
# | Train on the noise that you will meet. | Yes: on every noise the specialist beats the clean-trained twin, doing nothing and the mean image, and no other model beats it by more than the seeds vary. |
# | A denoiser for one noise helps against others. | As far as they resemble it. Against some it does worse than doing nothing, or than the mean image. |
# | A denoiser is safe on weaker noise. | Not after three epochs: the one for 0.5 still gains at 0.25, but at 0.1 it does far more harm than the noise. After thirty epochs the same network is better on weaker noise than at its own level. At 0.1 doing nothing beats it even then. |
# | Noise in training makes better reconstructions of clean images. | Not here: after three epochs, with Gaussian noise clipped, all eight denoisers are worse at it than the plain autoencoder. |
# | One model on a mixture serves for all. | In part: 5 to 26 % behind each specialist, more on clean images, and on blocks worse than doing nothing. Between the Gaussian levels it is the best at 0.75; up to 0.5 the model for salt-and-pepper noise beats it. |
#
# All of this with one small network, three epochs, three seeds, clipped Gaussian noise,
# and mean squared error on 2,000 test images. Each of the first three can change a
# verdict, and so can leaving the noise unclipped.
#
# What this page does not settle: the models are small, the digits are small, and other
# architectures may trade differently. A model that is *told* the level of the noise,
# for one, [need not guess it](../further/noise-levels.py).

# %% tags=["check"]
for test in noises[1:]:
    assert mse[test, test][0] < 0.85 * mse["clean", test][0], test
    assert mse[test, test][0] < 0.9 * nothing[test], test
    assert mse[test, test][0] < 0.9 * easier, test

# %% [markdown]
# The numbers come from the study `which_noise`; [Results](results.py) says how to make
# them again.
