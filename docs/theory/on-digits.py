# ---
# title: The same on digits
# description: The exact posterior mean over all MNIST training images beside a trained network, from σ = 0.05 to 5, on training images, on test images and on pure noise. The optimum memorises, the network generalises.
# data: dae_tutorial/evidence/tables/exact_answer.*
# ---

# %% [markdown]
# # The same on digits
#
# !!! abstract "In two sentences"
#     For a training set the perfect denoiser can be computed, and it is pure memory: at
#     $\sigma = 0.5$ it restores training images almost without error (0.0001), and test
#     images worse than a matrix does (0.025 against 0.020).
#     A network that is trained towards this very optimum misses it by a wide margin, treats
#     training and test images alike, and below $\sigma \approx 1.4$ is the better denoiser of
#     test images: by a factor of 3 at $\sigma = 0.5$, of some 30 at 0.1.
#
# [What a denoiser learns](what-a-denoiser-learns.py) laid a network's arrows over the exact
# ones, and was glad that they agree. With digits the exact answer can be computed as well.
# This time, agreement is not what we want.
#
# !!! warning "No noise on this page is clipped"
#     Exact answers here rest on Gaussian noise. [Clipped noise](../evidence/clipped-or-not.py)
#     is not Gaussian; the end of the page shows what it breaks.
#
# ## Two denoisers for all levels
#
# The first knows the 60,000 training images by heart, and nothing else. It answers with
# their [posterior mean](../glossary.md#posterior-mean), a mean in which each counts by how
# well it explains the noisy image: the least error that any denoiser can have on *these*
# images ([`FiniteSet`](../reference/score.md)). The second is the network of [the next
# page](from-denoiser-to-generator.py), trained on the same images at all levels. Its loss is
# least where it equals the first.

# %%
import torch

from dae_tutorial.loaders import load_mnist
from dae_tutorial.theory.pretrained import load_multilevel
from dae_tutorial.theory.score import FiniteSet

training, test = load_mnist(train=True).images, load_mnist(train=False).images
memory = FiniteSet(training)
network = load_multilevel()


def answers(noisy, sigma):
    with torch.no_grad():
        return memory.posterior_mean(noisy, sigma), network(noisy, sigma)


# %% tags=["hide-code"] alt="Two groups of three rows over four noise levels from 0.1 to 3: above, a training image; below, a test image; each noisy, with the exact answer, and with the network's. The exact answer to the training image is that image up to a level of about 1 and blurs above. The exact answer to the test image is another, similar digit from the training set, sharp at low noise. The network's answers keep the shape of the digit that was given, in both groups."
import matplotlib.pyplot as plt

from dae_tutorial import figures

shown = torch.stack([training[7], test[18]])
columns = [0.1, 0.5, 1.0, 3.0]
generator = torch.Generator().manual_seed(0)
with plt.rc_context(figures.STYLE | {"font.size": 10}):
    figure, panels = plt.subplots(6, 4, figsize=(5.0, 7.6), layout="constrained")
