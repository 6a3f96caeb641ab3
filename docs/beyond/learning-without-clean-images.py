# ---
# title: Learning without clean images
# description: Noise2Noise, Noise2Self, blind spots, SURE, Noisier2Noise and Recorrupted-to-Recorrupted on one small network with the same images, beside the supervised answer, and exactly for linear denoisers.
# data: dae_tutorial/evidence/tables/without_clean.*
# ---

# %% [markdown]
# # Learning without clean images
#
# !!! abstract "In two sentences"
#     On one small network with the same noisy digits, at two levels of noise, Noise2Noise, SURE,
#     and a [blind spot](../glossary.md#blind) whose pixel is given back afterwards end on
#     average within 0.1 dB of training on clean images; Recorrupted-to-Recorrupted loses 0.1 to
#     0.25 dB, and hidden pixels without knowledge of $\sigma$ lose 0.5 to 3 dB.
#     All of it follows from one line of algebra: a wrong target does no harm if its error
#     cannot be told from what the network sees, and if it can, the harm can be computed.
#
# Everything so far had clean images to learn from. Most people who need a denoiser have
# none: a microscope, a telescope, a cheap camera gives noisy images and nothing else. This
# page trains the same network without a single clean one, in seven ways, and asks each time
# what is lost.
#
# Every noisy image here is $y = x + n$: a clean image, which nobody sees, plus noise of
# level $\sigma$ that is **not clipped**. [The next page](where-it-breaks.py) clips it, and
# breaks more.
#
# ## One line that all of them share
#
# Train a denoiser $D$ with squared error, but against some *other* target $t = x + m$,
# the clean image plus an error $m$. Then
#
# $$\mathbb{E}\,\lVert D(y) - t \rVert^2 = \underbrace{\mathbb{E}\,\lVert D(y) - x
# \rVert^2}_{\text{what we want}} - \underbrace{2\,\mathbb{E}\,\langle D(y) - x,\; m
# \rangle}_{\text{the trouble}} + \underbrace{\mathbb{E}\,\lVert m \rVert^2}_{\text{a
# constant}}$$
#
# (Write $D - t = (D - x) - m$ and multiply out.) The last term does not depend on $D$. So
# if the middle one is zero, **the wrong target gives the right loss**, up to a constant,
# and the same best $D$ as clean images would: the [posterior
# mean](../glossary.md#posterior-mean). Every method below is a way to be rid of that
# middle term. If $m$ has mean zero for every $x$, the $x$ in it drops out, and what is
# left is $\mathbb{E}\,\langle D(y), m \rangle$: **how much of the target's error can be
# told from what $D$ is shown?**
#
# | method | the target | why the middle term is no trouble |
# |---|---|---|
# | supervised | $x$ | $m = 0$ |
# | noisy target | $y$ itself | it is: $m = n$, and $D$ sees $n$ |
# | Noise2Noise | a second noisy copy | its noise is independent of all that $D$ sees |
# | Noise2Self, Noise2Void | $y_i$, at hidden pixels | $D$ does not see pixel $i$, and no other pixel tells of $n_i$ |
# | blind spot | $y_i$, everywhere | the same, built into the network |
# | SURE | $y$ itself | it is there, and it can be computed: $\sigma^2$ times a sum of slopes |
# | Noisier2Noise | $y$, from $y$ and more noise | the noise divides in known shares |
# | R2R | $y$ less some noise, from $y$ and some | added so that both noises are independent |
#
# ### The noisy image as its own target
#
# With $t = y$ the loss is least, exactly zero, for $D(y) = y$. Nothing was learned. The
# middle term says how it comes: for Gaussian noise, Stein's lemma (integration by parts)
# turns it into slopes,
#
# $$\mathbb{E}\,\langle D(y), n \rangle = \sigma^2\,\mathbb{E} \sum_i \frac{\partial
# D_i}{\partial y_i}(y).$$
#
# The more a pixel of the answer follows the same pixel of the input, the larger the term,
# and the smaller the loss. The identity has a slope of 1 everywhere. **Copying pays**, and
# now we know how much.
#
# ### SURE: subtract what copying pays
#
# Since we know it, we can charge for it. *Stein's unbiased risk estimate* is the naive loss
# with the middle term put back, and with the constant, $N\sigma^2$, taken off:
#
# $$\mathbb{E}\,\lVert D(y) - x \rVert^2 = \mathbb{E}\Big[\lVert D(y) - y \rVert^2 +
# 2\sigma^2 \sum_i \frac{\partial D_i}{\partial y_i}(y)\Big] - N\sigma^2$$
#
# This is an equation, not a bound: the error against images that nobody has seen. It needs
# $\sigma$. A network has as many slopes as pixels; one random direction $b$ of signs
# estimates their sum, for the price of a second call: $b^\top (D(y + h\,b) - D(y)) / h$ with a
# short step $h$, which is `divergence` here.
#
# {{ code of dae_tutorial.beyond.selfsupervised.sure }}
#
# ### Noise2Noise: a second copy
#
# Photograph the same thing twice. The target's noise is independent of the input's, so
# $\mathbb{E}\,\langle D(y), m \rangle = \mathbb{E}\,\langle D(y), \mathbb{E}\,m \rangle =
# 0$. It need not be Gaussian, nor of a known level; only its *mean* must be zero. There
# is nothing to write: `fit` takes pairs (first copy, second copy) in place of (noisy,
# clean).
#
# ### Noise2Self and Noise2Void: pixels that were not shown
#
# One copy, and noise that is independent from pixel to pixel. Hide some pixels, put the
# mean of their neighbours in their place, and ask for the noisy values there. $D_i$ does
# not depend on $y_i$, so its slope is zero, and so is the middle term. No $\sigma$ is
# needed.
#
# {{ code of dae_tutorial.beyond.blind_spots.hide_pixels }}
#
# A network trained so can be asked in two ways. *Blindly*: hide each grid of pixels in
# turn, and keep the answers there (4 calls, if every other row and column is hidden at a
# time; the authors call this $J$-invariant). Or *once*: show it the whole noisy image. It
# has not been trained for that, and no theorem says what it does; it often does well.
#
# ### A blind spot by design
#
# Or build a network that cannot see the pixel it answers for. Then one call answers for all
# pixels, and every pixel teaches at every step. The first
# [convolution](../glossary.md#convolution) has a hole in its middle; all later ones step by
# three pixels, so that no way leads back.
#
# {{ code of dae_tutorial.beyond.blind_spots.BlindSpotNet }}
#
# Blindness has a price. The one pixel that tells most about $x_i$ is $y_i$, and it is
# thrown away. If $\sigma$ is known, it can be **given back** afterwards. The blind answer
# $b_i$ errs by some variance $v$, the pixel by $\sigma^2$, and the two errors are
# independent, so the best mixture weighs each by the other's error. And $v$ can be measured
# without clean images, by the line above: $\mathbb{E}\,(b_i - y_i)^2 = v + \sigma^2$.
#
# {{ code of dae_tutorial.beyond.blind_spots.give_back }}
#
# ### More noise makes pairs: Noisier2Noise and R2R
#
# One copy again, Gaussian noise, and $\sigma$ known. Add noise of one's own, $z = y +
# \alpha\sigma\varepsilon$, and learn to get $y$ back from $z$. In $z$ there is noise of
# variance $(1 + \alpha^2)\,\sigma^2$, of which a share of $\alpha^2 / (1 + \alpha^2)$ was
# added. A network cannot tell which part. So whatever it takes off to reach $y$ is that
# share of all there is, and
#
# $$\mathbb{E}[x \mid z] = \frac{(1 + \alpha^2)\,\mathbb{E}[y \mid z] - z}{\alpha^2}.$$
#
# That is *Noisier2Noise*. *Recorrupted-to-Recorrupted* (R2R) takes the noise off the
# target, before the loss: input $y_1 = y + \alpha\sigma\varepsilon$, target
# $y_2 = y - \sigma\varepsilon / \alpha$. The two noises have covariance
# $\sigma^2 - \alpha\sigma \cdot \sigma / \alpha = 0$, and being jointly Gaussian, they are
# independent. So this *is* Noise2Noise, with pairs made out of one copy.
#
# **The two are one method.** The R2R target is the formula above, applied to $y$: $y_2 =
# ((1 + \alpha^2)\,y - y_1) / \alpha^2$. Put the formula into the network, and the two
# losses differ by a constant factor. (A test of this project checks it to 12 digits.) And
# as $\alpha$ goes to 0, the R2R loss becomes that of SURE: its middle term is a slope
# along $\varepsilon$, taken over a short step.
#
# Both answer for an image that is noisier than ours. To make up for some of it, ask with
# several draws of $\varepsilon$ and take the mean.
#
# ### Each in a line
#
# `first` and `second` are two noisy copies of some digits. Any model will do that keeps the
# shape of images, or answers rows of pixels, as the autoencoder does. (For SURE it must
# answer the same twice, so without [dropout](../glossary.md#dropout).)

