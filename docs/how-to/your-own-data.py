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
    optimizer, scheduler = one_cycle(model, loader, epochs, peak)
    recipe = {"epochs": epochs, "optimizer": optimizer, "scheduler": scheduler}
    fit(model, loader, corrupt, device="cpu", **recipe, **more)
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
# ([`one_cycle`][dae_tutorial.train.one_cycle]). `compare` calls
# [`evaluate`][dae_tutorial.evaluate.evaluate] twice and prints three errors. That is
# all there is to them.
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

linear = fit_linear(noise(train, generator=seeded()), train)
nothing, straight, learned = compare(linear, model, ImageTensors(test).loader(64), noise)

# %% [markdown]
# The matrix is a strong rival: it leaves less than a third of the noise. The network
# leaves less still.

# %% tags=["check"]
assert len(check_data(array).problems) == 3
assert array.min() == 0 and array.max() == 16
assert check_data(train, test).problems == ()
assert straight < nothing / 3
assert learned < 0.8 * straight

# %% [markdown]
# ## A table
#
# Rows of a table can be denoised, too. The common damage is a **missing value**, and
# [masking noise](../glossary.md#masking-noise) imitates it: a denoising autoencoder
# that learns to restore masked numbers *imputes*.
#
# The table comes with scikit-learn: 569 rows, each of 30 measurements of cells. It is
# split first. Then each column is standardised, to mean 0 and standard deviation 1,
# with the mean and the deviation of the **training rows only**: test rows must not help.

# %%
from sklearn.datasets import load_breast_cancer
from sklearn.impute import KNNImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parts = train_test_split(load_breast_cancer().data, test_size=0.3, random_state=0)
scaler = StandardScaler().fit(parts[0])
train, test = (
    torch.tensor(scaler.transform(part), dtype=torch.float32) for part in parts
)
print(check_data(train, test))

# %% [markdown]
# The range is meant to be so, this time. It has two consequences:
#
# - A missing number becomes 0, which after standardising is the column's mean: the
#   best guess of who knows nothing.
# - The [sigmoid](../glossary.md#sigmoid) at the end of our `Autoencoder` returns
#   numbers from 0 to 1 only, so it has to go. One line does it.

# %%
mask = partial(add_masking_noise, mask_prob=0.2)

torch.manual_seed(0)
model = Autoencoder(30, 128, 16)
model.decoder[-1] = nn.Identity()  # no sigmoid: any number may come out
trained(model, ImageTensors(train).loader(32, shuffle=True), mask, epochs=200)

# %% [markdown]
# `evaluate` measures pixels, so it insists on [0, 1]. Here another question matters
# anyway: how large is the error *on the hidden numbers*? A fifth of all test values is
# hidden. Each rival fills them in: the column's mean, the five nearest training rows
# (scikit-learn's `KNNImputer`), the best matrix, and the network. `fit_linear` expects
# images; a row becomes one of 1 × 1 pixels with 30 channels.

# %%
hidden = torch.rand(test.shape, generator=seeded()) < 0.2
seen = test.masked_fill(hidden, 0)
neighbours = KNNImputer(n_neighbors=5, weights="distance").fit(train.numpy())
many = train.repeat(50, 1)[..., None, None]  # each row fifty times, masked differently
linear = fit_linear(mask(many, generator=seeded()), many)

with torch.no_grad():
    filled = {
        "column mean": seen,
        "5 neighbours": torch.tensor(
            neighbours.transform(test.masked_fill(hidden, torch.nan).numpy())
        ),
        "linear": linear(seen[..., None, None]).flatten(start_dim=1),
        "network": model(seen),
    }
error = {
    name: (guess - test)[hidden].square().mean().item()
    for name, guess in filled.items()
}
for name, value in error.items():
    print(f"{name:14} {value:.3f}")
