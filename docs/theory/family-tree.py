# ---
# title: The family tree
# description: What came of denoising autoencoders - GSN, VAE, BERT, MAE, diffusion models and l-DAE, what each shares with them and what it does not - and one small encoder trained under six corruptions.
# data: dae_tutorial/evidence/tables/pretexts.*
# ---

# %% [markdown]
# # The family tree
#
# !!! abstract "In two sentences"
#     From denoising autoencoders came score matching and diffusion on one side, BERT and
#     masked autoencoders on the other, and in 2024 a way back. In one small experiment, in
#     which only the corruption changes, Gaussian noise lowers the error of a
#     [linear probe](../glossary.md#linear-probe) with 1,000 labels from 12.6 to 10.7 % on
#     MNIST and from 49.6 to 43.3 % on rotated digits; the more elaborate corruptions do
#     no better, and hidden patches hardly help on MNIST.
#
# A denoising autoencoder (DAE) is given a broken image and asked for the whole one. Two
# families grew from that. One wants the **output**: if a network can mend images, can it
# make new ones? The other wants the **code**: what must a network know to mend an image,
# and what else is that good for? For years they had little to say to each other. In
# 2024, one paper walked from the first back to the second.
#
# Gaussian noise on this page is unclipped, as everywhere in this section: [clipping adds
# an offset](../evidence/clipped-or-not.py), and a code could give away that offset
# instead of the digit.
#
# ## The tree

# %% tags=["hide-code"] alt="A tree that grows downwards, in three columns. In the middle, associative memories of 1987 lead to the denoising autoencoder of 2008. To the left, in blue, those that generate: denoising is score matching, 2011; walkback and GSN, 2013 and 2014; diffusion, 2015, joined by a dotted line; all levels, NCSN and DDPM, 2019 and 2020; EDM, 2022. To the right, in green, those that represent: stacked DAE, 2010; BERT, 2019, joined by a dotted line; MAE, 2022. The VAE of 2014 hangs below the DAE on a dotted line. Both sides meet in l-DAE, 2024."
import matplotlib.pyplot as plt

from dae_tutorial import figures

WORKS = {  # name: (column, row, text)
    "memory": (1, 0, "1987\nassociative memories"),
    "DAE": (1, 1, "2008\ndenoising autoencoder"),
    "score": (0, 2, "2011\ndenoising is\nscore matching"),
    "stacked": (2, 2, "2010\nstacked DAE"),
    "GSN": (0, 3, "2013, 2014\nwalkback, GSN"),
    "VAE": (1, 3, "2014\nVAE"),
    "diffusion": (0, 4, "2015\ndiffusion"),
    "levels": (0, 5, "2019, 2020\nall levels:\nNCSN, DDPM"),
    "BERT": (2, 5, "2019\nBERT"),
    "EDM": (0, 6, "2022\nD(x̃, σ): EDM"),
    "MAE": (2, 6, "2022\nMAE"),
    "l-DAE": (1, 7, "2024\nl-DAE"),
}
BRANCHES = (  # a dotted line: kin, but found another way
    ("memory", "DAE", "-"),
    ("DAE", "score", "-"),
    ("DAE", "stacked", "-"),
    ("DAE", "VAE", ":"),
    ("score", "GSN", "-"),
    ("GSN", "diffusion", ":"),
    ("diffusion", "levels", "-"),
    ("levels", "EDM", "-"),
    ("stacked", "BERT", ":"),
    ("BERT", "MAE", "-"),
    ("EDM", "l-DAE", "-"),
    ("MAE", "l-DAE", "-"),
)

with plt.rc_context(figures.STYLE):
    tree, axes = plt.subplots(figsize=(figures.WIDTH, 7), layout="constrained")
shades = [figures.COLOURS[name] for name in ("blue", "orange", "teal")]
boxes = {}
for name, (column, row, text) in WORKS.items():
    box = {"boxstyle": "round", "facecolor": "none", "edgecolor": shades[column]}
    place = {"ha": "center", "va": "center", "fontsize": 11}
    ink = figures.INK["light"]
    boxes[name] = axes.text(column, row, text, color=ink, bbox=box, **place)