# %%
from torch.utils.data import DataLoader, TensorDataset

from dae_tutorial.beyond.blind_spots import BlindPixelLoss, BlindSpotNet
from dae_tutorial.beyond.selfsupervised import RecorruptedPairs, SureLoss
from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit

some = load_mnist(train=True).images[:256]
first, second = (add_gaussian_noise(some, 0.5, clip=False) for _ in range(2))


def pairs(noisy, target):
    return DataLoader(TensorDataset(noisy, target), 64, shuffle=True)


alone = ImageTensors(first).loader(64, shuffle=True)
model, blind = Autoencoder(), BlindPixelLoss()

fit(model, pairs(first, second), None, epochs=1)  # Noise2Noise
fit(model, alone, blind.corrupt, criterion=blind, epochs=1)  # Noise2Self
fit(BlindSpotNet(), pairs(first, first), None, epochs=1)  # blind spot
fit(model, pairs(first, first), None, criterion=SureLoss(model, 0.5), epochs=1)  # SURE
history = fit(model, RecorruptedPairs(alone, 0.5), None, epochs=1)  # R2R

# %% [markdown]
# ## What the expectations promise, exactly
#
# Networks are trained badly or well, and then a method gets the blame or the praise. So
# first without networks. For *linear* denoisers, $D(y) = \bar{x} + W (y - \bar{x})$, each
# expectation above is a formula in the covariance $\Sigma$ of the clean images, and each
# minimiser can be written down:
#
# - supervised, Noise2Noise, SURE: $W = \Sigma\,(\Sigma + \sigma^2 I)^{-1}$, which is
#   best;
# - noisy target: $W = I$;
# - blind: with $P = (\Sigma + \sigma^2 I)^{-1}$, the best guess at $y_i$ from all others
#   is $y_i - (P y)_i / P_{ii}$;
# - Noisier2Noise, R2R: the best $W$ for noise of level $\sigma\sqrt{1 + \alpha^2}$. (The
#   mean over many draws of $\varepsilon$ is $W$ applied to $y$ itself.)
#
# Here $\Sigma$ is that of all 60,000 training digits. Nothing is drawn and nothing is
# trained: these errors are exact, for images with this $\Sigma$.

