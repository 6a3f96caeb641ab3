# ---
# title: Does it copy?
# description: Are the samples of a diffusion model copies of its training images? Nearest neighbours, an exact control that does copy, training sets from 10 to 60,000 images, and how to read a Fréchet distance.
# data: [dae_tutorial/evidence/tables/generation.*, dae_tutorial/evidence/tables/memorising.*]
# ---

# %% [markdown]
# # Does it copy?
#
# !!! abstract "In two sentences"
#     The best denoiser that there can be for 60,000 training images draws those very
#     images, and nothing else; a trained network draws digits that lie about as far from
#     the nearest training image as test images do (1.0 times as far).
#     The usual score of samples cannot tell the two apart: perfect copies reach the
#     best Fréchet distance there is, so look for copies separately, with unseen images
#     as your ruler.
#
# "My samples look great. Are they just training images?" The question is a fair one, and
# theory makes it worse. [What a denoiser learns](what-a-denoiser-learns.py) has the best
# answer to a noisy image in closed form: an average over the training images, weighted by
# how likely each is behind the noise. A network trained to its least possible loss would be
# that average. And then, as we shall see, it would copy.
#
# No noise on this page is [clipped](../evidence/clipped-or-not.py), as in all of this
# section. Samples are cut to $[0, 1]$ only once they are finished.
#
# ## A denoiser that does copy
#
# First the control, so that we know what copying looks like. `FiniteSet` holds all
# 60,000 training images and gives the exact [posterior
# mean](../glossary.md#posterior-mean). The sampler is Heun's method, from [the page
# before](from-denoiser-to-generator.py).

# %%
import torch

from dae_tutorial.loaders import load_mnist
from dae_tutorial.theory.sampling import draw_start, heun, noise_levels
from dae_tutorial.theory.score import FiniteSet

train, test = load_mnist(train=True), load_mnist(train=False)
exact = FiniteSet(train.images)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


mean_image = train.images.mean(dim=0)
start = draw_start((20, 1, 28, 28), 10, around=mean_image, generator=seeded(0))
few = noise_levels(4, 10, 0.01)
copies = heun(exact.posterior_mean, start, few).clamp(0, 1)

# %% [markdown]
# Now the network that comes with the package. It is told which digit to draw, and steps
# down through 35 levels with fresh noise at each (*ancestral* sampling).

# %%
from dae_tutorial.theory.pretrained import load_multilevel
from dae_tutorial.theory.sampling import step_down

network = load_multilevel()
labels = torch.arange(200) % 10


def told(noisy, sigma):
    return network(noisy, sigma, labels)


start = draw_start((200, 1, 28, 28), 10, around=mean_image, generator=seeded(0))
levels = noise_levels(35, 10, 0.01)
samples = step_down(told, start, levels, fresh=1.0, generator=seeded(1)).clamp(0, 1)

# %% [markdown]
# Beside each sample, the training image that lies nearest to it, by the root of the sum of
# squared differences of pixels:

# %% alt="Eight samples of the exact denoiser, each above its nearest training image: the two rows are the same. Below them eight samples of the network, which was told 0 to 7, each above its nearest training image: a digit in a similar hand, but with other strokes, slants and widths."
from dae_tutorial.figures import compare_images
from dae_tutorial.theory.sample_quality import nearest_distances

from_copies, which_copies = nearest_distances(copies, train.images)
from_samples, which = nearest_distances(samples, train.images)
compare_images(
    {
        "exact": copies[:8],
        "nearest": train.images[which_copies[:8]],
        "network": samples[:8],
        "its nearest": train.images[which[:8]],
    }
)

# %% [markdown]
# The exact denoiser returns training images, pixel by pixel. That is no fault of the
# sampler: where only 60,000 images are possible, they are all that can be drawn. The
# network's digits have a near relative each, and differ from it.
#
# ## The ruler: images that nobody has seen
#
# Is a distance of 4 near or far? Nobody can say, until it is compared with the distances of
# test images: they come from the same writers' population, and cannot be copies.

