# ---
# title: What a denoiser learns
# description: The posterior mean, Tweedie's formula and the score, with exact arrows beside those of a small trained denoiser and its clean-trained twin in two dimensions, the Jacobian as a covariance, and what noise adds to the loss, with all of its terms.
# ---

# %% [markdown]
# # What a denoiser learns
#
# !!! abstract "In two sentences"
#     The best denoiser answers with the mean of all clean points that could lie behind a
#     noisy one, and the step that it takes, divided by $\sigma^2$, is exactly the
#     [score](../glossary.md#score): the direction in which noisy data become denser. A
#     small network that only ever learned to denoise points on a curve gets these arrows
#     right to within 10 % (root mean square) at three noise levels, where the noisy density
#     is above 1 % of its maximum, and much worse where it never saw a point.
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
# [`FiniteSet`](../reference/score.md) does that. (With images, such a set is all that one
# has, and the best answer is then made of training images alone: [Does it
# copy?](does-it-copy.py) takes this up.)

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
# The level $\sigma$ is measured in the units of the data, whose spread is about 0.7 here.
#
# Its [twin](../glossary.md#twin) has the same layers, the same start, the same
# [batches](../glossary.md#batch) and as many steps. Only the noise is missing: it sees
# clean points, is told a level, and should return what it sees. Each of the two has 33,794
# [weights](../glossary.md#weight) and meets a million points, which takes seconds.

# %%
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.theory.multilevel import MultilevelPairs, Preconditioned
from dae_tutorial.train import fit, one_cycle

spread = points.square().mean().sqrt().item()


class CleanPairs(MultilevelPairs):
    """The same questions without noise: input and target are one point."""

    def __iter__(self):
        for clean, _ in self.loader:
            level = torch.randn(len(clean), generator=self.generator)
            sigma = (self.mean + self.deviation * level).exp()
            yield self.denoiser.question(clean, clean, sigma)


def trained(make_pairs, seed=0, epochs=40):
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Linear(3, 128),
        nn.SiLU(),
        nn.Linear(128, 128),
        nn.SiLU(),
        nn.Linear(128, 128),
        nn.SiLU(),
        nn.Linear(128, 2),
    )
    denoiser = Preconditioned(network, sigma_data=spread)
    repeated = ImageTensors(points.repeat(40, 1), torch.zeros(20_000))
    loader = repeated.loader(512, shuffle=True)
    pairs = make_pairs(loader, denoiser, mean=math.log(0.3), deviation=1.0)
    optimizer, scheduler = one_cycle(network, pairs, epochs, 1e-2, betas=(0.9, 0.99))
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": epochs}
    fit(network, pairs, None, device="cpu", **recipe)
    return denoiser.eval().requires_grad_(False)


denoise = trained(MultilevelPairs)
twin = trained(CleanPairs)

# %% [markdown]
# Two more rivals need no training. One does nothing. The other is the best *linear*
# denoiser, which the end of this page derives.

# %%
from dae_tutorial.evidence.comparison import Comparison

centred = points.T @ points / len(points)  # the mean is zero: this is the covariance


def linear(noisy, sigma):
    return noisy @ torch.linalg.solve(centred + sigma**2 * torch.eye(2), centred)


rivals = {
    "doing nothing": lambda noisy, sigma: noisy,
    "linear": linear,
    "clean-trained twin": twin,
    "denoising network": denoise,
}
generator = torch.Generator().manual_seed(1)


def drawn(sigma, copies=40):
    """Return clean and noisy points, (500 * copies, 2) each."""
    clean = points.repeat(copies, 1)
    return clean, clean + sigma * torch.randn(clean.shape, generator=generator)


def squared(difference):
    return difference.square().sum(dim=1)  # (batch, 2) → (batch,)


