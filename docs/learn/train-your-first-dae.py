# ---
# title: Train your first denoising autoencoder
# description: Load MNIST, add noise, train a denoising autoencoder in PyTorch, test it and look at what it rebuilds. Complete, executed code with exercises.
# ---

# %% [markdown]
# # Train your first denoising autoencoder
#
# From raw images to a network that removes noise, in about a minute of computing. You
# can run it all: the links above give you this page as a notebook. (Its model and its
# first numbers come from [the notebook that this site grew
# from](../about.md#where-it-comes-from).)
#
# ## Load the images
#
# MNIST holds 70,000 handwritten digits of 28 × 28 pixels: 60,000 to train with and
# 10,000 to test on. [`get_mnist_loaders`][dae_tutorial.loaders.get_mnist_loaders]
# returns both as [batches](../glossary.md#batch) of tensors with values in $[0, 1]$.

# %%
import torch

from dae_tutorial.loaders import get_mnist_loaders

train_loader, test_loader = get_mnist_loaders(batch_size=128)

images, labels = next(iter(train_loader))
print(images.shape, images.dtype, labels.shape)

# %% [markdown]
# ## Look at them
#
# Always look at data before training on it.

# %% alt="Sixteen handwritten digits in two rows, white on black, each with its label above it."
from dae_tutorial.figures import visualize_batch

visualize_batch(images[:16], labels[:16])

# %% [markdown]
# ## Corrupt them
#
# [`add_gaussian_noise`][dae_tutorial.noise.add_gaussian_noise] adds a random number to
# every pixel, with standard deviation 0.5 by default, and clips the result to
# $[0, 1]$. The generator makes the noise repeatable: the same seed, the same noise.
# This is the package's own code. (What begins with an underscore, such as
# `_check_images`, refuses input that cannot be right.)
#
# {{ code of dae_tutorial.noise.add_gaussian_noise }}

# %%
from dae_tutorial.noise import add_gaussian_noise

generator = torch.Generator().manual_seed(0)
noisy = add_gaussian_noise(images, noise_factor=0.5, generator=generator)

# %% alt="Eight handwritten digits with their labels, and below each the same digit under Gaussian noise of standard deviation 0.5: grainy, but readable."
from dae_tutorial.figures import visualize_noisy_batch

visualize_noisy_batch(images[:8], noisy[:8], labels[:8])

# %% [markdown]
# You can still read them. So the digits are still in there, and a network has a chance.
#
# ## Build the model
#
# The [`Autoencoder`][dae_tutorial.model.Autoencoder] squeezes 784 pixels into a
# [code](../glossary.md#code) of 32 numbers and rebuilds the image from it. The last
# layer is a [sigmoid](../glossary.md#sigmoid): it maps every number to one between 0
# and 1, where pixels lie.
#
# {{ code of dae_tutorial.model.Autoencoder }}

# %%
from dae_tutorial.model import Autoencoder

torch.manual_seed(0)
model = Autoencoder(input_dim=784, hidden_dim=128, latent_dim=32)
model

# %% [markdown]
# ## Choose a loss and an optimiser
#
# [Mean squared error](../glossary.md#mean-squared-error) compares two images pixel by
# pixel. [Adam](../glossary.md#adam) with a [learning
# rate](../glossary.md#learning-rate) of 0.001 is a good first choice.

# %%
from torch import nn

criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

# %% [markdown]
# ## What does doing nothing score?
#
# Before training, find the number to beat: the error of the noisy images themselves.
# `nn.Identity()` is the model that returns what it is given.

# %%
from dae_tutorial.evaluate import evaluate

nothing = evaluate(nn.Identity(), test_loader, add_gaussian_noise)
print(f"doing nothing: MSE {nothing.mse:.5f}, PSNR {nothing.psnr:.2f} dB")

# %% [markdown]
# ## Train
#
# [`fit`][dae_tutorial.train.fit] goes through the training images ten times, ten
# [epochs](../glossary.md#epoch). For each batch it draws fresh noise, lets the model
# reconstruct, and compares the reconstruction with the **clean** images. Each epoch is
# a call of [`train_one_epoch`][dae_tutorial.train.train_one_epoch]. Its loop is the
# heart of the matter:
#
# {{ code of dae_tutorial.train.train_one_epoch }}
#
# The code takes care of things that we do not need yet, such as several processes
# (`_own_share`) and half precision (`autocast`). [From scratch in sixty
# lines](from-scratch.py) has the same loop without them.

