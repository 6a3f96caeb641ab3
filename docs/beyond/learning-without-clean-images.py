# ---
# title: Learning without clean images
# description: Noise2Noise, Noise2Self, blind spots, SURE, Noisier2Noise and Recorrupted-to-Recorrupted on one small network with the same images, beside the supervised answer, and exactly for linear denoisers.
# data: dae_tutorial/evidence/tables/without_clean.*
# ---

# %% [markdown]
# # Learning without clean images
#
# !!! abstract "In two sentences"
#     ABSTRACT
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
# if the middle one is zero, **the wrong target gives the right loss**, up to a constant, and
# the same best $D$ as clean images would: the [posterior
# mean](../glossary.md#posterior-mean). Every method below is a way to be rid of that middle
# term. If $m$ has mean zero for every $x$, the $x$ in it drops out, and what is left is
# $\mathbb{E}\,\langle D(y), m \rangle$: **how much of the target's error can be told from
# what $D$ is shown?**
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
# estimates their sum, for the price of a second call.
#
# {{ code of dae_tutorial.beyond.selfsupervised.divergence }}
#
# {{ code of dae_tutorial.beyond.selfsupervised.sure }}
#
# ### Noise2Noise: a second copy
#
# Photograph the same thing twice. The target's noise is independent of the input's, so
# $\mathbb{E}\,\langle D(y), m \rangle = \mathbb{E}\,\langle D(y), \mathbb{E}\,m \rangle = 0$.
# It need not be Gaussian, nor of a known level; only its *mean* must be zero. There is
# nothing to write: `fit` takes pairs (first copy, second copy) in place of (noisy, clean).
#
# ### Noise2Self and Noise2Void: pixels that were not shown
#
# One copy, and noise that is independent from pixel to pixel. Hide some pixels, put the mean
# of their neighbours in their place, and ask for the noisy values there. $D_i$ does not
# depend on $y_i$, so its slope is zero, and so is the middle term. No $\sigma$ is needed.
#
# {{ code of dae_tutorial.beyond.blind_spots.hide_pixels }}
#
# A network trained so can be asked in two ways. *Blindly*: hide each grid of pixels in turn,
# and keep the answers there (16 calls; the authors call this $J$-invariant). Or *once*: show
# it the whole noisy image. It has not been trained for that, and no theorem says what it
# does; it often does well.
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
# One copy again, Gaussian noise, and $\sigma$ known. Add noise of one's own,
# $z = y + \alpha\sigma\varepsilon$, and learn to get $y$ back from $z$. In $z$ there is noise
# of variance $(1 + \alpha^2)\,\sigma^2$, of which a share of $\alpha^2 / (1 + \alpha^2)$ was
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
# ((1 + \alpha^2)\,y - y_1) / \alpha^2$. Put the formula into the network, and the two losses
# differ by a constant factor. (A test of this project checks it to 12 digits.) And as
# $\alpha$ goes to 0, the R2R loss becomes that of SURE: its middle term is a slope along
# $\varepsilon$, taken over a short step.
#
# Both answer for an image that is noisier than ours. To make up for some of it, ask with
# several draws of $\varepsilon$ and take the mean.
#
# ## What the expectations promise, exactly
#
# Networks are trained badly or well, and then a method gets the blame or the praise. So
# first without networks. For *linear* denoisers, $D(y) = \bar{x} + W (y - \bar{x})$, each
# expectation above is a formula in the covariance $\Sigma$ of the clean images, and each
# minimiser can be written down:
#
# - supervised, Noise2Noise, SURE: $W = \Sigma\,(\Sigma + \sigma^2 I)^{-1}$, which is best;
# - noisy target: $W = I$;
# - blind: with $P = (\Sigma + \sigma^2 I)^{-1}$, the best guess at $y_i$ from all others is
#   $y_i - (P y)_i / P_{ii}$;
# - Noisier2Noise, R2R: the best $W$ for noise of level $\sigma\sqrt{1 + \alpha^2}$. (The mean
#   over many draws of $\varepsilon$ is $W$ applied to $y$ itself.)
#
# Here $\Sigma$ is that of all 60,000 training digits. Nothing is drawn and nothing is
# trained: these errors are exact, for images with this $\Sigma$.

# %%
import math

import torch

from dae_tutorial.loaders import load_mnist

digits = load_mnist(train=True).images.flatten(1).double()
covariance = digits.T.cov(correction=0)
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
print("linear denoiser                σ = 0.25   lost, dB     σ = 0.5   lost, dB")
for name in errors[0.5]:
    parts = [f"{errors[s][name]:10.4f} {lost[s][name]:9.2f}" for s in levels]
    print(f"{name:30}", "  ".join(parts))

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
# - **Giving the pixel back returns all of it**, to the last digit: for linear denoisers,
#   blind plus pixel *is* the best one.
# - **R2R pays for its extra noise**: 0.03 dB at $\alpha = 0.5$, 0.16 at 0.8, 0.32 at 1. A
#   small $\alpha$ is better in expectation. But its targets carry noise of level
#   $\sigma\sqrt{1 + 1/\alpha^2}$, and with few images or few steps that costs, too.
#
# The expectations leave out one thing: training sees a finite number of targets, and noise
# in the targets has to average out. So to networks.
#
STUDY_PART
