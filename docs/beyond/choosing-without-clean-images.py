# ---
# title: Choosing without clean images
# description: Estimate the noise level from one image, compare denoisers by Stein's unbiased risk estimate, and stop a training, all without a clean image, each beside the choice that clean images would have made.
# ---

# %% [markdown]
# # Choosing without clean images
#
# !!! abstract "In two sentences"
#     From noisy images alone we estimate $\sigma$ (within 3 % on photographs at 0.1 and
#     above, but a quarter too high where the noise is very weak), and the error of a filter
#     within 1 %. The choices that follow from it, of a filter and of the
#     [epoch](../glossary.md#epoch) at which to stop, cost less than 0.05 dB against those that
#     clean images would have made.
#
# Training is half of the work. The other half is choosing: how strong a filter, how long a
# training, which of two networks. Usually one looks at the error on clean
# [validation images](../glossary.md#validation-set). Without any, three questions
# remain: how strong is the noise, how large is the error, and when should one stop?
#
# For each, we choose without clean images first. Then we look at the clean ones, and see
# what they would have chosen.
#
# ## How strong is the noise?
#
# SURE and R2R must be told $\sigma$. Two ways to find it.
#
# - **Two copies.** In the difference $y - y'$ the image is gone, and what is left has the
#   variance $2\sigma^2$: $\hat\sigma = \operatorname{std}(y - y') / \sqrt{2}$.
# - **One image.** In the finest details of a wavelet transform there is little image and
#   all of the noise. The image's own details, its edges, are few and large. So take the
#   *median* size, which hardly feels a few large ones, and divide it by 0.6745, the
#   median size of a standard normal number. ([Donoho and
#   Johnstone](../bibliography.md#donoho1994); `estimate_sigma` of scikit-image.)

# %%
import math

import torch
from skimage.restoration import estimate_sigma
from torchvision.transforms.v2.functional import center_crop, rgb_to_grayscale

from dae_tutorial.evidence.comparison import Comparison
from dae_tutorial.evidence.photographs import TEST, load_photograph
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise

digits = load_mnist(train=False).images[:100]
photographs = torch.stack(
    [center_crop(rgb_to_grayscale(load_photograph(name)), [192]) for name in TEST]
)
kinds = {"digits": digits, "photographs": photographs}
generator = torch.Generator().manual_seed(0)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def noisy_copy(clean, sigma):
    return add_gaussian_noise(clean, sigma, clip=False, generator=generator)


def from_one(noisy):
    return torch.tensor([estimate_sigma(image[0].numpy()) for image in noisy])


def from_two(first, second):
    return (first - second).flatten(1).std(dim=1) / 2**0.5


ratios = {}
for kind, clean in kinds.items():
    for sigma in (0.02, 0.1, 0.25, 0.5):
        first, second = noisy_copy(clean, sigma), noisy_copy(clean, sigma)
        ratios[kind, sigma] = from_one(first) / sigma, from_two(first, second) / sigma

Comparison(
    "Estimate ÷ σ, mean ± deviation from image to image",
    {"one image": ".2f", "two copies": ".2f"},
    {
        key: [(found.mean().item(), found.std().item()) for found in pair]
        for key, pair in ratios.items()
    },
    names=("images", "σ"),
)

# %% tags=["check"]
for (kind, sigma), (one, two) in ratios.items():
    assert abs(two.mean() - 1) < 0.01
    if kind == "photographs" and sigma >= 0.1:
        assert (one - 1).abs().max() < 0.03
assert all(1.2 < ratios[kind, 0.02][0].mean() < 1.3 for kind in kinds)
assert abs(ratios["digits", 0.5][0].mean() - 0.95) < 0.02
assert abs(ratios["digits", 0.25][0].std() - 0.08) < 0.01

# %% [markdown]
# Two copies are right in every case. One image is enough for photographs as soon as there
# is noise worth speaking of, $\sigma = 0.1$ and above. At $\sigma = 0.02$ it says 20 to
# 30 % too much: the image's own fine texture counts as noise. A digit has only
# 784 pixels, a quarter of them finest details, so a single estimate is off by some 8 %,
# and the strokes bias it. Averaged over many digits under the same noise, only the bias
# is left.
#
# What an error of 10 or 30 % does to SURE and R2R is on [the page
# before](where-it-breaks.py#a-wrong-noise-level).
#
# ## How large is the error? SURE as a judge
#
# [SURE](learning-without-clean-images.py#sure-subtract-what-copying-pays) estimates the
# mean squared error of *any* denoiser, trained or not, from noisy images alone. First: is
# it right? A thousand noisy digits, and a blur of several widths. The third column is
# what clean images say.

# %%
from functools import partial

from dae_tutorial.beyond.selfsupervised import sure
from dae_tutorial.evidence.baselines import blur, non_local_means

sigma = 0.25
clean = load_mnist(train=False).images[1000:2000]
noisy = noisy_copy(clean, sigma)


