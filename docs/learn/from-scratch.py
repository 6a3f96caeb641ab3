# ---
# title: From scratch in sixty lines
# description: A denoising autoencoder in plain PyTorch with nothing hidden. Noise, model, training loop, test and picture, in sixty lines that you can edit.
# ---

# %% [markdown]
# # From scratch in sixty lines
#
# Here is a whole denoising autoencoder, with nothing hidden: noise, model, loop, test and
# picture. It needs PyTorch, torchvision and matplotlib, and none of this site's code; only
# the check at its end does. Copy it, change it, break it.
#
# ## The images
#
# MNIST has 60,000 digits to train with and 10,000 to test on. torchvision downloads them
# into the folder `data`, unless they are there. Their pixels are bytes from 0 to 255; we
# want numbers from 0 to 1.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import MNIST


def load(train):
    pixels = MNIST("data", train=train, download=True).data
    return pixels.unsqueeze(1).float() / 255  # (count, 1, 28, 28)


train_images, test_images = load(train=True), load(train=False)

# %% [markdown]
# ## The noise
#
# Add to each pixel a random number with mean 0 and standard deviation 0.5. Then clip the
# result, so that it is an image again. The random numbers come from a
# [generator](../glossary.md#generator): the same seed gives the same noise.


# %%
def corrupt(clean, generator):
    noise = torch.randn(clean.shape, generator=generator)
    return (clean + 0.5 * noise).clamp(0, 1)


# %% [markdown]
# ## The model
#
# The [encoder](../glossary.md#encoder) turns 784 pixels into a
# [code](../glossary.md#code) of 32 numbers. The [decoder](../glossary.md#decoder) turns
# the code into 784 pixels. The [sigmoid](../glossary.md#sigmoid) at the end maps every
# number to one between 0 and 1.

# %%
torch.manual_seed(0)
encoder = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 128),
    nn.ReLU(),
    nn.Linear(128, 32),
)
decoder = nn.Sequential(
    nn.Linear(32, 128),
    nn.ReLU(),
    nn.Linear(128, 784),
    nn.Sigmoid(),
)
model = nn.Sequential(encoder, decoder)

# %% [markdown]
# ## The loop
#
# Take a [batch](../glossary.md#batch) of 128 images and draw fresh noise for it. Let the
# model rebuild the images from their noisy versions. Compare what comes out with the
# **clean** images, pixel by pixel, and change the weights a little so that the error
# falls. One pass over all images is an [epoch](../glossary.md#epoch); we make two.

# %%
order = torch.Generator().manual_seed(0)
batches = DataLoader(TensorDataset(train_images), 128, shuffle=True, generator=order)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
noise_generator = torch.Generator().manual_seed(1)  # the test has noise of its own
losses = []

for epoch in range(2):
    total = 0.0
    for (clean,) in batches:
        rebuilt = model(corrupt(clean, noise_generator))
        loss = nn.functional.mse_loss(rebuilt, clean.flatten(start_dim=1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(clean)  # the last batch is shorter
    losses.append(total / len(train_images))
    print(f"epoch {epoch + 1}: mean loss {losses[-1]:.5f}")

# %% [markdown]
# ## The test
#
# Now take images that the model has never seen. Its error means little alone. So we put
# beside it the error of the noisy images themselves: what *doing nothing* scores.

# %%
noisy = corrupt(test_images, torch.Generator().manual_seed(0))
with torch.no_grad():
    rebuilt = model(noisy).reshape(test_images.shape)
nothing_mse = (noisy - test_images).square().mean().item()
model_mse = (rebuilt - test_images).square().mean().item()
print(f"doing nothing: {nothing_mse:.5f}")
print(f"this model:    {model_mse:.5f}")

# %% [markdown]
# After two epochs the model leaves less than a third of the error that it was given.
#
# ## The picture

# %% alt="Eight test digits in three rows: noisy, clean, and as the model rebuilt them. The rebuilt digits have no grain left; most can be read, with blurred strokes."
figure, axes = plt.subplots(3, 8, figsize=(8, 3), layout="constrained")
for row, images in zip(axes, (noisy, test_images, rebuilt), strict=True):
    for ax, image in zip(row, images[:8], strict=True):
        ax.imshow(image[0], cmap="gray", vmin=0, vmax=1)
        ax.axis("off")
plt.close()
figure

# %% [markdown]
# That is all there is to it. The rest of this site uses a package, `dae_tutorial`, that
# does the same with more care: it checks what it is given, measures more, and draws
# better. The check below runs the package with the same seeds. Its weights come out the
# same to the last bit, and so do its scores, but for rounding.

# %% tags=["check"]
from dae_tutorial import (
    Autoencoder,
    add_gaussian_noise,
    evaluate,
    get_mnist_loaders,
    train_one_epoch,
)

train_loader, test_loader = get_mnist_loaders(batch_size=128, seed=0)
torch.manual_seed(0)
twin = Autoencoder(input_dim=784, hidden_dim=128, latent_dim=32)
adam = torch.optim.Adam(twin.parameters(), lr=1e-3)
noise = torch.Generator().manual_seed(1)
their_losses = [
    train_one_epoch(twin, train_loader, adam, add_gaussian_noise, generator=noise)
    for _ in range(2)
]
scores = evaluate(twin, test_loader, add_gaussian_noise, seed=0)

for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
    assert torch.equal(ours, theirs)
ours = torch.tensor([*losses, nothing_mse, model_mse])
theirs = torch.tensor([*their_losses, scores.noisy_mse, scores.mse])
torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)
assert model_mse < nothing_mse / 3

# %% [markdown]
# ## Try this
#
# - Let the loop compare with the *noisy* images. The loss still falls. What does the
#   picture show?
# - Draw the noise once, before the loop, and use it in every epoch.
# - Make the code 4 numbers long, or 128.
# - Replace `corrupt` by your own. (It must not write into `clean`, which is the target.)
#
# Next: [How training works](how-training-works.md)
