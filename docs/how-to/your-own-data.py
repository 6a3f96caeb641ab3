# ---
# title: Your own data
# description: Train a denoising autoencoder on your own arrays, image folder, torchvision or Hugging Face data, noisy and clean pairs, signals or tables, beside the best linear denoiser.
# ---

# %% [markdown]
# # Your own data
#
# This site trains on MNIST. You have something else: arrays, a folder of pictures, a
# data set from a library, recordings, a table. Find your kind of data below. Each
# section is the shortest honest way from it to a trained model with a score.
#
# The way has the same four steps each time:
#
# 1. **Make tensors** of type float32, the examples along the first axis. Images have
#    shape (count, channels, height, width) and pixels from 0 to 1, *not* 0 to 255.
# 2. **Look at them** with [`check_data`][dae_tutorial.further.inspection.check_data].
# 3. **Train** with [`fit`][dae_tutorial.train.fit].
# 4. **Compare** on examples kept apart: with doing nothing, and with the *best linear
#    denoiser*, [`fit_linear`][dae_tutorial.evidence.baselines.fit_linear]. A network
#    that does not beat a matrix is not worth its trouble.
#
# All sections use these lines:

# %%
from functools import partial

import torch
from torch import nn

from dae_tutorial import (
    Autoencoder,
    ImageTensors,
    UNet,
    add_gaussian_noise,
    add_masking_noise,
    check_data,
    evaluate,
    fit,
    fit_linear,
    mean_squared_error,
    one_cycle,
)

noise = partial(add_gaussian_noise, noise_factor=0.25, clip=False)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def trained(model, loader, corrupt, epochs, peak=5e-3, **more):
    optimizer, scheduler = one_cycle(model, loader, epochs, peak, betas=(0.9, 0.99))
    recipe = {"epochs": epochs, "optimizer": optimizer, "scheduler": scheduler}
    fit(model, loader, corrupt, device="cpu", seed=1, **recipe, **more)
    return model.eval()


def compare(linear, model, batches, corrupt, **more):
    straight = evaluate(linear, batches, corrupt, **more)
    learned = evaluate(model, batches, corrupt, **more)
    scores = learned.noisy_mse, straight.mse, learned.mse
    for name, mse in zip(("doing nothing", "linear", "network"), scores, strict=True):
        print(f"{name:14} MSE {mse:.5f}")
    return scores


# %% [markdown]
# The noise has standard deviation 0.25, and is [not
# clipped](../glossary.md#clipping). `trained` calls `fit` with a [learning
# rate](../glossary.md#learning-rate) that rises and falls once
# ([`one_cycle`][dae_tutorial.train.one_cycle]). If a training error shoots up, try a
# lower `peak`. `compare` calls
# [`evaluate`][dae_tutorial.evaluate.evaluate] twice and prints three errors. That is
# all there is to them. `evaluate` draws its noise from seed 0; whatever is fitted here
# draws from seed 1, so that nobody has met the noise of the test.
#
# The numbers of [epochs](../glossary.md#epoch) below were fixed beforehand. When you
# choose such numbers by a score, take that score on a [validation
# set](../glossary.md#validation-set), and keep the [test
# set](../glossary.md#test-set) for the end.
#
# ## Tensors and NumPy arrays
#
# scikit-learn ships 1,797 small digits as an array. What does `check_data` say?

# %%
from sklearn.datasets import load_digits

array = load_digits().images
print(check_data(array))

# %% [markdown]
# Three problems, each with a remedy. But think before you follow the second. The report
# sees numbers above 1 and supposes bytes. These go from 0 to **16**, as the line with
# the range says, so 16 is the number to divide by. Divided by 255 the digits would be
# nearly black, and noise of 0.25 would drown them.
#
# Mended, parted into 1,400 for training and the rest for the test, and checked again:

# %%
digits = torch.tensor(array / 16, dtype=torch.float32).unsqueeze(1)
order = torch.randperm(len(digits), generator=seeded())
train, test = digits[order[:1400]], digits[order[1400:]]
print(check_data(train, test))

# %% [markdown]
# No problem left, and no test digit is a copy of a training digit. An image has 64
# pixels, so the model's `input_dim` is 64.