# %%
from_test, _ = nearest_distances(test.images[::20], train.images)
ratio = (from_samples.median() / from_test.median()).item()
print(f"median distance of samples     {from_samples.median():.2f}")
print(f"median distance of test images {from_test.median():.2f}")
print(f"ratio                          {ratio:.2f}")
print(f"smallest distance of a sample  {from_samples.min():.2f}")
print(f"smallest of a test image       {from_test.min():.2f}")
print(f"largest distance of the control {from_copies.max():.3f}")

# %% tags=["check"]
assert from_copies.max() < 0.1
assert round(ratio, 1) == 1.0  # the median of 200 is good to some 3 %
assert (from_samples > 0.3).all()

# %% tags=["hide-code"] alt="Three histograms of the distance to the nearest training image, one below the other on one axis from 0 to 9. The control, the exact denoiser: one bar at 0. Samples of the network: a hill from 1 to 8 with its middle at about 4.3. Test images: a hill of the same place and width."
import matplotlib.pyplot as plt

from dae_tutorial import figures

BLUE, ORANGE, TEAL = figures.COLOURS.values()
hills = [
    ("exact denoiser", from_copies, ORANGE),
    ("network's samples", from_samples, BLUE),
    ("test images", from_test, TEAL),
]
edges = torch.linspace(0, 9, 37)
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, panels = plt.subplots(
        3, 1, figsize=(figures.WIDTH, 4), sharex=True, layout="constrained"
    )
for axes, (name, distances, colour) in zip(panels, hills, strict=True):
    weights = torch.full_like(distances, 100 / len(distances))
    axes.hist(distances, bins=edges, weights=weights, color=colour)
    axes.text(0.98, 0.75, name, transform=axes.transAxes, ha="right")
    axes.axvline(distances.median(), color=figures.INK["light"], lw=1)
    axes.set_ylabel("%")
panels[-1].set_xlabel("distance to the nearest training image")
plt.close(figure)
figure

# %% [markdown]
# Lines mark the medians. The two hills below lie on each other; no sample lies in the bar of the
# control.
#
# ## Three ways to be fooled by a nearest neighbour
#
# **Without a ruler.** A distance alone says nothing, as above.
#
# **By blur.** A blurred image lies nearer to everything, for blur takes away the part that
# differs. So a ratio below 1 need not mean copying, and one near 1 need not mean good
# digits.
#
# **By a shift.** Move a training image by a single pixel, and pixel distances call it
# new. A copier that shifts would pass the test. So search again, over all shifts of one
# pixel in eight directions, for samples and test images alike.

# %%
from dae_tutorial.evidence.baselines import blur
from dae_tutorial.evidence.comparison import Comparison