for parent, child, style in BRANCHES:
    patches = [boxes[name].get_bbox_patch() for name in (parent, child)]
    line = {"arrowstyle": "-", "linestyle": style, "color": "0.5", "linewidth": 1.5}
    ends = dict(zip(("patchA", "patchB"), patches, strict=True))
    axes.annotate("", WORKS[child][:2], WORKS[parent][:2], arrowprops=line | ends)
axes.text(0, -0.6, "to generate", color=shades[0], ha="center")
axes.text(2, -0.6, "to represent", color=shades[2], ha="center")
axes.set(xlim=(-0.5, 2.5), ylim=(7.5, -1))
axes.axis("off")
plt.close(tree)
tree

# %% [markdown]
# A dotted line joins kin that were found another way: the likeness is real, but the
# later work did not start from the earlier one.
#
# ## To generate
#
# **Score matching** ([2011](../bibliography.md#vincent2011)). Training on Gaussian noise
# is a way to learn the [score](../glossary.md#score) of the noisy data. So a DAE knows
# more than how to mend: [it knows a density](what-a-denoiser-learns.py).
#
# **[Walkback](../glossary.md#walkback) and
# [GSN](../glossary.md#generative-stochastic-network)** ([2013](../bibliography.md#bengio2013), [2014](../bibliography.md#bengio2014)). Corrupt,
# denoise, corrupt again, and so on in turn: a chain that draws from the data.
#
# - *Alike:* the same training pairs, a noisy image and the clean one.
# - *Not alike:* the chain is right only if each step **draws** a clean image from all
#   that are possible, $p(x \mid \tilde{x})$. A DAE trained on squared error returns
#   their mean. A generative stochastic network (GSN) also puts noise into its hidden
#   layers, and trains on its own walk.
#
# **[VAE](../glossary.md#variational-autoencoder)**
# ([2014](../bibliography.md#kingma2014)). The variational autoencoder is a cousin, not a
# child.
#
# - *Alike:* encoder, decoder, and noise in training.
# - *Not alike:* the noise is on the **code**, the image goes in clean, and the encoder
#   learns how much noise each code gets. The loss has a second term, the KL divergence
#   between the noisy code and a standard normal one. Without that term the encoder would
#   shrink the noise to nothing. A plain DAE has no such term and no distribution to draw
#   codes from.
#
# **[Diffusion](../glossary.md#diffusion-model)**
# ([2015](../bibliography.md#sohldickstein2015), [2019](../bibliography.md#song2019),
# [2020](../bibliography.md#ho2020)). A DAE for all levels of noise at once, told which one it meets, and a way down through the levels from
# pure noise to an image.
#
# - *Alike:* the training. Add Gaussian noise, ask for the clean image, take the squared
#   error. A network that predicts the *noise* answers the same question: with σ known,
#   either answer gives the other ([2022](../bibliography.md#karras2022)). What differs is
#   how much each level counts in the loss.
# - *Not alike:* one level does not do; there is no bottleneck, since nobody wants the
#   code; and the image comes from many small steps. [From denoiser to
#   generator](from-denoiser-to-generator.py) does all this with one network.
#
# ## To represent
#
# **Stacked DAE** ([2010](../bibliography.md#vincent2010)). The first use: layer upon
# layer, each learned by denoising, then a classifier. [What is left of its lead
# today](../evidence/pretraining.py) has a page of its own.
#
# **BERT** ([2019](../bibliography.md#devlin2019)). Masking noise for text: 15 % of the
# words are chosen, most of them are hidden, and a transformer says what they were.
#
# - *Alike:* break the input, ask for what was there. [Chen and
#   others](../bibliography.md#chen2024) count BERT and MAE as the most successful DAEs for
#   features.
# - *Not alike:* the answer is a **distribution** over all words of a vocabulary, under
#   cross-entropy, not a mean. And the loss counts the chosen words alone.
#
# **[MAE](../glossary.md#masked-autoencoder)** ([2022](../bibliography.md#he2022)). The
# masked autoencoder hides 75 % of an image's patches. Pretrained so and then
# [fine-tuned](../glossary.md#fine-tuning), the largest of its networks reached 87.8 % on
# ImageNet, the best at that time that used ImageNet-1K alone (the paper's abstract).
#
# - *Alike:* masking noise and squared error.
# - *Not alike:* the encoder **never sees the hidden patches**, not even as black ones, so
#   it works on a quarter of the image; the decoder gets marks where something is missing.
#   The loss counts hidden patches alone.
#
# ## The way back
#
# **l-DAE** ([Chen, Liu, Xie and He 2024](../bibliography.md#chen2024)). Networks made
# for diffusion turned out to have useful features. Is that because they denoise, or
# because they generate? The paper takes a diffusion model apart, piece by piece, and at
# each step measures a [linear probe](../glossary.md#linear-probe) on its features, until
# something very like a DAE is left. What they report:
#
# - What matters most is **where the noise is added**: in a space of few dimensions. The
#   principal components of image patches are enough for that.
# - Many levels of noise help in the way that data augmentation does. With a single level
#   the features are still decent.
# - The network that is left, *latent DAE* or l-DAE, adds noise of one level to the
#   components, turns the result back into an image, and is asked for the clean one.
#
# (We have this from the paper's abstract and introduction and from summaries of the rest,
# and quote none of its numbers.) Their images are photographs and their networks large.
# We know of no small version that runs in minutes, so here is one.
#
# ## Five ways to break a digit

