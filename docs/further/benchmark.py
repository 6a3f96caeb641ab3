# ---
# title: Benchmark
# description: Training speed, time to a given error, best error, denoising speed and memory, measured side by side with the notebook that this tutorial started from, and how cost grows with size.
# data: dae_tutorial/evidence/tables/benchmark.json
# ---

# %% [markdown]
# # Benchmark
#
# !!! abstract "Measured against two rivals"
#     **The starting notebook**, `denoising_autoencoders.ipynb`, from which this site
#     [grew](../about.md#where-it-comes-from): a dense autoencoder, trained for ten
#     [epochs](../glossary.md#epoch) with [Adam](../glossary.md#adam) at a constant
#     [learning rate](../glossary.md#learning-rate), on images that are decoded one by one
#     in every epoch. **The plain loop**: the same recipe with all images in memory, and
#     nothing else done about speed.
#
# How fast is the code of this tutorial, and how good are its models? In speed the
# notebook is an easy opponent. The plain loop is the fair one. In error, part of our lead
# is no more than a [higher learning
# rate](train-it-faster.py#raise-the-learning-rate-and-let-it-fall).
#
# `make bench` runs all three in turns on one machine, so their ratios mean something even
# where the machine is busy. It takes about twenty minutes on two cores. The numbers below
# are stored from its last run. They were not measured when this page was built.

# %% tags=["hide-code"]

import numpy as np
from IPython.display import Markdown

from dae_tutorial.evidence import tables

result = tables.read_record("benchmark")
lines = [
    "| what | starting notebook | plain loop | ours | goal |",
    "|---|---|---|---|---|",
]
for row in result["rows"]:
    cells = [row[key] for key in ("what", "notebook", "plain", "ours", "goal")]
    lines.append("| " + " | ".join(cells) + (" ✓ |" if row["met"] else " ✗ |"))
Markdown("\n".join(lines))

# %% [markdown]
# A tick says that the goal was met in this run. How to read the rows:
#
# - **Training speed**: the same network, [batches](../glossary.md#batch) of 128 and
#   Adam; images a second, median of five rounds.
# - **Time to test MSE**: training only, to the error that the notebook prints, which is
#   likely that of [more than ten
#   epochs](../learn/train-your-first-dae.py#about-the-numbers-of-the-first-version). The
#   notebook's recipe is tested after every epoch; ours, the same network with a higher
#   rate that [rises and falls once](train-it-faster.py), after its eight epochs only.
#   Median of five seeds, of three for the notebook.
# - **After 10 epochs**: the same, but both stop there.
# - **In 180 s**: a small [U-Net](better-architectures.py), trained within the run.
# - **Training time free**: the best of the models that
#   [come with the package](pretrained.py). [What brings it a little
#   lower](better-architectures.py#what-is-left), and not low enough.
# - **Denoise**: the same untrained network over the test images, loading included on
#   the side of the notebook, since its loader decodes each time.
# - **Memory**: the peak of a process that trains one epoch, less what torch itself holds.
#
# ## Where an epoch goes
#
# What is left to gain? Each part is timed on its own. The last line but one is what the
# whole epoch takes beyond their sum.

# %% tags=["hide-code"]
lines = ["| part | seconds | share |", "|---|--:|--:|"]
for part in result["parts"]:
    lines.append(f"| {part['part']} | {part['seconds']:.3f} | {part['share']:.0%} |")
share = {part["part"]: part["share"] for part in result["parts"]}
beyond = 1 / share["matrix products"]
lines += [
    "",
    f"The whole takes {beyond:.1f} times as long as the matrix products alone.",
]
Markdown("\n".join(lines))

# %% [markdown]
# No loop around this network can be faster than its matrix products, in batches of 128
# and in float32. Most of the other time is spent on moving numbers through memory, not
# on arithmetic: random numbers for the noise, activations, the loss and its gradients.
#
# ## Cost on paper
#
# How much longer does training take with larger images, a wider network, other batches or
# more data? We measured a few sizes $n$ and fitted a power law: the cost of an image
# grows like $n^k$.

# %% tags=["hide-code"] alt="Milliseconds a training image against size, in five series on logarithmic axes, each with a fitted straight line: the dense model over image side, hidden width and batch, and the U-Net over image side and width. Cost rises with image side and width, and falls with the size of the batch."
import matplotlib.pyplot as plt

from dae_tutorial.figures import COLOURS, STYLE, WIDTH


