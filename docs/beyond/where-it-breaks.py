# ---
# title: Where it breaks, and how to mend it
# description: Clipped noise, noise that neighbouring pixels share, a wrong noise level, counts of light and too few images, each with what it does to training without clean images and a remedy.
# ---

# %% [markdown]
# # Where it breaks, and how to mend it
#
# !!! abstract "In two sentences"
#     Clipping costs Noise2Noise 3.2 dB, and one formula returns all but 0.2 of them; noise
#     that no more than 2 × 2 pixels share comes through blind methods almost whole, while
#     Noise2Noise does not mind; and a $\sigma$ that is a tenth wrong costs SURE 1.5 dB or
#     more in the linear case, where all of this is exact.
#     With 100 images Noise2Noise is 3 dB behind clean images, with 10,000 a third of one; and
#     one remedy, the square root for counts of light, turns out to be none where a narrow
#     code already keeps the network from copying.
#
# [The methods of the page before](learning-without-clean-images.py) rest on assumptions.
# Noise must have mean zero. Pixels must be noisy independently of each other. $\sigma$ must
# be known, and the same everywhere. Real noise keeps to few of these. Here each assumption
# is broken in turn.
#
# Where a closed form exists, it speaks first: an exact number for linear denoisers shows
# what a method's *expectation* does, and no training can be blamed for it.
#
# ## Clipped noise
#
# A camera returns nothing below black and nothing above white. So the mean of a clipped
# noisy pixel is not its clean value but
#
# $$g(x) = \mathbb{E}\,[\operatorname{clip}(x + \sigma\varepsilon)],$$
#
# which lies above $x$ in the dark and below it in the bright. For Gaussian noise it is a
# formula.
#
# {{ code of dae_tutorial.beyond.mending.clipped_mean }}
#
# Noise2Noise with a clipped second copy learns the best guess at $g(x)$. That is not a
# fault of training. Even a network that restored $g(x)$ *perfectly* would be left with
# the error of $g(x)$ against $x$:

# %%
from functools import partial

import torch

from dae_tutorial.beyond.mending import clipped_mean, invert_mean
from dae_tutorial.evaluate import psnr
from dae_tutorial.loaders import load_mnist

train_images = load_mnist(train=True).images
test = load_mnist(train=False).images
floor = {
    sigma: psnr(clipped_mean(test, sigma), test).mean().item()
    for sigma in (0.1, 0.25, 0.5, 1.0)
}
for sigma, decibels in floor.items():
    print(f"σ = {sigma:<4}  g(x) instead of x: {decibels:.1f} dB")

# %% tags=["check"]
for sigma, expected in {0.1: 28.5, 0.25: 20.5, 0.5: 14.6, 1.0: 10.4}.items():
    assert round(floor[sigma], 1) == expected

# %% [markdown]
# The remedy: $g$ rises, so it has an inverse. If the network answers $g(x)$, then
# $g^{-1}$ of its answer is $x$. (The answer is a *mean* of $g(x)$ over the images that are
# possible, and the inverse of a mean is not the mean of the inverse. So this is not quite
# the [posterior mean](../glossary.md#posterior-mean) of $x$. How much is lost?)
#
# We train the dense autoencoder on 10,000 digits at $\sigma = 0.5$, clipped, four
# [epochs](../glossary.md#epoch): with clean targets, and with a second clipped copy. Three
# seeds each.

# %%
from torch.utils.data import DataLoader, TensorDataset

from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit, one_cycle

sigma = 0.5
test_digits = test[:2000]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def trained(given, target, seed, *, criterion=None, model=None, epochs=4):
    """Train on pairs (given, target)."""
    torch.manual_seed(seed)
    model = model or Autoencoder()
    pairs = TensorDataset(given, target)
    batches = DataLoader(pairs, 128, shuffle=True, generator=seeded(seed))
    optimizer, scheduler = one_cycle(model, batches, epochs, 6e-3)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "criterion": criterion}
    fit(model, batches, None, epochs=epochs, device="cpu", **recipe)
    return model.eval()


@torch.no_grad()
def ask(model, noisy):
    return model(noisy).reshape(noisy.shape)


