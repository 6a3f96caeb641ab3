# ---
# title: Denoising autoencoders
# description: Learn what a denoising autoencoder is, why noise helps, and how to train one in PyTorch, with figures and measurements made by code that you can run.
# data: dae_tutorial/evidence/tables/*
# ---

# %% [markdown]
# # Denoising autoencoders, from the ground up
#
# A **denoising autoencoder** is a network that is shown a picture full of noise and learns
# to give the clean picture back; to do that, it has to learn what clean pictures look
# like.
#
# <div id="living-picture" data-digit="4" data-seed="0" markdown>

# %% tags=["hide-code"] alt="One handwritten 2, three times. Noisy: the digit can hardly be seen under grey noise. Healed: the network has rebuilt it, clear, with soft edges. Original: as it was written."
import matplotlib.pyplot as plt
import torch

from dae_tutorial import figures
from dae_tutorial.further.pretrained import load_pretrained, read_card
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


model = load_pretrained("autoencoder")
test = load_mnist(train=False)
digit = test.images[1:2]
noisy = add_gaussian_noise(digit, generator=seeded())
with torch.no_grad():
    healed = model(noisy).reshape(digit.shape)

pictures = {"noisy": noisy, "healed": healed, "original": digit}
with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(1, 3, figsize=(6.6, 2.5), layout="constrained")
for axes, (name, picture) in zip(panels, pictures.items(), strict=True):
    axes.imshow(picture[0, 0], cmap="gray", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[], xlabel=name)
    axes.spines[:].set_visible(False)
figure

# %% [markdown]
# <div class="lab-slider"><label for="living-level">Noise</label><output for="living-level">σ = 0.50</output><input type="range" id="living-level" min="0" max="1" step="0.01" value="0.5" autocomplete="off" disabled></div>
# <p class="lab-hint" role="status">Move the slider, and the network answers here, in your browser. It loads 3.9&nbsp;MB, once.</p>
#
# </div>
#
# This network has 209,968 parameters, comes [with the package](further/pretrained.py) and
# had never seen this 2. Nothing here is pasted in: the page is a program that loads the
# network and draws its answer. So are the others. You can download each and run it. Or
# draw a digit yourself, in the [laboratory](laboratory.py), and let networks heal it.
#
# <div class="grid" markdown>
# <div class="card" markdown>

# %% tags=["hide-code"] alt="A handwritten 7 under four kinds of noise: grey Gaussian noise, half of its pixels black, black and white specks, and a black square over its middle."
seven = test.images[:1]
images = torch.cat(
    [
        add_gaussian_noise(seven, generator=seeded()),
        add_masking_noise(seven, generator=seeded()),
        add_salt_and_pepper_noise(seven, generator=seeded()),
        add_block_occlusion(seven, generator=seeded(1)),
    ]
)


def small_axes():
    with plt.rc_context(figures.STYLE):
        figure = plt.figure(figsize=(2.2, 1.6))
        return figure, figure.add_axes((0, 0, 1, 1))


figure, axes = small_axes()
figures.visualize_batch(images, columns=2, axes=axes)
figure

# %% [markdown]
# **[Learn](learn/what-is-a-dae.md)**
#
# What it is, [your first one](learn/train-your-first-dae.py) in a minute, the same [from
# scratch](learn/from-scratch.py), and why noise helps.
#
# </div>
# <div class="card" markdown>

# %% tags=["hide-code"] alt="Four bars of error on noisy digits. Doing nothing has by far the longest, a median filter less than a third of it, and one matrix and the denoising autoencoder have short ones, nearly alike."
from dae_tutorial.evidence import tables