def exponent(rows):
    """Fit milliseconds = factor · sizeᵏ to the rows of one series: (factor, k)."""
    size, cost = np.log([(row["size"], row["milliseconds"]) for row in rows]).T
    power, offset = np.polyfit(size, cost, 1)
    return np.exp(offset), power


series = {}
for row in result["growth"]:
    series.setdefault((row["model"], row["grows"]), []).append(row)
names = ("image side", "hidden width", "width", "batch")
with plt.rc_context(STYLE):
    figure, all_axes = plt.subplots(
        2, 2, figsize=(WIDTH, 5.2), layout="constrained", sharey=True
    )
colours = {"dense": COLOURS["blue"], "U-Net": COLOURS["orange"]}
for axes, grows in zip(all_axes.flat, names, strict=True):
    for model, colour in colours.items():
        rows = series.get((model, grows))
        if rows is None:
            continue
        factor, power = exponent(rows)
        sizes = np.array([row["size"] for row in rows])
        axes.plot(sizes, factor * sizes**power, color=colour, linewidth=1.5)
        axes.plot(sizes, [row["milliseconds"] for row in rows], "o", color=colour)
        axes.annotate(
            f"{model}, $k$ = {power:.1f}",
            (sizes[-1], factor * sizes[-1] ** power),
            xytext=(0, 8),
            textcoords="offset points",
            ha="right",
            color=colour,
        )
    axes.set(xscale="log", yscale="log", xlabel=grows)
    axes.set_xticks([row["size"] for row in rows or series["dense", grows]])
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.margins(0.15, 0.2)
for axes in all_axes[:, 0]:
    axes.set_ylabel("ms an image")
plt.close(figure)
figure

# %% [markdown]
# An exponent of 2 in the image's side means that cost grows like the number of pixels.
# For [convolutions](../glossary.md#convolution) that is what counting the arithmetic
# says, and for their width, too, since each channel sees each other one; for the hidden
# width of the dense network it says 1. The measured exponents lie below. Small sizes do
# not fill the processor, and what a step costs besides the arithmetic counts for more.
#
# And more data? An image costs the same, however many there are, as long as all of them
# fit into memory. So an epoch grows like the number of images, no faster:

# %% tags=["hide-code"]
lines = ["| images | ms an image, dense model |", "|--:|--:|"]
for row in series["dense", "images"]:
    lines.append(f"| {row['size']:,} | {row['milliseconds']:.4f} |")
lines += ["", f"Exponent: $k$ = {exponent(series['dense', 'images'])[1]:.2f}."]
Markdown("\n".join(lines))

# %% [markdown]
# Carried on to sizes that nobody would train on this machine, the fits say:

# %% tags=["hide-code"]
lines = [
    "| model | images | side | width | time of an epoch, by the fit |",
    "|---|--:|--:|--:|--:|",
]


def time_of(milliseconds):
    hours = milliseconds / 3.6e6
    return f"{3600 * hours:.0f} s" if hours < 0.05 else f"{hours:.1f} h"


for model, width in (("dense", 128), ("U-Net", 16)):
    factor, power = exponent(series[model, "image side"])
    for count, side in ((60_000, 28), (60_000, 256), (1_000_000, 256)):
        time = time_of(count * factor * side**power)
        lines.append(f"| {model} | {count:,} | {side} | {width} | {time} |")
for model, grows, width in (("dense", "hidden width", 8192), ("U-Net", "width", 256)):
    factor, power = exponent(series[model, grows])
    time = time_of(60_000 * factor * width**power)
    lines.append(f"| {model} | 60,000 | 28 | {width} | {time} |")
Markdown("\n".join(lines))

# %% [markdown]
# These are extrapolations, far outside of what was measured, along lines that grow
# steeper once the processor is full. They can tell minutes from days. They are more
# likely too low than too high. They were measured on a few processor cores. A
# [GPU](../how-to/train-on-gpus-and-resume.md) would be faster.

# %% tags=["check"]
powers = {key: exponent(rows)[1] for key, rows in series.items()}
assert 1.2 < powers["U-Net", "image side"] < 2.1
assert 0.8 < powers["U-Net", "width"] < 2.1
assert 0.2 < powers["dense", "hidden width"] < 1.1
assert powers["dense", "batch"] < 0
assert powers["dense", "hidden width"] < powers["U-Net", "width"]
assert abs(powers["dense", "images"]) < 0.3
assert share["matrix products"] < 0.6
