# ---
# title: What a denoiser learns
# description: The posterior mean, Tweedie's formula and the score, with exact arrows beside those of a small trained denoiser in two dimensions, the Jacobian as a covariance, and Alain and Bengio's expansion with all of its terms.
# ---

# %% [markdown]
# # What a denoiser learns
#
# !!! abstract "In two sentences"
#     The best denoiser answers with the mean of all clean points that could lie behind a
#     noisy one, and the step that it takes, divided by $\sigma^2$, is exactly the
#     [score](../glossary.md#score): the direction in which noisy data become denser. A
#     small network that only ever learned to denoise points on a curve has arrows within
#     10 % of the exact ones at three noise levels, wherever the noisy density is above
#     1 % of its maximum, and wrong ones where it never saw a point.
#
# [Why noise?](../learn/why-noise.md) says that a denoiser points back to the data. This
# page shows it where everything can be written down: in two dimensions. What comes out of
# a network is laid over what must come out.
#
# !!! warning "No noise on this page is clipped"
#     Every formula here rests on noise that is exactly Gaussian. [Clipped noise is
#     not](../evidence/clipped-or-not.py), and none of this holds for it.
#
# ## The best answer is a mean
#
# Someone draws a clean point $x$, adds noise of standard deviation $\sigma$, and shows us
# $\tilde{x}$. Many clean points could lie behind it, some more likely than others. Which
# single answer $D(\tilde{x})$ has the least squared error on average? Their mean,
# $\mathbb{E}[x \mid \tilde{x}]$, the
# **[posterior mean](../glossary.md#posterior-mean)**. For any other answer the error
# splits in two:
#
# $$\mathbb{E}\,\lVert D(\tilde{x}) - x \rVert^2
# = \underbrace{\mathbb{E}\,\lVert D(\tilde{x}) - \mathbb{E}[x \mid \tilde{x}]
# \rVert^2}_\text{excess: what can be learned}
# + \underbrace{\mathbb{E}\,\lVert \mathbb{E}[x \mid \tilde{x}] - x
# \rVert^2}_\text{floor: what nobody can know}$$
#
# The two parts simply add up because $x - \mathbb{E}[x \mid \tilde{x}]$ is zero on average
# for each $\tilde{x}$, so its product with anything that depends on $\tilde{x}$ alone is
# zero, too. An error by itself therefore says little. What counts is how far it lies
# *above the floor*.
#
# Our data are 500 points on a curve. For a finite set the posterior mean can be computed:
# it is the mean of the points, each weighted by how well it explains $\tilde{x}$.
# [`FiniteSet`](../reference/score.md) does that.

# %%
import math

import torch
from torch import nn

from dae_tutorial.theory.score import FiniteSet, GaussianMixture

place = torch.linspace(0, 1, 500)
angle, radius = 0.6 + 4.6 * place, 0.5 + 0.9 * place
points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
points = points - points.mean(dim=0)
curve = FiniteSet(points)

# %% [markdown]
# Beside it stands a network. It is the plainest denoiser there is: three numbers in, the
# noisy point and its level; two numbers out. It learns from pairs of noisy and clean
# points at levels around 0.3, and from nothing else. (`Preconditioned` scales what goes in
# and what comes out; [the page after next](from-denoiser-to-generator.py) explains it.)

# %%
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.theory.multilevel import MultilevelPairs, Preconditioned
from dae_tutorial.train import fit, one_cycle

torch.manual_seed(0)
network = nn.Sequential(
    nn.Linear(3, 128),
    nn.SiLU(),
    nn.Linear(128, 128),
    nn.SiLU(),
    nn.Linear(128, 128),
    nn.SiLU(),
    nn.Linear(128, 2),
)
denoise = Preconditioned(network, sigma_data=points.square().mean().sqrt().item())
repeated = ImageTensors(points.repeat(40, 1), torch.zeros(20_000))
loader = repeated.loader(512, shuffle=True)
pairs = MultilevelPairs(loader, denoise, mean=math.log(0.3), deviation=1.0)
optimizer, scheduler = one_cycle(network, pairs, 90, peak=5e-3, betas=(0.9, 0.99))
fit(network, pairs, None, epochs=90, optimizer=optimizer, scheduler=scheduler)
denoise.eval()