levels = [0.1, 0.3, 1.0]
shares, errors = {}, {}
for sigma in levels:
    clean, noisy = drawn(sigma)
    best = curve.posterior_mean(noisy, sigma)
    floor = squared(best - clean).mean().item()
    errors[sigma, "least possible"] = [floor, None]
    for name, rival in rivals.items():
        answer = rival(noisy, sigma)
        error = squared(answer - clean).mean().item()
        excess = squared(answer - best).mean().item()
        shares[name, sigma] = excess / floor
        errors[sigma, name] = [error, excess / floor]

Comparison(
    "Average squared error, and how far it is above the least possible",
    {"error": ".4f", "above": ".1%"},
    errors,
    names=("σ", "denoiser"),
)

# %% tags=["check"]
assert all(shares["denoising network", sigma] < 0.03 for sigma in levels)
assert sum(part.numel() for part in denoise.parameters()) == 33_794
assert 50 * len(points) * 40 == 1_000_000
# %% [markdown]
# The denoising network's error is nearly all floor: it exceeds it by less than 3 % at each
# level. It has learned nearly all that there is to learn, and yet it is wrong about each
# single point, because the noise has destroyed what would tell. Its twin does no better
# than doing nothing. It knows each point of the curve, and nothing made it learn the way
# back to it.
#
# Over more levels, the excess alone:

# %% tags=["check"]
for sigma in levels:
    assert shares["clean-trained twin", sigma] > 0.9 * shares["doing nothing", sigma]

# %%
range_of_levels = torch.logspace(-1.5, 0.5, 13).tolist()
floors, lines = [], {name: [] for name in rivals}
for sigma in range_of_levels:
    clean, noisy = drawn(sigma, copies=10)
    best = curve.posterior_mean(noisy, sigma)
    floors.append(squared(best - clean).mean().item())
    for name, rival in rivals.items():
        lines[name].append(squared(rival(noisy, sigma) - best).mean().item())

# %% tags=["hide-code"] alt="Mean squared excess over the noise level, both axes logarithmic. The floor rises from 0.001 to about 1 and levels off. Doing nothing and the clean-trained twin lie at the floor at low levels and far above it at high ones. The linear denoiser joins them at low levels and falls far below the floor at high ones, at last below the denoising network. That lies a hundred times below the floor or more, but at the lowest levels."
import matplotlib.pyplot as plt

from dae_tutorial import figures

BLUE, ORANGE, TEAL = figures.COLOURS.values()

with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, panel = plt.subplots(figsize=(figures.WIDTH, 4.2), layout="constrained")
styles = [("-", figures.INK["light"]), ("-", TEAL), ("--", ORANGE), ("-", ORANGE)]
for (name, line), (style, colour) in zip(lines.items(), styles, strict=True):
    panel.loglog(range_of_levels, line, style, color=colour, label=name)
panel.fill_between(
    range_of_levels, floors, 1e-7, color=BLUE, alpha=0.15, label="floor", linewidth=0
)
panel.set(
    xlabel="level σ", ylabel="excess over the floor", ylim=(1e-6, 30), xlim=(0.032, 3.2)
)
panel.legend(fontsize=10, loc="lower right", frameon=False)
plt.close(figure)
figure

# %% [markdown]
# The shaded part is the floor. A logarithm shows the excess, and the whole error would
# hide it: the network's would lie on the edge of the floor. The linear denoiser is nearly
# perfect at high levels, where only mean and covariance of the data are left to see, and
# useless at low ones, where the curve is. At the highest it even beats the network, which
# hardly met such levels and has to find by training what a formula gives.

# %% tags=["check"]
assert lines["linear"][-1] < lines["denoising network"][-1]
assert lines["linear"][0] > 10 * lines["denoising network"][0]

# %% [markdown]
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
double = FiniteSet(points.double())
noisy = torch.randn(50, 2, generator=generator, dtype=torch.float64).requires_grad_()
(slope,) = torch.autograd.grad(double.log_density(noisy, 0.3).sum(), noisy)
arrow = (double.posterior_mean(noisy, 0.3) - noisy) / 0.3**2
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
# It is the split at the top of this page once more. Divided by $\sigma^4$, the error on the
# right is the distance from $s$ to $(x - \tilde{x}) / \sigma^2$, a single arrow back to the
# clean point, squared. It can be measured with pairs of points, without any knowledge of
# $p_\sigma$. Take four guesses at the score at $\sigma = 0.3$, good and bad, and measure
# both squared distances. The gap is always the same:

# %%
sigma = 0.3
clean, noisy = drawn(sigma)
score, target = curve.score(noisy, sigma), (clean - noisy) / sigma**2
spreads = curve.posterior_covariance(noisy, sigma).diagonal(dim1=1, dim2=2)
constant = spreads.sum(dim=1).mean() / sigma**4
print(f"floor / σ⁴: {constant:.2f}")
gaps, distances = [], {}
for name, rival in rivals.items():
    guess = (rival(noisy, sigma) - noisy) / sigma**2
    to_target, to_score = squared(guess - target), squared(guess - score)
    gap = to_target - to_score
    gaps.append((gap.mean(), 4 * gap.std() / len(gap) ** 0.5))
    distances[name] = [to_target.mean(), to_score.mean(), gaps[-1]]

Comparison(
    "Squared distance of each guess",
    {"to the noise": ".2f", "to the score": ".2f", "gap": ".2f"},
    distances,
)

# %% tags=["check"]
assert all(abs(gap - constant) < margin for gap, margin in gaps)

# %% [markdown]
# (± is four standard errors.)
#
# ## The arrows, learned and exact


# %%
def grid(count, reach=2.4):
    axis = torch.linspace(-reach, reach, count)
    return torch.cartesian_prod(axis, axis)  # (count², 2)


fine, difference, agreement = grid(81), {}, {}
for sigma in levels:
    log_density = curve.log_density(fine, sigma)
    near = log_density > log_density.max() + math.log(0.01)
    exact, learned = curve.score(fine, sigma), (denoise(fine, sigma) - fine) / sigma**2
    difference[sigma] = (learned - exact).norm(dim=1)
    cosine = nn.functional.cosine_similarity(learned, exact, dim=1)
    for name, part in {"above 1 %": near, "below 1 %": ~near}.items():
        if part.any():
            error = difference[sigma][part].norm() / exact[part].norm()
            agreement[name, sigma] = cosine[part].mean(), error

Comparison(
    "Learned and exact scores, where the density is above or below 1 % of its largest",
    {"mean cosine": ".3f", "relative error": ".1%"},
    {(sigma, name): found for (name, sigma), found in agreement.items()},
    names=("σ", "density"),
)

# %% tags=["check"]
for sigma in levels:
    assert agreement["above 1 %", sigma][0] > 0.985
    assert agreement["above 1 %", sigma][1] < 0.1
assert agreement["below 1 %", 0.1][1] > 2 * agreement["above 1 %", 0.1][1]

# %% tags=["hide-code"] alt="Nine panels, three columns for noise levels 0.1, 0.3 and 1, and three rows. Top row: the noisy density as shades, a narrow band along the curve at 0.1 and a round blob at 1, with exact arrows that point towards it. Middle row: the arrows of the trained network, which look the same near the data. Bottom row: a map of their relative difference with the curve drawn over it: small along the data, and large in the corners and in the middle of the curve at the lowest level."
coarse = grid(13)
extent = (-2.4, 2.4, -2.4, 2.4)
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, panels = plt.subplots(
        3, 3, figsize=(figures.WIDTH, 5.3), layout="constrained"
    )