for column, sigma in enumerate(columns):
    noisy = shown + sigma * torch.randn(shown.shape, generator=generator)
    for group, image in enumerate([0, 1]):
        pictures = [noisy, *answers(noisy, sigma)]
        for row, pixels in enumerate(pictures):
            panel = panels[3 * group + row, column]
            panel.imshow(pixels[image, 0], cmap="gray", vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
    panels[0, column].set_title(f"σ = {sigma:g}")
names = [
    f"{kind},\n{row}"
    for kind in ("training", "test")
    for row in ("noisy", "exact", "network")
]
for panel, name in zip(panels[:, 0], names, strict=True):
    panel.set_ylabel(name)
plt.close(figure)
figure

# %% [markdown]
# At low noise the exact answer is the nearest training image, whatever it was given. At
# very high noise nothing can be told apart, and it becomes the [mean
# image](../glossary.md#mean-image). The network answers with the digit that it was given.
#
# ## Where do they part?
#
# Take 100 training images, 100 of the [test set](../glossary.md#test-set), and 40 black
# ones, so that there is nothing to
# find under the noise. For each level, measure six things:
#
# - the mean squared error of the exact answer and of the network's;
# - the squared distance between the two answers;
# - the cosine between the two [scores](../glossary.md#score), and the size of their
#   difference relative to the exact one. Both scores are the step, from the noisy image to
#   the answer, divided by σ². So the steps themselves may stand for them;
# - how many training images are behind the exact answer: the exponential of the entropy of
#   its weights, 1 if one image has them all, and 60,000 if all have equal ones.


# %%
from dae_tutorial.evidence.comparison import Comparison


def compare(images, noisy, weights, exact, learned):
    first, second = ((answer - noisy).flatten(1) for answer in (exact, learned))
    return {
        "exact": (exact - images).square().mean().item(),
        "network": (learned - images).square().mean().item(),
        "apart": (exact - learned).square().mean().item(),
        "cosine": torch.cosine_similarity(first, second).mean().item(),
        "relative": ((first - second).norm() / first.norm()).item(),
        "images": weights.xlogy(weights).sum(1).neg().exp().median().item(),
    }


levels = [0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 5.0]
clean = {
    "training": training[::600],
    "test": test[::100],
    "pure noise": torch.zeros(40, 1, 28, 28),
}
images = torch.cat(list(clean.values()))
generator = torch.Generator().manual_seed(1)
found = {}
for sigma in levels:
    noisy = images + sigma * torch.randn(images.shape, generator=generator)
    weights = memory.posterior_weights(noisy, sigma)
    exact = (weights @ training.flatten(1)).reshape(noisy.shape)  # posterior_mean
    with torch.no_grad():
        learned = network(noisy, sigma)
    parts = (x.split([100, 100, 40]) for x in (images, noisy, weights, exact, learned))
    for kind, *part in zip(clean, *parts, strict=True):
        found[kind, sigma] = compare(*part)

both = [
    (kind, answer) for kind in ("training", "test") for answer in ("exact", "network")
]
Comparison(
    "Mean squared error, and how many images are behind the exact answer",
    {
        **{f"{kind}, {answer}": ".4f" for kind, answer in both},
        "images behind, test": ",.1f",
    },
    {
        sigma: [
            *(found[kind, sigma][answer] for kind, answer in both),
            found["test", sigma]["images"],
        ]
        for sigma in levels
    },
    names="σ",
)

# %% tags=["hide-code"]
import math

below, above = 1.0, 1.5
lead = {s: found["test", s]["exact"] / found["test", s]["network"] for s in levels}
slope = math.log(lead[above] / lead[below]) / math.log(above / below)
crossing = below * math.exp(-math.log(lead[below]) / slope)
print(f"exact ÷ network on test images: {lead[0.1]:.0f} at σ = 0.1,")
print(f"{lead[0.5]:.1f} at σ = 0.5, and 1 at σ = {crossing:.2f}")
gap = {
    kind: found["test", 0.5][kind] / found["training", 0.5][kind]
    for kind in ("exact", "network")
}
print(f"test ÷ training at σ = 0.5: exact {gap['exact']:.0f}, network", end=" ")
print(f"{gap['network']:.2f}")

# %% tags=["check"]
assert found["training", 0.5]["exact"] < 0.0005
assert all(0.023 < found["test", s]["exact"] < 0.027 for s in levels if s <= 0.5)
assert all(lead[s] > 1.05 for s in levels if s <= 1)
assert 20 < lead[0.1] < 40
assert 2.4 < lead[0.5] < 3.4
assert 1.2 < crossing < 1.75
assert gap["exact"] > 50
assert all(
    0.85 < found["test", s]["network"] / found["training", s]["network"] < 1.2
    for s in levels
)
assert all(
    found["training", s]["exact"] < found["training", s]["network"] for s in levels
)
assert found["test", 0.2]["images"] < 1.1
assert found["test", 5.0]["images"] > 15_000
assert 0.88 < lead[2.0] < 0.97

# %% tags=["hide-code"] alt="Two panels over the noise level from 0.05 to 5, on logarithmic axes. Left, mean squared error: the exact answer on training images falls to almost nothing below 0.5; on test images it stays above 0.02 at all levels; the network's two lines lie on each other, fall steadily with the noise, and cross the exact answer's on test images a little above a level of 1. Right, the difference between the two scores relative to the exact one: below 0.02 at σ = 5 for all three kinds of images; towards weak noise it grows to a third on training images, and to almost one on test images and on pure noise."
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 3.6), layout="constrained"
    )
BLUE, ORANGE, TEAL = figures.COLOURS.values()
for kind, style in {"training": "--", "test": "-"}.items():
    for answer, colour in {"exact": ORANGE, "network": BLUE}.items():
        heights = [found[kind, sigma][answer] for sigma in levels]
        left.loglog(levels, heights, style, color=colour)