# %%
import math

import torch

from dae_tutorial.evidence.comparison import Comparison

digits = load_mnist(train=True).images.flatten(1)
covariance = digits.T.cov(correction=0).double()
unit = torch.eye(784, dtype=torch.float64)


def best_linear(sigma):
    return torch.linalg.solve(covariance + sigma**2 * unit, covariance).T


def blind_linear(sigma):
    precision = torch.linalg.inv(covariance + sigma**2 * unit)
    error = 1 / precision.diagonal() - sigma**2  # v, one for each pixel
    return unit - precision / precision.diagonal()[:, None], error


def given_back(sigma):
    weight, error = blind_linear(sigma)
    return weight + (error / (error + sigma**2))[:, None] * (unit - weight)


def exact_error(weight, sigma):
    missed = (unit - weight) @ covariance @ (unit - weight).T
    return ((missed.trace() + sigma**2 * weight.square().sum()) / 784).item()


def linear_denoisers(sigma):
    return {
        "noisy target": unit,
        "supervised, Noise2Noise, SURE": best_linear(sigma),
        "blind": blind_linear(sigma)[0],
        "blind, pixel given back": given_back(sigma),
        "R2R, α = 0.5": best_linear(sigma * math.sqrt(1.25)),
        "R2R, α = 0.8": best_linear(sigma * math.sqrt(1.64)),
        "R2R, α = 1": best_linear(sigma * math.sqrt(2)),
    }


