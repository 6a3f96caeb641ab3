# ---
# title: Stable features
# description: How far the code of a digit moves under noise, shift, rotation and thicker strokes, for autoencoders with and without noise, PCA and random features.
# data: dae_tutorial/evidence/tables/stable_features.*
# ---

# %% [markdown]
# # Stable features
#
# !!! abstract "In two sentences"
#     Between two noisy copies of a digit, the code of the autoencoder that trained on that
#     noise moves 0.60 times as far as that of its clean-trained
#     [twin](../glossary.md#twin) when the noise is clipped, and 0.55 times when it is
#     not, after 16 [epochs](../glossary.md#epoch). That is no more than the first 32
#     principal components achieve without any training on noise, give or take a tenth;
#     and against shifts and rotations noise helps by 11 % at most.
#
# "A denoising autoencoder learns stable, invariant features", you can read. A feature is
# stable if it hardly changes when the image changes in a way that does not matter. So
# change digits a little, and see how far their [codes](../glossary.md#code) move.
#
# ## Far, compared with what?
#
# A code that is multiplied by 0.1 moves a tenth as far, and is no better for it.
# So divide by a distance that *should* be large: that between the codes of different
# digits. At 0 a code does not move at all; at 1 the change carries it as far as from one
# digit to another.
#
# $$\text{moved} = \frac{\text{mean distance between } f(\tilde{x}) \text{ and } f(\tilde{x}')}
# {\text{mean distance between codes of different digits}}$$
#
# Here $f$ is the encoder. Under noise, $\tilde{x}$ and $\tilde{x}'$ are **two noisy copies**
# of one digit. Why not the clean digit and a noisy copy? Because clipped noise brightens
# every image in the same way. Part of the move from clean to noisy is one shift that all
# codes share, and that takes nothing away from what they tell. Two noisy copies share it,
# and it drops out. Under a shift or a rotation, the pair is the digit and its changed
# version.

# %%
import torch


def moved(one, other, labels):
    different = labels[:, None] != labels
    between = torch.cdist(one, one)[different].mean()
    return ((other - one).norm(dim=1).mean() / between).item()


# %% [markdown]
# Train an autoencoder and its denoising twin, and measure both. For comparison, take 32
# random projections of the pixels: features that have learned nothing. The noise is [not
# clipped](clipped-or-not.py) here; the study below has both.

# %%
from functools import partial

from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, no_noise
from dae_tutorial.train import fit, one_cycle

mnist = load_mnist(train=True)
train_images = ImageTensors(mnist.images[:20_000], mnist.labels[:20_000])
noise = partial(add_gaussian_noise, noise_factor=0.5, clip=False)


def trained(corrupt, epochs=4):
    torch.manual_seed(0)
    model = Autoencoder()
    loader = train_images.loader(128, shuffle=True)
    optimizer, scheduler = one_cycle(model, loader, epochs, peak=6e-3)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": epochs}
    fit(model, loader, corrupt, device="cpu", **recipe)
    return model


projection = torch.randn(784, 32, generator=torch.Generator().manual_seed(0))
features = {
    "random": lambda images: images.flatten(start_dim=1) @ projection,
    "AE": trained(no_noise).encode,
    "DAE": trained(noise).encode,
}

# %%
from dae_tutorial.evidence.comparison import Comparison

test = load_mnist(train=False)
images, labels = test.images[:1000], test.labels[:1000]
copies = [noise(images, generator=torch.Generator().manual_seed(i)) for i in (0, 1)]
pairs = {
    "two noisy copies": copies,
    "shift by 2 pixels": (images, images.roll(2, dims=-1)),
}

score = {}
for name, encode in features.items():
    with torch.no_grad():
        for change, (one, other) in pairs.items():
            score[name, change] = moved(encode(one), encode(other), labels)

Comparison(
    "How far codes move; the distance between different digits is 1",
    dict.fromkeys(pairs, ".2f"),
    {name: [score[name, change] for change in pairs] for name in features},
    best=dict.fromkeys(pairs, min),
)

# %% [markdown]
# Under the noise of its training, the code of the DAE moves less than that of its twin,
# and both move less than random features. Under a shift, the two hardly differ. And after
# a phrase like "invariant to noise" one would expect a number near zero.

# %% tags=["check"]
noisy, shifted = pairs
assert score["DAE", noisy] < 0.85 * score["AE", noisy] < 0.7 * score["random", noisy]
assert 0.9 < score["DAE", shifted] / score["AE", shifted] < 1.1
assert score["DAE", noisy] > 0.3

# %% [markdown]
# ## Seven kinds of features, ten changes
#
# Now at full size: the pixels themselves, 32 random projections, the first 32 principal
# components, and the 32 units of four autoencoders: trained on clean images, on Gaussian
# noise of 0.5, clipped and unclipped, and on masking noise of 0.5. Three seeds; 50,000
# training images, [batches](../glossary.md#batch) of 128, **16 epochs** (6,256 steps), and
# once more with two epochs; all 10,000 test images. Gaussian noise in the test is clipped
# and unclipped, too.