left.set(title="mean\nsquared error", ylim=(3e-6, 0.2))
left.text(0.05, 0.037, "exact, test", color=ORANGE)
left.text(0.62, 3e-5, "exact,\ntraining", color=ORANGE)
left.text(0.15, 3e-4, "network,\nboth", color=BLUE)
kinds = {"training": ("--", ORANGE), "test": ("-", BLUE), "pure noise": (":", TEAL)}
for kind, (style, colour) in kinds.items():
    heights = [found[kind, sigma]["relative"] for sigma in levels]
    right.loglog(levels, heights, style, color=colour, label=kind)
right.set(title="relative difference\nof scores", ylim=(None, 1.3))
right.legend(frameon=False, fontsize=10, loc="lower left")
for panel in (left, right):
    panel.set(xlabel="noise level σ", xticks=[0.1, 1], xticklabels=["0.1", "1"])
plt.close(figure)
figure

# %%
parts = [(part, kind) for part in ("cosine", "relative") for kind in clean]
WORDS = {"cosine": "cosine", "relative": "difference"}
Comparison(
    "Cosine and relative difference of the two scores",
    {f"{WORDS[part]}, {kind}": ".3f" for part, kind in parts},
    {sigma: [found[kind, sigma][part] for part, kind in parts] for sigma in levels},
    names="σ",
)

# %% tags=["check"]
for kind in clean:
    assert found[kind, 5.0]["cosine"] > 0.999
    assert found[kind, 5.0]["relative"] < 0.015
    assert found[kind, 1.0]["cosine"] > 0.98
assert 0.9 < found["training", 0.05]["cosine"] < 0.98
assert found["training", 0.05]["relative"] < 0.45
for kind in ("test", "pure noise"):
    assert found[kind, 0.05]["cosine"] < 0.5
    assert found[kind, 0.05]["relative"] > 0.85

# %% [markdown]
# - **The optimum memorises.** On training images its error is almost nothing for all but
#   strong noise. On test images it stays above 0.02 however weak the noise becomes, for one
#   single training image is behind the answer, and it is never the right one.
# - **The network does not.** Its error on test images is that on training images, but for
#   the chance of which we took. On test images it beats the optimum of its own loss at
#   every level below about 1.4: by a factor of 3 at $\sigma = 0.5$, and of some 30 at 0.1.
# - **They part where the noise lets single images be told apart.** At $\sigma = 5$ more than
#   15,000 images stand behind each exact answer, and the two scores differ by about 1 %.
#   The fewer images, the more the scores differ. At $\sigma = 0.05$, away from the training
#   images, the exact score is nearly all pull towards a training image that happens to be
#   nearest, and of that the network knows nothing: the difference is more than 0.9 of it.
# - **So a low loss is not the aim.** At $\sigma = 2$ the network is worse than the optimum
#   even on test images, by some 7 %: there, it could still learn. At low noise, a
#   network that came closer to the optimum would be a *worse* denoiser of new images.
#
# ### What training could still win
#
# The exact answer is the mean of what the clean image may be. So what is wrong with *any*
# other answer splits into two parts that add up, as the sides of a right-angled triangle do:
#
# $$\mathbb{E}\,\lVert D(\tilde{x}, \sigma) - x \rVert^2
# = \mathbb{E}\,\lVert \hat{x}^{*} - x \rVert^2
# + \mathbb{E}\,\lVert D(\tilde{x}, \sigma) - \hat{x}^{*} \rVert^2$$
#
# Here $\hat{x}^{*}$ is the exact answer, and $x$ is drawn *from the set that it knows*. The
# first part nobody can avoid; the second is how far the network is from its optimum, and
# all that training could ever win.

# %%


def parts_and_whole(sigma, kind):
    row = found[kind, sigma]
    return row["exact"] + row["apart"], row["network"]


Comparison(
    "The two parts together, and the network's error",
    {
        f"{kind}, {what}": ".4f"
        for kind in ("training", "test")
        for what in ("two parts", "network")
    },
    {
        sigma: [*parts_and_whole(sigma, "training"), *parts_and_whole(sigma, "test")]
        for sigma in levels
    },
    names="σ",
)

# %% tags=["check"]
for sigma in levels:
    row = found["training", sigma]
    assert abs((row["exact"] + row["apart"]) / row["network"] - 1) < 0.1
row = found["test", 0.5]
assert row["exact"] + row["apart"] > 3 * row["network"]

