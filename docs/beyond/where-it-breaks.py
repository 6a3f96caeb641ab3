# ---
# title: Where it breaks, and how to mend it
# description: Clipped noise, noise that neighbouring pixels share, a wrong noise level, counts of light and too few images, each with what it does to training without clean images and a remedy.
# data: [dae_tutorial/evidence/tables/broken_assumptions.*, dae_tutorial/evidence/tables/without_clean.*, dae_tutorial/evidence/tables/own_pixel.*]
# ---

# %% [markdown]
# # Where it breaks, and how to mend it
#
# !!! abstract "In two sentences"
#     Clipping costs Noise2Noise 3.2 dB, and one formula returns all but a quarter of one; noise
#     that 2 × 2 pixels share comes through a [blind](../glossary.md#blind) network almost whole
#     and drives SURE below doing nothing, while Noise2Noise does not mind; and a $\sigma$ that is
#     a tenth wrong costs SURE 1.5 dB or more.
#     Counts of light cost SURE with one $\sigma$ for all 6 dB or more, and Anscombe's root
#     mends that; with 100 images Noise2Noise is 3 dB behind clean images, with 10,000 a third of one.
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
# [epochs](../glossary.md#epoch): with clean targets, and with a second clipped copy.

# %%
from torch.utils.data import DataLoader, TensorDataset

from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit, one_cycle

sigma = 0.5


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def trained(given, target):
    """Train on pairs (given, target), and return the denoiser."""
    torch.manual_seed(0)
    model, pairs = Autoencoder(), TensorDataset(given, target)
    batches = DataLoader(pairs, 128, shuffle=True, generator=seeded(0))
    optimizer, scheduler = one_cycle(model, batches, 4, 6e-3)
    recipe = {"optimizer": optimizer, "scheduler": scheduler}
    fit(model, batches, None, epochs=4, device="cpu", **recipe)
    model.eval()

    @torch.no_grad()
    def denoise(noisy):
        return model(noisy).reshape(noisy.shape)

    return denoise


clip, draw = partial(add_gaussian_noise, noise_factor=sigma), seeded(0)
clean = train_images[:10_000]
first, second = clip(clean, generator=draw), clip(clean, generator=draw)
noisy = clip(test[:5], generator=seeded(100))
supervised = trained(first, clean)(noisy)
answer = trained(first, second)(noisy)
mended = invert_mean(partial(clipped_mean, sigma=sigma), answer)

# %% tags=["hide-code"] alt="Five digits in five rows: clean, with clipped noise, as the supervised network restores them, as Noise2Noise does, with a grey veil over the black and duller strokes, and the same after the inverse of g, black again and much like the supervised ones."
from dae_tutorial.figures import compare_images

compare_images(
    {
        "clean": test[:5],
        "clipped noise": noisy,
        "supervised": supervised,
        "Noise2Noise": answer,
        "inverse of g": mended,
    }
)

# %% [markdown]
# The study `broken_assumptions` does this with three seeds, other images for each, and
# scores 1,000 [test](../glossary.md#test-set) digits. All networks that follow are from it,
# too.

# %% tags=["hide-code"]
from dae_tutorial.evidence import tables
from dae_tutorial.evidence.comparison import Comparison

study = tables.read("broken_assumptions")


def by_seed(column="psnr", **wanted):
    """Return, for each method, the values of all seeds."""
    found = {}
    for row in tables.select(study, **wanted):
        found.setdefault(row["method"], []).append(row[column])
    return {method: torch.tensor(values) for method, values in found.items()}


def spread(values):
    return values.mean().item(), values.std().item()


clipped = by_seed(broken="clipping")
Comparison(
    "Clipped noise, σ = 0.5, mean ± deviation of three seeds",
    {"PSNR, dB": ".2f"},
    {method: [spread(values)] for method, values in clipped.items()},
    names="trained by",
)

# %% tags=["check"]
broken = clipped["supervised"] - clipped["Noise2Noise"]
mended_by = clipped["supervised"] - clipped["Noise2Noise, inverse of g"]
assert round(broken.mean().item(), 1) == 3.2
assert abs(mended_by.mean() - 0.25) < 0.03
assert ((broken > 2.8) & (mended_by < 0.4)).all()