# %% tags=["hide-code"] alt="How far seven kinds of features move under ten changes, a row each, a mark for each kind. Under Gaussian noise the pixels and random projections lie far to the right, near 0.9 at a level of 0.5; the AE and the DAE for masking lie in the middle, near 0.65; PCA and the two DAEs for Gaussian noise lie together on the left, near 0.4. Under masking noise the DAE for it lies alone on the left. Under shifts and rotations PCA and all autoencoders lie close together. Under thicker strokes the two DAEs for Gaussian noise lie alone on the left."
import matplotlib.pyplot as plt
import numpy as np

from dae_tutorial import figures
from dae_tutorial.evidence import tables

table = tables.read("stable_features")
LONG = [row for row in table if row["epochs"] in (0, 16)]
short, long = (
    {
        value: tables.spread(rows, value, "change", "clip", "features")
        for value in ("moved", "moved_off", "found", "common")
    }
    for rows in ([row for row in table if row["epochs"] in (0, 2)], LONG)
)
cases = list(dict.fromkeys((row["change"], row["clip"]) for row in table))
titles = {
    case: " ".join(case).replace(" neither", "").replace("clipped", "clip.")
    for case in cases
}
CLIPPED, UNCLIPPED, MASKING = "DAE, clipped", "DAE, unclipped", "DAE, masking"
COLOURS = {
    "pixels": "#9ca3af",
    "random projection": "#6b7280",
    "PCA": "#a855f7",
    "AE": figures.COLOURS["blue"],
    CLIPPED: figures.COLOURS["orange"],
    UNCLIPPED: "#b45309",
    MASKING: figures.COLOURS["teal"],
}
MARKERS = dict(zip(COLOURS, "xsvoD^P", strict=True))
with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 5.2), layout="constrained")
for kind, colour in COLOURS.items():
    mean, deviation = np.array([long["moved"][*case, kind] for case in cases]).T
    axes.errorbar(
        mean,
        range(len(cases)),
        xerr=deviation,
        fmt=MARKERS[kind],
        color=colour,
        label=kind,
        capsize=2,
    )
axes.set_yticks(range(len(cases)), titles.values())
axes.invert_yaxis()
axes.grid(axis="y", alpha=0.3)
axes.set(xlabel="moved, between different digits = 1", xlim=(0, None))
figure.legend(
    loc="outside upper center",
    ncols=3,
    fontsize=10,
    handletextpad=0.1,
    frameon=False,
    labelcolor=figures.INK["light"],
)
plt.close(figure)
figure

# %% [markdown]
# Distance is one view. What counts in the end is whether the code still points to the
# right image. So take the code of each second version and look for its nearest neighbour
# among the codes of all 10,000 first ones: is it its own?

# %% tags=["hide-code"]
from IPython.display import display

kinds = list(COLOURS)


def found_table(when, wanted):
    heads = {case: " ".join(case).replace(" neither", "") for case in wanted}
    return Comparison(
        f"Codes that find their own image {when}, in %",
        dict.fromkeys(heads.values(), ".1f"),
        {
            kind: [100 * long["found"][*case, kind][0] for case in wanted]
            for kind in kinds
        },
        best=dict.fromkeys(heads.values(), max),
    )


display(
    found_table("under noise", cases[:5]), found_table("after a deformation", cases[5:])
)

# %% [markdown]
# Read the two together:
#
# - **Noise makes codes more stable, against the noise of the training.** Under Gaussian
#   noise of 0.5 the DAE that trained on it moves 0.60 times as far as its twin, clipped,
#   and 0.55 times, unclipped; under masking noise the DAE for that moves 0.66 times as far.
#   In each case it also finds its own copy far more often: in 66 and 67 % of the cases
#   under Gaussian noise, where the twin has 13 and 10 %.
# - **PCA does as well.** Without noise and without a network, its first 32 components move
#   as little under clipped noise as the DAE for it does (0.39), and a tenth more under
#   unclipped noise; and they find as many of the copies, within 5 percentage points.
#   Averaging over many pixels is a good remedy for independent noise. Only under masking
#   noise is the DAE for that noise clearly ahead (81 % against 52 %).
# - **Training long makes the twin's code less stable**: it moves a third further after 16
#   epochs than after two. Part of the DAE's lead is the twin's own doing.
# - **Another noise: little either way.** Under Gaussian noise of 0.5 the DAE for masking
#   moves 6 to 7 % less than the twin when it is clipped, and 3 to 4 % more when it is not.
# - **Shifts and rotations: a little.** The DAEs for Gaussian noise move as far as the twin
#   or up to 6 % less, the one for masking 5 to 11 % less. Nobody has told them that a
#   shifted digit is the same digit. Under rotations PCA moves less than all four, by 4 to
#   12 %.
# - **Thicker strokes** are the surprise. Both DAEs for Gaussian noise are the most stable of
#   all, by a quarter. It is not because clipped noise brightens an image as thick strokes do: the
#   one for unclipped noise is as stable.