# %% [markdown]
# On training images the two columns agree, but for the chance of which images we took. On
# test images they do not at all: there the optimum is not optimal, and distance from it is
# no loss.
#
# What keeps the network from its optimum? Not a special trick: nothing in its training
# says "do not memorise". A network of 540,180 weights that meets each of 60,000 images 32
# times learns, it seems, what they share: strokes. With fewer images this turns round: [Does it
# copy?](does-it-copy.py) shrinks the training set until the network does learn it by heart,
# and the table below has a small case of it. ([Kadkhodaie and others
# (2024)](../bibliography.md#kadkhodaie2024) trained pairs of networks on separate halves of
# a data set. With enough images, both learned nearly the same denoiser.)
#
# ## How much of the exact answer do plain autoencoders learn?
#
# One level, $\sigma = 0.5$, and the dense autoencoder that most of this site trains, with its
# clean-trained [twin](../glossary.md#twin) and the best linear denoiser. (The models of
# [Trained models](../further/pretrained.py) met clipped noise, so they cannot stand here.)
# Three seeds, from a stored study, trained on 60,000 images for 16
# [epochs](../glossary.md#epoch), or on 1,000 for 960, which are about as many steps. Each
# exact answer knows the images that its neighbours in the table were trained on. The last
# row is the network for all levels, measured above on other draws.

# %%
from dae_tutorial.evidence import tables

rows = tables.read("exact_answer")


def mean(images, model, place, column):
    chosen = [r for r in rows if r["images"] == images and r["epochs"] in (16, 960)]
    values = [r[column] for r in chosen if r["model"] == model and r["set"] == place]
    return sum(values) / len(values)


models = ["exact", "linear", "dense", "dense, clean-trained"]
heads = {
    "error, training": ("training", "mse"),
    "error, test": ("test", "mse"),
    "distance from exact, test": ("test", "from_exact"),
}
stored = {
    (f"{images:,}", model): [mean(images, model, *what) for what in heads.values()]
    for images in (60_000, 1000)
    for model in models
}
live = [found[kind, 0.5]["network"] for kind in ("training", "test")]
live.append(found["test", 0.5]["apart"])
Comparison(
    "Mean squared error and squared distance, σ = 0.5, unclipped",
    dict.fromkeys(heads, ".4f"),
    stored | {("60,000", "network, all levels"): live},
    names=("images", "model"),
)

# %% tags=["check"]
assert abs(mean(60_000, "exact", "test", "mse") - 0.025) < 0.0005
assert abs(mean(60_000, "linear", "test", "mse") - 0.020) < 0.0005
assert mean(60_000, "exact", "training", "mse") < 0.00015
assert abs(mean(60_000, "dense", "test", "mse") - 0.0141) < 0.0002
assert mean(60_000, "dense", "test", "from_exact") > mean(
    60_000, "dense", "test", "mse"
)
few = [mean(1000, "dense", place, "mse") for place in ("training", "test")]
assert abs(few[0] - 0.0099) < 0.0002
assert abs(few[1] - 0.0205) < 0.0003
by_seed = {
    (r["seed"], r["model"]): r["mse"]
    for r in rows
    if (r["images"], r["epochs"], r["set"]) == (60_000, 16, "test")
}
assert all(
    by_seed[s, "dense"] < by_seed[s, "linear"] < by_seed[s, "exact"] for s in range(3)
)
assert all(by_seed[s, "dense, clean-trained"] > by_seed[s, "exact"] for s in range(3))
short = {
    (r["seed"], r["model"]): r["mse"]
    for r in rows
    if (r["images"], r["epochs"], r["set"]) == (60_000, 4, "test")
}
assert all(short[s, "dense"] < short[s, "linear"] < short[s, "exact"] for s in range(3))
assert all(
    short[s, "exact"]
    < short[s, "dense, clean-trained"]
    < by_seed[s, "dense, clean-trained"]
    for s in range(3)
)
assert abs(sum(short[s, "dense"] for s in range(3)) / 3 - 0.0166) < 0.0002
assert abs(sum(short[s, "dense, clean-trained"] for s in range(3)) / 3 - 0.033) < 0.001
assert abs(mean(60_000, "dense, clean-trained", "test", "mse") - 0.044) < 0.001
assert live[1] < 0.8 * mean(60_000, "dense", "test", "mse")
assert live[2] > live[1]