def scored(answer):
    return psnr(answer.clamp(0, 1), test_digits).mean().item()


clip = partial(add_gaussian_noise, noise_factor=sigma)
back = partial(invert_mean, partial(clipped_mean, sigma=sigma))
clipped = {"supervised": [], "Noise2Noise": [], "and the inverse of g": []}
for seed in range(3):
    draw = seeded(seed)
    clean = train_images[20_000 * seed :][:10_000]
    first, second = clip(clean, generator=draw), clip(clean, generator=draw)
    noisy = clip(test_digits, generator=seeded(100 + seed))
    supervised = ask(trained(first, clean, seed), noisy)
    answer = ask(trained(first, second, seed), noisy)
    clipped["supervised"].append(scored(supervised))
    clipped["Noise2Noise"].append(scored(answer))
    clipped["and the inverse of g"].append(scored(back(answer)))

for name, values in clipped.items():
    values = torch.tensor(values)
    print(f"{name:21} {values.mean():.2f} ± {values.std():.2f} dB")

# %% tags=["hide-code"] alt="Five digits in five rows: clean, with clipped noise, as the supervised network restores them, as Noise2Noise does, with a grey veil over the black and duller strokes, and the same after the inverse of g, black again and much like the supervised ones."
from dae_tutorial.figures import compare_images

compare_images(
    {
        "clean": test_digits[:5],
        "clipped noise": noisy[:5],
        "supervised": supervised[:5],
        "Noise2Noise": answer[:5],
        "inverse of g": back(answer)[:5],
    }
)

# %% tags=["check"]
by_seed = {name: torch.tensor(values) for name, values in clipped.items()}
broken = by_seed["supervised"] - by_seed["Noise2Noise"]
mended = by_seed["supervised"] - by_seed["and the inverse of g"]
assert abs(broken.mean() - 3.2) < 0.15
assert abs(mended.mean() - 0.2) < 0.1
assert ((broken > 2.8) & (mended < 0.5)).all()

# %% [markdown]
# Clipping costs Noise2Noise 3.2 dB, and the inverse of $g$ returns all but 0.2 of them. It
# must be *the* $g$, with the right $\sigma$; and it must be applied to the answer, not to
# the noisy image, whose pixels are no means of anything.
#
# (The other way out is to keep what the sensor gave, before anybody cut it to $[0, 1]$.
# Many file formats do not.)
#
# ## Noise that neighbours share
#
# Sensors that interpolate colours, scanners, compression: in all of them the noise of a
# pixel resembles that of its neighbours. Then the neighbours tell of the pixel's noise, and
# who guesses a hidden pixel guesses its noise, too.
#
# Let $C$ be the covariance of the noise. For linear denoisers everything can be written
# down again, with $S = \Sigma + C$ for the noisy images and $P = S^{-1}$:
#
# - supervised and Noise2Noise: $W = \Sigma P$. Noise2Noise needs the two *copies* to be
#   independent, not the pixels.
# - [blind](../glossary.md#blind): the best guess at $y_i$ from the others, $y_i - (P y)_i
#   / P_{ii}$.
# - SURE, told that the noise is white: its loss is least at $W = I - \sigma^2 P$. With
#   white noise, and only then, this equals $\Sigma P$.
#
# White noise of $\sigma = 0.5$, then the same averaged over 3 × 3 pixels and made as
# strong again. How much is lost against the best linear denoiser, and what share of the
# noise comes out of the denoiser again?

# %%
import math

digits = train_images.flatten(1).double()
covariance = digits.T.cov(correction=0)
unit = torch.eye(784, dtype=torch.float64)


def averaged(width):
    """Return the covariance of noise averaged over squares, of level σ."""
    place = torch.arange(28)
    apart = (place[:, None] - place).abs()
    along = (1 - apart / width).clamp(min=0).double()
    return sigma**2 * torch.kron(along, along)


def exact_error(weight, noise):
    missed = (unit - weight) @ covariance @ (unit - weight).T
    return ((missed.trace() + (weight @ noise @ weight.T).trace()) / 784).item()


