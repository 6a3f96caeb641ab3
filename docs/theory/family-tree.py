# ---
# title: The family tree
# description: What came of denoising autoencoders - GSN, VAE, BERT, MAE, diffusion models and l-DAE, what each shares with them and what it does not - and one small encoder trained under six corruptions.
# data: dae_tutorial/evidence/tables/pretexts.*
# ---

# %% [markdown]
# # The family tree
#
# !!! abstract "In two sentences"
#     ABSTRACT
#
# A denoising autoencoder (DAE) is given a broken image and asked for the whole one. Two
# families grew from that. One wants the **output**: if a network can mend images, can it
# make new ones? The other wants the **code**: what must a network know to mend an image,
# and what else is that good for? For years they had little to say to each other. In
# 2024, one paper walked from the first back to the second.
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
    box = {"boxstyle": "round", "facecolor": "white", "edgecolor": shades[column]}
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
# **Walkback and GSN** ([2013](../bibliography.md#bengio2013),
# [2014](../bibliography.md#bengio2014)). Corrupt, denoise, corrupt again, and so on in
# turn: a chain that draws from the data.
#
# - *Alike:* the same training pairs, a noisy image and the clean one.
# - *Not alike:* the chain is right only if each step **draws** a clean image from all
#   that are possible, $p(x \mid \tilde{x})$. A DAE trained on squared error returns
#   their mean. A generative stochastic network (GSN) also puts noise into its hidden
#   layers, and trains on its own walk.
#
# **VAE** ([2014](../bibliography.md#kingma2014)). The variational autoencoder is a cousin,
# not a child.
#
# - *Alike:* encoder, decoder, and noise in training.
# - *Not alike:* the noise is on the **code**, the image goes in clean, and the encoder
#   learns how much noise each code gets. The loss has a second term, the KL divergence
#   between the noisy code and a standard normal one. Without that term the encoder would
#   shrink the noise to nothing. A plain DAE has no such term and no distribution to draw
#   codes from.
#
# **Diffusion** ([2015](../bibliography.md#sohldickstein2015),
# [2019](../bibliography.md#song2019), [2020](../bibliography.md#ho2020)). A DAE for all
# levels of noise at once, told which one it meets, and a way down through the levels from
# pure noise to an image.
#
# - *Alike:* the training. Add Gaussian noise, ask for the clean image, take the squared
#   error. A network that predicts the *noise* answers the same question: with σ known,
#   either answer gives the other ([2022](../bibliography.md#karras2022)). What differs is
#   how much each level counts in the loss.
# - *Not alike:* one level does not do; there is no bottleneck, since nobody wants the
#   code; and the image comes from many small steps. [The next page
#   back](from-denoiser-to-generator.py) does all this with one network.
#
# ## To represent
#
# **Stacked DAE** ([2010](../bibliography.md#vincent2010)). The first use: layer upon
# layer, each learned by denoising, then a classifier. [What is left of its lead
# today](../evidence/pretraining.py) has a page of its own.
#
# **BERT** ([2019](../bibliography.md#devlin2019)). Masking noise for text: 15 % of the
# words are chosen, most of them are hidden, and a transformer says what they were. Its
# authors name the DAE as a relative.
#
# - *Alike:* break the input, ask for what was there.
# - *Not alike:* the answer is a **distribution** over all words of a vocabulary, under
#   cross-entropy, not a mean. And the loss counts the chosen words alone.
#
# **MAE** ([2022](../bibliography.md#he2022)). The masked autoencoder hides 75 % of an
# image's patches. Pretrained so, the largest of its networks was right on 87.8 % of
# ImageNet's validation images after [fine-tuning](../glossary.md#fine-tuning), at that
# time the best that used ImageNet-1K alone (the paper's abstract).
#
# - *Alike:* masking noise and squared error. It calls itself a form of DAE.
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
# - Many levels of noise help, but not much: with a single level the features are still
#   decent.
# - The network that is left, *latent DAE* or l-DAE, adds noise of one level to the
#   components, turns the result back into an image, and is asked for the clean one.
#
# Their images are photographs and their networks large. We know of no small version that
# runs in minutes, so here is one.
#
# ## Five ways to break a digit

# %% alt="Eight digits in six rows. Clean. Gaussian noise: grains all over, the digits still visible. Masked pixels: half of the points of each digit missing. Masked patches: only a few square pieces of each digit left. PCA noise: soft blobs over blurred digits. All levels: some digits almost clean, others drowned in grains."
import torch

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
figures.compare_images(
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
from dae_tutorial.evidence.pretrain import (
    choose_linear_probe,
    error_rate,
    extract_features,
)
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import no_noise
from dae_tutorial.train import fit

everyone = load_mnist(train=True)
training = ImageTensors(everyone.images[:5_000], everyone.labels[:5_000])
validation = ImageTensors(everyone.images[-2_000:], everyone.labels[-2_000:])


class Code(torch.nn.Module):
    def __init__(self, autoencoder):
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, images):
        return self.autoencoder.encode(images)


def probe_error(corrupt):
    torch.manual_seed(0)
    model = Autoencoder(784, 256, 128)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = training.loader(128, shuffle=True)
    fit(model, loader, corrupt, epochs=5, optimizer=optimizer, device="cpu")
    features = [
        extract_features(Code(model), part.images) for part in (training, validation)
    ]
    held_out = features[1], validation.labels
    probe = choose_linear_probe(
        (features[0][:1_000], training.labels[:1_000]), held_out
    )
    return error_rate(probe, *held_out)


for corrupt in (no_noise, mask_patches):
    name = corrupt.__name__
    print(f"{name:14} {probe_error(corrupt):.1%} of 2,000 validation images are wrong")

# %% [markdown]
# The study behind this page runs it at full length, on two sets of digits: MNIST as it
# is, and each digit [turned by any angle](../evidence/pretraining.py), which a linear
# classifier on pixels can hardly read. Three seeds; each draws other images and other
# initial weights. For each corruption but the last, the stronger or the weaker of two
# versions was chosen by the probe with 1,000 labels on 2,000 validation images. The
# 10,000 test images were read once. Beside them: the raw pixels, the encoder **as it
# was initialised**, and the first 128 principal components.

# %% tags=["hide-code"]

from dae_tutorial.evidence import tables

rows = tables.read("pretexts")
record = tables.read_record("pretexts")
counts = sorted({row["labels"] for row in rows})
methods = list(dict.fromkeys(row["method"] for row in rows))
means = tables.spread(rows, "test_error", "variation", "method", "labels")
HEADS = {"basic": "MNIST", "rotated": "rotated MNIST"}
for variation, head in HEADS.items():
    print(f"{head}: test error in %, mean ± deviation of {len(record['seeds'])} seeds")
    print(f"{'labels':15}" + "".join(f"{count:>12,}" for count in counts))
    for method in methods:
        cells = [means[variation, method, count] for count in counts]
        line = "".join(f"{100 * m:7.1f} ±{100 * s:3.1f}" for m, s in cells)
        print(f"{method:15}{line}")
    print()