# %% [markdown]
# With all images, the autoencoder (0.0141) lies *further from the exact answer* than from
# the truth. So does the network for all levels, which is better still. The autoencoder is
# better than the matrix, and the matrix is better than perfect memory, in every seed, after
# four epochs (0.0166) as after sixteen. Its clean-trained twin is worse than all of them,
# and longer training makes it worse (0.033, then 0.044): nothing in its training asks what
# it does with noise.
#
# With 1,000 images and as many steps the autoencoder has begun to learn by heart, although
# it has only 32 numbers for its code and meets new noise each time: 0.0099 on those images,
# 0.0206 on others. That is no better than the matrix, which cannot memorise much.
#
# ## How strong is the noise? Estimating σ
#
# A denoiser that is told its level must be told the right one. Can it be read off a single
# image? Three ways.
#
# - **The frame.** Digits lie inside a box of 20 × 20 pixels, or nearly so. Outside is little
#   but noise, and the median size of those pixels, divided by 0.6745, estimates $\sigma$.
#   (A median, since three of four digits reach a little across.)
# - **Memory.** Take the level under which the noisy image is most likely, by the exact
#   density. Here over the first 5,000 training images, to save time.
# - **The network.** The noise is what the denoiser takes off, and what it gets wrong. At the
#   true level both together make up the noise's variance:
#
# $$\sigma^2 = \frac1N\,\mathbb{E}\,\lVert \tilde{x} - D(\tilde{x}, \sigma) \rVert^2
# + \frac1N\,\mathbb{E}\,\lVert D(\tilde{x}, \sigma) - x \rVert^2$$
#
# That is the triangle again, for a denoiser near the best one for new images. The first
# part can be read off the image; for the second, take what the network gets wrong on
# average. So try levels from low to high, until too little noise is left to fill
# $\sigma^2$.

# %%
tried = torch.logspace(-1.5, 0.4, 30)  # from 0.03 to 2.5
few = FiniteSet(training[:5000])


def network_errors(images, levels, target=None):
    target = images if target is None else target
    with torch.no_grad():
        answers = [network(images, level) for level in levels.tolist()]
    return torch.stack([(a - target).square().mean((1, 2, 3)) for a in answers])


def crossing_level(values, levels):
    """Find where values, (levels, images), fall through 0, for each image."""
    after = (values < 0).int().argmax(0, keepdim=True).clamp(min=1)
    high, low = values.gather(0, after - 1), values.gather(0, after)
    step = levels.log()[after] - levels.log()[after - 1]
    return (levels.log()[after - 1] + step * high / (high - low)).exp()[0]


def by_frame(noisy):
    frame = torch.ones(28, 28, dtype=torch.bool)
    frame[4:24, 4:24] = False
    return noisy[..., frame].abs().median(dim=-1).values[:, 0] / 0.6745


def by_memory(noisy):  # the log-density rises until the most likely level
    likely = torch.stack([few.log_density(noisy, level) for level in tried.tolist()])
    return crossing_level(likely.diff(dim=0), (tried[1:] * tried[:-1]).sqrt())


others = training[5::1000]
usual = torch.cat(
    [
        network_errors(
            others + level * torch.randn(others.shape, generator=generator),
            level[None],
            target=others,
        )
        for level in tried
    ]
).mean(dim=1)


def by_network(noisy):
    filled = (network_errors(noisy, tried) + usual[:, None]) / tried[:, None] ** 2
    return crossing_level(filled.log(), tried)


# %%
ways = {"frame": by_frame, "memory": by_memory, "network": by_network}
ratios = {}
some = {"training": training[:5000:250], "test": test[::500]}
for sigma in (0.05, 0.2, 1.0):
    for kind, images in some.items():
        noisy = images + sigma * torch.randn(images.shape, generator=generator)
        for name, estimate in ways.items():
            ratios[sigma, kind, name] = estimate(noisy) / sigma

Comparison(
    "Estimate ÷ σ, mean ± deviation over the images",
    dict.fromkeys(ways, ".2f"),
    {
        (sigma, kind): [
            (ratios[sigma, kind, name].mean(), ratios[sigma, kind, name].std())
            for name in ways
        ]
        for sigma in (0.05, 0.2, 1.0)
        for kind in some
    },
    names=("σ", "images"),
)

# %% tags=["check"]
for (_, kind, name), ratio in ratios.items():
    if name != "memory" or kind == "training":
        assert abs(ratio.mean() - 1) < 0.06
        assert ratio.std() < (0.12 if name == "frame" else 0.06)
assert 2.5 < ratios[0.05, "test", "memory"].mean() < 5
assert 1.2 < ratios[0.2, "test", "memory"].mean() < 1.8
assert abs(ratios[1.0, "test", "memory"].mean() - 1) < 0.08
across = test.clone()
across[..., 4:24, 4:24] = 0
assert abs((across.amax((1, 2, 3)) > 0).float().mean() - 0.75) < 0.01