levels = (0.25, 0.5)
errors = {
    sigma: {n: exact_error(w, sigma) for n, w in linear_denoisers(sigma).items()}
    for sigma in levels
}
lost = {
    sigma: {
        n: 10 * math.log10(e / found["supervised, Noise2Noise, SURE"])
        for n, e in found.items()
    }
    for sigma, found in errors.items()
}
Comparison(
    "Exact mean squared error of linear denoisers, and dB lost against the best",
    {
        f"{what}, σ = {s}": form
        for s in levels
        for what, form in (("error", ".4f"), ("lost", "z.2f"))
    },
    {n: [e for s in levels for e in (errors[s][n], lost[s][n])] for n in errors[0.5]},
    names="denoiser",
)

# %% tags=["check"]
for sigma in levels:
    assert (given_back(sigma) - best_linear(sigma)).abs().max() < 1e-12
    assert errors[sigma]["noisy target"] == sigma**2
assert 1.55 < lost[0.25]["blind"] < 1.65
assert 0.7 < lost[0.5]["blind"] < 0.8
assert all(lost[s]["R2R, α = 0.5"] < 0.04 for s in levels)
assert all(0.15 < lost[s]["R2R, α = 0.8"] < 0.17 for s in levels)
assert all(0.3 < lost[s]["R2R, α = 1"] < 0.33 for s in levels)

# %% [markdown]
# - **Three methods lose nothing**: their expected loss has the supervised minimiser.
# - **Blindness costs 1.6 dB at $\sigma = 0.25$ and 0.8 dB at 0.5.** The weaker the noise,
#   the more the pixel itself would have told.
# - **Giving the pixel back returns all of it**: for linear denoisers, blind plus pixel *is*
#   the best one.
# - **R2R pays for its extra noise**: 0.03 dB at $\alpha = 0.5$, 0.16 at 0.8, 0.32 at 1. A
#   small $\alpha$ is better in expectation. But its targets carry noise of level
#   $\sigma\sqrt{1 + 1/\alpha^2}$, and with few images or few steps that costs, too.
#
# ### What Noise2Self leaves open
#
# Noise2Self, asked *once*, is not in that table, and cannot be. Let $m_i$ be the mean of a
# pixel's neighbours, and add to any denoiser $s\,(y_i - m_i)$. Where a pixel is hidden, the
# denoiser is shown $m_i$ in its place, so what is added is zero there. **The loss does not
# see $s$.** It is the same for all of these denoisers, and they answer differently as soon
# as a pixel is shown. How much do they lose, for one $s$ and another?

# %%
from dae_tutorial.beyond.blind_spots import hide_pixels

pixels = unit.reshape(784, 1, 28, 28)
around = hide_pixels(pixels, torch.tensor(True)).reshape(784, 784).T  # y → m
weights = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
left_open = {
    sigma: {
        s: 10
        * math.log10(
            exact_error(blind_linear(sigma)[0] + s * (unit - around), sigma)
            / errors[sigma]["supervised, Noise2Noise, SURE"]
        )
        for s in weights
    }
    for sigma in levels
}
Comparison(
    "dB lost by linear denoisers that Noise2Self cannot tell apart",
    {f"s = {s}": ".2f" for s in weights},
    {f"σ = {sigma}": list(lost_by.values()) for sigma, lost_by in left_open.items()},
    names="noise",
)

# %% tags=["check"]
for sigma in levels:
    assert abs(left_open[sigma][0.0] - lost[sigma]["blind"]) < 1e-9
assert min(left_open[0.5], key=left_open[0.5].get) == 0.1
assert min(left_open[0.25], key=left_open[0.25].get) == 0.2
assert (round(left_open[0.5][0.1], 1), round(left_open[0.25][0.2], 1)) == (0.4, 0.8)
assert left_open[0.5][0.3] > 2.5

