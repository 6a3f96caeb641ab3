# ---
# title: Train it faster
# description: Make a PyTorch training loop several times faster on an ordinary laptop. Profile first, decode once, index batches, use the fused optimiser, and let a one-cycle schedule do the rest.
# data: dae_tutorial/evidence/tables/benchmark.json
# ---

# %% [markdown]
# # Train it faster
#
# [The notebook that this tutorial grew out of](../about.md#where-it-comes-from) is
# slow, and it takes many [epochs](../glossary.md#epoch) to reach its own best number.
# None of that is the network's fault. Here we find out where the time goes, and take it
# back step by step. The [benchmark](benchmark.py) tells how much sooner the same
# network gets to the same error in the end.
#
# The times of the first sections were taken when this page was built; those at its end
# are stored, from the last run of the benchmark. Yours will differ. Their ratios will
# differ less.
#
# ## Profile first
#
# Never guess what is slow. Take the loop apart and time the parts. This is how many
# tutorials load MNIST: each image is fetched, turned into a PIL image and then
# into a tensor, on its own, again in every epoch.

# %%
import time

import torch
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import train_one_epoch

mnist = load_mnist(train=True)  # brings the files, if need be
one_by_one = datasets.MNIST("data", train=True, transform=transforms.ToTensor())
some = range(6000)
usual = DataLoader(Subset(one_by_one, some), batch_size=128)


