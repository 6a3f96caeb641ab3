# ---
# title: One denoiser for every noise level?
# description: A specialist for each noise level, a blind denoiser for all of them, and one that is told the level, compared over three seeds.
# data: dae_tutorial/evidence/tables/noise_levels.*
# ---

# %% [markdown]
# # One denoiser for every noise level?
#
# !!! abstract "In two sentences"
#     At σ = 0.5 one [blind](../glossary.md#blind) model for all levels is within 3 % of
#     the specialist's squared error, while at 0.1 it has some 40 % more, with clipped
#     noise and with unclipped. Telling the model the level changes its error by 1.1 % at
#     most, and an aware model that is told a wrong level does as well within 1 %.
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
# brightens that frame, and its brightness gives the level away, with no training at all.
# Unclipped noise does not brighten it; there the deviation of its pixels does the same:

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

unclipped = add_varied_gaussian_noise_with_level(
    test.images[:500], clip=False, generator=torch.Generator().manual_seed(0)
)
deviation = unclipped[:, 0, frame].std(dim=1)
pair = torch.stack([deviation, unclipped[:, 1, 0, 0]])
unclipped_correlation = torch.corrcoef(pair)[0, 1].item()
print(f"of its deviation, without clipping: {unclipped_correlation:.3f}")

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
assert unclipped_correlation > 0.97

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
    optimizer, scheduler = one_cycle(model, loader, 3, peak=6e-3)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": 3}
    fit(model, loader, corrupt, device="cpu", **recipe)
    return model


blind = trained(add_varied_gaussian_noise)
specialist = trained(partial(add_gaussian_noise, noise_factor=0.5))

# %%
from dae_tutorial.evidence.comparison import Comparison

some = ImageTensors(test.images[:2000], test.labels[:2000]).loader(500)
mse, nothing = {}, {}
for sigma in (0.1, 0.25, 0.5, 0.75, 1.0):
    corrupt = partial(add_gaussian_noise, noise_factor=sigma)
    scores = [evaluate(model, some, corrupt) for model in (blind, specialist)]
    mse[sigma] = [score.mse for score in scores]
    nothing[sigma] = scores[0].noisy_mse

heads = ("nothing", "blind", "specialist for 0.5")
Comparison(
    "Mean squared error by the level of the noise",
    dict.fromkeys(heads, ".4f"),
    {sigma: [nothing[sigma], *mse[sigma]] for sigma in mse},
    names="level",
)

# %% [markdown]
# At the specialist's own level the two are close. Away from it the blind model is clearly
# ahead, after three epochs on 20,000 images with clipped noise. (Towards weaker noise,
# [longer training helps the specialist](../evidence/which-noise.py#how-much-noise).)
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
# with three seeds, on 50,000 images for eight epochs (3,128 steps), once with clipped
# noise and once with [unclipped](../evidence/clipped-or-not.py). It tests them on all
# 10,000 test images at nine levels, one of them ($\sigma = 1.25$) beyond what any of them
# has met. The aware autoencoder takes the level as one more number beside its 784 pixels.

# %% tags=["hide-code"] alt="Two panels, clipped and unclipped: mean squared error over the level of the test, from 0 to 1.25. Five thin lines are the specialists: each rises above its own level, and those for strong noise start high on the left, higher when clipped. One thick line, the blind model, stays near the lowest of them from 0.25 on. A dashed line, doing nothing, starts at zero and soon leaves the picture."
from dae_tutorial.evidence import tables

CLIPS = ("clipped", "unclipped")
rows = tables.read("noise_levels")
honest = [row for row in rows if row["told"] == row["sigma"]]
TRAININGS = list(dict.fromkeys(row["training"] for row in rows))
COLOURS = figures.COLOURS
GREY = "#6b7280"

with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 4.4), sharey=True, layout="constrained"
    )