for column, sigma in zip(panels.T, levels, strict=True):
    log_density = curve.log_density(fine, sigma).reshape(81, 81).T
    fields = curve.score(coarse, sigma), (denoise(coarse, sigma) - coarse) / sigma**2
    for panel, field in zip(column, fields, strict=False):
        panel.imshow(
            log_density.exp(), extent=extent, origin="lower", cmap="Blues", alpha=0.8
        )
        # All arrows have one length: their sizes differ by a factor of a hundred.
        unit = field / field.norm(dim=1, keepdim=True)
        panel.quiver(
            *coarse.T, *unit.T, color=ORANGE, scale=16, width=0.008, pivot="mid"
        )
    image = column[2].imshow(
        (sigma * difference[sigma]).reshape(81, 81).T,
        extent=extent,
        origin="lower",
        cmap="magma",
        vmin=0,
        vmax=1,
    )
    column[2].plot(*points.T, color="#67e8f9", linewidth=1.2)
    column[2].contour(
        log_density,
        levels=[(log_density.max() + math.log(0.01)).item()],
        extent=extent,
        colors="#67e8f9",
        linestyles="dashed",
        linewidths=1,
    )
    column[0].set_title(f"σ = {sigma}", fontsize=11)
for panel in panels.flat:
    panel.set(xticks=[], yticks=[], xlim=(-2.4, 2.4), ylim=(-2.4, 2.4))
for panel, name in zip(panels[:, 0], ["exact", "learned", "difference"], strict=True):
    panel.set_ylabel(name)
bar = figure.colorbar(image, ax=list(panels[2]), shrink=0.8, ticks=[0, 0.5, 1])
bar.set_label("times σ")
plt.close(figure)
figure

# %% [markdown]
# Shades are the density of noisy points. The arrows show directions only. Above are the
# exact ones, in the middle those of the network. The map below shows how long the
# difference of the two is, times $\sigma$: at 1 the network's answer is a whole standard
# deviation of the noise away from the best one. The solid line is the curve; within the
# dashed line the density is above 1 % of its maximum. At $\sigma = 1$ that is the whole
# picture.
#
# Within the dashed line, the mean cosine is 0.99 or more and the relative error below
# 10 %. (Not every cosine is so close to 1: where the score is nearly zero, on the curve
# itself, its direction means little.) Where no training point ever fell, nothing holds the
# network to the truth: look at the bright places at $\sigma = 0.1$. The loss is an average
# over noisy *data*, so it does not ask what happens elsewhere. It is also why one level is
# not enough to draw new points with: whoever starts far away needs arrows there, and only
# high noise teaches them.
#
# Is the network just not trained for long enough? Try `trained(MultilevelPairs,
# epochs=320)`, which is eight times as long, and draw the map again. Which of the two
# errors at $\sigma = 0.1$ goes down, the one within the dashed line or the one outside?
#
# ## Follow the arrows
#
# Drop points anywhere and let each take the network's step, again and again. Which level
# should the network be told? Try one level throughout, 0.3, and levels that fall from
# high to low.

# %%
from dae_tutorial.theory.sampling import draw_start, noise_levels, step_down

start = draw_start((60, 2), 3.0, generator=torch.Generator().manual_seed(2))
one_level = [start]
for _ in range(300):
    one_level.append(denoise(one_level[-1], 0.3))

falling = [start]
step_down(denoise, start, noise_levels(40, 3.0, 0.02), watch=falling.append)

reached = {}
for name, way in {"one level": one_level, "falling levels": falling}.items():
    apart = torch.cdist(way[-1], points)  # (60, 500)
    off, near = apart.amin(dim=1).median(), apart.amin(dim=0) < 0.15
    reached[name] = off, near.float().mean()

Comparison(
    "Where 60 points end",
    {"median distance to the curve": ".3f", "curve with an end within 0.15": ".0%"},
    reached,
)

# %% tags=["check"]
assert reached["falling levels"][0] < 0.03
assert reached["falling levels"][1] > reached["one level"][1] + 0.2
assert reached["one level"][0] > 2 * reached["falling levels"][0]
assert reached["one level"][1] < 0.3

# %% tags=["hide-code"] alt="Two panels with sixty thin paths that begin in a wide cloud, and a spiral curve. Left, one level: the paths run together and end in the same place beside the curve, near its inner end. Right, falling levels: the ends lie on the curve, along all of its length."
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, panels = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 3.1), layout="constrained"
    )