def judged(denoise, noisy, clean, sigma):
    """Return SURE and the true error of each image."""
    estimate = sure(denoise, noisy, sigma, generator=seeded(0))
    return estimate, (denoise(noisy) - clean).square().flatten(1).mean(dim=1)


agreement, by_width = [], {"SURE": {}, "true": {}}
for width in (0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
    estimate, true = judged(partial(blur, width=width), noisy, clean, sigma)
    by_width["SURE"][width] = estimate.mean().item()
    by_width["true"][width] = true.mean().item()
    agreement.append(by_width["SURE"][width] / by_width["true"][width])

Comparison(
    "Mean squared error of a blur, σ = 0.25, a thousand digits",
    {"SURE": ".5f", "true error": ".5f", "ratio": ".3f"},
    {
        width: [estimate, by_width["true"][width], ratio]
        for (width, estimate), ratio in zip(
            by_width["SURE"].items(), agreement, strict=True
        )
    },
    names="width",
    best={"SURE": min, "true error": min},
)

# %% tags=["check"]
assert all(abs(ratio - 1) < 0.01 for ratio in agreement)
best = {name: min(values, key=values.get) for name, values in by_width.items()}
assert best["SURE"] == best["true"]

# %% [markdown]
# Within 1 % everywhere, and the best width is the same by both. How exact can it be? SURE
# minus the true error of an image is
#
# $$\Big(\frac1N\lVert n \rVert^2 - \sigma^2\Big) - \frac2N \Big(\langle n, D(y) - x \rangle
# - \sigma^2 \sum_i \frac{\partial D_i}{\partial y_i}\Big).$$
#
# Both brackets are zero on average, the second by Stein's lemma. The first bracket is how much noise this image happened to get. Its standard deviation
# is $\sigma^2 \sqrt{2/N}$ whatever the denoiser, and for one that lets little noise
# through, it is nearly all there is: 0.0032 here for one digit, 0.0001 for a thousand. So
# an error of 0.005 is known to 2 % from a thousand digits, and one of 0.001 only to 10 %.
# **The better the denoiser, the more pixels SURE needs.** Photographs have many.

# %% tags=["check"]
assert abs(sigma**2 * (2 / 784) ** 0.5 - 0.0032) < 0.00005
assert abs(sigma**2 * (2 / 784 / 1000) ** 0.5 - 0.0001) < 0.000005

# %% [markdown]
# ### One photograph, one noisy copy
#
# Now as in life: a single noisy photograph, $\sigma$ estimated from it, and settings to
# choose. SURE chooses; then the clean image tells how many decibels its own choice would
# have been better.

# %%
offered = {
    f"blur {width}": partial(blur, width=width)
    for width in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.3, 1.6, 2.0)
}


def with_similar(sigma):
    return {
        f"non-local means {strength}": partial(
            non_local_means, sigma=sigma, strength=strength
        )
        for strength in (0.2, 0.4, 0.6, 0.8, 1.0)
    }


def choices(noisy, clean, sigma_told):
    """Return the names that SURE and the truth choose, and what the former costs."""
    found = {
        name: [value.item() for value in judged(denoise, noisy, clean, sigma_told)]
        for name, denoise in (offered | with_similar(sigma_told)).items()
    }
    by_sure, by_truth = (min(found, key=lambda n: found[n][i]) for i in (0, 1))
    ratio = torch.tensor(found[by_sure][1] / found[by_truth][1])
    return by_sure, by_truth, 10 * ratio.log10().item()


chosen = {}
for sigma in (0.1, 0.25):
    for name, image in zip(TEST, photographs, strict=True):
        noisy = noisy_copy(image[None], sigma)
        chosen[name, sigma] = choices(noisy, image[None], from_one(noisy).item())
costs = [cost for _, _, cost in chosen.values()]

Comparison(
    "What is chosen, and what SURE's choice costs",
    {"by SURE": "", "by the clean image": "", "cost, dB": ".2f"},
    chosen,
    names=("photograph", "σ"),
)

# %% tags=["check"]
assert len(costs) == 6
assert sum(cost == 0 for cost in costs) == 5
assert round(max(costs), 2) == 0.04

# %% [markdown]
# In five of the six cases SURE, told an estimated $\sigma$, chooses what the clean image
# would have chosen. In the sixth it takes a neighbouring setting, and loses 0.04 dB.
#
# ## When to stop
#
# A small set of noisy images, and a network that goes through it again and again, will
# learn its noise by heart. With clean images one would watch the error on a validation
# set and stop at its lowest. Without them there are two substitutes, both on noisy images
# that the training does not use:
#
# - **SURE**, if $\sigma$ is known;
# - **the second copy**: the squared distance from a second noisy copy, less $\sigma^2$.
#   By the line of [the first
#   page](learning-without-clean-images.py#one-line-that-all-of-them-share) its mean is
#   the true error, for any independent noise of mean zero. (And to find the lowest point,
#   $\sigma^2$ is not needed.)
#
# We train the dense autoencoder by Noise2Noise on 500 pairs, far too few, at
# $\sigma = 0.5$.

