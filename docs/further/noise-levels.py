# ---
# title: One denoiser for every noise level?
# description: A specialist for each noise level, a blind denoiser for all of them, and one that is told the level, compared over three seeds.
# data: dae_tutorial/evidence/tables/noise_levels.*
# ---

# %% [markdown]
# # One denoiser for every noise level?
#
# !!! abstract "In two sentences"
#     From σ = 0.5 on, one [blind](../glossary.md#blind) model for all levels is level
#     with a specialist for each, while at 0.1 it has 37 % more error. Telling the model
#     the level changes its error by at most 4 %, and an aware model that is told a
#     wrong level does just as well.
#
# Our models so far met one noise level, $\sigma = 0.5$, in training and in the test.
# A camera's noise depends on the light. There are three ways out.
#
# - Train a **specialist** for each level, and know which one to call.
# - Train one **blind** model on all levels. Nobody tells it which one it meets.
# - Train one **[noise-aware](../glossary.md#noise-aware)** model on all levels, and tell
#   it the level as well.
#
# This page builds the second and the third, and measures what each loses against the
# first.
#
# ## Noise of any strength
#
# [`add_varied_gaussian_noise`][dae_tutorial.noise.add_varied_gaussian_noise] draws a
# level $\sigma$ between 0 and 1 for each image, and then adds noise of that level.
# Trained on such images, a model becomes blind.

# %%
import torch

from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import (
    add_varied_gaussian_noise,
    add_varied_gaussian_noise_with_level,
)

test = load_mnist(train=False)
clean = test.images[:8]
noisy = add_varied_gaussian_noise(clean, generator=torch.Generator().manual_seed(4))

# %% [markdown]
# A noise-aware model is handed the level as a second channel, in which every pixel is
# $\sigma$. The idea is that of FFDNet ([Zhang, Zuo and Zhang,
# 2018](../bibliography.md#zhang2018)).

# %%
generator = torch.Generator().manual_seed(4)
told = add_varied_gaussian_noise_with_level(clean, generator=generator)
print(told.shape)

levels = told[:, 1, 0, 0]
assert torch.equal(told[:, :1], noisy)  # the same images as before

# %% alt="Eight digits in two rows, clean above noisy. Above each column stands the level of its noise; where it is near 0 the digit is clean, where it is near 1 it is hard to find."
from dae_tutorial.figures import compare_images

captions = [f"{level:.2f}" for level in levels]
compare_images({"clean": clean, "noisy": noisy}, captions=captions)

# %% [markdown]
# For a [convolutional](../glossary.md#convolution) network two channels are all it
# takes: `UNet(in_channels=2)`.

# %%
from dae_tutorial.model import UNet

UNet(in_channels=2)(told).shape

# %% [markdown]
# ## Can the level be seen?
#
# Why tell a model $\sigma$ if it can see it? MNIST's digits fill a box of 20 × 20 pixels,
# so a frame four pixels wide stays nearly black in every clean image. Clipped noise
# brightens that frame, and its brightness gives the level away, with no training at all:

# %%
frame = torch.ones(28, 28, dtype=torch.bool)
frame[4:24, 4:24] = False

told = add_varied_gaussian_noise_with_level(
    test.images[:500], generator=torch.Generator().manual_seed(0)
)
brightness = told[:, 0, frame].mean(dim=1)
level = told[:, 1, 0, 0]

correlation = torch.corrcoef(torch.stack([brightness, level]))[0, 1].item()
print(f"correlation of the frame's brightness with the level: {correlation:.3f}")

# %% tags=["hide-code"] alt="Five hundred noisy digits as dots: the level of their noise over the brightness of their frame. The dots form a narrow band that rises from the origin, bends upwards and grows wider."
import matplotlib.pyplot as plt

from dae_tutorial import figures

with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 3), layout="constrained")
axes.plot(brightness, level, ".", markersize=4, alpha=0.6)
axes.set(xlabel="mean brightness of the frame", ylabel="level σ")
axes.set(xlim=(0, None), ylim=(0, 1.05))
plt.close(figure)
figure

# %% [markdown]
# So a blind model is less blind than its name: what the aware one is told, it can see.
# Our guess before the measurement: being told helps little.

# %% tags=["check"]
assert correlation > 0.97

# %% [markdown]
# ## Train a blind one
#
# Nothing changes but the corruption. Three short [epochs](../glossary.md#epoch) are
# enough to see the effect. Beside it stands a specialist for $\sigma = 0.5$, trained
# for as long.

# %%
from functools import partial

from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit, one_cycle

mnist = load_mnist(train=True)
train_images = ImageTensors(mnist.images[:20_000], mnist.labels[:20_000])


def trained(corrupt):
    torch.manual_seed(0)
    model = Autoencoder()
    loader = train_images.loader(128, shuffle=True)
    optimizer, scheduler = one_cycle(model, loader, 3, peak=6e-3, fused=False)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": 3}
    fit(model, loader, corrupt, device="cpu", **recipe)
    return model