def draw(axes, clip, training, colour, width):
    """Draw mean and deviation over the test levels, labelled at one end."""
    chosen = tables.select(honest, clip=clip, training=training)
    scores = tables.spread(chosen, "mse", "sigma")
    means = [mean for mean, _ in scores.values()]
    low = [mean - deviation for mean, deviation in scores.values()]
    high = [mean + deviation for mean, deviation in scores.values()]
    axes.fill_between(list(scores), low, high, color=colour, alpha=0.3, linewidth=0)
    axes.plot(list(scores), means, color=colour, linewidth=width)
    if training == "blind":
        axes.text(1.27, means[-1], "blind", va="center", color=colour, size=8)
    else:
        label = training.removeprefix("only ")
        place = {"0.1": "top", "0.25": "bottom", "0.5": "bottom"}.get(label, "center")
        axes.text(-0.02, means[0], label, ha="right", va=place, color=colour, size=8)


for axes, clip in zip(panels, CLIPS, strict=True):
    for sigma in (0.1, 0.25, 0.5, 0.75, 1):
        draw(axes, clip, f"only {sigma}", COLOURS["teal"], 1.2)
    draw(axes, clip, "blind", COLOURS["blue"], 2.8)
    blind_rows = tables.select(honest, clip=clip, training="blind")
    nothing = tables.spread(blind_rows, "noisy_mse", "sigma")
    means = [mean for mean, _ in nothing.values()]
    axes.plot(list(nothing), means, "--", color=GREY, linewidth=1.2)
    axes.set(xlabel="level of the test, σ", title=clip)
    axes.set(xlim=(-0.3, 1.55), ylim=(0, 0.08), xticks=[0, 0.5, 1])
panels[0].set(ylabel="MSE")
panels[0].text(0.2, 0.003, "doing nothing", color=GREY, size=8)
plt.close(figure)
figure

# %% [markdown]
# A specialist does badly on noise that is stronger than its own. With clipped noise it
# does badly on weaker noise, too, if its own is strong; part of that is the brightness
# that it has learned to take off. The blind model is never far from the lowest line.
#
# How near? Here is what the blind and the aware model lose to the specialist of each
# level, in per cent of the specialist's squared error.

# %% tags=["hide-code"] alt="Two panels, clipped and unclipped: error of the blind and of the aware model, in per cent above that of the specialist, at five levels. Both lose some forty per cent at a level of 0.1 and about half as much at 0.25. Clipped, they lose a few per cent from 0.5 on; unclipped, the loss grows again from 0.5 to 1. The two differ little from each other."
LEVELS = (0.1, 0.25, 0.5, 0.75, 1.0)


def excess(clip, training, sigma):
    """Return the loss in per cent of the specialist's error, one number a seed."""
    same = {"clip": clip, "sigma": sigma}
    specialist = tables.select(honest, training=f"only {sigma:g}", **same)
    other = tables.select(honest, training=training, **same)
    ratios = [b["mse"] / a["mse"] for a, b in zip(specialist, other, strict=True)]
    return 100 * (torch.tensor(ratios) - 1)


lost = {
    (clip, name): {level: excess(clip, name, level) for level in LEVELS}
    for clip in CLIPS
    for name in ("blind", "aware")
}
with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 3.4), sharey=True, layout="constrained"
    )
for axes, clip in zip(panels, CLIPS, strict=True):
    for name, colour, shift in (("blind", "blue", -0.01), ("aware", "orange", 0.01)):
        values = lost[clip, name].values()
        axes.errorbar(
            [level + shift for level in LEVELS],
            [value.mean() for value in values],
            [value.std() for value in values],
            color=COLOURS[colour],
            marker="o",
            capsize=3,
            label=name,
        )
    axes.axhline(0, color=COLOURS["teal"], linewidth=1.2, label="specialist")
    axes.set(xlabel="level of the test, σ", title=clip, xlim=(-0.05, 1.1))
    axes.set_xticks(LEVELS, [f"{level:g}" for level in LEVELS], size=8)
panels[0].set(ylabel="more error, %")
panels[1].legend(frameon=False)
plt.close(figure)
figure

# %% [markdown]
# The blind model loses the most where the noise is faint: some 40 % at 0.1, and 14 to 20 %
# at 0.25. At 0.5 it is within 3 %, in every seed. For stronger noise the two kinds part:
# with clipped noise the loss stays within 4 %, without clipping it grows again, to 10 or
# 11 % at the end of the range.
#
# **Telling the level changes little.** Over all nine levels and three seeds, the error of
# the aware model differs from that of the blind one by at most 0.5 % with clipped noise
# and 1.1 % without.