levels = [0.1, 0.3, 1.0]
generator = torch.Generator().manual_seed(1)
print("level   network's error   floor   excess")
excess = {}
for sigma in levels:
    clean = points.repeat(40, 1)
    noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
    with torch.no_grad():
        answer, best = denoise(noisy, sigma), curve.posterior_mean(noisy, sigma)
    error = (answer - clean).square().sum(dim=1).mean()
    floor = (best - clean).square().sum(dim=1).mean()
    excess[sigma] = (answer - best).square().sum(dim=1).mean() / floor
    print(f"{sigma:5}   {error:15.4f}   {floor:.4f}   {excess[sigma]:.1%} of the floor")

# %% tags=["check"]
assert all(share < 0.03 for share in excess.values())

# %% [markdown]
# The network's error is all floor: it exceeds it by less than 3 % at each level. It has
# learned nearly all that there is to learn, and yet it is wrong about each single point,
# because the noise has destroyed what would tell.
#
# ## Tweedie's formula, in three lines
#
# Why should an average of points know the slope of a density? Write down the density of
# noisy points, $p_\sigma(\tilde{x}) = \mathbb{E}_x\,[\,\varphi_\sigma(\tilde{x} - x)\,]$,
# a bell of width $\sigma$ over each clean point. The slope of a bell is the bell itself,
# times $(x - \tilde{x}) / \sigma^2$. So
#
# $$\nabla p_\sigma(\tilde{x})
# = \mathbb{E}_x \left[ \varphi_\sigma(\tilde{x} - x)\, \frac{x - \tilde{x}}{\sigma^2}
# \right]$$
#
# Divide by $p_\sigma(\tilde{x})$. On the left this makes the gradient of a logarithm. On
# the right, each bell divided by the sum of all is the probability that its point lies
# behind $\tilde{x}$, so what is left is a posterior mean:
#
# $$\nabla \ln p_\sigma(\tilde{x})
# = \frac{\mathbb{E}[x \mid \tilde{x}] - \tilde{x}}{\sigma^2}$$
#
# The left side is the **score** of the noisy density. Nothing was assumed about the data,
# and all about the noise: only a Gaussian bell has this slope. Let us see both sides, the
# left one by automatic differentiation.

# %%
exact = FiniteSet(points.double())
noisy = torch.randn(50, 2, generator=generator, dtype=torch.float64).requires_grad_()
(slope,) = torch.autograd.grad(exact.log_density(noisy, 0.3).sum(), noisy)
arrow = (exact.posterior_mean(noisy, 0.3) - noisy) / 0.3**2
print(f"largest difference: {(slope - arrow).abs().max():.1e}")

# %% tags=["check"]
assert (slope - arrow).norm() < 1e-10 * slope.norm()

# %% [markdown]
# A network $r$ that is trained to denoise therefore gives a score for free,
# $(r(\tilde{x}) - \tilde{x}) / \sigma^2$. Training it to *match* the score would be the
# same training. For the score $s$ that belongs to a denoiser $D$,
#
# $$\sigma^4\, \mathbb{E}\,\lVert s(\tilde{x}) - \nabla \ln p_\sigma(\tilde{x}) \rVert^2
# = \mathbb{E}\,\lVert D(\tilde{x}) - x \rVert^2 - \text{floor},$$
#
# and the floor does not depend on the network. This is **denoising score matching**
# ([Vincent, 2011](../bibliography.md#vincent2011)): two losses that differ by a constant.
# It is the split at the top of this page once more.
#
# ## The arrows, learned and exact

# %% tags=["hide-code"] alt="Nine panels, three columns for noise levels 0.1, 0.3 and 1, and three rows. Top row: the noisy density as shades, a narrow band along the curve at 0.1 and a round blob at 1, with exact arrows that point towards it. Middle row: the arrows of the trained network, which look the same near the data. Bottom row: a map of their relative difference with the curve drawn over it: small along the data, and large in the corners and in the middle of the curve at the lowest level."
import matplotlib.pyplot as plt

from dae_tutorial import figures

BLUE, ORANGE, TEAL = figures.COLOURS.values()


def grid(count, reach=2.4):
    axis = torch.linspace(-reach, reach, count)
    return torch.cartesian_prod(axis, axis)