blind = trained(add_varied_gaussian_noise)
specialist = trained(partial(add_gaussian_noise, noise_factor=0.5))

# %%
some = ImageTensors(test.images[:2000], test.labels[:2000]).loader(500)
mse, nothing = {}, {}
print("level  nothing    blind  specialist for 0.5")
for sigma in (0.1, 0.25, 0.5, 0.75, 1.0):
    corrupt = partial(add_gaussian_noise, noise_factor=sigma)
    scores = [evaluate(model, some, corrupt) for model in (blind, specialist)]
    mse[sigma] = [score.mse for score in scores]
    nothing[sigma] = scores[0].noisy_mse
    row = (nothing[sigma], *mse[sigma])
    print(f"{sigma:5}" + "".join(f"{value:9.4f}" for value in row))

# %% [markdown]
# At the specialist's own level the two are close. Away from it the blind model is clearly
# ahead, after three epochs on 20,000 images. (Towards weaker noise, [longer training
# helps the specialist](../evidence/which-noise.py#how-much-noise).)
#
# And look at the first row. At $\sigma = 0.1$ doing nothing beats them both. Whatever
# comes out of these models has passed through a code of 32 numbers, and that costs
# more than so little noise.

# %% tags=["check"]
assert 0.85 < mse[0.5][0] / mse[0.5][1] < 1.15
assert mse[1.0][0] < 0.9 * mse[1.0][1]
assert mse[0.1][0] < 0.9 * mse[0.1][1]
assert nothing[0.1] < 0.9 * mse[0.1][0]

# %% [markdown]
# ## Three seeds, eight epochs
#
# The study behind this page trains five specialists, a blind and an aware model, each
# with three seeds on 20,000 images for eight epochs, with clipped noise, and tests them
# at nine levels, one of them ($\sigma = 1.25$) beyond what any of them has met. The aware
# autoencoder takes the level as one more number beside its 784 pixels.

# %% tags=["hide-code"] alt="Mean squared error over the level of the test, from 0 to 1.25. Five thin lines are the specialists: each rises steeply above its own level, and those for strong noise start high on the left. One thick line, the blind model, stays at or near the lowest of them from 0.5 on; below 0.3 it lies well above the lowest, where the specialists for 0.1 and 0.25 dip under it at their own levels. A dashed line, doing nothing, starts at zero and leaves the picture at a level of 0.4."
from dae_tutorial.evidence import tables

rows = tables.read("noise_levels")
honest = [row for row in rows if row["told"] == row["sigma"]]
COLOURS = figures.COLOURS
GREY = "#6b7280"

with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 4.4), layout="constrained")


def draw(training, label, colour, width):
    """Draw mean and deviation over the test levels, labelled at the left end."""
    scores = tables.spread(tables.select(honest, training=training), "mse", "sigma")
    means = [mean for mean, _ in scores.values()]
    low = [mean - deviation for mean, deviation in scores.values()]
    high = [mean + deviation for mean, deviation in scores.values()]
    axes.fill_between(list(scores), low, high, color=colour, alpha=0.3, linewidth=0)
    axes.plot(list(scores), means, color=colour, linewidth=width)
    axes.text(-0.02, means[0], label, ha="right", va="center", color=colour)


for sigma in (0.1, 0.25, 0.5, 0.75, 1):
    draw(f"only {sigma}", f"only {sigma}", COLOURS["teal"], 1.2)
draw("blind", "blind", COLOURS["blue"], 2.8)
nothing = tables.spread(tables.select(honest, training="blind"), "noisy_mse", "sigma")
axes.plot(
    list(nothing),
    [mean for mean, _ in nothing.values()],
    "--",
    color=GREY,
    linewidth=1.2,
)
axes.text(0.13, 0.003, "doing nothing", color=GREY)
axes.set(xlabel="level of the test, σ", ylabel="MSE", xlim=(-0.3, 1.3), ylim=(0, 0.08))
axes.set_xticks([0, 0.25, 0.5, 0.75, 1, 1.25])
plt.close(figure)
figure

# %% [markdown]
# A specialist does badly on noise that is stronger than its own. From
# $\sigma = 0.5$ on the blind model stays near the lowest line, even at $\sigma = 1.25$.
#
# How near? Here is what the blind and the aware model lose to the specialist of each
# level, in per cent of the specialist's error.

# %% tags=["hide-code"] alt="Error of the blind and of the aware model, in per cent above or below that of the specialist, at five levels. Both lose several tens of per cent at a level of 0.1 and about half as much at 0.25. From 0.5 on both lie at the line of the specialist or slightly below. The two differ little from each other."
LEVELS = (0.1, 0.25, 0.5, 0.75, 1.0)