# %% [markdown]
# With the best $s$, half of what blindness costs is still lost: 0.4 dB under strong noise and
# 0.8 under weak noise. With a wrong one it is as bad as blindness, or far worse. So what the
# answer given once is worth is decided by what no theorem speaks of: the initial weights,
# the optimiser, the network.
#
# The expectations leave out one thing: training sees a finite number of targets, and noise
# in the targets has to average out. So to networks.
#
# ## What networks make of them
#
# Every method trains the same small network on the same images, for the same number of
# steps: 400 steps of 32 digits, 12,800 digits in all, each seen once. It is the network
# with the blind spot, 2,625 weights, but with its hole *filled*, so that it sees all
# pixels; for the method "blind spot" the hole stays open. Each image has **one noisy copy,
# drawn once**, as in life; only Noise2Noise has a second. The supervised rival is given the same noisy copies, and the
# clean images. Three seeds, 1,000 [test](../glossary.md#test-set) digits; all answers,
# and the noisy images themselves, are cut to $[0, 1]$ before they are scored.

# %% tags=["hide-code"]
from dae_tutorial.evidence import tables

rows = tables.read("without_clean")


def scores(data, sigma, method, asked="once", steps=400):
    """Return PSNRs by seed."""
    wanted = {"data": data, "sigma": sigma, "method": method, "asked": asked}
    return torch.tensor(
        [row["psnr"] for row in tables.select(rows, **wanted, steps=steps)]
    )


def gaps(data, sigma, method, asked="once", steps=400):
    """Return how many dB are lost against the supervised network, by seed."""
    supervised = scores(data, sigma, "supervised", steps=steps)
    return supervised - scores(data, sigma, method, asked, steps)


METHODS = {  # (method, asked): what it must know
    ("doing nothing", "once"): "",
    ("noisy target", "once"): "",
    ("supervised", "once"): "clean images",
    ("Noise2Noise", "once"): "two copies",
    ("Noise2Self", "once"): "independent pixels",
    ("Noise2Self", "blindly"): "independent pixels",
    ("Noise2Self", "blindly, pixel given back"): "the same, and σ",
    ("blind spot", "blindly"): "independent pixels",
    ("blind spot", "blindly, pixel given back"): "the same, and σ",
    ("SURE", "once"): "Gaussian noise, σ",
    ("R2R", "once"): "Gaussian noise, σ",
    ("R2R", "with one draw"): "Gaussian noise, σ",
    ("R2R", "mean of 8 draws"): "Gaussian noise, σ",
    ("Noisier2Noise", "mean of 8 draws"): "Gaussian noise, σ",
}


# %% tags=["hide-code"]
def compared(data, sigma, asked_of):
    """Return a table of PSNR, dB lost, and calls for an answer."""
    lines = {}
    for key in asked_of:
        method, asked = key
        wanted = {"data": data, "sigma": sigma, "method": method, "asked": asked}
        calls = tables.select(rows, **wanted, steps=400)[0]["passes"]
        gap = gaps(data, sigma, *key)
        lost = None if method == "supervised" else (gap.mean(), gap.std())
        lines[key] = [scores(data, sigma, *key).mean(), lost, calls, METHODS[key]]
    return Comparison(
        f"{data}, σ = {sigma}, mean ± deviation of three seeds",
        {"PSNR": ".2f", "dB lost": "z.2f", "calls": "d", "must know": ""},
        lines,
        names=("method", "asked"),
    )


compared("digits", 0.5, METHODS)

# %% tags=["check"]
lost_at_half = {key: gaps("digits", 0.5, *key) for key in METHODS}
for key in (
    ("Noise2Noise", "once"),
    ("SURE", "once"),
    ("blind spot", "blindly, pixel given back"),
):
    assert lost_at_half[key].max() < 0.15
assert all(lost_at_half[m, "once"].max() < 0.1 for m in ("Noise2Noise", "SURE"))
assert 0.2 < lost_at_half["R2R", "once"].mean() < 0.3
assert (
    abs(
        lost_at_half["noisy target", "once"] - lost_at_half["doing nothing", "once"]
    ).max()
    < 0.1
)
assert 1.2 < lost_at_half["blind spot", "blindly"].mean() < 1.5
assert 1.5 < lost_at_half["Noise2Self", "blindly"].mean() < 1.8
assert 0.3 < lost_at_half["Noise2Self", "blindly, pixel given back"].mean() < 0.5
assert abs(lost_at_half["Noise2Self", "once"].mean() - 0.7) < 0.05
assert abs(lost_at_half["Noise2Self", "once"].min() - 0.5) < 0.05
assert abs(lost_at_half["Noise2Self", "once"].max() - 0.8) < 0.05
assert (
    lost_at_half["R2R", "with one draw"] > lost_at_half["R2R", "mean of 8 draws"]
).all()
assert (lost_at_half["R2R", "mean of 8 draws"] > lost_at_half["R2R", "once"]).all()
assert 2 < lost_at_half["Noisier2Noise", "mean of 8 draws"].mean() < 2.6
assert 1.4 < lost_at_half["R2R", "with one draw"].mean() < 1.7