fine, coarse = grid(81), grid(13)
with plt.rc_context(figures.STYLE | {"font.size": 10}):
    figure, panels = plt.subplots(3, 3, figsize=(6.5, 6.9), layout="constrained")
off = {}
for column, sigma in zip(panels.T, levels, strict=True):
    density = curve.log_density(fine, sigma).exp()
    with torch.no_grad():
        learned = (denoise(fine, sigma) - fine) / sigma**2
        arrows = [
            curve.score(coarse, sigma),
            (denoise(coarse, sigma) - coarse) / sigma**2,
        ]
    right = curve.score(fine, sigma)
    off[sigma] = (learned - right).norm(dim=1) / right.norm(dim=1).clamp(
        min=0.1 / sigma
    )
    extent = (-2.4, 2.4, -2.4, 2.4)
    for panel, field in zip(column, arrows, strict=False):
        panel.imshow(
            density.reshape(81, 81).T,
            extent=extent,
            origin="lower",
            cmap="Blues",
            alpha=0.8,
        )
        # All arrows have one length: their sizes differ by a factor of a hundred.
        unit = field / field.norm(dim=1, keepdim=True)
        panel.quiver(
            *coarse.T, *unit.T, color=ORANGE, scale=16, width=0.008, pivot="mid"
        )
    image = column[2].imshow(
        off[sigma].reshape(81, 81).T,
        extent=extent,
        origin="lower",
        cmap="magma",
        vmin=0,
        vmax=1,
    )
    column[2].plot(*points.T, color="white", linewidth=1.2)
    column[0].set_title(f"σ = {sigma}")
for panel in panels.flat:
    panel.set(xticks=[], yticks=[], xlim=(-2.4, 2.4), ylim=(-2.4, 2.4))
for panel, name in zip(panels[:, 0], ["exact", "learned", "difference"], strict=True):
    panel.set_ylabel(name)
figure.colorbar(
    image, ax=list(panels[2]), shrink=0.8, ticks=[0, 0.5, 1], label="relative"
)
plt.close(figure)
figure

# %% [markdown]
# Shades are the density of noisy points. The arrows show directions only. Above are the
# exact ones, in the middle those of the network. The map below shows how far the two are
# apart, relative to the exact one.

# %%
agreement = {}
for sigma in levels:
    log_density = curve.log_density(fine, sigma)
    near = log_density > log_density.max() + math.log(0.01)
    with torch.no_grad():
        learned = (denoise(fine, sigma) - fine) / sigma**2
    right = curve.score(fine, sigma)
    cosine = nn.functional.cosine_similarity(learned, right, dim=1)[near].mean()
    miss = (learned - right).square().sum(dim=1)
    error = (miss[near].sum() / right[near].square().sum()).sqrt()
    agreement[sigma] = cosine, error
    print(f"σ = {sigma}: cosine {cosine:.3f}, relative error {error:.1%}")
    if sigma == 0.1:
        elsewhere = (miss[~near].sum() / right[~near].square().sum()).sqrt()
print(f"σ = 0.1, where the density is lower: relative error {elsewhere:.0%}")

# %% tags=["check"]
assert all(cosine > 0.99 for cosine, _ in agreement.values())
assert all(error < 0.1 for _, error in agreement.values())
assert elsewhere > 1.5 * agreement[0.1][1]

# %% [markdown]
# Near the data, where the density is above 1 % of its maximum, the mean cosine is above
# 0.99 and the error below 10 %. Where no training point ever fell, nothing holds the network
# to the truth: look at the bright places at $\sigma = 0.1$. This is no flaw of this
# network. The loss is an average over noisy *data*, so it does not ask what happens
# elsewhere. It is also why one level is not enough to draw new points with: whoever starts
# far away needs arrows there, and only high noise teaches them.
#
# ## Follow the arrows
#
# Drop points anywhere and let them take the network's steps, from high noise down to low.
# Each goes where the density grows, and ends at the curve.

# %%
from dae_tutorial.theory.sampling import draw_start, noise_levels, step_down

paths = []
start = draw_start((60, 2), 3.0, generator=torch.Generator().manual_seed(2))
ends = step_down(denoise, start, noise_levels(40, 3.0, 0.02), watch=paths.append)
distance = torch.cdist(ends, points).min(dim=1).values
print(
    f"distance to the curve: median {distance.median():.3f}, largest {distance.max():.3f}"
)