# %% alt="Eight digits in six rows. Clean. Gaussian noise: grains all over, the digits still visible. Masked pixels: half of the points of each digit missing. Masked patches: only a few square pieces of each digit left. PCA noise: soft blobs over blurred digits. All levels: some digits almost clean, others drowned in grains."
import torch

from dae_tutorial.figures import compare_images
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise
from dae_tutorial.theory.pretexts import (
    PrincipalNoise,
    add_noise_of_any_scale,
    mask_patches,
)

images = load_mnist(train=True).images[:20_000]
digits = images[:8]
generator = torch.Generator().manual_seed(0)
add_principal_noise = PrincipalNoise(images, count=64, sigma=0.5)
compare_images(
    {
        "clean": digits,
        "Gaussian": add_gaussian_noise(digits, 0.5, clip=False, generator=generator),
        "pixels": add_masking_noise(digits, 0.5, generator=generator),
        "patches": mask_patches(digits, 0.75, generator=generator),
        "PCA": add_principal_noise(digits, generator=generator),
        "all levels": add_noise_of_any_scale(digits, generator=generator),
    }
)

# %% [markdown]
# The fifth row needs a word. To add noise of σ to *all* 784 principal components would be
# plain Gaussian noise on the pixels: the components are the axes turned, and Gaussian
# noise is round. It becomes another noise by **dropping** all components but the first
# 64. In these, the noise is the same as that of the second row. What the two rows do not
# share is the rest:

# %%
total = images.flatten(1).var(dim=0).sum()
dropped = (PrincipalNoise(images, 64, 0.0)(images) - images).square().sum(dim=(1, 2, 3))
print(f"variance of the digits outside of the 64: {dropped.mean() / total:.0%}")
print(f"Gaussian noise outside of the 64: {(784 - 64) / 784:.0%} of it")

# %% tags=["check"]
assert 0.1 < dropped.mean() / total < 0.16
everything = PrincipalNoise(images, 784, 0.5)(images, generator=generator) - images
# Twenty thousand draws a pixel: a standard error of half a percent.
assert (everything.std(dim=0) - 0.5).abs().max() < 0.02
assert round(100 * (784 - 64) / 784) == 92

# %% [markdown]
# So nine tenths of the Gaussian noise fall where there is little to see, and the network
# has to learn, before anything else, to look away. PCA noise spares it that. (The rows
# are cut to $[0, 1]$ for display alone.)

# %% [markdown]
# ## One encoder, six ways to train it
#
# Everything else stays the same. An [`Autoencoder`][dae_tutorial.model.Autoencoder]
# 784 → 256 → 128 → 256 → 784 learns from 20,000 images without labels: 1,000 steps of
# [batches](../glossary.md#batch) of 128, some six [epochs](../glossary.md#epoch), with
# [Adam](../glossary.md#adam). Six times, from the same initial weights: once for each of
# the five corruptions, and once without any, the clean-trained
# [twin](../glossary.md#twin). The target is always the clean image, and the loss counts
# all pixels, those that were not hidden, too. Then the encoder is frozen, and a
# [linear probe](../glossary.md#linear-probe) on its 128 numbers learns the ten digits
# from 100, 1,000 or all 20,000 labels.
#
# Here is a small run of that for you to change: fewer images, fewer steps, one seed. Put
# your own corruption in.