def excess(training, sigma):
    """Return mean and deviation over the seeds, in per cent of the specialist."""
    specialist = tables.select(honest, training=f"only {sigma:g}", sigma=sigma)
    other = tables.select(honest, training=training, sigma=sigma)
    ratios = torch.tensor(
        [b["mse"] / a["mse"] for a, b in zip(specialist, other, strict=True)]
    )
    more = 100 * (ratios - 1)
    return more.mean().item(), more.std().item()


lost = {name: [excess(name, level) for level in LEVELS] for name in ("blind", "aware")}
with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 3.4), layout="constrained")
for (name, values), colour, shift, align in zip(
    lost.items(), ("blue", "orange"), (-0.01, 0.01), ("top", "bottom"), strict=True
):
    x = [level + shift for level in LEVELS]
    means, deviations = zip(*values, strict=True)
    style = {"color": COLOURS[colour], "marker": "o", "capsize": 3}
    axes.errorbar(x, means, deviations, **style)
    side = {"ha": "right", "va": align} if name == "blind" else {"ha": "left"}
    axes.text(
        x[0] + (-0.02 if name == "blind" else 0.03),
        means[0],
        name,
        color=COLOURS[colour],
        **side,
    )
axes.axhline(0, color=COLOURS["teal"], linewidth=1.2)
axes.text(1.03, 1, "specialist", color=COLOURS["teal"], ha="right", va="bottom")
axes.set(xlabel="level of the test, σ", ylabel="more error, %", xlim=(-0.05, 1.05))
axes.set_xticks(LEVELS, [f"{level:g}" for level in LEVELS])
plt.close(figure)
figure

# %% [markdown]
# Two surprises.
#
# **The specialist is worth its name for faint noise only.** There the blind model loses
# much: 37 % at 0.1 and 18 % at 0.25. From $\sigma = 0.5$ on it loses nothing that we
# could measure. Why? This page does not test it. About a quarter of the blind model's
# images had noise below 0.25, so it may simply have practised too little there; and among
# its easier images it may have learned what digits look like.
#
# **Being told the level does not help.** Aware and blind are nearly the same.

# %% tags=["check"]
blind_lost = dict(zip(LEVELS, lost["blind"], strict=True))
aware_lost = dict(zip(LEVELS, lost["aware"], strict=True))
assert round(blind_lost[0.1][0]) == 37
assert round(blind_lost[0.25][0]) == 18
arguments = tables.read_record("noise_levels")["arguments"]
assert (arguments["train_images"], arguments["steps"]) == (20_000, 8 * 157)
assert -(-20_000 // 128) == 157
assert all(-6 < blind_lost[level][0] < 2 for level in (0.5, 0.75, 1.0))
assert all(-6 < aware_lost[level][0] < 5 for level in (0.5, 0.75, 1.0))
blind_mse = tables.spread(tables.select(honest, training="blind"), "mse", "sigma")
aware_mse = tables.spread(tables.select(honest, training="aware"), "mse", "sigma")
ratios = {level: aware_mse[level][0] / blind_mse[level][0] for level in blind_mse}
assert all(0.995 < ratio < 1.045 for ratio in ratios.values()), ratios
only_1 = tables.spread(tables.select(honest, training="only 1"), "mse", "sigma")
assert blind_mse[1.25][0] < 1.03 * only_1[1.25][0]

# %% [markdown]
# ## Tell it something else
#
# Does the aware model listen at all? Below, the noise is $\sigma = 0.5$ throughout, and
# only the number beside the image changes.

# %% tags=["hide-code"]
at_half = tables.select(rows, training="aware", sigma=0.5)
told = dict(sorted(tables.spread(at_half, "mse", "told").items()))
print("told     MSE")
for level, (mean, deviation) in told.items():
    print(f"{level:5}  {mean:.5f} ± {deviation:.5f}")

# %% [markdown]
# It does not. With every level that we name, true or false, the error is the same. One
# input among 785 says what the other 784 show anyway, and the network has learned to
# do without it.

# %% tags=["check"]
means = [mean for mean, _ in told.values()]
assert max(means) < 1.02 * min(means)

# %% [markdown]
# ## What to take away
#
# - If you do not know the level, train on all levels that may come. On our digits it
#   costs nothing measurable from $\sigma = 0.5$ on, and one model replaces many.
# - If the noise is always faint, train for faint noise, or use a model without a
#   bottleneck. At $\sigma = 0.1$ every autoencoder of this study is worse than doing
#   nothing, the specialist included.
# - Telling the level is cheap, but it is no gain where the image shows the level. It
#   can be one where it does not: in small patches, with textures that look like noise,
#   or if you *want* a knob that trades noise for detail. Then test, as above, whether
#   the model listens.
#
# All of this was measured with one small dense autoencoder, eight epochs, and clipped
# noise on digits with black backgrounds, which make the level easy to see. Photographs,
# longer training or noise that is not clipped may behave differently.

# %% tags=["check"]
for training in ("only 0.1", "blind", "aware"):
    faint = tables.select(honest, training=training, sigma=0.1)
    assert all(row["mse"] > 1.3 * row["noisy_mse"] for row in faint)