# %% tags=["check"]
assert distance.median() < 0.03

# %% tags=["hide-code"] alt="Sixty thin paths that begin in a wide cloud and bend towards a spiral curve; all of them end on it or very near it."
with plt.rc_context(figures.STYLE | {"font.size": 10}):
    figure, panel = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
way = torch.stack([start, *paths])  # (steps, 60, 2)
for path in way.unbind(dim=1):
    panel.plot(*path.T, color=BLUE, linewidth=0.7, alpha=0.7)
panel.plot(*points.T, color=TEAL, linewidth=2)
panel.plot(*ends.T, "o", color=ORANGE, markersize=4)
panel.set(xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
plt.close(figure)
figure

# %% [markdown]
# That is the picture behind the word *manifold*: data fill a thin set, and a denoiser is a
# map of the way back. [From denoiser to generator](from-denoiser-to-generator.py) does the
# same with digits.
#
# ## The Jacobian is a covariance
#
# How does the answer move when the noisy point moves? Differentiate Tweedie's formula once
# more, and the spread of the clean points behind $\tilde{x}$ appears:
#
# $$\frac{\partial\, \mathbb{E}[x \mid \tilde{x}]}{\partial \tilde{x}}
# = \frac{\operatorname{Cov}[x \mid \tilde{x}]}{\sigma^2}$$
#
# So the Jacobian of a perfect denoiser is symmetric, and none of its eigenvalues is
# negative. Along the curve the clean point is uncertain, and the denoiser lets movement
# pass. Across the curve it is certain, and movement is taken away.

# %%
sigma = 0.1
on_curve = points[250].double()
tangent = (points[251] - points[249]).double()
tangent = tangent / tangent.norm()
normal = torch.stack([-tangent[1], tangent[0]])
jacobian = torch.autograd.functional.jacobian(
    lambda noisy: exact.posterior_mean(noisy[None], sigma)[0], on_curve
)
covariance = exact.posterior_covariance(on_curve[None], sigma)[0]
with torch.no_grad():
    step = 0.01
    learned_along, learned_across = (
        (
            denoise((on_curve + step * way)[None].float(), sigma)
            - denoise((on_curve - step * way)[None].float(), sigma)
        )[0].double()
        @ way
        / (2 * step)
        for way in (tangent, normal)
    )
along, across = (way @ jacobian @ way for way in (tangent, normal))
print(
    f"largest difference from the covariance: {(jacobian - covariance / sigma**2).abs().max():.0e}"
)
print(f"along the curve:  exact {along:.3f}, network {learned_along:.3f}")
print(f"across the curve: exact {across:.3f}, network {learned_across:.3f}")

# %% tags=["check"]
assert torch.allclose(jacobian, covariance / sigma**2, rtol=1e-9, atol=1e-10)
assert torch.allclose(jacobian, jacobian.T, atol=1e-12)
assert (torch.linalg.eigvalsh(jacobian) > 0).all()
assert along > 0.9
assert across < 0.1
assert abs(learned_along - along) < 0.15
assert abs(learned_across - across) < 0.15

# %% [markdown]
# This is also the link to the **contractive autoencoder**
# ([Rifai et al., 2011](../bibliography.md#rifai2011)), which is punished for the size of its
# Jacobian. A DAE is punished, too, without anybody writing it down: by how much, the next
# section says.
#
# ## What noise adds to the loss
#
# Take one clean point $x$ and any smooth reconstruction $r$. Averaged over noise $n \sim
# \mathcal{N}(0, I)$, and with $\Delta r$ for the sum of second derivatives,
#
# $$\mathbb{E}\,\lVert r(x + \sigma n) - x \rVert^2 = \lVert r(x) - x \rVert^2
# + \sigma^2 \lVert J \rVert_F^2 + \sigma^2 (r(x) - x) \cdot \Delta r(x) + O(\sigma^4)$$
#
# The second term is the contractive penalty. The third is missing from most tellings of
# this story. It comes from the curvature of $r$, and it vanishes only where $r(x) \approx
# x$, at the end of a good training. [Alain and Bengio
# (2014)](../bibliography.md#alain2014) expand $r$ around its optimum, where this holds. Does it matter? Let the
# network that we have trained be $r$, at a point where it does move what it is given. The
# average over the noise is an integral, done exactly enough by Gauss and Hermite.

# %%
import numpy as np

smooth = network.double()


def reconstruct(noisy):
    told = torch.cat([noisy, torch.full_like(noisy[:, :1], math.log(0.3) / 4)], dim=1)
    return smooth(told)


x = torch.tensor([[0.3, 0.2]], dtype=torch.float64)
nodes, node_weights = np.polynomial.hermite_e.hermegauss(24)
nodes = torch.cartesian_prod(*[torch.tensor(nodes)] * 2)
node_weights = torch.cartesian_prod(*[torch.tensor(node_weights)] * 2).prod(dim=1)
node_weights = node_weights / node_weights.sum()


def loss(sigma):
    with torch.no_grad():
        return node_weights @ (reconstruct(x + sigma * nodes) - x).square().sum(dim=1)


def one(point):
    return reconstruct(point[None])[0]


with torch.no_grad():
    residual = reconstruct(x)[0] - x[0]
slopes = torch.autograd.functional.jacobian(one, x[0])
laplacian = torch.stack(
    [
        torch.autograd.functional.hessian(lambda p, i=i: one(p)[i], x[0]).trace()
        for i in range(2)
    ]
)
sigmas = torch.logspace(-2.7, -2, 8).double()
losses = torch.stack([loss(sigma) for sigma in sigmas])
contractive = residual.square().sum() + sigmas**2 * slopes.square().sum()
remainders = {
    "all terms": losses - contractive - sigmas**2 * (residual @ laplacian),
    "without the Laplacian": losses - contractive,
}
orders = {}
for name, remainder in remainders.items():
    logs = torch.stack([sigmas.log(), torch.ones_like(sigmas)], dim=1)
    fitted = torch.linalg.lstsq(logs, remainder.abs().log()[:, None]).solution
    orders[name] = fitted[0].item()
    print(f"{name}: the remainder falls like σ to the power {orders[name]:.2f}")
network.float()
# %% tags=["check"]
assert abs(orders["all terms"] - 4) < 0.1
assert abs(orders["without the Laplacian"] - 2) < 0.1

# %% [markdown]
# With all terms, the remainder is of fourth order, as it must be. Without the Laplacian
# it is of second order: as large as the penalty that it was to leave behind.
#
# ## The case that can be solved on paper
#
# Let the data be Gaussian, with covariance $\Sigma$ around zero. Then the noisy density is
# Gaussian, too, its score is linear, and Tweedie's formula gives the best denoiser:
# $\Sigma\,(\Sigma + \sigma^2 I)^{-1}\,\tilde{x}$. It keeps directions in which the data
# spread and shrinks the others. It is also what a linear DAE learns from *any* data with that
# covariance, since a squared error sees no more of them. The best linear denoiser of
# [How good is it?](../evidence/how-good.py), found by
# [`fit_linear`][dae_tutorial.evidence.baselines.fit_linear], is this matrix.

# %%
covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
bell = GaussianMixture(torch.zeros(1, 2, dtype=torch.float64), covariance[None])
noisy = torch.randn(5, 2, generator=generator, dtype=torch.float64)
matrix = covariance @ torch.linalg.inv(covariance + 0.5**2 * torch.eye(2))
difference = bell.posterior_mean(noisy, 0.5) - noisy @ matrix.T

clean = bell.draw(200_000, generator=generator)
shaken = clean + 0.5 * torch.randn(
    clean.shape, generator=generator, dtype=torch.float64
)
learned_matrix = torch.linalg.lstsq(shaken, clean).solution.T
print(f"formula and posterior mean differ by {difference.abs().max():.0e}")
print(
    f"a linear DAE, fitted to 200,000 pairs, by {(learned_matrix - matrix).abs().max():.3f}"
)

# %% tags=["check"]
assert difference.abs().max() < 1e-12
assert (learned_matrix - matrix).abs().max() < 0.01

# %% [markdown]
# ## What to take along
#
# - The best denoiser is a mean. Its error has a floor, and only what lies above it can be
#   learned.
# - Its step over $\sigma^2$ is the score of the *noisy* density: exactly, for Gaussian
#   noise, and for no other on this site.
# - A network learns this where the noisy data are, and nowhere else.
#
# Next: [the same on digits](on-digits.py), where the exact answer can be computed as well,
# and where it is not what we want.
