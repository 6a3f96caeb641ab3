# ---
# title: The same on digits
# description: The exact posterior mean over all MNIST training images beside a trained network, from σ = 0.05 to 5, on training images, on test images and on pure noise. The optimum memorises, the network generalises.
# data: dae_tutorial/evidence/tables/exact_answer.*
# ---

# %% [markdown]
# # The same on digits
#
# !!! abstract "In two sentences"
#     For a training set the perfect denoiser can be computed, and at $\sigma = 0.5$ it
#     restores training images almost without error (0.0001) and test images worse
#     than a matrix does (0.025 against 0.020), because it answers with training images.
#     A network that is trained towards this very optimum misses it by a wide margin, treats
#     training and test images nearly alike, and is three times better on test images.
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
# images ([`FiniteSet`](../reference/score.md)). The second
# is the network of [the next page](from-denoiser-to-generator.py), trained on the same
# images at all levels. Its loss is least where it equals the first.

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
# Sixty images each: from the training set, from the [test
# set](../glossary.md#test-set), and pure noise with no digit
# in it. For each level, the error of both denoisers, and the cosine between their steps, that
# is, between their scores.

# %%
levels = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0]
clean = {
    "training": training[::1000],
    "test": test[::166][:60],
    "pure noise": torch.zeros(60, 1, 28, 28),
}
errors, cosines = {}, {}
for sigma in levels:
    for kind, images in clean.items():
        noisy = images + sigma * torch.randn(images.shape, generator=generator)
        exact, learned = answers(noisy, sigma)
        errors[kind, sigma] = [
            (answer - images).square().mean().item() for answer in (exact, learned)
        ]
        steps = [(answer - noisy).flatten(start_dim=1) for answer in (exact, learned)]
        cosines[kind, sigma] = torch.cosine_similarity(*steps, dim=1).mean().item()

print("        training           test")
print("    σ   exact   network    exact   network")
for sigma in levels:
    print(
        f"{sigma:5}",
        *(
            f"  {a:.4f}  {b:.4f} "
            for a, b in (errors["training", sigma], errors["test", sigma])
        ),
    )

# %% tags=["check"]
assert errors["training", 0.5][0] < 0.001
assert errors["test", 0.5][0] > 2.5 * errors["test", 0.5][1]
assert all(errors["test", s][1] < errors["test", s][0] for s in levels if s <= 1)
assert all(
    errors["training", s][0] < errors["training", s][1] for s in levels if s <= 2
)
assert all(0.7 < errors["test", s][1] / errors["training", s][1] < 1.4 for s in levels)
assert errors["test", 5.0][0] < 1.15 * errors["test", 5.0][1]

# %% tags=["hide-code"] alt="Two panels over the noise level from 0.05 to 5. Left, mean squared error on logarithmic axes: the exact answer on training images falls to almost nothing below 0.5; on test images it stays above 0.02 at all levels; the network's two lines lie on each other, fall steadily with the noise, and meet the exact answer's above a level of 1. Right, cosine between the two scores: 1 at high noise for all three kinds of images; towards weak noise it stays above 0.9 for training images and falls to 0.4 for test images and for pure noise."
with plt.rc_context(figures.STYLE | {"font.size": 10}):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 3.4), layout="constrained")
BLUE, ORANGE, TEAL = figures.COLOURS.values()
for kind, style in {"training": "--", "test": "-"}.items():
    exact, learned = zip(*(errors[kind, sigma] for sigma in levels), strict=True)
    left.loglog(levels, exact, style, color=ORANGE, label=f"exact, {kind}")
    left.loglog(levels, learned, style, color=BLUE, label=f"network, {kind}")
left.set(xlabel="noise level σ", title="mean squared error", ylim=(1e-5, 0.2))
left.legend(frameon=False, fontsize=9, loc="lower right")
for (kind, colour), style in zip(
    {"training": ORANGE, "test": BLUE, "pure noise": TEAL}.items(),
    ["--", "-", ":"],
    strict=True,
):
    right.semilogx(
        levels, [cosines[kind, s] for s in levels], style, color=colour, label=kind
    )
right.set(xlabel="noise level σ", title="cosine of the scores", ylim=(None, 1.02))
right.legend(frameon=False, fontsize=9)
plt.close(figure)
figure

# %%
for kind in clean:
    print(
        f"{kind:10}", *(f"{sigma:g}: {cosines[kind, sigma]:.3f} " for sigma in levels)
    )

# %% tags=["check"]
assert cosines["test", 5.0] > 0.99
assert cosines["test", 0.1] < cosines["training", 0.1] - 0.1