ladder = tables.select(tables.read("ladder"), clip="unclipped", sigma=0.5)
bars = {
    "doing nothing": ("doing nothing", 0),
    "median filter": ("median", 0),
    "one matrix": ("best linear", 1),
    "denoising autoencoder": ("DAE", 4),
}
errors = tables.spread(ladder, "mse_off", "method", "epochs")
idle = tables.select(ladder, method="doing nothing")  # it takes no brightness off
errors |= tables.spread(idle, "mse", "method", "epochs")
figure, axes = small_axes()
for place, (name, key) in enumerate(bars.items()):
    colour = figures.COLOURS["blue" if key[0] == "DAE" else "teal"]
    axes.barh(place, errors[key][0], 0.35, color=colour)
    axes.text(0, place - 0.28, name, va="bottom", size=10)
axes.set_ylim(3.3, -1)
axes.set_axis_off()
figure

# %% [markdown]
# **[Evidence](evidence/does-noise-help.py)**
#
# Is it the noise that helps? [How good](evidence/how-good.py) is it? Every method beside
# its rivals, over three seeds, good or bad. [All results](evidence/results.py)
#
# </div>
# <div class="card" markdown>

# %% tags=["hide-code"] alt="The network as an hourglass: 784 pixels narrow through 128 units to a code of 32 numbers, and widen again to 784."
sizes = [784, 128, 32, 128, 784]
figure, axes = small_axes()
for place, size in enumerate(sizes):
    colour = figures.COLOURS["orange" if size == 32 else "blue"]
    axes.bar(place, size**0.5, 0.55, -(size**0.5) / 2, color=colour)
    axes.text(place, -16, size, ha="center", va="top", size=10)
axes.set_ylim(-22, 14)
axes.set_axis_off()
figure

# %% [markdown]
# **[Reference](reference/index.md)**
#
# The package: each module is one file that can be copied whole.
# [Trained models](further/pretrained.py), and [your own data](how-to/your-own-data.py).
#
# </div>
# </div>
#
# ## Five results that may surprise you
#
# - **Much of a lead can be grey.** A denoising autoencoder has 0.40 times the error of its
#   [twin](glossary.md#twin) that never saw noise; once the twin is told how much brighter
#   the noise makes the picture, 0.78 times. [Clipped or not?](evidence/clipped-or-not.py)
# - **A stranger beats the generalist.** A network trained on salt-and-pepper noise alone
#   removes Gaussian noise (σ from 0.25 to 0.5) better than one trained on a mixture that
#   holds it. [Which noise?](evidence/which-noise.py)
# - **One matrix goes a long way.** It beats every filter that we tried. After four
#   [epochs](glossary.md#epoch) the network is 3 to 11 % ahead of it, after sixteen 15 to
#   21 %. [How good is it?](evidence/how-good.py)
# - **The perfect answer is a bad one.** The denoiser with the least possible training loss
#   errs more on new digits (0.025) than that matrix (0.020), and than a network that fell
#   short of it (0.014). [The same on digits](theory/on-digits.py)
# - **Fresh noise draws better digits.** Draw with 35 calls of one network: the sampler that
#   follows its path closely ends at a distance of 6.7 from real digits, the one that adds
#   noise on the way at 5.4. Other real digits have 4.0. [From denoiser to
#   generator](theory/from-denoiser-to-generator.py)
#
# Errors are mean squared errors at σ = 0.5, averaged over three seeds. Each page tells for
# how long its models trained, and what would turn its verdict.
#
# ## Where to start
#
# **New to this?** Begin with [What is a denoising
# autoencoder?](learn/what-is-a-dae.md) and go on in order. You need to have met Python and
# a little PyTorch; the [glossary](glossary.md) has the other words. **Came for code?** Take
# [From scratch in sixty lines](learn/from-scratch.py). **Want to know why it works?** The
# theory starts with [what a denoiser learns](theory/what-a-denoiser-learns.py), and ends
# with [what came of the idea](theory/family-tree.py). **Want a better one?** There are
# [better architectures](further/better-architectures.py), [one model for all noise
# levels](further/noise-levels.py) and [faster training](further/train-it-faster.py).

# %% tags=["check", "not-shown"]
from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import get_mnist_loaders