# %%
from torch.utils.data import DataLoader, TensorDataset

from dae_tutorial.model import Autoencoder
from dae_tutorial.train import fit

sigma = 0.5
many = load_mnist(train=True).images


def watched_training(seed, epochs):
    """Train on 500 pairs, and return what was watched, and the training loss."""
    clean, held_out = many[2000 * seed :][:1500].split((500, 1000))
    pairs = TensorDataset(noisy_copy(clean, sigma), noisy_copy(clean, sigma))
    first, second = noisy_copy(held_out, sigma), noisy_copy(held_out, sigma)
    watched = {"SURE": [], "second copy": [], "true": []}

    @torch.no_grad()
    def watch(model):
        answer = model(first).reshape(first.shape)
        estimate = sure(model, first, sigma, answer=answer, generator=seeded(1))
        apart = (answer - second).square().mean().item()
        watched["SURE"].append(estimate.mean().item())
        watched["second copy"].append(apart - sigma**2)
        watched["true"].append((answer - held_out).square().mean().item())
        return watched["SURE"][-1]

    torch.manual_seed(seed)
    model = Autoencoder()
    batches = DataLoader(pairs, 50, shuffle=True, generator=seeded(seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, fused=True)
    recipe = {"optimizer": optimizer, "validate": watch, "device": "cpu"}
    return watched, fit(model, batches, None, epochs=epochs, **recipe).train_loss


watched, training_loss = watched_training(0, epochs=120)

# %% tags=["hide-code"] alt="Mean squared error over 120 epochs. The true error falls to 0.048 at epoch 18, then rises steadily to 0.081. Dots for SURE and crosses for the second copy lie on the line of the true error all the way. The training loss, less σ², crosses zero near epoch 30 and falls on."
import matplotlib.pyplot as plt

from dae_tutorial import figures

BLUE, ORANGE, TEAL = figures.COLOURS.values()
with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 3.6), layout="constrained")
epochs = range(1, len(watched["true"]) + 1)
axes.plot(epochs, watched["true"], color=BLUE, label="true error")
axes.plot(epochs, watched["SURE"], ".", markevery=3, color=ORANGE, label="SURE")
axes.plot(
    epochs,
    watched["second copy"],
    "+",
    markevery=3,
    color=TEAL,
    label="second copy, less σ²",
)
axes.plot(
    epochs,
    [loss - sigma**2 for loss in training_loss],
    "--",
    color="grey",
    label="training loss, less σ²",
)
axes.set(xlabel="epoch", ylabel="mean squared error", ylim=(-0.08, 0.09))
axes.axhline(0, color="grey", linewidth=0.5)
axes.legend(frameon=False)
plt.close(figure)
figure

# %% [markdown]
# Where would each have stopped? Two more seeds, with other images, for as long as it takes to see:

# %%
runs = [watched, *(watched_training(seed, epochs=30)[0] for seed in (1, 2))]
costs_of_stopping = {}
for seed, run in enumerate(runs):
    best = min(run["true"])
    for name, values in run.items():
        epoch = values.index(min(values))
        cost = 10 * math.log10(run["true"][epoch] / best)
        costs_of_stopping[seed, name] = epoch + 1, run["true"][epoch], cost
end = watched["true"][-1]
never = 120, end, 10 * math.log10(end / min(watched["true"]))

Comparison(
    "Where each stops, and what it costs",
    {"epoch": "d", "true error": ".4f", "cost, dB": ".2f"},
    costs_of_stopping | {(0, "never"): never},
    names=("seed", "stopped by"),
)

# %% tags=["check"]
assert round(never[2], 1) == 2.3
for run in runs:
    for name in ("SURE", "second copy"):
        off = torch.tensor(run[name]) / torch.tensor(run["true"]) - 1
        assert off.abs().max() < 0.05
assert all(cost == 0 for _, _, cost in costs_of_stopping.values())
assert training_loss[-1] < min(training_loss[:60])

# %% [markdown]
# Both substitutes follow the true error, which they have never seen, within 5 % at every
# epoch, and stop at the same epoch, with each of the three seeds. Who never stops pays for it:
# 2.3 dB at the end. And the training loss tells nothing. It falls to the last
# epoch, as the network learns 500 patterns of noise by heart.
#
# One thing they cannot do: judge a method on the images that it was *trained* on. SURE as a
# training loss is no longer an unbiased estimate once it has been minimised.
#
# ## What to take along
#
# - Measure $\sigma$ before you trust a method that must be told. Two copies make that easy.
# - SURE judges any denoiser on noisy images it was not trained on. Compare on the *same*
#   noisy images.
# - Keep some noisy images out of training. They do for stopping what clean ones would.
# - All of it rests on noise that is Gaussian, independent and not clipped. If yours is not,
#   [mend it first](where-it-breaks.py).