def over_shifts(images):
    """Return distances to the nearest training image, shifted by up to one pixel."""
    moved = [
        images.roll((down, right), dims=(2, 3))
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    found, _ = nearest_distances(torch.cat(moved), train.images)
    return found.reshape(9, -1).amin(dim=0)


unseen = test.images[::100]
kinds = {
    "blurred test images": blur(unseen[:50], 1.0),
    "shifted training images": train.images[:50].roll(1, dims=3),
    "network's samples": samples[:100],
}
plain = {name: nearest_distances(kind, train.images)[0] for name, kind in kinds.items()}
wide = {name: over_shifts(kind) for name, kind in kinds.items()}
ruler, wide_ruler = from_test.median(), over_shifts(unseen).median()
Comparison(
    "Median distance, that of test images = 1",
    {"as it is": ".2f", "over shifts": ".2f"},
    {
        name: [plain[name].median() / ruler, wide[name].median() / wide_ruler]
        for name in kinds
    },
)

# %% tags=["check"]
assert plain["blurred test images"].median() < 1.1 * ruler
assert plain["shifted training images"].median() > 0.85 * ruler
assert wide["shifted training images"].max() < 0.1
assert 0.85 < wide["network's samples"].median() / wide_ruler < 1.15

# %% [markdown]
# The shifted copies pass the first test and fail the second. The network's samples pass
# both. There are other changes, such as a rotation or a thicker stroke, that neither test
# would see. A test for copies finds the kind of copies that it looks for.
#
# ## Between two samples
#
# Who knows nothing but some images has nothing to say between two of them. So go from the
# noise that one sample began with to the noise of another, in 32 small steps, and draw an
# image from each start on the way. Heun's method adds no noise, so one start leads to one
# image. The class is not told: a digit may turn into another.
#
# How should two noises $\varepsilon_0$ and $\varepsilon_1$ be mixed? At the share $t$ of
# the way we take
#
# $$\cos\left(\tfrac{\pi}{2}\, t\right) \varepsilon_0
# + \sin\left(\tfrac{\pi}{2}\, t\right) \varepsilon_1$$
#
# The squares of the two weights sum to one. So each mixture is again noise of variance
# one, as the network expects. This is called *spherical*: noise of 784 numbers nearly
# always has about the same length, so it lies near a sphere, and this way stays there. The
# straight way, $(1 - t)\,\varepsilon_0 + t\,\varepsilon_1$, cuts through the ball.
# Halfway, its noise has only $1 / \sqrt{2}$ of the strength that the network is told.

# %%
import math

noises = [draw_start((16, 1, 28, 28), 10, generator=seeded(s)) for s in (4, 5)]


def turned(share):
    return math.cos(share * math.pi / 2), math.sin(share * math.pi / 2)


def between(denoise, mixtures, levels, pairs=slice(None)):
    """Draw an image from each mixture of each pair: mixture by mixture."""
    one, other = (noise[pairs] for noise in noises)
    starts = [mean_image + a * one + b * other for a, b in mixtures]
    return heun(denoise, torch.cat(starts), levels).clamp(0, 1)


way, pair = [turned(step / 32) for step in range(33)], slice(0, 1)
short = noise_levels(9, 10, 0.01)
film = between(network, way, short, pair)
jumps = between(exact.posterior_mean, way, few, pair)

# %% alt="Nine pictures on the way between two samples, in three rows. Network: a broken digit that closes step by step to a nine, whose loop opens at the end to a four. Its nearest training images: other fours and nines, in other hands. Exact denoiser: a three, then several different nines, all of them training images."
from_film, which = nearest_distances(film, train.images)
from_jumps, _ = nearest_distances(jumps, train.images)
rows = {"network": film, "its nearest": train.images[which], "exact": jumps}
shown = slice(None, None, 4)
compare_images(
    {name: images[shown] for name, images in rows.items()},
    below={"network": [f"{d / from_test.median():.2f}" for d in from_film[shown]]},
)

# %% [markdown]
# The numbers are distances to the nearest training image, that of test images = 1.

# %%


def changes(images):
    """Return how far each image lies from the one before it."""
    return images.diff(dim=0).flatten(1).norm(dim=1)


jumped = changes(jumps)[changes(jumps) > 0.1]
print(f"network: the longest of its 32 steps is {changes(film).max():.1f}")
print(f"exact:   {32 - len(jumped)} steps change nothing,")
print(f"         the shortest of the others is {jumped.min():.1f}")

# %% [markdown]
# The exact denoiser stands still, or **jumps** from one training image to another. The
# network **glides**: none of its steps is half as long as the shortest jump. That is one
# pair, the first of sixteen. Here are all of them, at a quarter, half and three quarters of
# the way.

# %%
mixtures = {f"{share:g}": turned(share) for share in (0, 0.25, 0.5, 0.75, 1)}
mixtures["0.5, straight"] = 0.5, 0.5
drawn = between(network, mixtures.values(), short).unflatten(0, (-1, 16))
far = nearest_distances(drawn.flatten(0, 1), train.images)[0].reshape(-1, 16)
weight = drawn.mean(dim=(2, 3, 4))  # (mixtures, pairs)
Comparison(
    "Sixteen pairs of samples",
    {"distance, test images = 1": ".2f", "ink": ".3f"},
    {
        name: [far[row].median() / from_test.median(), weight[row].mean()]
        for row, name in enumerate(mixtures)
    },
    names="share of the way",
)

# %% tags=["check"]
assert changes(film).max() < 0.5 * jumped.min()
assert from_jumps.max() < 0.1
assert (weight[5] < weight[2]).all()
assert far[1:4].min() > 1.5
assert 0.95 < far[1:4].median() / far[[0, 4]].median() < 1.15
assert far[5].median() < 0.9 * far[2].median()

# %% [markdown]
# What lies between is about as far from the training images as the ends are. So the network
# does not hold single images, with nothing in between. What is in between need not be a
# digit.
#
# On the straight way the digits halfway have less *ink* (the mean pixel), in all sixteen
# pairs. That says nothing about digits: their noise was too weak. And it makes them lie
# nearer to the training images, as blur does.
#
# ## When does a network copy?
#
# When it is given so few images that it can hold them. The study `memorising` trains a
# smaller network (225,044 parameters, without classes) on 10, 100, 1,000, 10,000 and 60,000
# images, always for 2,000 steps in
# [batches](../glossary.md#batch) of 64, and draws 1,000 samples from each with Heun's
# method, from noise around the mean of the images that it trained on. The control draws with the exact denoiser of the same images, up to 10,000. A
# sample *is a copy* if its nearest training image is less than a third as far as the second
# nearest. Three seeds, each with other images and other initial weights.

# %% tags=["hide-code"] alt="Two panels over the number of training images, from 10 to 60,000. Left, the distance to the nearest training image over that of test images: the exact denoiser lies at 0 throughout; the network rises from 0.03 at 10 images and 0.3 at 100 to 1.06 at 1,000, and stays above 1. Right, the share of copies: the exact denoiser 100 % throughout, the network 100 % at 10 images, 42 to 49 % at 100, and none from 1,000 on."
from dae_tutorial.evidence import tables

steps = tables.select(tables.read("memorising"), denoiser="trained", steps=2000)
control = tables.select(tables.read("memorising"), denoiser="exact")
curves = {"network": (steps, BLUE), "exact denoiser": (control, ORANGE)}
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 3.2), layout="constrained"
    )