# %% [markdown]
# Clipping costs Noise2Noise 3.2 dB, and the inverse of $g$ returns all but a quarter of one. It
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
# - blind: the best guess at $y_i$ from the others, $y_i - (P y)_i
#   / P_{ii}$.
# - SURE, told that the noise is white: its loss is least at $W = I - \sigma^2 P$. With
#   white noise, and only then, this equals $\Sigma P$.
#
# White noise of $\sigma = 0.5$, then the same averaged over 2 × 2 and 3 × 3 pixels and made
# as strong again. How much is lost against the best linear denoiser, and what share of the
# noise comes out of the denoiser again?

# %%
import math

digits = train_images.flatten(1)
covariance = digits.T.cov(correction=0).double()
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
squares = {1: "1 × 1 (white)", 2: "2 × 2", 3: "3 × 3"}


def beside(lost, copied):
    """Return a table of dB lost and of noise copied, for noise averaged over squares."""
    methods = dict.fromkeys(method for method, _ in lost)
    heads = {}
    for name in squares.values():
        heads |= {f"dB lost, {name}": "z.2f", f"copied, {name}": ".0%"}
    return heads, {
        method: [n for w in squares for n in (lost[method, w], copied[method, w])]
        for method in methods
    }


Comparison("Exact, for linear denoisers", *beside(lost, copied), names="denoiser")

# %% tags=["check"]
assert abs(lost["SURE, told white", 1]) < 1e-9
assert 0.7 < lost["blind", 1] < 0.8
assert abs(copied["blind", 1]) < 1e-12
for width in (2, 3):
    assert 8.5 < lost["blind", width] < 9
    assert 0.93 < copied["blind", width] < 0.97
    assert 0.05 < lost["doing nothing", width] - lost["blind", width] < 0.2
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
# Do networks go as far? [The convolutional network of the page
# before](learning-without-clean-images.py#what-networks-make-of-them), as there, but for the
# noise, which is averaged over 2 × 2 pixels:

# %% tags=["hide-code"]
shared, passed = (
    by_seed(broken="shared noise"),
    by_seed("copied", broken="shared noise"),
)
Comparison(
    "Noise averaged over 2 × 2 pixels, σ = 0.5, mean ± deviation of three seeds",
    {"PSNR, dB": ".2f", "copied": ".0%"},
    {
        method: [spread(shared[method]), passed[method].mean().item()]
        for method in shared
    },
    names="trained by",
)

# %% tags=["check"]
assert round(passed["blind spot"].mean().item(), 2) == 0.86
assert round((shared["blind spot"] - shared["doing nothing"]).mean().item(), 1) == 0.3
assert (shared["SURE"] < shared["doing nothing"] - 4).all()
assert (shared["supervised"] - shared["Noise2Noise"]).abs().max() < 0.12

# %% [markdown]
# They do. The blind network copies 86 % of the noise, and ends 0.3 dB above doing nothing. SURE, told that the noise is white, ends far *below* doing nothing. Noise2Noise
# stays within 0.1 dB of the supervised network.
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
Comparison(
    "dB lost by linear denoisers, told a wrong σ",
    {f"{share} σ": "z.2f" for share in wrong["SURE"]},
    {name: list(values.values()) for name, values in wrong.items()},
    names="method",
)

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
# And a network? The [convolutional](../glossary.md#convolution) one again, with SURE told a tenth too little or too much.
# All else is as on the page before.

# %% tags=["hide-code"]
usual = {"data": "digits", "sigma": sigma, "asked": "once", "steps": 400}
before = tables.read("without_clean")
of_method = {
    method: torch.tensor(
        [row["psnr"] for row in tables.select(before, method=method, **usual)]
    )
    for method in ("supervised", "SURE")
}
told = {1.0: of_method["SURE"]}
told |= {share: by_seed(broken="level", told=share)["SURE"] for share in (0.9, 1.1)}
gaps = {share: of_method["supervised"] - told[share] for share in sorted(told)}
Comparison(
    "dB lost by the network, mean ± deviation of three seeds",
    {f"{share} σ": "z.2f" for share in gaps},
    {"SURE": [spread(gap) for gap in gaps.values()]},
    names="method",
)

# %% tags=["check"]
assert [round(gaps[share].mean().item(), 1) for share in (0.9, 1.1)] == [1.7, 1.8]
assert all(gaps[share].std() < 0.15 for share in (0.9, 1.1))