# %% [markdown]
# Three things to see.
#
# - **The optimum memorises.** On training images its error is almost nothing for all but
#   strong noise. On test images it stays above 0.02 however weak the noise becomes: the
#   nearest training image is never the right one.
# - **The network does not.** It treats training and test images nearly alike. On test
#   images it is better than the optimum of its own loss at every level up to 1.
# - **They part where images can be told apart.** At $\sigma = 5$ both give a blur, and
#   their scores agree. At low noise the network's score on test images points to the digit
#   that is there, and the exact one to a digit from the training set.
#
# So everything good about this network is a *failure to reach its optimum*. We did
# not measure what keeps it from there: its 540,180 numbers, its
# [convolutions](../glossary.md#convolution), or the end of its training. [Does it
# copy?](does-it-copy.py) takes so few images that a network can hold them.
#
# ## How much of the exact answer do plain autoencoders learn?
#
# One level, $\sigma = 0.5$, and the dense autoencoder that most of this site trains, with its
# clean-trained [twin](../glossary.md#twin) and the best linear denoiser. Three seeds, from a
# stored study, trained on 60,000 images for 16 [epochs](../glossary.md#epoch), or on 1,000 for
# 960, which are about as many steps.

# %%
from dae_tutorial.evidence import tables

rows = tables.read("exact_answer")


def mean(images, model, place, column):
    chosen = [r for r in rows if r["images"] == images and r["epochs"] in (16, 960)]
    values = [r[column] for r in chosen if r["model"] == model and r["set"] == place]
    return sum(values) / len(values)


models = ["exact", "linear", "dense", "dense, clean-trained"]
print("                        error on      error on   distance from the")
print("images  model           training      test       exact answer, test")
for images in (60_000, 1000):
    for model in models:
        numbers = [
            mean(images, model, "training", "mse"),
            mean(images, model, "test", "mse"),
            mean(images, model, "test", "from_exact"),
        ]
        print(f"{images:6}  {model:21}", *(f"{number:.4f}      " for number in numbers))

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

# %% [markdown]
# With all images, the autoencoder (0.0141) lies *further from the exact answer* than from
# the truth. It is better than the matrix, and the matrix is better than perfect memory, in
# every seed. With 1,000 images it begins to learn by heart: 0.0099 on those, 0.0205 on
# others. Its clean-trained twin is worse than all of them.
#
# ## Whose noise is it? Estimating σ
#
# A denoiser that is told its level must be told the right one. Can it be read off the
# image? Two ways. The simple one: digits lie inside a box of 20 × 20 pixels, or nearly so.
# Outside, nearly all of the image is noise, and the median size of those pixels, divided by
# 0.6745, estimates $\sigma$. (A median, since some digits do reach across.) The principled
# one: of 29 levels, take that under which the noisy image is most likely, with the exact
# density over the training images.

# %%
frame = torch.ones(28, 28, dtype=torch.bool)
frame[4:24, 4:24] = False
candidates = torch.logspace(-1.2, 0.2, 29).tolist()
estimates = {}
for sigma in (0.1, 0.5, 1.0):
    for kind in ("training", "test"):
        noisy = clean[kind][:30] + sigma * torch.randn(
            30, 1, 28, 28, generator=generator
        )
        simple = noisy[..., frame].abs().median(dim=-1).values / 0.6745
        likely = torch.stack([memory.log_density(noisy, level) for level in candidates])
        best = torch.tensor(candidates)[likely.argmax(dim=0)]
        estimates[sigma, kind] = simple.mean() / sigma, best.mean() / sigma
        print(
            f"σ = {sigma}, {kind:8}: median {simple.mean() / sigma:.2f} times σ, "
            f"most likely {best.mean() / sigma:.2f} times σ"
        )

# %% tags=["check"]
assert all(abs(simple - 1) < 0.08 for simple, _ in estimates.values())
assert all(
    abs(best - 1) < 0.08
    for (_, kind), (_, best) in estimates.items()
    if kind == "training"
)
assert estimates[0.1, "test"][1] > 1.5

# %% [markdown]
# The simple way is right to a few per cent at all three levels. The principled one is right
# for training images, and far too high for test images under weak noise: memory takes for
# noise whatever makes a new digit differ from the old ones.
#
# ## What clipping and masking break
#
# Cut the noisy image to $[0, 1]$, and at $\sigma = 1$ two thirds of its pixels lie at 0 or 1
# exactly. A density that has whole lumps of probability at single values has no gradient
# there: **there is no score.** Masking does the same at 0. What remains in both cases is the
# first half of the story: the posterior mean is still the best denoiser, and a network
# trained on pairs still learns towards it. Only it must be the posterior mean for *that*
# noise.

# %%
from dae_tutorial.evidence.baselines import posterior_mean

images = clean["training"]
clipped = (images + torch.randn(images.shape, generator=generator)).clamp(0, 1)
share = ((clipped == 0) | (clipped == 1)).float().mean()
right = posterior_mean(clipped, training, 1.0, clip=True)
wrong = memory.posterior_mean(clipped, 1.0)
gain = [(answer - images).square().mean().item() for answer in (right, wrong)]
print(f"pixels at 0 or 1: {share:.0%}")
print(
    f"posterior mean for clipped noise {gain[0]:.4f}, for Gaussian noise {gain[1]:.4f}"
)

# %% tags=["check"]
assert 0.6 < share < 0.7
assert gain[1] > 1.2 * gain[0]

# %% [markdown]
# Next, one network for all levels [becomes a generator](from-denoiser-to-generator.py).