for name, (curve, colour) in curves.items():
    sizes = [row["images"] for row in curve]
    for panel, factor, column in ((left, 1, "ratio"), (right, 100, "copied")):
        values = [factor * row[column] for row in curve]
        panel.semilogx(sizes, values, "o", color=colour, markersize=4)
        means = tables.spread(curve, column, "images")
        heights = [factor * mean for mean, _ in means.values()]
        panel.plot([size for size in means], heights, color=colour, label=name)
left.set(
    xlabel="training images", title="distance over\ntest images'", ylim=(-0.1, 1.4)
)
right.set(xlabel="training images", title="copies, %", ylim=(-5, 115))
right.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.65), fontsize=10)
plt.close(figure)
figure

# %% tags=["check"]
by_size = {size: tables.select(steps, images=size) for size in (10, 100)}
more = [row for row in steps if row["images"] >= 1000]
assert len(more) == 9
assert round(sum(1000 * row["copied"] for row in by_size[10])) == 2999
assert all(0.4 < row["copied"] < 0.5 for row in by_size[100])
assert all(row["copied"] == 0 and row["ratio"] > 1 for row in more)
assert all(row["copied"] == 1 and row["ratio"] < 0.05 for row in control)
most = tables.select(control, images=10_000)
assert all(4.25 < row["frechet"] < 4.95 for row in most)
assert all(row["frechet"] > 46 for row in more)
assert all(2000 * 64 / size == looks for size, looks in ((10, 12_800), (100, 1280)))
assert tables.read_record("memorising")["arguments"]["batch_size"] == 64
shipped = tables.select(tables.read("memorising"), denoiser="shipped")
assert all(16 < row["frechet"] < 19 for row in shipped)
assert all(1.14 < row["ratio"] < 1.16 for row in shipped)
short = tables.select(tables.read("memorising"), denoiser="trained", steps=500)
assert all((row["images"], row["copied"]) == (100, 0) for row in short)

from dae_tutorial.theory.multilevel_unet import MultilevelUNet

small = MultilevelUNet(width=16, classes=0)
assert sum(part.numel() for part in small.parameters()) == 225_044