def linear(noise):
    precision = torch.linalg.inv(covariance + noise)
    return {
        "supervised, Noise2Noise": covariance @ precision,
        "blind": unit - precision / precision.diagonal()[:, None],
        "SURE, told white": unit - sigma**2 * precision,
        "doing nothing": unit,
    }


lost, copied = {}, {}
for width in (1, 2, 3):
    noise = averaged(width)
    weights = linear(noise)
    least = exact_error(weights["supervised, Noise2Noise"], noise)
    for name, weight in weights.items():
        lost[name, width] = 10 * math.log10(exact_error(weight, noise) / least)
        copied[name, width] = ((weight @ noise).trace() / noise.trace()).item()
print("noise averaged over        1 × 1 (white)       2 × 2            3 × 3")
print("                           dB lost  copied   dB lost  copied   dB lost  copied")
for name in weights:
    parts = [f"{lost[name, w]:z8.2f} {copied[name, w]:7.0%}" for w in (1, 2, 3)]
    print(f"{name:26}", *parts)

# %% tags=["check"]
assert abs(lost["SURE, told white", 1]) < 1e-9
assert 0.7 < lost["blind", 1] < 0.8
assert abs(copied["blind", 1]) < 1e-12
for width in (2, 3):
    assert 8.5 < lost["blind", width] < 9
    assert 0.93 < copied["blind", width] < 0.97
    assert 0.05 < lost["doing nothing", width] - lost["blind", width] < 0.25
    assert lost["SURE, told white", width] > 20
    assert copied["supervised, Noise2Noise", width] < 0.14

# %% [markdown]
# - **Noise2Noise does not mind.** It has the supervised minimiser, whatever $C$ is.
# - **The blind methods copy the noise.** Averaged over no more than 2 × 2 pixels, 94 % of
#   it comes out again. They end within 0.2 dB of doing nothing. Nothing is wrong with
#   their training: the neighbours know the noise.
# - **SURE is worse than doing nothing.** It takes $\sigma^2$ off in every direction, also
#   in those in which averaged noise has hardly any power, and lands far on the other
#   side. (A linear denoiser has nothing to hold it back. A network may not go as far, but
#   that is the way it is pushed.)
#
# The remedy for blind methods is to be blind to more. Averages over 3 × 3 pixels share
# noise with pixels up to two away, so hide 5 × 5. Again exactly, at nine pixels of the
# middle:


# %%
def hiding(window, noise, place):
    """Return error and share of copied noise at a pixel whose window is hidden."""
    noisy = covariance + noise
    row, column = divmod(place, 28)
    seen = torch.ones(28, 28, dtype=torch.bool)
    reach = window // 2
    seen[row - reach : row + reach + 1, column - reach : column + reach + 1] = False
    seen = seen.flatten()
    weight = torch.linalg.solve(noisy[seen][:, seen], noisy[seen, place])
    power = covariance[place, place] + weight @ noisy[seen][:, seen] @ weight
    error = power - 2 * weight @ covariance[seen, place]
    return error.item(), (weight @ noise[seen, place] / noise[place, place]).item()


noise = averaged(3)
middle = [28 * row + column for row in (10, 14, 18) for column in (10, 14, 18)]
hidden = {}
for window in (1, 3, 5):
    found = torch.tensor([hiding(window, noise, place) for place in middle])
    hidden[window] = found.mean(dim=0).tolist()
    print(
        f"{window} × {window} hidden: error {hidden[window][0]:.3f},"
        f" noise copied {hidden[window][1]:.0%}"
    )
print(f"doing nothing: {sigma**2:.3f}")

# %% tags=["check"]
assert [round(hidden[window][1], 2) for window in (1, 3)] == [0.94, 0.67]
assert abs(hidden[5][1]) < 1e-9
assert [round(hidden[window][0], 3) for window in (1, 3, 5)] == [0.248, 0.235, 0.145]