# %% tags=["check"]
record = tables.read_record("noise_levels")
arguments = record["arguments"]
sizes = ("train_images", "validation_images", "test_images", "epochs")
assert [arguments[size] for size in sizes] == [50_000, 2000, 10_000, 8]
assert len(record["seeds"]) == 3
for clip in CLIPS:
    blind_lost = lost[clip, "blind"]
    assert 38 < blind_lost[0.1].mean() < 43
    assert 14 < blind_lost[0.25].min() < blind_lost[0.25].max() < 20
    assert 0 < blind_lost[0.5].min() < blind_lost[0.5].max() < 3
strong = torch.stack([lost["clipped", "blind"][level] for level in (0.5, 0.75, 1.0)])
assert strong.max() < 4
assert lost["unclipped", "blind"][1.0].min() > 9.5
assert lost["unclipped", "blind"][1.0].max() < 11.5
assert lost["unclipped", "blind"][0.5].max() < lost["unclipped", "blind"][0.75].min()
for clip, limit in (("clipped", 0.5), ("unclipped", 1.1)):
    pair = [
        torch.tensor([row["mse"] for row in chosen])
        for chosen in (
            tables.select(honest, clip=clip, training="blind"),
            tables.select(honest, clip=clip, training="aware"),
        )
    ]
    assert round(100 * (pair[1] / pair[0] - 1).abs().max().item(), 1) == limit

# %% [markdown]
# ## Tell it something else
#
# Does the aware model listen at all? Below, the noise is $\sigma = 0.5$ throughout, and
# only the number beside the image changes.

# %% tags=["hide-code"]
at_half = tables.select(rows, training="aware", sigma=0.5)
told = {
    clip: tables.spread(tables.select(at_half, clip=clip), "mse", "told")
    for clip in CLIPS
}
Comparison(
    "Mean squared error at σ = 0.5, mean ± deviation of three seeds",
    dict.fromkeys(CLIPS, ".5f"),
    {level: [told[clip][level] for clip in CLIPS] for level in sorted(told["clipped"])},
    names="level told",
    best=dict.fromkeys(CLIPS, min),
)

# %% [markdown]
# It hardly does. With every level that we name, true or false, the squared error is the
# same within 1 %, and the truth is not even the best of them. One input among 785 says what
# the other 784 show anyway, and the network has learned to do without it.

# %% tags=["check"]
for clip in CLIPS:
    means = [mean for mean, _ in told[clip].values()]
    assert max(means) < 1.01 * min(means)
    assert min(means) < told[clip][0.5][0]

# %% [markdown]
# ## What to take away
#
# - If you do not know the level, train on all levels that may come. In the middle of the
#   range it cost us 3 % at most, and one model replaces many. It costs more at the ends,
#   above all for faint noise.
# - If the noise is always faint, train for faint noise, or use a model without a
#   bottleneck. At a clipped $\sigma = 0.1$ every autoencoder of this study is worse than
#   doing nothing, the specialist included. Unclipped, the specialist takes a quarter of
#   the error off, and the blind model none.
# - Telling the level is cheap, but it is no gain where the image shows the level. It
#   can be one where it does not: in small patches, with textures that look like noise,
#   or if you *want* a knob that trades noise for detail. Then test, as above, whether
#   the model listens.
#
# All of this was measured with one small dense autoencoder, trained for eight epochs, on
# digits with black backgrounds, which make the level easy to see. Photographs, or a
# longer training, may tell another story.

# %% tags=["check"]
for training in TRAININGS:
    faint = tables.select(honest, clip="clipped", training=training, sigma=0.1)
    assert all(row["mse"] > 1.3 * row["noisy_mse"] for row in faint)
faint = tables.select(honest, clip="unclipped", sigma=0.1)
for row in tables.select(faint, training="only 0.1"):
    assert 0.72 < row["mse"] / row["noisy_mse"] < 0.78
for row in tables.select(faint, training="blind"):
    assert row["mse"] > row["noisy_mse"]