# %%
from dae_tutorial.evidence.comparison import Comparison
from dae_tutorial.evidence.pretrain import (
    choose_linear_probe,
    error_rate,
    extract_features,
)
from dae_tutorial.loaders import ImageTensors, get_mnist_splits
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import no_noise
from dae_tutorial.train import fit

train, validation, _ = (
    loader.dataset for loader in get_mnist_splits(validation_size=2_000, seed=0)
)


def code(model):
    return torch.nn.Sequential(torch.nn.Flatten(), model.encoder)


def probe_error(corrupt):
    torch.manual_seed(0)
    model = Autoencoder(784, 256, 128)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, fused=True)
    loader = ImageTensors(train.images[:5_000], train.labels[:5_000]).loader(128)
    fit(model, loader, corrupt, epochs=5, optimizer=optimizer, device="cpu")
    few = extract_features(code(model), train.images[:1_000]), train.labels[:1_000]
    held_out = extract_features(code(model), validation.images), validation.labels
    return error_rate(choose_linear_probe(few, held_out), *held_out)


corruptions = {
    "no noise": no_noise,
    "hidden patches": mask_patches,
    "PCA noise": PrincipalNoise(images, count=64, sigma=1.0),
}
Comparison(
    "Linear probe on 1,000 labels",
    {"validation images wrong": ".1%"},
    {name: [probe_error(corrupt)] for name, corrupt in corruptions.items()},
    names="trained with",
)

# %% [markdown]
# The study behind this page runs it at full length, on two sets of digits: MNIST as it
# is, and each digit [turned by any angle](../evidence/pretraining.py), which a linear
# classifier on pixels can hardly read. Three seeds; each draws other images and other
# initial weights. For each corruption but the last, the stronger or the weaker of two
# versions was chosen by the probe with 1,000 labels on 2,000 [validation
# images](../glossary.md#validation-set). The 10,000 test images were read once. Beside
# them: the raw pixels, the encoder **as it was initialised**, and the first 128 principal
# components.

# %% tags=["hide-code"]

from IPython.display import display

from dae_tutorial.evidence import tables

rows = tables.read("pretexts")
record = tables.read_record("pretexts")
counts = sorted({row["labels"] for row in rows})
methods = list(dict.fromkeys(row["method"] for row in rows))
means = tables.spread(rows, "test_error", "variation", "method", "labels")
HEADS = {"basic": "MNIST", "rotated": "rotated MNIST"}
LABELS = {count: f"{count:,} labels" for count in counts}


def probe_errors(variation, head):
    return Comparison(
        f"{head}: test error in %, mean ± deviation of {len(record['seeds'])} seeds",
        dict.fromkeys(LABELS.values(), ".1f"),
        {
            m: [tuple(100 * n for n in means[variation, m, count]) for count in LABELS]
            for m in methods
        },
        best=dict.fromkeys(LABELS.values(), min),
    )


display(*(probe_errors(*pair) for pair in HEADS.items()))


# %% tags=["hide-code"] alt="Test errors minus that of the clean-trained twin, a dot for each of three seeds, for 100, 1,000 and 20,000 labels. Left, MNIST: raw pixels and PCA lie at or just above zero, untrained features two to ten points above; Gaussian noise and PCA noise two to six below, masked pixels one to four below, masked patches around zero, all levels up to two below. Right, rotated MNIST: raw pixels and PCA three to four points above zero but with 100 labels, untrained features above; all five corruptions below zero, Gaussian noise furthest, by up to eight points with 20,000 labels."
def minus_twin(variation, method, labels):
    """Test error minus that of the clean-trained twin, by seed, in points."""

    def error(name, seed):
        wanted = {"variation": variation, "labels": labels, "seed": seed}
        return tables.select(rows, method=name, **wanted)[0]["test_error"]

    pairs = [(error(method, s), error("clean (twin)", s)) for s in record["seeds"]]
    return [100 * (one - twin) for one, twin in pairs]