# %% [markdown]
# With 5 × 5 pixels hidden no noise comes through, and the error falls from that of doing
# nothing, 0.25, to 0.145. That is still a poor result: a guess from three pixels away is
# a guess. Blindness costs more the wider it is, and a second copy costs nothing.
#
# ## A wrong noise level
#
# SURE charges $2\sigma^2$ for each unit of slope. Told a $\sigma'$ that is too small, it
# charges too little, and copying pays again. Too large, and it smooths too much. For linear
# denoisers its loss is least at
#
# $$W = I - \sigma'^2\,(\Sigma + \sigma^2 I)^{-1},$$
#
# and the error of that can be computed for any $\sigma'$. R2R, too, is told $\sigma'$: with
# it, the noise of input and target is no longer independent. Its covariance is
# $\sigma^2 - \sigma'^2$, and the minimiser becomes
# $W = (\Sigma + (\sigma^2 - \sigma'^2) I)\,(\Sigma + (\sigma^2 + \alpha^2 \sigma'^2)
# I)^{-1}$.

# %%
white = sigma**2 * unit
noisy_covariance = covariance + white
precision = torch.linalg.inv(noisy_covariance)
least = exact_error(covariance @ precision, white)


def r2r_linear(told, strength=0.5):
    shared = covariance + (sigma**2 - told**2) * unit
    spread = noisy_covariance + (strength * told) ** 2 * unit
    return torch.linalg.solve(spread, shared).T


wrong = {"SURE": {}, "R2R": {}}
for share in (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3):
    told = share * sigma
    found = {"SURE": unit - told**2 * precision, "R2R": r2r_linear(told)}
    for name, weight in found.items():
        wrong[name][share] = 10 * math.log10(exact_error(weight, white) / least)
print("told σ ÷ true σ   ", *(f"{share:6.1f}" for share in wrong["SURE"]))
for name, values in wrong.items():
    print(f"{name}, dB lost{'':6}", *(f"{value:z6.2f}" for value in values.values()))

# %% tags=["check"]
for name in wrong:
    assert all(wrong[name][share] > 1 for share in (0.9, 1.1))
assert abs(wrong["SURE"][1.0]) < 1e-9
assert 1.45 < wrong["SURE"][0.9] < 1.55
assert 1.7 < wrong["SURE"][1.1] < 1.85
assert 5.9 < wrong["SURE"][0.7] < 6.1
assert 8.0 < wrong["SURE"][1.3] < 8.2
assert all(wrong["R2R"][s] < wrong["SURE"][s] for s in wrong["SURE"] if s != 1.0)

# %% [markdown]
# A tenth too small costs SURE 1.5 dB, a tenth too large 1.8, and 30 % cost 6 and 8 dB.
# R2R suffers a little less. Why so much? In most of the 784 directions a digit has
# nothing, and all there is is noise. There, $W$ should be 0, and becomes $1 - \sigma'^2 /
# \sigma^2$: the noise of hundreds of directions comes through. The remedy is to measure
# $\sigma$ well: [the next page](choosing-without-clean-images.py#how-strong-is-the-noise)
# does. Noise2Noise and blind training need no $\sigma$ at all.
#
# ## Counts of light
#
# A sensor counts photons. Where $\lambda$ are expected, it counts $k$, which is Poisson:
# its mean is $\lambda$ and so is its variance. **The noise has mean zero**, whatever the
# image, so Noise2Noise works as it is, and blind methods, too. But there is no one
# $\sigma$: bright pixels are noisier. SURE and R2R, which must be told it, are in
# trouble.
#
# [Anscombe's root](../bibliography.md#anscombe1948) evens that out: $2\sqrt{k + 3/8}$ has
# a standard deviation near 1 for all but the smallest $\lambda$. So: take the root,
# denoise with $\sigma = 1$, go back. The way back has a trap. The network answers a *mean
# of roots*, and a root is concave: the square of that mean is too small. This is the
# story of clipped noise once more, with another $g$:
#
# $$g(\lambda) = \mathbb{E}\,\big[2\sqrt{k + 3/8}\,\big],$$
#
# and the same remedy, its inverse ([Mäkitalo and Foi](../bibliography.md#makitalo2011)).
# Our digits get 20 photons at white, and 2 of stray light everywhere: $\lambda = 20\,(x +
# 0.1)$.
#
# Linear denoisers first. The noise of pixel $i$ has the variance $(\bar{x}_i + 0.1) / 20$
# on average over all digits, so $C$ is a diagonal matrix with these numbers. SURE is told
# their mean.