ways = {"σ = 0.3 throughout": one_level, "σ from 3 to 0.02": falling}
for panel, (name, way) in zip(panels, ways.items(), strict=True):
    for path in torch.stack(way).unbind(dim=1):
        panel.plot(*path.T, color=BLUE, linewidth=0.7, alpha=0.6)
    panel.plot(*points.T, color=TEAL, linewidth=2)
    panel.plot(*way[-1].T, "o", color=ORANGE, markersize=4)
    panel.set(xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    panel.set_title(name, fontsize=11)
plt.close(figure)
figure

# %% [markdown]
# With one level, the points climb to where the *noisy* density is highest. That is not on
# the curve but beside it, on the inner side of its bend. All sixty end near the inner end
# of the curve, where the data lie closest together. So denoising again and again at one
# level does not give new data. Levels that fall bring the points to the curve, and spread
# them along all of it.
#
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
# pass. Across the curve it is certain, and movement is taken away. Nothing forces the
# network to have such a Jacobian. Does it?


# %%
def jacobian(denoiser, noisy):
    noisy = noisy.clone().requires_grad_()
    answer = denoiser(noisy)
    rows = [
        torch.autograd.grad(answer[:, i].sum(), noisy, retain_graph=True)[0]
        for i in range(2)
    ]
    return torch.stack(rows, dim=1)  # (batch, 2, 2)


sigma, inner = 0.1, slice(50, 450)  # away from the two ends
places = points[inner].double()
by_gradient = jacobian(lambda noisy: double.posterior_mean(noisy, sigma), places)
covariance = double.posterior_covariance(places, sigma)
print(
    f"exact: largest difference {(by_gradient - covariance / sigma**2).abs().max():.0e}"
)

of_network = jacobian(lambda noisy: denoise(noisy, sigma), points[inner]).double()
tangent = nn.functional.normalize(points[51:451] - points[49:449], dim=1).double()
normal = torch.stack([-tangent[:, 1], tangent[:, 0]], dim=1)
stretch = {}
for name, matrices in {"exact": by_gradient, "network": of_network}.items():
    along, across = (
        torch.einsum("bi,bij,bj->b", way, matrices, way).mean().item()
        for way in (tangent, normal)
    )
    skew = (matrices - matrices.mT).norm() / (matrices + matrices.mT).norm()
    stretch[name] = along, across, skew.item()
    print(f"{name:7}: along {along:.2f}, across {across:.2f}, not symmetric {skew:.1%}")

# %% tags=["check"]
assert torch.allclose(by_gradient, covariance / sigma**2, rtol=1e-9, atol=1e-10)
assert torch.allclose(by_gradient, by_gradient.mT, atol=1e-12)
assert (torch.linalg.eigvalsh(by_gradient) > 0).all()
for along, across, skew in stretch.values():
    assert along > 0.85
    assert across < 0.15
    assert skew < 0.15

# %% [markdown]
# On average it does, though nobody asked for it. Here is what that means for single points,
# at $\sigma = 0.3$. A line leads from each noisy point to its answer. The ellipse around
# the answer holds the clean points that could be meant, as far as their covariance tells:
# solid for the exact one, dashed for $\sigma^2$ times the network's Jacobian. The network
# has never seen a spread. It was trained to give one answer, and its slope tells roughly
# how sure it is.

# %%
_, shaken = drawn(0.3, copies=4)
true_spread = curve.posterior_covariance(shaken, 0.3)
told_spread = 0.3**2 * jacobian(lambda noisy: denoise(noisy, 0.3), shaken)
miss = (told_spread - true_spread).norm(dim=(1, 2)) / true_spread.norm(dim=(1, 2))
print(
    f"the network's covariance is off by {miss.median():.0%} (median of 2,000 points)"
)

# %% tags=["check"]
assert miss.median() < 0.25

# %% tags=["hide-code"] alt="A spiral curve with eight noisy points beside it. From each a line leads to the denoiser's answer, around which a solid and a dashed ellipse lie close to each other. They are long along the curve and narrow across it."
shaken = points[20:500:62] + 0.3 * torch.randn(8, 2, generator=generator)
answers = {
    "exact": (
        curve.posterior_mean(shaken, 0.3),
        curve.posterior_covariance(shaken, 0.3),
        "-",
        BLUE,
    ),
    "network": (
        denoise(shaken, 0.3),
        0.3**2 * jacobian(lambda noisy: denoise(noisy, 0.3), shaken),
        "--",
        ORANGE,
    ),
}
turn = torch.linspace(0, 2 * math.pi, 60)
circle = torch.stack([turn.cos(), turn.sin()])
with plt.rc_context(figures.STYLE | {"font.size": 11}):
    figure, panel = plt.subplots(figsize=(5, 4.4), layout="constrained")
panel.plot(*points.T, color=TEAL, linewidth=1.5)
for name, (means, spreads, style, colour) in answers.items():
    for index, (mean, matrix) in enumerate(zip(means, spreads, strict=True)):
        values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
        ellipse = mean[:, None] + vectors @ (
            values.clamp(min=0).sqrt()[:, None] * circle
        )
        label = name if index == 0 else None
        panel.plot(*ellipse, style, color=colour, linewidth=1.6, label=label)
for noisy, mean in zip(shaken, answers["exact"][0], strict=True):
    panel.plot(*torch.stack([noisy, mean]).T, color=figures.INK["light"], linewidth=1)
panel.plot(*shaken.T, "o", color=figures.INK["light"], markersize=5, label="noisy")
panel.set(xticks=[], yticks=[], aspect="equal")
panel.legend(fontsize=10, frameon=False, loc="center right")
plt.close(figure)
figure

# %% [markdown]
# This is also the link to the **contractive autoencoder**
# ([Rifai et al., 2011](../bibliography.md#rifai2011)), which is punished for the size of its
# encoder's Jacobian. A DAE is punished for the Jacobian of its reconstruction, without
# anybody writing it down: by how much, the next section says.
#
# ## What noise adds to the loss
#
# Take one clean point $x$ and any smooth reconstruction $r$. Averaged over noise $n \sim
# \mathcal{N}(0, I)$, and with $\Delta r$ for the sum of second derivatives,
#
# $$\mathbb{E}\,\lVert r(x + \sigma n) - x \rVert^2 = \lVert r(x) - x \rVert^2
# + \sigma^2 \lVert J \rVert_F^2 + \sigma^2 (r(x) - x) \cdot \Delta r(x) + O(\sigma^4)$$
#
# The second term is the contractive penalty. The third is often left out when this is
# told. It comes from the curvature of $r$. Unless $r$ is straight, it is sure to vanish only
# where $r(x) = x$. That may be nearly so at the end of a training with very little noise.
# Our network trained on much, and moves most of its input. Let it be $r$, told
# $\sigma = 0.3$, and look at two points: one that it moves, and one that it does not,
# which is found by denoising again and again.
# The average over the noise is an integral over a plane. A
# Gauss–Hermite rule replaces it by a weighted sum, with an error far below all that is
# compared here.

# %%
import copy

import numpy as np

precise = copy.deepcopy(denoise).double()
nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(24))
nodes = torch.cartesian_prod(nodes, nodes)  # (576, 2)
weights = torch.outer(weights, weights).flatten() / weights.sum() ** 2
sigmas = torch.logspace(-2.7, -2, 8, dtype=torch.float64)