# %% [markdown]
# With 10 images all samples but one of 3,000 are copies, with 100 nearly half of them are,
# and from 1,000 on none, in every seed. The exact denoiser copies at every size.
#
# The number of images is not all that counts. 2,000 steps are 12,800 looks at each of 10
# images, 1,280 at each of 100, and two at each of 60,000. After a quarter of the steps, the
# network with 100 images had copied none. Copying has to be learned, too. So "none from
# 1,000 on" holds for this budget: we should expect a longer training or a larger network to
# copy more, and have not looked for where that ends.
#
# Ratios above 1 are no merit. These networks trained little, and their digits are worse than
# the shipped one's: their Fréchet distance, explained below, is 46 and more from 1,000 images
# on, where the shipped network has 16 to 19 under the same sampler, without classes (and a
# ratio of 1.14 to 1.16). What is no digit lies far from every digit.
#
# What does a network do instead of copying? Kadkhodaie and others
# ([2024](../bibliography.md#kadkhodaie2024)) show that two networks which learn from different
# images come to draw nearly the same ones, once each has seen enough.
#
# ## How good is my distance?
#
# Nearness to training images says nothing of quality. For that, the usual score is the
# [Fréchet distance](../glossary.md#frechet-distance) (Heusel and others,
# [2017](../bibliography.md#heusel2017)): a classifier turns each image into 64 numbers, its
# *features*, and the mean and the covariance of two sets are compared.
#
# {{ code of dae_tutorial.theory.sample_quality.frechet_distance }}
#
# The number has no meaning of its own. It depends on the network that makes the features
# (published distances use one that was trained on photographs, so they cannot be compared
# with ours), and on **how many images** there are. Small sets look further apart than
# they are, even real ones:

# %%
from dae_tutorial.theory.pretrained import load_digit_features
from dae_tutorial.theory.sample_quality import frechet_distance

judge = load_digit_features()


@torch.no_grad()
def features(images):
    return torch.cat([judge.features(part) for part in images.split(500)])


reference = features(test.images)
order = torch.randperm(60_000, generator=seeded(2))[:6000]  # neighbours share a writer
shuffled = features(train.images[order])
floors = {}
for count in (100, 300, 1000, 3000):
    sets = shuffled.split(count)[: 6000 // count]
    several = torch.tensor([frechet_distance(part, reference) for part in sets])
    floors[count] = several.mean().item()

Comparison(
    "Fréchet distance of training images to 10,000 test images",
    {"distance": ".1f"},
    {f"{count:,}": [floor] for count, floor in floors.items()},
    names="training images",
)

# %% tags=["check"]
assert floors[100] > 2 * floors[300] > 4 * floors[1000] > 6 * floors[3000]

# %% [markdown]
# So print beside your distance what **as many real images** score. We call it the *floor*.
# The study `generation` does so. It draws 1,000 images in each way, three times, and
# compares them with all 10,000 test images.

# %% tags=["hide-code"] alt="Fréchet distances of fifteen sets of 1,000 images as dots on a logarithmic axis. Real training images, the floor: 4. Ancestral sampling with 35 calls 5.4 and with 18 calls 5.9. Heun with guidance 1.5, with 17 and with 35 calls between 6 and 7, copies by the exact denoiser 7.7, Euler with 18 calls 8.1, walkback 12, real images with noise of 0.1 13, Heun without a class 16, Langevin 20, blurred images 288, noise of 0.5 344, one Gaussian 373."
generation = tables.select(tables.read("generation"), images=1000)
table = tables.select(generation, start="mean", epochs=32)
KEY = ("what", "levels", "guidance")
SHOWN = {
    ("training images", 0, 1.0): "real training images",
    ("ancestral", 35, 1.0): "ancestral, 35 calls",
    ("Heun", 9, 1.5): "Heun, guidance 1.5, 34 calls",
    ("ancestral", 18, 1.0): "ancestral, 18 calls",
    ("Heun", 9, 1.0): "Heun, 17 calls",
    ("Heun", 18, 1.0): "Heun, 35 calls",
    ("copies", 18, 1.0): "copies by the exact denoiser",
    ("walkback", 20, 1.0): "walkback from real images",
    ("noise of 0.1", 0, 1.0): "real + noise of 0.1",
    ("Euler", 18, 1.0): "Euler, 18 calls",
    ("Heun", 9, 0.0): "Heun, class not told",
    ("Langevin", 20, 1.0): "Langevin, 101 calls",
    ("blur", 0, 1.0): "real, blurred",
    ("noise of 0.5", 0, 1.0): "real + noise of 0.5",
    ("one Gaussian", 0, 1.0): "one Gaussian",
}
scores = {
    column: tables.spread(table, column, *KEY)
    for column in ("frechet", "precision", "recall", "sure")
}
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 5.2), layout="constrained")
ranked = sorted(SHOWN, key=lambda key: scores["frechet"][key][0])
for place, key in enumerate(ranked):
    mean, deviation = scores["frechet"][key]
    real = key[0].startswith(("training", "noise", "blur", "one", "copies"))
    colour = ORANGE if real else BLUE
    axes.errorbar(mean, place, xerr=deviation, fmt="o", color=colour, capsize=3)
    axes.annotate(
        f"{mean:.1f}" if mean < 100 else f"{mean:.0f}",
        (mean + deviation, place),
        (7, 0),
        textcoords="offset points",
        va="center",
    )