# %%
photons, stray = 20, 0.1
variances = (digits.mean(dim=0) + stray) / photons
precision = torch.linalg.inv(covariance + variances.diag())
least = exact_error(covariance @ precision, variances.diag())
one_sigma = exact_error(unit - variances.mean() * precision, variances.diag())
counts_lost = 10 * math.log10(one_sigma / least)
print(f"σ from {variances.min().sqrt():.3f} to {variances.max().sqrt():.3f}")
print(f"lost by SURE with one σ for all: {counts_lost:.1f} dB")

# %% [markdown]
# Now the dense autoencoder, as above.

# %%
from torch import nn

from dae_tutorial.beyond.mending import anscombe, anscombe_mean
from dae_tutorial.beyond.selfsupervised import SureLoss

ends = anscombe_mean(photons * (stray + torch.tensor([0.0, 1.0])))
low, span = ends[0].item(), (ends[1] - ends[0]).item()


def count(clean, generator):
    return torch.poisson(photons * (clean + stray), generator=generator)


def evened(counts):  # black at 0 and white at 1, as the network likes it
    return (anscombe(counts) - low) / span


def by_square(even):
    return (((low + span * even) / 2).square() - 3 / 8) / photons - stray


def by_inverse(even):
    limits = {"low": photons * stray, "high": photons * (1 + stray)}
    return invert_mean(anscombe_mean, low + span * even, **limits) / photons - stray


counted = {}
for seed in range(3):
    draw = seeded(seed)
    clean = train_images[20_000 * seed :][:10_000]
    first, second = (count(clean, draw) for _ in range(2))
    noisy = count(test_digits, seeded(100 + seed))
    scaled = [counts / photons - stray for counts in (first, second, noisy)]
    mean_sigma = ((clean + stray).mean() / photons).sqrt().item()
    found = {
        name: ask(trained(scaled[0], target, seed), scaled[2])
        for name, target in {"supervised": clean, "Noise2Noise": scaled[1]}.items()
    }
    for name, given, asked, told in (
        ("SURE, one σ for all", scaled[0], scaled[2], mean_sigma),
        ("SURE, evened out", evened(first), evened(noisy), 1 / span),
    ):
        torch.manual_seed(seed)
        model = nn.Sequential(
            Autoencoder(), nn.Unflatten(1, (1, 28, 28))
        )  # rows → images
        loss = SureLoss(model, told, generator=seeded(seed))
        found[name] = ask(
            trained(given, given, seed, criterion=loss, model=model), asked
        )
    even = found.pop("SURE, evened out")
    found["SURE, evened out, squared"] = by_square(even)
    found["SURE, evened out, inverse of g"] = by_inverse(even)
    for name, answer in found.items():
        counted.setdefault(name, []).append(scored(answer))
for name, values in counted.items():
    values = torch.tensor(values)
    print(f"{name:31} {values.mean():.2f} ± {values.std():.2f} dB")

# %% tags=["check"]
assert round(counts_lost, 1) == 2.8
mean = {name: sum(values) / 3 for name, values in counted.items()}
assert abs(mean["Noise2Noise"] - mean["supervised"]) < 0.1
assert abs(mean["SURE, one σ for all"] - mean["supervised"]) < 0.1
evened_best = mean["SURE, evened out, inverse of g"]
assert 0 < evened_best - mean["SURE, evened out, squared"] < 0.1
assert 0 < mean["SURE, one σ for all"] - evened_best < 0.2

# %% [markdown]
# For linear denoisers one $\sigma$ for all costs 2.8 dB, as a wrong $\sigma$ does: too
# much is taken off dark pixels, too little off bright ones. Noise2Noise needs no repair,
# and stays within 0.1 dB of the supervised network.
#
# And the autoencoder? **It does not feel the wrong $\sigma$ at all**, which we did not
# expect. Its code has 32 numbers. It could not copy the noise if it wanted to, so what SURE
# charges for copying hardly matters. Anscombe's root, meant as the remedy, even costs it a
# tenth of a decibel: squared error between roots is not the squared error that we score.
# The inverse of $g$ is better than squaring, but by less than 0.1 dB: with two counts and
# more in every pixel, the two differ by a quarter of a count. Remedies are for those who
# have the trouble. Measure before you take one.
#
# ## Too few images
#
# The promise of Noise2Noise is one about expectations: noise in the targets averages out.
# With few images it does not. And who has clean images can draw new noise on them at every
# pass; who has noisy ones sees the same noise again and again, and learns it by heart. Both
# networks take 300 steps, in [batches](../glossary.md#batch) of 128 (or as many as there
# are).