# %% [markdown]
# The network loses 1.7 and 1.8 dB where the linear denoiser loses 1.5 and 1.8. So the exact
# numbers tell what to expect.
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

# %%
from dae_tutorial.beyond.mending import anscombe, anscombe_mean

photons, stray = 20, 0.1
limits = {"low": photons * stray, "high": photons * (1 + stray)}
counts = torch.poisson(photons * (test[:5] + stray), generator=seeded(0))
even = anscombe(counts)  # denoise this, with σ = 1

expected = torch.tensor([2.0, 5.0, 20.0])
roots = anscombe_mean(expected)  # what a perfect network would answer
print("squared: ", (roots / 2).square() - 3 / 8)
print("inverse: ", invert_mean(anscombe_mean, roots, **limits))

# %% tags=["check"]
short = expected - ((roots / 2).square() - 3 / 8)
assert ((short - 0.25).abs() < 0.06).all()
assert (invert_mean(anscombe_mean, roots, **limits) - expected).abs().max() < 1e-3

# %% [markdown]
# Squaring is a quarter of a count too dark, the inverse is right.
#
# Linear denoisers first. The noise of pixel $i$ has the variance $(\bar{x}_i + 0.1) / 20$
# on average over all digits, so $C$ is a diagonal matrix with these numbers. SURE is told
# their mean.

# %%
variances = (digits.mean(dim=0).double() + stray) / photons
precision = torch.linalg.inv(covariance + variances.diag())
least = exact_error(covariance @ precision, variances.diag())
one_sigma = exact_error(unit - variances.mean() * precision, variances.diag())
counts_lost = 10 * math.log10(one_sigma / least)
print(f"σ from {variances.min().sqrt():.3f} to {variances.max().sqrt():.3f}")
print(f"lost by SURE with one σ for all: {counts_lost:.1f} dB")

# %% [markdown]
# Now networks: the dense autoencoder with its narrow code, and the convolutional one.

# %% tags=["hide-code"]
counted = {
    "autoencoder": by_seed(broken="counts"),
    "convolutional": by_seed(broken="counts, convolutional"),
}
Comparison(
    "Counts, PSNR in dB, mean ± deviation of three seeds",
    dict.fromkeys(counted, ".2f"),
    {
        method: [spread(found[method]) for found in counted.values()]
        for method in counted["autoencoder"]
    },
    names="trained by",
)

# %% tags=["check"]
assert round(counts_lost, 1) == 2.8
of_narrow, of_wide = counted["autoencoder"], counted["convolutional"]
behind = {name: of_wide["supervised"] - values for name, values in of_wide.items()}
lost_to_one = behind["SURE, one σ for all"]
assert (round(lost_to_one.min().item()), round(lost_to_one.max().item())) == (6, 12)
assert behind["Noise2Noise"].abs().max() < 0.1
assert behind["SURE, evened out, inverse of g"].abs().max() < 0.1
assert (
    of_wide["SURE, evened out, inverse of g"] > of_wide["SURE, evened out, squared"]
).all()
felt = of_narrow["supervised"] - of_narrow["SURE, one σ for all"]
assert felt.abs().max() < 0.1
root = of_narrow["SURE, one σ for all"] - of_narrow["SURE, evened out, inverse of g"]
assert root.min() > 0.08
assert root.max() < 0.24

# %% [markdown]
# For linear denoisers one $\sigma$ for all costs 2.8 dB, as a wrong $\sigma$ does: too
# much is taken off dark pixels, too little off bright ones. The convolutional network, which
# can copy, loses 6 to 12 dB by it, with one seed and another. **Anscombe's root mends that**, with the inverse of $g$ to
# within 0.1 dB of the supervised network. Noise2Noise needs no repair.
#
# And the autoencoder? It does not feel the wrong $\sigma$ at all, which we did not expect.
# Its code has 32 numbers. It could not copy the noise if it wanted to, so what SURE charges
# for copying hardly matters. There the root even costs 0.1 to 0.2 dB: squared error between roots
# is not the squared error that we score. Remedies are for those who have the trouble.
# Measure before you take one.
#
# ## Noise2Self, asked once
#
# This is no broken assumption of the noise, but one of the answer. Asked once, with all pixels
# shown, Noise2Self loses 0.5 to 0.8 dB under strong noise, and 1.4 to 2.5 under weak noise. Its
# loss [does not see](learning-without-clean-images.py#what-noise2self-leaves-open) how much a
# pixel $y_i$ counts for its own answer: anyone may add $s\,(y_i - m_i)$, with the mean $m_i$
# of its neighbours. Is that the reason? The study `own_pixel` takes the networks of the page
# before, and adds it for several $s$.


