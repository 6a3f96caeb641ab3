# ---
# title: Denoising autoencoders
# description: Learn what a denoising autoencoder is, why noise helps, and how to train one in PyTorch, with figures and measurements made by code that you can run.
# data: dae_tutorial/evidence/tables/*
# ---

# %% [markdown]
# # Denoising autoencoders, from the ground up
#
# Take a picture of a digit. Bury it in noise. Ask a small network for the digit back.
# Learning to do that teaches the network what digits look like, and this site shows
# how, from the first line of code to the measured result.

# %% tags=["hide-code"] alt="Eight handwritten digits in three rows: buried in grey noise, as they were written, and as the network rebuilt them from the noise. Most rebuilt digits are easy to read, with softer edges than the originals."
import torch

from dae_tutorial.figures import visualize_reconstruction
from dae_tutorial.further.pretrained import load_pretrained, read_card
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise

model = load_pretrained("autoencoder")
clean = load_mnist(train=False).images[:8]
noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    reconstruction = model(noisy)
visualize_reconstruction(noisy, clean, reconstruction)

# %% [markdown]
# A fully connected network with 209,968 parameters drew the bottom row. It saw 60,000
# other digits, thirty times each, and [comes with the package](further/pretrained.py).
# It had never seen these eight. The picture was not pasted in: this page is a program
# that loads the network and draws what it makes of the noise. The other figures of this
# site are drawn by code, too, some of them from measurements that were [stored
# earlier](about.md#which-numbers-are-computed-and-when).

# %% tags=["check"]
from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import get_mnist_loaders

card = read_card("autoencoder")
assert sum(parameter.numel() for parameter in model.parameters()) == 209_968
assert (card["model"], card["epochs"]) == ("Autoencoder", 30)
assert card["data"] == "MNIST, 60,000 training images"
_, test_loader = get_mnist_loaders()
scores = evaluate(model, test_loader, add_gaussian_noise)
assert scores.mse < scores.noisy_mse / 5

from dae_tutorial.evidence import tables

assert all(len(tables.read_record(name)["seeds"]) == 3 for name in tables.names())

# %% [markdown]
# ## What you will learn
#
# - **[What is a denoising autoencoder?](learn/what-is-a-dae.md)** The idea in one
#   page: a network that must undo damage has to know what undamaged looks like.
# - **[Train your first denoising autoencoder](learn/train-your-first-dae.py)** The
#   whole thing, start to end, in about a minute on a laptop, with exercises.
# - **[From scratch in sixty lines](learn/from-scratch.py)** The same in plain PyTorch,
#   with nothing hidden.
# - **[How training works](learn/how-training-works.md)** Noisy in, clean out, and
#   the mistakes that this short sentence hides.
# - **[Types of noise](learn/types-of-noise.py)** Gaussian, masking,
#   salt-and-pepper, blocks: formula, code and picture of each.
# - **[Why add noise?](learn/why-noise.md)** What noise can do for a representation,
#   what it cannot, and how to tell the two apart.
#
# **The evidence.** Is it the noise that helps? The studies compare each method with a
# control, over three seeds, and tell what came out, good or bad. Start with
# [Does noise help at all?](evidence/does-noise-help.py), or see
# [all results](evidence/results.py) on one page. (The small models that a page trains
# before your eyes have one seed, and so have the trained models that come with the
# package.)
#
# **Theory.** What does a denoiser learn, exactly? [Its arrows beside the right
# ones](theory/what-a-denoiser-learns.py), in two dimensions and [on
# digits](theory/on-digits.py); how one network [draws new
# digits](theory/from-denoiser-to-generator.py), and [whether it
# copies](theory/does-it-copy.py); and [what came of the idea](theory/family-tree.py).
#
# **Beyond denoising.** [A denoiser is a prior](beyond/a-denoiser-is-a-prior.py): it fills
# in, sharpens and enlarges, without another training.
#
# **Go further.** [Better architectures](further/better-architectures.py), from dense to
# [convolutional](glossary.md#convolution) to a small [U-Net](glossary.md#u-net);
# [losses](further/losses.py); one model for [every noise
# level](further/noise-levels.py); how to [train it faster](further/train-it-faster.py),
# and [trained models](further/pretrained.py) to start from.
#
# ## Where to start
#
# If you are new to this, read the pages in order. You need to have met Python and a
# little PyTorch; the [glossary](glossary.md) has the other words. If you came for code,
# take [From scratch in sixty lines](learn/from-scratch.py) and the
# [reference](reference/index.md): each module is one file that can be copied whole. If
# you teach, every notebook page can be downloaded and run as it is.