# %% [markdown]
# - **A noisy target teaches nothing.** The network becomes the identity, to 0.1 dB.
# - **Noise2Noise and SURE lose less than 0.1 dB.** They have the supervised minimiser,
#   and here they get there. SURE pays with two calls of the network a step in place of
#   one.
# - **Blindness costs 1.3 dB and more, and giving the pixel back returns nearly all of
#   it.** With its blind spot the network needs $\sigma$ only *afterwards*, and ends
#   beside the supervised one.
# - **Noise2Self asked once** loses 0.7 dB. It is better than asked blindly, and needs no
#   $\sigma$. But it is a question that it was not trained for, and the seeds differ more:
#   from 0.5 to 0.8 dB. The next page shows
#   [why](where-it-breaks.py#noise2self-asked-once).
# - **R2R is best asked with the image as it is.** It was trained on noisier ones, and
#   with one draw of extra noise it is 1.5 dB behind. The mean of 8 draws makes up for
#   most of that, and asking once, with no extra noise at all, for more: a quarter of a
#   decibel is left. The expectation does not promise this either.
# - **Noisier2Noise**, the same method in other clothes, loses 2 dB. Its network must
#   answer with a *noisy* image, and the correction doubles whatever it gets wrong.
#   ($\alpha$ is 1 here, 0.8 for R2R.) Where the correction stands makes no difference to
#   the minimiser, and much to a network.
#
# ### Weaker noise, and photographs
#
# The same at $\sigma = 0.25$, and on grey photographs at $\sigma = 0.1$: patches of
# 28 × 28 pixels from four pictures to train on, the middles of three others for the test.


# %% tags=["hide-code"]
from IPython.display import display

ALIKE = [*METHODS][2:11]  # without the answers to noisier images
display(compared("digits", 0.25, ALIKE), compared("photographs", 0.1, [*METHODS][2:7]))

# %% tags=["hide-code"] alt="Decibels lost against the supervised network, one dot a seed, for eight ways of learning and asking. Noise2Noise, SURE and the blind spot with its pixel given back lie at zero for both noise levels. R2R lies at a quarter under strong noise and an eighth under weak noise, Noise2Self with the pixel given back at 0.2 to 0.4. Noise2Self asked once lies at 0.5 to 0.8 under strong noise and at 1.4 to 2.5, far apart, under weak noise. Blind answers lie at 1.3 to 1.7 under strong noise and near 3 under weak noise."
import matplotlib.pyplot as plt

from dae_tutorial import figures

shown = [
    ("Noise2Noise", "once"),
    ("SURE", "once"),
    ("blind spot", "blindly, pixel given back"),
    ("R2R", "once"),
    ("Noise2Self", "blindly, pixel given back"),
    ("Noise2Self", "once"),
    ("blind spot", "blindly"),
    ("Noise2Self", "blindly"),
]
BLUE, ORANGE, _ = figures.COLOURS.values()
with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 3.6), layout="constrained")
for sigma, colour, up in ((0.5, BLUE, -0.12), (0.25, ORANGE, 0.12)):
    for place, key in enumerate(shown):
        values = gaps("digits", sigma, *key)
        name = f"σ = {sigma}" if place == 0 else None
        heights = [place + up] * len(values)
        axes.plot(values, heights, "o", color=colour, alpha=0.6, label=name)
names = [m if asked == "once" else f"{m},\n{asked}" for m, asked in shown]
axes.set_yticks(range(len(shown)), names, fontsize=9)
axes.axvline(0, color="grey", linewidth=0.5)
axes.set(xlabel="dB lost against the supervised network")
axes.invert_yaxis()
axes.legend(frameon=False)
plt.close(figure)
figure

# %% tags=["check"]
lost_weak = {key: gaps("digits", 0.25, *key) for key in ALIKE}
almost_nothing = [
    ("Noise2Noise", "once"),
    ("SURE", "once"),
    ("blind spot", "blindly, pixel given back"),
]
for key in almost_nothing:
    assert max(lost_at_half[key].mean(), lost_weak[key].mean()) < 0.1