card = read_card("autoencoder")
assert sum(parameter.numel() for parameter in model.parameters()) == 209_968
assert (card["model"], card["data"]) == ("Autoencoder", "MNIST, 60,000 training images")
widths = [
    part.out_features for part in model.modules() if hasattr(part, "out_features")
]
assert [784, *widths] == sizes
_, test_loader = get_mnist_loaders()
scores = evaluate(model, test_loader, add_gaussian_noise)
assert scores.mse < scores.noisy_mse / 5
STUDIES = ("clipping", "which_noise", "ladder", "exact_answer", "generation")
assert all(tables.read_record(name)["seeds"] == [0, 1, 2] for name in STUDIES)

# %% tags=["check", "not-shown"]
CLIPS, SEEDS = ("clipped", "unclipped"), (0, 1, 2)


def by_seed(rows, column, **wanted):
    """Return a column's number for each seed."""
    return [tables.select(rows, seed=seed, **wanted)[0][column] for seed in SEEDS]


def ratios(ones, others):
    return [one / other for one, other in zip(ones, others, strict=True)]


def mean(values):
    return sum(values) / len(values)


# Much of a lead can be grey.
clipping = tables.select(
    tables.read("clipping"), network="32 units", epochs=4, noise="clipped", sigma=0.5
)
ours = by_seed(clipping, "noisy", training="clipped")
twin, told = (by_seed(clipping, c, training="clean") for c in ("noisy", "noisy_off"))
assert round(mean(ratios(ours, twin)), 2) == 0.40
assert round(mean(ratios(ours, told)), 2) == 0.78

# A stranger beats the generalist.
which = tables.read("which_noise")
for clip in CLIPS:
    for level in ("0.25", "0.375", "0.5"):
        at = {"clip": clip, "test_noise": f"Gaussian {level}"}
        stranger = by_seed(which, "mse", train_noise="salt-and-pepper 0.25", **at)
        generalist = by_seed(which, "mse", train_noise="mixture", **at)
        assert max(ratios(stranger, generalist)) < 1

# One matrix goes a long way.
filters = ("blur", "median", "total variation", "non-local means", "wavelets")
ahead = {4: [], 16: []}
for clip in CLIPS:
    rungs = tables.select(tables.read("ladder"), clip=clip, sigma=0.5)
    matrix = by_seed(rungs, "mse_off", method="best linear")
    for name in filters:
        assert max(ratios(matrix, by_seed(rungs, "mse_off", method=name))) < 1
    for epochs, leads in ahead.items():
        network = by_seed(rungs, "mse_off", method="DAE", epochs=epochs)
        leads += [round(100 * (1 - ratio)) for ratio in ratios(network, matrix)]
assert [(min(leads), max(leads)) for leads in ahead.values()] == [(3, 11), (15, 21)]
assert errors["median", 0][0] < errors["doing nothing", 0][0] / 3

# The perfect answer is a bad one.
exact = tables.select(tables.read("exact_answer"), images=60_000, epochs=16, set="test")
found = {m: mean(by_seed(exact, "mse", model=m)) for m in ("exact", "linear", "dense")}
assert [round(error, 3) for error in found.values()] == [0.025, 0.020, 0.014]

# Fresh noise draws better digits.
kind = {"images": 1000, "guidance": 1, "start": "mean", "epochs": 32}
drawn = tables.select(tables.read("generation"), **kind)
distances = {
    "Heun": by_seed(drawn, "frechet", what="Heun", levels=18),
    "ancestral": by_seed(drawn, "frechet", what="ancestral", levels=35),
    "real": by_seed(drawn, "frechet", what="training images"),
}
calls = {(row["what"], row["levels"]): row["calls"] for row in drawn}
assert calls["Heun", 18] == calls["ancestral", 35] == 35
assert max(ratios(distances["ancestral"], distances["Heun"])) < 1
assert [round(mean(values), 1) for values in distances.values()] == [6.7, 5.4, 4.0]