# %%
few = {}
for images in (100, 1000, 10_000):
    for seed in range(3):
        draw = seeded(seed)
        start = 20_000 * seed
        clean = train_images[start : start + images]
        noise = partial(add_gaussian_noise, noise_factor=sigma, clip=False)
        first, second = noise(clean, generator=draw), noise(clean, generator=draw)
        noisy = noise(test_digits, generator=seeded(100 + seed))
        epochs = round(300 / math.ceil(images / 128))
        for name, target in {"supervised": clean, "Noise2Noise": second}.items():
            answer = ask(trained(first, target, seed, epochs=epochs), noisy)
            few.setdefault((name, images), []).append(scored(answer))
        torch.manual_seed(seed)
        fresh = Autoencoder()
        loader = DataLoader(TensorDataset(clean), 128, shuffle=True, generator=draw)
        optimizer, scheduler = one_cycle(fresh, loader, epochs, 6e-3)
        recipe = {"optimizer": optimizer, "scheduler": scheduler, "device": "cpu"}
        fit(fresh, loader, noise, epochs=epochs, seed=seed, **recipe)
        answer = ask(fresh.eval(), noisy)
        few.setdefault(("supervised, fresh noise", images), []).append(scored(answer))

few = {key: torch.tensor(values) for key, values in few.items()}
print("images                        100            1,000          10,000")
for name in ("supervised, fresh noise", "supervised", "Noise2Noise"):
    parts = [few[name, images] for images in (100, 1000, 10_000)]
    print(f"{name:24}", *(f"{p.mean():7.2f} ± {p.std():.2f} " for p in parts))

# %% tags=["check"]
for images in (100, 1000, 10_000):
    loss_of_copies = few["supervised", images] - few["Noise2Noise", images]
    assert (loss_of_copies > 0.2).all()
assert (
    2.8 < (few["supervised, fresh noise", 100] - few["Noise2Noise", 100]).mean() < 3.2
)
assert (
    1.9 < (few["supervised, fresh noise", 1000] - few["Noise2Noise", 1000]).mean() < 2.4
)
gap = few["supervised, fresh noise", 10_000] - few["Noise2Noise", 10_000]
assert 0.25 < gap.mean() < 0.45
half = few["supervised, fresh noise", 100] - few["supervised", 100]
assert 1.7 < half.mean() < 2.2

# %% [markdown]
# With 100 images, Noise2Noise is 3 dB behind a network that has the clean ones, and draws
# new noise on them at each pass. Of these, 2 dB are lost by seeing the same noise again
# and again (the middle row has clean targets, but one noisy copy of each image), and 1 dB
# by noise in the targets. With 1,000 images 2 dB are missing, with 10,000 a third of one.
# So the equality of [the first
# page](learning-without-clean-images.py#one-line-that-all-of-them-share) is one for many
# images, and needs more of them the stronger the noise is.
#
# ## Symptoms and remedies
#
# | what you see | what it may be | what helps |
# |---|---|---|
# | a grey veil, dull whites | clipped noise | the inverse of $g$ |
# | blobs of noise come through a blind method | noise that neighbours share | Noise2Noise; hide larger patches |
# | grain comes through SURE or R2R | $\sigma$ told too small | [estimate it](choosing-without-clean-images.py#how-strong-is-the-noise) |
# | all is too smooth | $\sigma$ told too large, or a blind answer | the same; give the pixel back |
# | grain in bright places only | counts of light | Anscombe's root, and the inverse of its mean |
# | good on its own images, bad on new ones | too few images | more images; [stop earlier](choosing-without-clean-images.py#when-to-stop) |
#
# Next: [choosing without clean images](choosing-without-clean-images.py).