assert all(lost_weak[m, "once"].abs().max() < 0.03 for m in ("Noise2Noise", "SURE"))
assert round(lost_weak["R2R", "once"].mean().item(), 2) == 0.12
blind_ways = [
    ("Noise2Self", "once"),
    ("Noise2Self", "blindly"),
    ("blind spot", "blindly"),
]
without_sigma = [lost[key] for lost in (lost_at_half, lost_weak) for key in blind_ways]
assert torch.cat(without_sigma).min() > 0.5
assert torch.cat(without_sigma).max() < 3.05
assert 2.7 < lost_weak["blind spot", "blindly"].mean() < 3.1
assert 2.8 < lost_weak["Noise2Self", "blindly"].mean() < 3.2
assert lost_weak["blind spot", "blindly, pixel given back"].max() < 0.2
assert lost_weak["Noise2Self", "blindly, pixel given back"].max() < 0.3
assert 1 < lost_weak["Noise2Self", "once"].mean() < 3
photo = {key: gaps("photographs", 0.1, *key) for key in [*METHODS][2:7]}
assert photo["Noise2Noise", "once"].abs().max() < 0.15
assert 0.4 < photo["Noise2Self", "once"].mean() < 1
assert (photo["Noise2Self", "blindly, pixel given back"] < 0).all()

# %% [markdown]
# Noise2Noise and SURE now lose 0.03 dB at most, and R2R 0.12. The weaker the noise, the
# dearer the blindness: about 3 dB now, as the exact numbers let
# us expect, and the more there is to give back. On photographs Noise2Noise again loses
# next to nothing. And Noise2Self with the pixel given back is *better* than the
# supervised network: it is told $\sigma$, and the supervised network is not. It has to
# find out by itself how far to trust a pixel, from four pictures and
# 400 steps. So the supervised number is a yardstick, not a ceiling.
#
# ### Does more training close the gaps?
#
# Twice the steps, on twice the images:

# %% tags=["hide-code"]
for method in ("supervised", "Noise2Noise"):
    short, long = (scores("digits", 0.5, method, steps=s) for s in (400, 800))
    print(f"{method:12} {short.mean():.2f} dB, then {long.mean():.2f} dB")
left = gaps("digits", 0.5, "Noise2Noise", steps=800)
print(f"lost by Noise2Noise: {left.mean():.2f} ± {left.std():.2f} dB")

# %% tags=["check"]
gained = scores("digits", 0.5, "supervised", steps=800) - scores(
    "digits", 0.5, "supervised"
)
assert (abs(gained - 0.53) < 0.02).all()
before = gaps("digits", 0.5, "Noise2Noise")
assert (round(before.mean().item(), 2), round(left.mean().item(), 2)) == (0.05, 0.1)
assert (left > before).all()
assert left.max() < 0.13

# %% [markdown]
# Both gain about half a decibel: these networks are far from finished. And the distance
# between them **grows**, from 0.05 to 0.1 dB, with each of the three seeds. So "Noise2Noise
# loses nothing" is true of the expectation, and nearly true of a short training. The longer
# one trains on the noisy images that one has, the more clean targets are worth. How much
# they are worth when *images* are few, [the next page](where-it-breaks.py#too-few-images)
# shows. (The other methods were not trained longer.)
#
# ## Where is the ceiling?
#
# Nothing beats the posterior mean, in squared error. For images drawn *from the training set* it can be
# computed: the mean of all 60,000 training images, each weighted by how well it explains
# the noisy one. Here it is for 100 of those images, and for 100 test images.

# %%
from dae_tutorial.evidence import tables
from dae_tutorial.theory.score import FiniteSet

memory = FiniteSet(load_mnist(train=True).images)
test = load_mnist(train=False)
generator = torch.Generator().manual_seed(0)
ceiling = {}
for name, clean in {
    "its own images": memory.points[::600],
    "test images": test.images[::100],
}.items():
    noisy = clean + 0.5 * torch.randn(clean.shape, generator=generator)
    error = (memory.posterior_mean(noisy, 0.5) - clean).square().mean().item()
    ceiling[name] = -10 * math.log10(error)
    print(
        f"exact posterior mean on {name:15} {ceiling[name]:.1f} dB, of the mean error"
    )