axes.set_yticks(range(len(ranked)), [SHOWN[key] for key in ranked])
axes.set(xscale="log", xlabel="Fréchet distance to test images", xlim=(2.5, 900))
axes.set_xticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
axes.minorticks_off()
axes.invert_yaxis()
plt.close(figure)
figure

# %% [markdown]
# Blue dots are the network's samples, orange ones are controls; bars are standard deviations
# over three seeds.
#
# - **The floor is 4.0, and the best sampler reaches about 1.4 times that**: ancestral
#   sampling with 35 calls. With 18 calls it reaches 1.5 times.
#   With 10,000 samples, as many as there are test images, ancestral sampling scores 2.3
#   where 10,000 training images score 1.9: so it stands on the network's card.
# - **Real images with noise that you can hardly see score 13.** The score looks at texture.
# - **Heun's method scores 6.4** with 17 calls, and twice as many do not help. What is left
#   is the network's error. Fresh noise mends some of it.
# - **Without the class it scores 16.** It is the same network: the word that says which
#   digit to draw is worth more than any sampler here.
# - **Copies score well.** Real training images *are* the floor. (The copies by the exact
#   denoiser score worse: they repeat themselves, being draws from 1,000 images. Drawn from
#   10,000, in the study `memorising`, they score 4.3 to 4.9.)
#
# So a good Fréchet distance cannot show that a model does not copy. Neither can
# **precision** (the share of samples that lie among real images) or **recall** (the share of
# real images that lie among samples; Kynkäänniemi and others,
# [2019](../bibliography.md#kynkaanniemi2019)):

# %% tags=["hide-code"]
from IPython.display import Markdown

ROWS = [
    ("training images", 0, 1.0),
    ("copies", 18, 1.0),
    ("ancestral", 35, 1.0),
    ("Heun", 9, 1.5),
    ("Heun", 18, 1.0),
    ("Heun", 9, 3.0),
    ("walkback", 20, 1.0),
    ("Langevin", 20, 1.0),
]
NAMES = SHOWN | {("Heun", 9, 3.0): "Heun, guidance 3, 34 calls"}
lines = [
    "| 1,000 images | precision | recall | classifier is sure |",
    "|---|---|---|---|",
]
for key in ROWS:
    cells = [f"{scores[c][key][0]:.2f}" for c in ("precision", "recall", "sure")]
    lines.append(f"| {NAMES[key]} | {' | '.join(cells)} |")
Markdown("\n".join(lines))

# %% tags=["check"]
from dae_tutorial.theory.pretrained import read_theory_card

card = read_theory_card("multilevel")["test"]
assert abs(card["frechet"] - 2.3) < 0.05
assert abs(card["frechet_floor"] - 1.9) < 0.05
mean = {column: {k: v[0] for k, v in rows.items()} for column, rows in scores.items()}
floor = mean["frechet"]["training images", 0, 1.0]
assert 3.5 < floor < 4.5
for calls, times in ((35, 1.4), (18, 1.5)):
    assert round(mean["frechet"]["ancestral", calls, 1.0] / floor, 1) == times
assert round(mean["frechet"]["noise of 0.1", 0, 1.0]) == 13
assert round(mean["frechet"]["Heun", 9, 1.0], 1) == 6.4
assert mean["frechet"]["Heun", 9, 1.0] < mean["frechet"]["Heun", 18, 1.0]
assert mean["frechet"]["ancestral", 18, 1.0] < mean["frechet"]["Heun", 9, 1.0]
assert round(mean["frechet"]["Heun", 9, 0.0]) == 16
assert mean["precision"]["Heun", 9, 3.0] > mean["precision"]["Heun", 9, 1.5]
assert mean["recall"]["Heun", 9, 3.0] < 0.65
assert mean["recall"]["walkback", 20, 1.0] < 0.65
assert mean["precision"]["walkback", 20, 1.0] > 0.95
assert mean["precision"]["copies", 18, 1.0] > 0.85