# %% tags=["hide-code"]
def decibels(sigma, method, asked="once"):
    wanted = {"data": "digits", "sigma": sigma, "method": method, "asked": asked}
    found = tables.select(before, **wanted, steps=400)
    return torch.tensor([row["psnr"] for row in found])


free, lines = tables.read("own_pixel"), {}
for level in (0.5, 0.25):
    for seed, reference in enumerate(decibels(level, "supervised").tolist()):
        family = tables.select(free, sigma=level, seed=seed)
        [plain] = tables.select(family, added=0)
        chosen = max(family, key=lambda row: row["psnr"])
        change = max(row["loss"] for row in family) / plain["loss"] - 1
        lines[level, seed] = [
            *(plain["own"], reference - plain["psnr"]),
            *(chosen["own"], reference - chosen["psnr"], change),
        ]
Comparison(
    "The slope of a pixel's answer against the pixel, and dB lost",
    {
        "slope, as trained": "z.2f",
        "lost, as trained": ".2f",
        "slope, best": "z.2f",
        "lost, best": ".2f",
        "change of the loss": "z.1%",
    },
    lines,
    names=("σ", "seed"),
)

# %% tags=["check"]
for level in (0.5, 0.25):
    seeds = [lines[level, seed] for seed in range(3)]
    assert max(seeds)[1] == min(one[1] for one in seeds)  # the steepest loses least
    assert all(0.01 < one[0] < 0.04 for one in seeds)
    assert all(abs(one[4]) < 1e-3 for one in seeds)
    returned = [one[1] - one[3] for one in seeds]
    assert max(returned) < 0.1 if level == 0.5 else min(returned) > 0.25
    assert max(returned) < 0.55
    known = {"data": "digits", "sigma": level, "method": "supervised", "steps": 400}
    errors = [row["mse"] for row in tables.select(before, **known)]
    assert round(sum(errors) / 3 / level**2, 2) == (0.05 if level == 0.5 else 0.07)
    for asked, lost_then in {
        "once": {0.5: 0.7, 0.25: 2.1},
        "blindly, pixel given back": {0.5: 0.4, 0.25: 0.2},
    }.items():
        gap = decibels(level, "supervised") - decibels(level, "Noise2Self", asked)
        assert round(gap.mean().item(), 1) == lost_then[level]

# %% [markdown]
# The loss changes by nothing, and the answers do. How much should a pixel count? For the
# posterior mean, the mean slope is its mean squared error over $\sigma^2$. With the error of
# the supervised network that is 0.05 under strong noise and 0.07 under weak noise. These six
# have 0.01 to 0.04, and at both levels **the steepest of the three loses least**. (One $s$ for
# all pixels returns 0.3 to 0.5 dB under weak noise, and hardly anything under strong noise:
# strokes need it, the black ground does not.)
#
# Giving the pixel back weighs it anew for each brightness. With it, 2.1 dB under weak noise
# become 0.2. So there the weight of the pixel is nearly the whole reason. Under strong noise
# 0.7 dB become 0.4, and the rest is not due to blindness: the blind spot by design, with its
# pixel given back, loses less than 0.15. It learns from every pixel at every step, and
# Noise2Self from a quarter of them.
#
# ## Too few images
#
# The promise of Noise2Noise is one about expectations: noise in the targets averages out.
# With few images it does not. And who has clean images can draw new noise on them at every
# pass; who has noisy ones sees the same noise again and again, and learns it by heart. Both
# networks take 300 steps, in [batches](../glossary.md#batch) of 128 (or as many as there
# are).

# %% tags=["hide-code"]
counts = (100, 1000, 10_000)
few = {
    (method, images): values
    for images in counts
    for method, values in by_seed(broken="few images", images=images).items()
}
Comparison(
    "PSNR in dB, mean ± deviation of three seeds",
    {f"{images:,} images": ".2f" for images in counts},
    {
        method: [spread(few[method, images]) for images in counts]
        for method in ("supervised, fresh noise", "supervised", "Noise2Noise")
    },
    names="trained by",
)

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
# images.
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