shown = [method for method in methods if method != "clean (twin)"]
with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 4.4), sharey=True, layout="constrained"
    )
for panel, (variation, head) in zip(panels, HEADS.items(), strict=True):
    panel.axvline(0, color="0.5", linewidth=1)
    panel.set_title(head, fontsize=12)
    panel.set_xlabel("test error minus\nthe twin's (points)")
    colours = figures.COLOURS.values()
    for shift, (count, colour) in enumerate(zip(counts, colours, strict=True), -1):
        for place, method in enumerate(shown):
            points = minus_twin(variation, method, count)
            heights = [place + 0.22 * shift] * len(points)
            label = f"{count:,} labels" if place == 0 else None
            panel.plot(points, heights, "o", markersize=4, color=colour, label=label)
panels[0].set_yticks(range(len(shown)), shown)
panels[0].invert_yaxis()
names = panels[0].get_legend_handles_labels()
figure.legend(*names, loc="outside upper center", ncols=3, fontsize=10, handletextpad=0)
plt.close(figure)
figure

# %% [markdown]
# Each dot is a seed; left of the line is better than the twin. Read it in this order:
#
# - **Noise makes the features.** Gaussian noise, masked pixels and PCA noise beat the
#   twin on both sets, with each number of labels, in every seed. With 20,000 labels
#   Gaussian noise takes the twin's error from 8.2 to 6.1 % on MNIST, and from 41.6 to
#   33.8 % on rotated digits.
# - **Without noise, little is learned on MNIST.** There the twin is as good as the
#   principal components and the raw pixels, within a point and a half of each. On rotated
#   digits it beats both by three to four points, from 1,000 labels on.
# - **Gaussian noise is the one to beat, and simple.** No other corruption beats it by more
#   than 0.1 points on average, save masked pixels on rotated digits with 1,000 labels,
#   by 0.3, and there the seeds disagree.
# - **Noise on the components is not better than noise on the pixels.** On MNIST the two
#   are level with 1,000 labels and more. On rotated digits PCA noise is behind, though
#   with 20,000 labels by less than a point. That is not what l-DAE found.
# - **Hidden patches gain next to nothing on MNIST.** Half a point or less over the twin,
#   and with 100 and with 20,000 labels the seeds disagree. On rotated digits they gain
#   two points and more on average, and hidden pixels gain more.
# - **All levels at once cost something.** With the same budget for levels from 0.05 to 2,
#   many of them weak, and nobody to tell the network which one it meets, the gain is less
#   than that of the one level that was chosen, in every seed.


# %% tags=["check"]
def gap(variation, method, other, labels):
    """Test error of a method minus that of another, by seed, in points."""
    pair = [
        [
            tables.select(
                rows, variation=variation, method=name, labels=labels, seed=seed
            )[0]["test_error"]
            for seed in record["seeds"]
        ]
        for name in (method, other)
    ]
    return [100 * (one - two) for one, two in zip(*pair, strict=True)]


def average(values):
    return sum(values) / len(values)


twin = "clean (twin)"
sizes = record["arguments"]
assert (sizes["hidden"], sizes["width"], sizes["steps"]) == (256, 128, 1_000)
assert sizes["sizes"] == [20_000, 2_000, 10_000]
assert counts == [100, 1_000, 20_000]
assert len(record["seeds"]) == 3
for variation in HEADS:
    for count in counts:
        for method in ("Gaussian", "masked pixels", "PCA noise"):
            assert max(gap(variation, method, twin, count)) < 0
        assert max(gap(variation, "Gaussian", "all levels", count)) < 0
        for method in ("masked pixels", "masked patches", "PCA noise", "all levels"):
            lead = average(gap(variation, "Gaussian", method, count))
            assert lead < (0.4 if (variation, count) == ("rotated", 1_000) else 0.1)
for variation, before, after in (("basic", 8.2, 6.1), ("rotated", 41.6, 33.8)):
    found = [100 * means[variation, name, 20_000][0] for name in (twin, "Gaussian")]
    assert [round(value, 1) for value in found] == [before, after]