# %%
torch.manual_seed(0)
loader = ImageTensors(train).loader(64, shuffle=True)
model = trained(Autoencoder(64, 256, 32), loader, noise, epochs=100)

linear = fit_linear(noise(train, generator=seeded(1)), train)
nothing, straight, learned = compare(
    linear, model, ImageTensors(test).loader(64), noise
)

# %% [markdown]
# The matrix is a strong rival: it leaves less than a third of the noise. The network
# leaves less still.

# %% tags=["check"]
assert len(check_data(array).problems) == 3
assert (array.min(), array.max()) == (0, 16)
assert check_data(train, test).problems == ()
assert straight < nothing / 3
assert learned < 0.8 * straight

# %% [markdown]
# ## A data set of torchvision
#
# Its pictures become tensors in [0, 1] by a *transform*. Then an ordinary `DataLoader`
# will do. `fit` and `evaluate` take the images from each (images, labels) pair and leave
# the labels alone. Here is MNIST, by this path and in part: 3,000 random training
# images and 1,000 random test images.

# %%
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import MNIST
from torchvision.transforms import v2

to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


def some(dataset, count):
    return Subset(dataset, torch.randperm(len(dataset), generator=seeded())[:count])


train = some(MNIST("data", train=True, transform=to_tensor), 3000)
test = some(MNIST("data", train=False, transform=to_tensor), 1000)
print(check_data(train, test))

# %%
torch.manual_seed(0)
loader = DataLoader(train, batch_size=64, shuffle=True, generator=seeded())
dense = trained(Autoencoder(), loader, noise, epochs=10)

clean = torch.stack([image for image, _ in train])
linear = fit_linear(noise(clean, generator=seeded(1)), clean)
batches = DataLoader(test, batch_size=100)
nothing, straight, dense_mse = compare(linear, dense, batches, noise)

# %% [markdown]
# Here **the network loses**: ten epochs of 3,000 images are little, and 32 numbers hold
# no whole digit, while the matrix may keep all 784. Without the line for the matrix we
# would have seen a fine success, an error cut to less than half. A better model turns
# it round: a small [U-Net](../glossary.md#u-net), which has no such narrow place.
#
# The loader decodes each picture again in each epoch. `clean` above holds them all
# decoded, so [`ImageTensors`][dae_tutorial.loaders.ImageTensors] is faster, as long as
# the pictures fit in memory.

# %%
torch.manual_seed(0)
loader = ImageTensors(clean).loader(16, shuffle=True)
unet = trained(UNet(), loader, noise, epochs=2)
_, _, unet_mse = compare(linear, unet, batches, noise)

# %% tags=["check"]
assert check_data(train, test).problems == ()
assert straight < dense_mse < nothing / 2
assert unet_mse < 0.7 * straight

# %% [markdown]
# **Fashion-MNIST** has images of the same shape, so only the class changes. It must be
# downloaded once, some 30 MB; that is why this block is shown, not run:
#
# ```python
# from torchvision.datasets import FashionMNIST
#
# train = FashionMNIST("data", train=True, download=True, transform=to_tensor)
# test = FashionMNIST("data", train=False, download=True, transform=to_tensor)
# ```
#
# ## A data set of Hugging Face
#
# Its rows are dicts, and a loader makes [batches](../glossary.md#batch) of them that are
# dicts, too. Say under which name the images are: `key=`. The name differs from set to
# set; `dataset["train"].features` shows it. This again needs a download, so it is shown,
# not run:
#
# ```python
# from datasets import load_dataset
#
#
# def with_tensors(rows):
#     rows["img"] = [to_tensor(picture) for picture in rows["img"]]
#     return rows
#
#
# dataset = load_dataset("uoft-cs/cifar10").with_transform(with_tensors)
# train, test = dataset["train"], dataset["test"]
# ```
#
# CIFAR-10 has colour images of 32 × 32 pixels, so take `UNet(in_channels=3,
# out_channels=3)`. From here on it does not matter where the dicts come from. Here are
# the digits of the last section as a list of dicts:

# %%
train_rows, test_rows = (
    [{"img": image, "label": label} for image, label in part] for part in (train, test)
)
print(check_data(DataLoader(train_rows, batch_size=100), key="img"))

torch.manual_seed(0)
loader = DataLoader(train_rows, batch_size=64, shuffle=True, generator=seeded())
model = trained(Autoencoder(), loader, noise, epochs=10, key="img")
scores = compare(linear, model, DataLoader(test_rows, 100), noise, key="img")

# %% [markdown]
# The same digits, [seeds](../glossary.md#seed) and steps: the same three numbers, to
# the last digit.

# %% tags=["check"]
assert scores == (nothing, straight, dense_mse)

# %% [markdown]
# ## A folder of images
#
# We need a folder, so let us make one: pieces of the photographs that come with
# scikit-image and scikit-learn, 600 to train on and 150 for the test, in three sizes.
# Skip this cell if you have a folder.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from dae_tutorial import draw_patches, load_photograph, write_image
from dae_tutorial.evidence.photographs import TEST, TRAINING

place = TemporaryDirectory()  # deleted at the end
folder = Path(place.name)
for part, names, count in (("train", TRAINING, 200), ("test", TEST, 50)):
    (folder / part).mkdir()
    photographs = [load_photograph(name) for name in names]
    for side in (48, 64, 96):
        pieces = draw_patches(photographs, count, side, generator=seeded(side))
        for number, piece in enumerate(pieces):
            wide = piece[:, : side * 3 // 4]  # four to three
            write_image(wide, folder / part / f"{side}-{number:03}.png")

# %% [markdown]
# Training and test pieces come from **different photographs**. Two pieces of one
# photograph may overlap, and `check_data` finds only exact copies. Part your own pictures
# in the same way, by where they come from and not at random.
#
# A tensor has one size. So each picture is shrunk until its shorter side has 32 pixels,
# and a square is cut from the middle; what lies outside of it is lost.
# [`read_image`][dae_tutorial.further.image_files.read_image] turns pixels into [0, 1],
# grey or colour. Choose a side no larger than your smallest picture: enlarged ones are
# blurred, and the network would learn to blur.

# %%
from torchvision.transforms.v2.functional import center_crop, resize

from dae_tutorial import read_image


def read_folder(folder, side=32, colour=True):
    images = [read_image(file, colour=colour) for file in sorted(folder.glob("*.png"))]
    squares = [center_crop(resize(image, [side]), [side]) for image in images]
    return torch.stack(squares).clamp(0, 1)  # rounding may leave 1.0000001


pictures, test_pictures = read_folder(folder / "train"), read_folder(folder / "test")
print(check_data(pictures, test_pictures))

# %% [markdown]
# For grey images, say `colour=False`, and `UNet()` for the model. (A U-Net takes images
# of any size and denoises them whole. Only a batch must be of one size.)

# %%
gentle = partial(add_gaussian_noise, noise_factor=0.1, clip=False)

torch.manual_seed(0)
loader = ImageTensors(pictures).loader(8, shuffle=True)
unet = trained(
    UNet(in_channels=3, out_channels=3), loader, gentle, epochs=10, peak=3e-3
)

many = pictures.repeat(4, 1, 1, 1)  # each picture four times, with other noise
linear = fit_linear(gentle(many, generator=seeded(1)), many, ridge=10)
batches = ImageTensors(test_pictures).loader(50)
nothing, straight, learned = compare(linear, unet, batches, gentle)

# %% [markdown]
# The network beats the matrix, but photographs have other good denoisers. One of them
# needs no training:

# %%
from dae_tutorial import non_local_means

classic = evaluate(partial(non_local_means, sigma=0.1), batches, gentle)
print(f"non-local means  MSE {classic.mse:.5f}")

# %% [markdown]
# After seconds of training on pieces of four photographs, the network is behind
# non-local means. [More on photographs](../evidence/photographs.py).

# %% tags=["hide-code"] alt="Six small pieces of photographs in four rows: noisy, denoised by the U-Net, denoised by non-local means, and clean. The U-Net leaves a part of the grain. Non-local means leaves none, and wipes out the fine texture of fur as well."
import matplotlib.pyplot as plt

from dae_tutorial import figures

noisy = gentle(test_pictures, generator=seeded())[::27]
with torch.no_grad():
    rows = {
        "noisy": noisy.clamp(0, 1),
        "U-Net": unet(noisy),
        "non-local means": non_local_means(noisy, sigma=0.1).clamp(0, 1),
        "clean": test_pictures[::27],
    }
with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(
        len(rows), 1, figsize=(figures.WIDTH, 3.6), layout="constrained"
    )
for axes, (name, images) in zip(panels, rows.items(), strict=True):
    axes.imshow(torch.cat(list(images), dim=2).permute(1, 2, 0))
    axes.set(xticks=[], yticks=[])
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.spines[:].set_visible(False)
figure

# %% tags=["check"]
assert len(TRAINING) == 4
assert check_data(pictures, test_pictures).problems == ()
assert straight < 0.3 * nothing
assert learned < 0.95 * straight
assert classic.mse < learned

# %% [markdown]
# ## Pairs of noisy and clean
#
# Perhaps you have both: a short and a long exposure, a scan and its original. Then
# nothing has to be imitated. Batches are pairs **(noisy, clean)**, in this order, and
# the corruption is `None`.
#
# Here the damage is JPEG at quality 10, on the pictures of the last section. No simple
# formula imitates its blocks and fringes, but pairs are easily made:

# %%
from io import BytesIO

from PIL import Image
from torch.utils.data import TensorDataset
from torchvision.transforms.v2.functional import pil_to_tensor, to_pil_image


def through_jpeg(image, quality=10):
    file = BytesIO()
    to_pil_image(image).save(file, "jpeg", quality=quality)
    return pil_to_tensor(Image.open(file)) / 255


damaged, test_damaged = (
    torch.stack([through_jpeg(image) for image in images])
    for images in (pictures, test_pictures)
)
pairs = TensorDataset(damaged, pictures)
test_pairs = TensorDataset(test_damaged, test_pictures)
print(check_data(pairs, test_pairs))  # looks at the first of each pair: the noisy one

torch.manual_seed(0)
loader = DataLoader(pairs, batch_size=8, shuffle=True, generator=seeded())
model = trained(UNet(in_channels=3, out_channels=3), loader, None, epochs=6, peak=3e-3)
linear = fit_linear(damaged, pictures, ridge=10)
test_batches = DataLoader(test_pairs, batch_size=50)
scores = compare(linear, model, test_batches, None)

# %% [markdown]
# The report tells of copies: JPEG has made some pieces of plain background equal.
#
# The network gains a little. The matrix is worse than doing nothing: it has 3,072 × 3,072
# numbers to find, and 600 pairs do not determine them. We also fitted it to the
# *difference* between the pictures, and held it back with a strong
# [ridge](../glossary.md#ridge): at best it comes close to doing nothing.
#
# Take care: pairs hold each picture with **one** noise, so a network can learn that
# noise by heart. With few pairs, watch the error on validation pairs (`validate=` of
# `fit`) and stop in time.

# %% tags=["check"]
assert scores[2] < 0.97 * scores[0]
assert scores[1] > 1.1 * scores[0]
summary = check_data(pairs).train
assert 0 < summary.duplicates < 60
assert damaged[0].numel() == 3072
for ridge in (100, 1000, 10_000):
    change = fit_linear(damaged, pictures - damaged, ridge=ridge)
    held_back = evaluate(lambda x, add=change: x + add(x), test_batches, None)
    assert held_back.mse > 0.97 * scores[0]

# %% [markdown]
# ## Signals
#
# A signal is an image one pixel high: (count, 1, 1, length). Here are square waves of
# random rate, phase and height, from -1 to 1.


# %%
def square_waves(count, generator, length=128):
    rate, phase, height = torch.rand(3, count, 1, generator=generator)
    time = torch.linspace(0, 1, length)
    wave = (torch.sin(2 * torch.pi * ((2 + 3 * rate) * time + phase))).sign()
    return ((0.3 + 0.7 * height) * wave).reshape(count, 1, 1, length)


train, test = square_waves(4000, seeded(1)), square_waves(1000, seeded(2))
print("\n".join(check_data(train, test).problems))

# %% [markdown]
# Our models end in a [sigmoid](../glossary.md#sigmoid), or are cut to [0, 1], so negative
# numbers are out of their reach. `fit` would not stop you, and the lower half of each
# wave would be lost. **Know the range of your signals, and map it to [0, 1]**: here
# $(x + 1) / 2$. Noise shrinks with the signal. If it has standard deviation 0.5 in your
# units, give `noise_factor=0.25`; and an MSE of 0.01 is one of 0.04 in your units.

# %%
train, test = (train + 1) / 2, (test + 1) / 2
print(check_data(train, test))

torch.manual_seed(0)
loader = ImageTensors(train).loader(64, shuffle=True)
model = trained(Autoencoder(128, 512, 32), loader, noise, epochs=20)
linear = fit_linear(noise(train, generator=seeded(1)), train)
nothing, straight, learned = compare(
    linear, model, ImageTensors(test).loader(100), noise
)

# %% [markdown]
# Every wave has its edges elsewhere. A matrix treats all waves alike; the network adapts
# to each, and wins.

# %% tags=["hide-code"] alt="Two panels with one noisy square wave. On the left, the linear denoiser's answer jitters along the flat parts of the clean wave. On the right, the network's answer is calmer there. Both round the edges."
noisy = noise(test[:1], generator=seeded())
with torch.no_grad():
    answers = {"linear": linear(noisy), "network": model(noisy)}
with plt.rc_context(figures.STYLE):
    figure, panels = plt.subplots(
        1, 2, figsize=(figures.WIDTH, 2.6), sharey=True, layout="constrained"
    )
for axes, (name, answer) in zip(panels, answers.items(), strict=True):
    axes.plot(noisy.flatten(), ".", color=figures.INK["light"], markersize=3)
    axes.plot(test[0].flatten(), color=figures.COLOURS["teal"], linestyle="--")
    axes.plot(answer.flatten(), color=figures.COLOURS["blue"])
    axes.set(title=name, xlabel="sample")
figure

# %% [markdown]
# Dots are noisy, the dashed line is clean, the solid line is the answer.
#
# A network cannot always win. Take smoothed random numbers, a Gaussian process, under
# Gaussian noise that is not clipped. Theory says that here the best denoiser of all *is*
# linear, the Wiener filter. A network can at most draw level, and ours does not:


# %%
def smooth_waves(count, generator, length=128):
    bell = torch.exp(-torch.linspace(-2, 2, 41).square())
    bell = bell / bell.norm()  # so that the result has standard deviation 1
    random = torch.randn(count, 1, length + 40, generator=generator)
    wave = nn.functional.conv1d(random, bell.reshape(1, 1, 41))
    return wave.unsqueeze(1) / 12 + 0.5  # six deviations up and down fill [0, 1]


train, test = smooth_waves(4000, seeded(1)), smooth_waves(1000, seeded(2))
half = partial(add_gaussian_noise, noise_factor=0.5 / 12, clip=False)

torch.manual_seed(0)
loader = ImageTensors(train).loader(64, shuffle=True)
model = trained(Autoencoder(128, 512, 32), loader, half, epochs=20)
linear = fit_linear(half(train, generator=seeded(1)), train, ridge=0)
_, linear_wins, network = compare(linear, model, ImageTensors(test).loader(100), half)

# %% tags=["check"]
assert learned < 0.85 * straight
assert linear_wins < network

# %% [markdown]
# ## A table
#
# Rows of a table can be denoised, too. The common damage is a **missing value**, and
# [masking noise](../glossary.md#masking-noise) imitates it: a denoising autoencoder
# that learns to restore masked numbers *imputes*.
#
# Two tables come with scikit-learn: 569 rows of 30 measurements of cells, and 178 rows of
# 13 measurements of wines. A table is split first. Then each column is standardised, to
# mean 0 and standard deviation 1, with the mean and the deviation of the **training rows
# only**: the test rows must not help.

# %%
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.impute import KNNImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def standardised(table, split=0):
    parts = train_test_split(table, test_size=0.3, random_state=split)
    scaler = StandardScaler().fit(parts[0])
    return (torch.tensor(scaler.transform(p), dtype=torch.float32) for p in parts)


train, test = standardised(load_breast_cancer().data)
print(check_data(train, test))

# %% [markdown]
# This time the range is meant to be so. It has two consequences:
#
# - A missing number becomes 0, which after standardising is the column's mean: a fair
#   first guess.
# - The sigmoid at the end of our `Autoencoder` returns numbers from 0 to 1 only. It has
#   to go; one line does that.

# %%
mask = partial(add_masking_noise, mask_prob=0.2)


def table_model(train):
    torch.manual_seed(0)
    model = Autoencoder(train.shape[1], 128, 16)
    model.decoder[-1] = nn.Identity()  # no sigmoid: any number may come out
    loader = ImageTensors(train).loader(32, shuffle=True)
    return trained(model, loader, mask, epochs=50)


# %% [markdown]
# `evaluate` is made for pixels and insists on [0, 1]. Here another question matters
# anyway: how large is the error *on the missing numbers*? We hide a fifth of the test
# values. Each rival fills them in: the column's mean, the five nearest training rows
# (scikit-learn's `KNNImputer`), the best matrix, and the network. `fit_linear` takes
# images, so a row becomes an image of one pixel with as many channels as the row has
# numbers. In so few rows chance has a say, so we repeat all of it with five splits.


# %%
from dae_tutorial.evidence.comparison import Comparison


def imputation_errors(train, test):
    hidden = torch.rand(test.shape, generator=seeded()) < 0.2
    seen, gaps = test.masked_fill(hidden, 0), test.masked_fill(hidden, torch.nan)
    nearest = KNNImputer(n_neighbors=5, weights="distance").fit(train.numpy())
    many = train.repeat(50, 1)[..., None, None]  # each row fifty times, masked anew
    linear = fit_linear(mask(many, generator=seeded(1)), many)
    model = table_model(train)
    with torch.no_grad():
        filled = {
            "column mean": seen,
            "neighbours": torch.tensor(nearest.transform(gaps.numpy())),
            "linear": linear(seen[..., None, None]).flatten(start_dim=1),
            "network": model(seen),
        }
    return {
        name: mean_squared_error(guess[hidden][None], test[hidden][None]).item()
        for name, guess in filled.items()
    }


def mean_errors(table, splits=range(5)):
    runs = [imputation_errors(*standardised(table, split)) for split in splits]
    return {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}


cells, wines = mean_errors(load_breast_cancer().data), mean_errors(load_wine().data)
Comparison(
    "Mean squared error on the missing numbers",
    {"cells": ".3f", "wines": ".3f"},
    {name: [cells[name], wines[name]] for name in cells},
    best={"cells": min, "wines": min},
)

# %% [markdown]
# On average the network wins on the cells, if only just, and **loses on the wines** to
# the nearest neighbours: 124 training rows are few. All three beat the column's mean on
# both tables. With a small table, try the neighbours first.
#
# ## Which last layer for which range?
#
# | your numbers | what to do |
# |---|---|
# | pixels, 0 to 255 | divide by 255; any model |
# | between two known bounds, such as a signal | map to [0, 1]; any model |
# | without bounds, such as standardised columns | no sigmoid: `model.decoder[-1] = nn.Identity()`; score with `mean_squared_error` instead of `evaluate` |
# | images normalised with a mean and a deviation | undo it, or leave that step out |
#
# One rule for noise: `add_gaussian_noise` clips to [0, 1] unless you say `clip=False`,
# and refuses to clip what lies outside. Masking sets numbers to 0, so let 0 be the value
# that tells least: black, or the mean.

# %% tags=["check"]
assert (len(train) + len(test), train.shape[1]) == (569, 30)
assert len(next(iter(standardised(load_wine().data)))) == 124
assert cells["network"] < min(cells["neighbours"], cells["linear"])
assert wines["neighbours"] < wines["network"]
for errors in (cells, wines):
    assert max(errors, key=errors.get) == "column mean"
place.cleanup()