supervised = tables.select(
    tables.read("without_clean"),
    data="digits",
    sigma=0.5,
    method="supervised",
    steps=400,
)
error = sum(row["mse"] for row in supervised) / 3
print(f"supervised network on test images      {-10 * math.log10(error):.1f} dB")

# %% tags=["check"]
assert ceiling["its own images"] > 35
assert ceiling["test images"] < -10 * math.log10(error) - 1

# %% [markdown]
# For the training images themselves it is a ceiling far out of reach. For new images it
# is none: a memory of other digits is not what a new digit needs, as [The same on
# digits](../theory/on-digits.py) shows at length. What a best denoiser of *new* digits
# would reach, nobody knows. So the honest yardstick in the tables is the supervised
# network.
#
# ## A hundred steps
#
# How little will do? Noise2Self at $\sigma = 0.4$, a hundred steps of 64 noisy images,
# and then all 10,000 test images. (The example that comes with the [original
# code](../bibliography.md#batson2019) is of this size; it reports about 0.017 for the
# answer given once and 0.021 for the blind one. Its network is another.)

# %%
from dae_tutorial.evaluate import evaluate
from dae_tutorial.train import one_cycle

few = load_mnist(train=True).images[: 100 * 64]
generator = torch.Generator().manual_seed(0)
noisy = ImageTensors(add_gaussian_noise(few, 0.4, clip=False, generator=generator))

torch.manual_seed(0)
model = BlindSpotNet(width=12)
model.hole.fill_(1)  # it may look; the loss hides what it must not see
loss, batches = BlindPixelLoss(period=2), noisy.loader(64, shuffle=True)
optimizer, scheduler = one_cycle(model, batches, epochs=1, peak=2e-2, betas=(0.9, 0.99))
recipe = {"optimizer": optimizer, "scheduler": scheduler, "criterion": loss}
fit(model, batches, loss.corrupt, epochs=1, device="cpu", **recipe)


def noise(images, *, generator):
    return add_gaussian_noise(images, 0.4, clip=False, generator=generator)


result = evaluate(lambda y: model(y).clamp(0, 1), test.loader(250), noise)
print(f"{len(batches)} steps: MSE {result.mse:.4f} on {result.images:,} test images")

# %% tags=["hide-code"] alt="Eight digits in three rows: clean, under strong grey noise, and as the network restores them after a hundred steps without any clean image: readable, on nearly black ground, with some specks and soft edges."
from dae_tutorial.figures import compare_images

clean = test.images[:8]
noisy = noise(clean, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    restored = model(noisy).clamp(0, 1)
compare_images({"clean": clean, "noisy": noisy.clamp(0, 1), "restored": restored})

# %% tags=["check"]
assert len(batches) == 100
assert result.images == 10_000
assert result.mse < 0.017

# %% [markdown]
# ## Which one?
#
# - **You can take everything twice:** Noise2Noise. It asks for nothing but independent
#   noise of mean zero.
# - **One copy, Gaussian noise, known $\sigma$:** SURE or R2R; or a blind spot, and the
#   pixel given back.
# - **One copy, $\sigma$ unknown, noise independent from pixel to pixel:** a blind spot or
#   Noise2Self. Then [estimate
#   $\sigma$](choosing-without-clean-images.py#how-strong-is-the-noise), and give the
#   pixel back.
# - **None of this holds:** [see what breaks, and how to mend it](where-it-breaks.py).
#
# The methods come from [Lehtinen and others](../bibliography.md#lehtinen2018)
# (Noise2Noise), [Krull and others](../bibliography.md#krull2019) (Noise2Void), [Batson
# and Royer](../bibliography.md#batson2019) (Noise2Self), [Laine and
# others](../bibliography.md#laine2019) and [Wu and others](../bibliography.md#wu2020)
# (blind spots), [Stein](../bibliography.md#stein1981), [Ramani and
# others](../bibliography.md#ramani2008) and [Soltanayev and
# Chun](../bibliography.md#soltanayev2018) (SURE), [Moran and
# others](../bibliography.md#moran2020) (Noisier2Noise), and [Pang and
# others](../bibliography.md#pang2021) (R2R).