for method in ("PCA", "raw pixels"):
    for count in counts:
        assert abs(average(gap("basic", method, twin, count))) < 1.5
    for count in counts[1:]:
        assert 2.9 < average(gap("rotated", method, twin, count)) < 4.5
mixed = gap("rotated", "Gaussian", "masked pixels", 1_000)
assert min(mixed) < 0 < max(mixed)
assert 0.2 < average(mixed) < 0.35
for count in counts[1:]:
    assert abs(average(gap("basic", "PCA noise", "Gaussian", count))) < 0.25
for count in counts:
    assert min(gap("rotated", "PCA noise", "Gaussian", count)) > 0
    patches_gain = average(gap("rotated", "masked patches", twin, count))
    assert patches_gain < -2
    assert patches_gain > average(gap("rotated", "masked pixels", twin, count))
    assert -0.6 < average(gap("basic", "masked patches", twin, count)) < 0
assert average(gap("rotated", "PCA noise", "Gaussian", 20_000)) < 1
for count in (100, 20_000):
    mixed = gap("basic", "masked patches", twin, count)
    assert min(mixed) < 0 < max(mixed)
two = {"Gaussian": 1, "masked pixels": 0.75, "masked patches": 0.75, "PCA noise": 1}
chosen = [
    row["strength"] == two[row["method"]]
    for row in tables.select(rows, labels=100)
    if row["method"] in two
]
assert (len(chosen), sum(chosen)) == (24, 23)
for variation, before, after in (("basic", 12.6, 10.7), ("rotated", 49.6, 43.3)):
    found = [100 * means[variation, name, 1_000][0] for name in (twin, "Gaussian")]
    assert [round(value, 1) for value in found] == [before, after]

# %% [markdown]
# ## What this does not show
#
# - **It is not a verdict on MAE or l-DAE.** Those are large networks on photographs, and
#   what we took from them is the corruption alone. Our encoder sees the hidden patches
#   black, our loss counts all pixels, and our components are those of whole images of
#   784 pixels. There, to look away from noise outside of the first components is
#   something that a small network learns quickly. In a photograph there is far more to
#   look away from.
# - **The strengths are at the edge.** Of the two strengths on offer, the stronger one was
#   chosen in 23 of 24 cases. Still stronger noise might do better.
# - **One layer, one width, one budget.** All six trainings got 1,000 steps. Harder
#   corruptions may need more of them, and the lead may change with the width of the code.
# - **Frozen features.** With many labels, [a network trained with
#   labels](../evidence/pretraining.py) beats every one of these.
#
# ## Exercises
#
# ### 1. Turn the axes
#
# Why is noise of the same σ on all 784 principal components the same as Gaussian noise on
# the pixels? Check it with `PrincipalNoise(images, 784, 0.5)`.

# %% [markdown] tags=["solution"]
# With the components as the rows of $V$: they are orthonormal, and as many as there are
# pixels, so $V V^\top = V^\top V = I$. The noise on the pixels is
# $V^\top \varepsilon$, which is Gaussian, with covariance $\sigma^2 V^\top V =
# \sigma^2 I$. That is what noise on single pixels has.

# %% tags=["solution"]
noise = PrincipalNoise(images, 784, 0.5)(images, generator=generator) - images
covariance = torch.cov(noise.flatten(1).T)
print(f"on the diagonal: {covariance.diagonal().mean():.3f}, and σ² is {0.5**2}")
print(
    f"largest elsewhere: {(covariance - covariance.diagonal().diag()).abs().max():.3f}"
)

# %% [markdown]
# ### 2. Which of the relatives could denoise a photograph for you?
#
# You have a noisy photograph, and the weights of a VAE, an MAE and a diffusion model.
# Which of them takes the noise off?

# %% [markdown] tags=["solution"]
# The diffusion model, if you know σ: one call of $D(\tilde{x}, \sigma)$ is a denoiser.
# The VAE was never shown noisy images, and squeezes what it is given through a code. The
# MAE fills holes and takes what is visible for clean.
#
# ## Where to go from here
#
# The idea before this one: [Does it copy?](does-it-copy.py) For the features of DAEs on
# their own ground, see [Pretraining and feature
# extraction](../evidence/pretraining.py).