def reconstruct(noisy):
    return precise(noisy, 0.3)


def laplacian(x):
    def part(i):
        return torch.autograd.functional.hessian(
            lambda p: reconstruct(p[None])[0, i], x
        )

    return torch.stack([part(i).trace() for i in range(2)])


def order(remainder):
    """Return the power of σ with which a remainder falls."""
    return np.polyfit(sigmas.log(), remainder.abs().log(), 1)[0]


moved = torch.tensor([0.3, 0.2], dtype=torch.float64)
unmoved = moved[None]
for _ in range(3000):
    unmoved = reconstruct(unmoved)

orders = {}
for place, x in {"moved": moved, "unmoved": unmoved[0]}.items():
    losses = torch.stack(
        [weights @ squared(reconstruct(x + sigma * nodes) - x) for sigma in sigmas]
    )
    residual = reconstruct(x[None])[0] - x
    slopes = jacobian(reconstruct, x[None])
    two_terms = squared(residual[None]) + sigmas**2 * slopes.square().sum()
    curvature = sigmas**2 * (residual @ laplacian(x))
    print(f"a point {place} by {residual.norm():.1e}: the remainder falls like")
    for name, rest in {
        "with all three terms": losses - two_terms - curvature,
        "without the third": losses - two_terms,
    }.items():
        orders[place, name] = order(rest)
        print(f"  σ^{orders[place, name]:.2f} {name}")