# %%
from dae_tutorial.train import fit

history = fit(
    model,
    train_loader,
    add_gaussian_noise,
    epochs=10,
    optimizer=optimizer,
    criterion=criterion,
    device="cpu",
    seed=0,
)
for epoch, loss in enumerate(history.train_loss, start=1):
    print(f"epoch {epoch:2}: mean loss {loss:.5f}")

# %% alt="The training loss over ten epochs: a steep fall in the first three, then an ever slower decline."
from dae_tutorial.figures import plot_loss

plot_loss(history.train_loss)

# %% [markdown]
# ## Test
#
# Now on 10,000 images that the model has never seen, with noise from a fixed seed.
#
# A word on how we use them. A [test set](../glossary.md#test-set) should be read once,
# at the end, and choices should be made on *validation* images. This page has no
# [validation set](../glossary.md#validation-set), and it reads the test images again
# and again, in the exercises too. It may do so because it chooses nothing by their
# scores: the epochs and the learning rate were fixed before. As soon as you choose,
# split off validation images with
# [`get_mnist_splits`][dae_tutorial.loaders.get_mnist_splits].

# %%
scores = evaluate(model, test_loader, add_gaussian_noise)
print(f"doing nothing: MSE {scores.noisy_mse:.5f}, PSNR {scores.noisy_psnr:.2f} dB")
print(f"this model:    MSE {scores.mse:.5f}, PSNR {scores.psnr:.2f} dB")

# %% [markdown]
# The model leaves less than a fifth of the error that it was given.

# %% tags=["check"]
assert scores.mse < scores.noisy_mse / 5

# %% [markdown]
# ## Look at the result
#
# A number can hide a lot, so look again. These are the first eight images of the
# test set.

# %% alt="Eight test digits in three rows: noisy, original and reconstructed. The reconstructions are free of grain and readable, with softer strokes than the originals."
from dae_tutorial.figures import visualize_reconstruction

clean = next(iter(test_loader))[0][:8]
noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    reconstruction = model(noisy)
visualize_reconstruction(noisy, clean, reconstruction)

# %% [markdown]
# The strokes are softer than the originals. That is what squared error asks for: where
# the noise leaves several digits possible, their average has the smallest expected
# error. (A code of 32 numbers costs detail, too.)

# %% [markdown]
# ## About the numbers of the first version
#
# This tutorial grew out of a notebook, `denoising_autoencoders.ipynb`, that printed a
# loss of 0.0166 after "epoch 1" and a test loss of 0.01578 after ten. (We quote these two
# numbers. The [benchmark](../further/benchmark.py) runs its code again.) Above, the mean
# loss of the first epoch lies between 0.05 and 0.07, and the test error is higher.
#
# The likely reason is the first exhibit of our bug museum, [the training cell, run
# twice](../evidence/bug-museum.py#1-the-training-cell-run-twice). In a notebook, running
# the training cell once more *continues* with the trained model, while the epochs count
# from one again. It happens to everybody, and the saved output looks the same. Here is
# our training cell, run a second time, for three more epochs:

# %%
again = fit(
    model,
    train_loader,
    add_gaussian_noise,
    epochs=3,
    optimizer=optimizer,
    device="cpu",
    seed=1,
)
second = evaluate(model, test_loader, add_gaussian_noise)
print(f"'epoch 1' of the second run: {again.train_loss[0]:.5f}")
print(f"test MSE after the second run: {second.mse:.5f}")

# %% [markdown]
# The "first" epoch of the second run starts where the first run ended, below a third of
# the true first epoch's loss, and the test error has come closer to that of the first
# version. That fits, though it does not prove that it was so. The remedy is cheap: build
# the model in the cell that trains it, or restart before you report.

# %% tags=["check"]
assert 0.05 < history.train_loss[0] < 0.07
assert 0.0158 < scores.mse < 0.022
assert again.train_loss[0] < history.train_loss[0] / 3
assert 0.0158 < second.mse < scores.mse