# %% [markdown]
# The frame is right on average, and off by some 6 % for a single image: it has 384 pixels,
# and it needs a black frame. Memory is excellent on the images that it knows, and hopeless
# on new ones under weak noise, where it says more than three times too much: it takes for
# noise whatever makes a new digit differ from the old ones. The network is right within
# 3 to 4 % on both, about as well as 784 values can say (one over $\sqrt{2 \cdot 784}$ is
# 2.5 %), and needs no black frame. This is another way to see that it has learned what
# digits are, and not which.
#
# ## What clipping and masking break
#
# Cut the noisy image to $[0, 1]$, and at $\sigma = 1$ two thirds of its pixels lie at 0 or 1
# exactly. A density that has whole lumps of probability at single values has no gradient
# there: **for those pixels there is no score.** (For a pixel strictly between, the formula
# of Tweedie still holds, since its noise still has a normal density. But two thirds are not
# between.) What remains is the first half of the story: the posterior mean is still the
# best denoiser, and a network trained on pairs still learns towards it. Only it must be the
# posterior mean for *that* noise.
#
# A test for those who take the step, divided by σ², for a score all the same: the average
# of a score over its own density is zero, always.

# %%
from dae_tutorial.evidence.baselines import posterior_mean


def mse(answer, images):
    return (answer - images).square().mean().item()


drift, gains = {}, {}
for kind in ("training", "test"):
    images = clean[kind][::2]  # 50
    noisy = images + torch.randn(images.shape, generator=generator)
    clipped = noisy.clamp(0, 1)
    right = posterior_mean(clipped, training, 1.0, clip=True)
    wrong = memory.posterior_mean(clipped, 1.0)
    gains[kind] = mse(right, images), mse(wrong, images)
    drift[kind] = (
        (memory.posterior_mean(noisy, 1.0) - noisy).mean().item(),
        (right - clipped).mean().item(),
    )
share = ((clipped == 0) | (clipped == 1)).float().mean()
print(f"clipped at σ = 1: {share:.0%} of the pixels lie at 0 or 1")
print("average step, from the noisy image to the answer:")
print(f"unclipped {drift['training'][0]:+.3f}, clipped {drift['training'][1]:+.3f}")
Comparison(
    "Error of the posterior mean on clipped images",
    {"for clipped noise": ".4f", "for Gaussian noise": ".4f"},
    gains,
    names="images",
)

# %% tags=["check"]
assert 0.6 < share < 0.7
assert gains["training"][1] > 1.2 * gains["training"][0]
assert gains["test"][1] < gains["test"][0]
assert abs(drift["training"][0]) < 5 / math.sqrt(50 * 784)
assert -0.28 < drift["training"][1] < -0.18

# %% [markdown]
# For the training images, the right posterior mean has the least error, and the formula for
# Gaussian noise does worse. On test images it is the other way round: once more, what knows
# better does not generalise better. And the average "score" of clipped images is far from
# zero. It is the [offset](../evidence/clipped-or-not.py#what-clipping-adds) that clipping
# has added.
#
# Masking leaves no density at all. A visible grey pixel must be that grey in the clean
# image, so an image is possible or it is not:

# %%
from dae_tutorial.noise import add_masking_noise


def possible(masked):
    """Count the training images that can be behind a masked one."""
    return int(((training == masked) | (masked == 0)).flatten(1).all(dim=1).sum())


counts = {
    kind: [
        possible(x) for x in add_masking_noise(clean[kind][:10], generator=generator)
    ]
    for kind in ("training", "test")
}
print(counts)

# %% tags=["check"]
assert counts == {"training": [1] * 10, "test": [0] * 10}

# %% [markdown]
# Half of the pixels are hidden, and still each training image is the only one that fits. For
# a test image none does, and the exact answer is 0 / 0: memory without noise to blur it has
# nothing to say. A network answers such images all the same ([Types of
# noise](../learn/types-of-noise.py) trains with them), and that is, once more, because it
# is not the optimum.
#
# !!! note "Single precision is enough"
#     The score divides a small difference by $\sigma^2$, and the weights compare squared
#     distances. With 60,000 images and $\sigma = 0.05$, `FiniteSet` in single and in double
#     precision give the same score to 5 digits, and at $\sigma = 1$ the same answer within
#     0.0001: a test of this project says so.
#
# Next, one network for all levels [becomes a generator](from-denoiser-to-generator.py).