# %% tags=["check"]
SEEDS = tables.read_record("stable_features")["seeds"]


def each(change, clip, kind, value="moved", epochs=16):
    """Return a value of one kind of features for each seed."""
    rows = tables.select(table, change=change, clip=clip, features=kind)
    found = [row[value] for row in rows if row["epochs"] in (0, epochs)]
    assert len(found) == len(SEEDS) == 3
    return np.array(found)


def ratio(change, clip, one, other, epochs=16):
    return each(change, clip, one, epochs=epochs) / each(
        change, clip, other, epochs=epochs
    )


HALF, MASK = "Gaussian 0.5", ("masking 0.5", "neither")
OWN = {"clipped": CLIPPED, "unclipped": UNCLIPPED}
for clip, expected, own_found, twin_found in (
    ("clipped", 0.60, 66, 13),
    ("unclipped", 0.55, 67, 10),
):
    own = ratio(HALF, clip, OWN[clip], "AE")
    assert round(own.mean(), 2) == expected
    assert abs(own - expected).max() < 0.02
    assert round(100 * each(HALF, clip, OWN[clip], "found").mean()) == own_found
    assert round(100 * each(HALF, clip, "AE", "found").mean()) == twin_found
    assert (
        abs(
            each(HALF, clip, "PCA", "found") - each(HALF, clip, OWN[clip], "found")
        ).max()
        < 0.05
    )
    further = each(HALF, clip, "AE") / each(HALF, clip, "AE", epochs=2)
    assert 1.3 < further.min() < further.max() < 1.4
assert round(ratio(*MASK, MASKING, "AE").mean(), 2) == 0.66
assert np.round(each(HALF, "clipped", "PCA"), 2).tolist() == [0.39] * 3
assert abs(each(HALF, "clipped", CLIPPED) - 0.39).max() < 0.01
pca_behind = ratio(HALF, "unclipped", "PCA", UNCLIPPED)
assert 1.08 < pca_behind.min() < pca_behind.max() < 1.12
assert round(100 * each(*MASK, MASKING, "found").mean()) == 81
assert round(100 * each(*MASK, "PCA", "found").mean()) == 52
less, more = (100 * (ratio(HALF, clip, MASKING, "AE") - 1) for clip in OWN)
assert (round(less.min()), round(less.max())) == (-7, -6)
assert (round(more.min()), round(more.max())) == (3, 4)
MOVES = ("shift 1", "shift 2", "rotation 10", "rotation 20")
for move in MOVES:
    for kind in OWN.values():
        assert ratio(move, "neither", kind, "AE").min() > 0.935
        assert ratio(move, "neither", kind, "AE").max() < 1.005
masking = np.array(
    [100 * (1 - ratio(move, "neither", MASKING, "AE")) for move in MOVES]
)
assert (round(masking.min()), round(masking.max())) == (5, 11)
pca_less = np.array(
    [
        100 * (1 - ratio(move, "neither", "PCA", kind))
        for move in MOVES[2:]
        for kind in ("AE", CLIPPED, UNCLIPPED, MASKING)
    ]
)
assert (round(pca_less.min()), round(pca_less.max())) == (4, 12)
others = [
    each("thicker", "neither", kind) for kind in kinds if kind not in OWN.values()
]
for kind in OWN.values():
    assert each("thicker", "neither", kind).max() < 0.77 * np.min(others)
same = each("thicker", "neither", UNCLIPPED) / each("thicker", "neither", CLIPPED)
assert abs(same - 1).max() < 0.06
share = 100 * each(HALF, "clipped", CLIPPED, "common", epochs=2)
assert (round(share.min()), round(share.max())) == (65, 72)
assert min(mean for mean, _ in short["moved"].values()) > 0.14
assert min(mean for mean, _ in long["moved"].values()) > 0.14
arguments = tables.read_record("stable_features")["arguments"]
assert (arguments["train_images"], arguments["test_images"]) == (50_000, 10_000)
assert 16 * -(-50_000 // 128) == 6256
assert (len(kinds), len(cases)) == (7, 10)
assert {case[0].split()[0] for case in cases[:5]} == {"Gaussian", "masking"}

# %% [markdown]
# An earlier version of this page compared the code of a noisy digit with that of the clean
# one, after two epochs. By that measure PCA seemed far ahead of the DAE, and the DAE for
# masking seemed to move further than the twin. Of the DAE's move, 65 to 72 % of the squared
# distance was one shift that all codes share.
#
# ## What the evidence says
#
# "Stable" holds for the noise of the training, and little beyond it. "Invariant" does not
# hold: even under the weakest noise every code of the study moves 0.14 of the way to
# another digit, or more. If you want a code that stays put under Gaussian pixel noise, PCA
# does as well, and at once. If you want invariance against shifts, show the model shifts.
#
# All of this with one small dense network, codes of 32 numbers, and one data set. The
# numbers come from the study `stable_features`; [Results](results.py) says how to make
# them again.