# %% [markdown]
# Read the two together. Strong guidance makes more typical digits, and fewer kinds: precision
# goes up, recall goes down. Walkback is the extreme of that.
#
# ## Where to begin
#
# A sampler can be at fault, too. The samples above begin as noise around the [mean
# image](../glossary.md#mean-image). Most code begins with pure noise, and that costs
# something which the eye does not see: the digits are too thin. Here is the *ink* (the
# mean pixel) of 100 of them, from the very same noise in two versions.

# %%
noise = draw_start((100, 1, 28, 28), 10, generator=seeded(3))
hundred = labels[:100]


def ink(start):
    def denoise(noisy, sigma):
        return network(noisy, sigma, hundred)

    return heun(denoise, start, noise_levels(9, 10, 0.01)).clamp(0, 1).mean().item()


inks = {"pure noise": ink(noise), "noise around the mean": ink(mean_image + noise)}
print(f"length of the mean image {mean_image.norm():.1f}, noise of a pixel 10")
print(f"ink of training images   {mean_image.mean():.4f}")
for name, found in inks.items():
    print(f"ink from {name:22} {found:.4f}")

# %% [markdown]
# A sampler should begin where the noisy images of the first level lie: around the mean
# image. $\sigma = 10$ is large beside a pixel, but what counts is the length of the mean
# image, all pixels together: 5.9. So pure noise is more than half a standard deviation off, in
# the one direction that is "more ink", and a sampler without fresh noise keeps that to the
# end. Add the mean image to the start, or begin at a $\sigma$ many times its length
# (which this network has hardly met in training).
#
# It is no small matter. In the study, Heun's method with 17 calls scores 6.4 from around the
# mean image, and 10.0 from around zero. Ancestral sampling with 35 calls forgets most of how
# it began: 5.4 and 5.7.

# %% tags=["check"]
assert abs(mean_image.norm() - 5.9) < 0.05
assert inks["pure noise"] < 0.94 * inks["noise around the mean"]
astray = tables.spread(tables.select(generation, start="zero"), "frechet", *KEY)
for key, values in {
    ("Heun", 9, 1.0): (6.4, 10.0),
    ("ancestral", 35, 1.0): (5.4, 5.7),
}.items():
    assert (round(mean["frechet"][key], 1), round(astray[key][0], 1)) == values
    both = (
        tables.select(
            generation, what=key[0], levels=key[1], guidance=1, start=s, epochs=32
        )
        for s in ("mean", "zero")
    )
    assert all(a["frechet"] < b["frechet"] for a, b in zip(*both, strict=True))

# %% [markdown]
# ## Questions people ask
#
# - **In which scale is σ?** In units of pixel value, as everywhere here: images lie in
#   $[0, 1]$, and $\sigma = 10$ is ten times the whole range. If your images lie in
#   $[-1, 1]$, double every σ.
# - **How long does it take?** The network says so itself:

# %%
from dae_tutorial.theory.pretrained import read_theory_card

card = read_theory_card("multilevel")
print(f"{card['epochs']} epochs of 60,000 images, {card['parameters']:,} parameters,")
print(f"{card['seconds'] / 60:.0f} minutes on one thread of a CPU")

short = tables.select(generation, epochs=4)
distances = ", ".join(f"{row['frechet']:.0f}" for row in short)
print(f"after 4 epochs (Fréchet distance, three seeds): {distances}")

# %% [markdown]
# - **How do I test mine?** Four lines: distances of samples to the nearest training image;
#   the same for images that the network has not seen; the ratio of the medians; and a look
#   at the nearest pairs. Beside the Fréchet distance, print that of as many real images.
#
# All of this on one data set of small, plain images, with one network. Large models have been
# caught copying single pictures, above all those that their training data held many times
# (Carlini and others, [2023](../bibliography.md#carlini2023)).
# A median would not show that: look at the smallest distances, too.
#
# Before: [From denoiser to generator](from-denoiser-to-generator.py) · Next: [The family
# tree](family-tree.py)