# %% [markdown]
# ## Exercises
#
# Predict first, then open the solution. The code below runs with what is defined above.
#
# ### 1. Guess the shape
#
# What are the shapes of `model.encode(images)` and of
# `model.decode(model.encode(images))`, if `images` has shape (128, 1, 28, 28)?

# %% tags=["solution"]
code = model.encode(images)
print("code:   ", code.shape)
print("decoded:", model.decode(code).shape)

# %% [markdown] tags=["solution"]
# The code has 32 numbers an image. The decoder returns one row of 784 pixels an image,
# and so does `model(images)`: `reshape(images.shape)` gives them the shape of images
# again. Figures and scores of this package take either.

# %% [markdown]
# ### 2. Other noise
#
# Our model was trained on Gaussian noise only. How will it do on masking noise, with
# half of the pixels set to black: better or worse than doing nothing?

# %% tags=["solution"]
from dae_tutorial.noise import add_masking_noise

masked = evaluate(model, test_loader, add_masking_noise)
print(f"doing nothing: MSE {masked.noisy_mse:.5f}")
print(f"this model:    MSE {masked.mse:.5f}")
assert masked.mse < masked.noisy_mse

# %% [markdown] tags=["solution"]
# Better than nothing, but the error is larger than on the noise it was trained for,
# although masking does less damage to begin with. A denoiser knows best the noise that
# it has met.

# %% tags=["solution"]
assert masked.mse > second.mse
assert masked.noisy_mse < second.noisy_mse

# %% [markdown]
# ### 3. Is it the noise or the bottleneck?
#
# Train the same network on clean images, then test it on noisy ones. Will it beat doing
# nothing? Will it beat the denoising autoencoder? (A corruption that changes nothing:
# [`no_noise`][dae_tutorial.noise.no_noise].)

# %% tags=["solution"]
from dae_tutorial.noise import no_noise

torch.manual_seed(0)
clean_trained = Autoencoder()
fit(clean_trained, train_loader, no_noise, epochs=10, device="cpu")

plain = evaluate(clean_trained, test_loader, add_gaussian_noise)
print(f"doing nothing:           MSE {plain.noisy_mse:.5f}")
print(f"trained on clean images: MSE {plain.mse:.5f}")
print(f"trained on noisy images: MSE {scores.mse:.5f}")
assert scores.mse < plain.mse < plain.noisy_mse

# %% [markdown] tags=["solution"]
# The clean-trained model removes part of the noise: what its bottleneck cannot encode is
# lost, and noise is hard to encode. Training on noise removes much more. Both models took
# ten epochs, so the difference is due to the noise in training. Part of it is simple:
# this noise is clipped and makes black pixels grey. The denoiser has learned to take that
# grey off, and [its twin cannot know of it](../evidence/does-noise-help.py).

# %% [markdown]
# ### 4. Change the noise, predict the loss
#
# Halve the noise to `noise_factor=0.25`. The noisy images then have less than half of
# the error. Will the mean loss of the third epoch be less than half of ours as well?

# %% tags=["solution"]
from functools import partial

torch.manual_seed(0)
gentle = partial(add_gaussian_noise, noise_factor=0.25)
gentle_model = Autoencoder()
gentle_history = fit(gentle_model, train_loader, gentle, epochs=3, device="cpu")

gentle_nothing = evaluate(nn.Identity(), test_loader, gentle).mse
loss, gentle_loss = history.train_loss[2], gentle_history.train_loss[2]
print(f"doing nothing: MSE {nothing.mse:.5f} at 0.5, {gentle_nothing:.5f} at 0.25")
print(f"third epoch:  loss {loss:.5f} at 0.5, {gentle_loss:.5f} at 0.25")
assert gentle_nothing < nothing.mse / 2
assert loss / 2 < gentle_loss < loss

# %% [markdown] tags=["solution"]
# No: the loss falls, but by less than half. Part of it is not due to noise at all: 32
# numbers cannot hold every detail of a digit, however clean it is.

# %% [markdown]
# Next: [From scratch in sixty lines](from-scratch.py)