def seconds(action):
    """Time the best of three calls, which the machine disturbed least."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
    return best


model = Autoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def epoch(batches, optimizer):
    return lambda: train_one_epoch(model, batches, optimizer, add_gaussian_noise)


batches_alone = seconds(lambda: [None for _ in usual])
whole_epoch = seconds(epoch(usual, optimizer))
print(f"6,000 images, only loaded:      {batches_alone:.2f} s")
print(f"6,000 images, loaded and used:  {whole_epoch:.2f} s")

# %% [markdown]
# Most of the epoch goes into loading. A faster network, even a GPU, would change next
# to nothing.
#
# ## Decode once
#
# MNIST is small: as one tensor of floats it takes 188 MB. So decode it once, keep it in
# memory, and let a [batch](../glossary.md#batch) be *one* indexing of that tensor. This
# is all that [`ImageTensors`][dae_tutorial.loaders.ImageTensors] does. The trick in it
# is the method `__getitems__`: a `DataLoader` that finds it asks for a whole batch at
# once.

# %%
in_memory = ImageTensors(mnist.images[:6000], mnist.labels[:6000])
loader = in_memory.loader(128, shuffle=True)

batches_alone = seconds(lambda: [None for _ in loader])
faster_epoch = seconds(epoch(loader, optimizer))
print(f"6,000 images, only loaded:      {batches_alone:.3f} s")
print(f"6,000 images, loaded and used:  {faster_epoch:.3f} s")
print(f"the whole epoch is {whole_epoch / faster_epoch:.1f} times as fast")

# %% [markdown]
# ## Fuse the optimiser
#
# [Adam](../glossary.md#adam) updates each of the network's weights by the same short
# formula. By default, PyTorch goes through it one operation at a time. With
# `fused=True` the operations are *[fused](../glossary.md#fused-optimiser)*: all of them
# are done in one pass over memory, with the same result but for rounding.
# [`fit`][dae_tutorial.train.fit] does so by itself, unless you bring an optimiser of
# your own.

# %%
fused = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
print(f"default: {seconds(optimizer.step) * 1e3:.2f} ms a step")
print(f"fused:   {seconds(fused.step) * 1e3:.2f} ms a step")

# %% [markdown]
# ## Let the learning rate rise and fall
#
# So far every change has made an epoch shorter. Another gain comes from needing fewer
# of them. A constant [learning rate](../glossary.md#learning-rate) is a compromise:
# small enough not to jump about at the end, it is smaller than it could be at the
# beginning. A *[one-cycle](../glossary.md#one-cycle-schedule)* schedule starts low,
# rises to a peak, and falls to almost nothing, within the epochs that you have. The
# large rate covers ground, and the fall lets the weights settle.
#
# In PyTorch that is an ordinary scheduler, `OneCycleLR`, which the loop steps after
# every batch. [`one_cycle`][dae_tutorial.train.one_cycle] makes it, with Adam. Compare
# two epochs of the usual recipe, a constant rate of 0.001, with two epochs of ours, on
# 10,000 [validation images](../glossary.md#validation-set). Ours differs in **three**
# things at once: the rate (its peak is 0.008), the schedule, and the second of Adam's
# `betas`, which is 0.99 instead of 0.999: a shorter memory.

# %%
from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import get_mnist_splits
from dae_tutorial.train import fit, one_cycle

epochs = 2
train_loader, validation_loader, _ = get_mnist_splits(batch_size=128)

torch.manual_seed(0)
constant = Autoencoder()
fit(constant, train_loader, add_gaussian_noise, epochs=epochs, device="cpu")

# %%
train_loader, validation_loader, _ = get_mnist_splits(batch_size=128)

torch.manual_seed(0)
cycled = Autoencoder()
optimizer, scheduler = one_cycle(
    cycled, train_loader, epochs, peak=8e-3, betas=(0.9, 0.99)
)
fit(
    cycled,
    train_loader,
    add_gaussian_noise,
    epochs=epochs,
    optimizer=optimizer,
    scheduler=scheduler,
    device="cpu",
)

# %%
for name, trained in {"constant": constant, "one cycle": cycled}.items():
    scores = evaluate(trained, validation_loader, add_gaussian_noise)
    print(f"{name:10} validation MSE {scores.mse:.5f}")

# %% tags=["check"]
held_out = [
    evaluate(trained, validation_loader, add_gaussian_noise).mse
    for trained in (constant, cycled)
]
assert held_out[1] < 0.75 * held_out[0]

# %% [markdown]
# After the same two epochs, the error is lower by more than a quarter. (One seed.) Which
# of the three changes earned it, this comparison does not say. The larger rate alone may
# have done most of it, so try a larger constant rate before you credit the schedule.
#
# Two more cautions. The cycle must end when training ends, so you must know beforehand
# how many epochs you want. And the peak has a limit: beyond it, training diverges, and
# with a [sigmoid](../glossary.md#sigmoid) at the end it can [die without a
# sound](better-architectures.py#how-a-sigmoid-kills-a-u-net).
#
# ## All of it together
#
# The [benchmark](benchmark.py) runs the starting notebook's recipe and ours on the whole
# of MNIST, in turns, on one machine. This is what it measured when it was last run:

# %% tags=["hide-code"]

from dae_tutorial.evidence import tables

result = tables.read_record("benchmark")
told = ("training speed", "time to test MSE 0.01578", "test MSE after 10 epochs")
for row in (row for row in result["rows"] if row["what"] in told):
    print(f"{row['what']}\n   notebook: {row['notebook']}\n   ours:     {row['ours']}")

# %% [markdown]
# ## What is left
#
# These are the parts of our epoch, each timed on its own:

# %% tags=["hide-code"] alt="The parts of one epoch as horizontal bars, longest first, each labelled with its seconds and its share of the whole."
import matplotlib.pyplot as plt

from dae_tutorial.figures import COLOURS, INK, STYLE, WIDTH

parts = sorted(result["parts"][:-1], key=lambda part: part["seconds"])
with plt.rc_context(STYLE):
    figure, axes = plt.subplots(figsize=(WIDTH, 2.9), layout="constrained")
widths = [max(part["seconds"], 0) for part in parts]
bars = axes.barh([part["part"] for part in parts], widths, color=COLOURS["blue"])
labels = [f"{part['seconds']:.2f} s, {part['share']:.0%}" for part in parts]
axes.bar_label(bars, labels, padding=4, color=INK["light"])
axes.set(xlim=(0, 1.5 * max(widths)), xticks=[])
axes.spines[["bottom", "left"]].set_visible(False)
axes.tick_params(length=0)
plt.close(figure)
figure

# %% tags=["check"]
shares = {part["part"]: part["share"] for part in result["parts"]}
computing = shares["matrix products"] + shares["activations, loss and gradients"]
assert result["decoding_share"] > 0.5
assert computing + shares["noise"] > 0.5

# %% [markdown]
# More than half of what is left is the network itself and the noise that it learns
# from. The matrix products alone are a floor for any loop over batches of this size in
# float32; the noise has to be drawn afresh in every step, or the network could learn
# it by heart. To go on from here, take a
# [GPU](../how-to/train-on-gpus-and-resume.md), where half precision and
# `torch.compile` begin to matter. Or, if it is a lower error that you want, try a
# [better architecture](better-architectures.py).