# %% tags=["check"]
assert abs(orders["moved", "with all three terms"] - 4) < 0.1
assert abs(orders["moved", "without the third"] - 2) < 0.1
assert abs(orders["unmoved", "with all three terms"] - 4) < 0.1
assert abs(orders["unmoved", "without the third"] - 4) < 0.1

# %% [markdown]
# With all terms, the remainder is of fourth order, as it must be. Without the third it is
# of second order where the network moves the point: as large as the penalty that it was
# to leave behind. Where the point stays, the term may go.
#
# ## The case that can be solved on paper
#
# Let the data be Gaussian, with covariance $\Sigma$ around zero. Then the noisy density is
# Gaussian, too, its score is linear, and Tweedie's formula gives the best denoiser:
# $\Sigma\,(\Sigma + \sigma^2 I)^{-1}\,\tilde{x}$. Along an eigenvector of $\Sigma$ with
# eigenvalue $\lambda$ it keeps the share $\lambda / (\lambda + \sigma^2)$: nearly all
# where the data spread far, nearly nothing where they do not. It is also what a linear DAE
# learns from *any* centred data with that covariance, since a squared error sees no more of
# them. So it was the linear rival on our curve. The best linear denoiser of
# [How good is it?](../evidence/how-good.py), found by
# [`fit_linear`][dae_tutorial.evidence.baselines.fit_linear], is this matrix, too:

# %%
from dae_tutorial.evidence.baselines import fit_linear

covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
bell = GaussianMixture(torch.zeros(1, 2, dtype=torch.float64), covariance[None])
matrix = covariance @ torch.linalg.inv(covariance + 0.5**2 * torch.eye(2))

clean = bell.draw(100_000, generator=generator)
noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
noisy = clean + 0.5 * noise
gap = (bell.posterior_mean(noisy, 0.5) - noisy @ matrix.T).abs().max()
as_images = [pairs[:, :, None, None] for pairs in (noisy, clean)]  # (100000, 2, 1, 1)
fitted = fit_linear(*as_images, ridge=0).weight
print(f"formula and posterior mean differ by {gap:.0e}")
print(
    f"formula and a linear DAE of 100,000 pairs by {(fitted - matrix).abs().max():.3f}"
)

# %% tags=["check"]
assert gap < 1e-12
assert (fitted - matrix).abs().max() < 0.02

# %% [markdown]
# ## What to take along
#
# - The best denoiser is a mean. Its error has a floor, and only what lies above it can be
#   learned.
# - Its step over $\sigma^2$ is the score of the *noisy* density: exactly, for Gaussian
#   noise, and for no other on this site.
# - A network learns this where the noisy data are. Elsewhere nothing holds it to the truth,
#   and its twin, without noise in training, does not learn it at all.
# - The slope of its answer tells, roughly, how sure it is.
# - To reach the data, let the level fall. At one level, points gather beside them.
#
# Next: [the same on digits](on-digits.py), where the exact answer can be computed as well,
# and where it is not what we want.
