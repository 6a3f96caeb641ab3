# ---
# title: Pretrained models
# description: Trained denoising autoencoders and U-Nets for MNIST that come with the package, as safetensors, each with a card of data, noise, seed, recipe, scores and licence.
# ---

# %% [markdown]
# # Pretrained models
#
# Four trained denoisers come with the package, so you can look at results before you
# train anything. [`load_pretrained`][dae_tutorial.further.pretrained.load_pretrained]
# builds one of them, ready for use:

# %% alt="Eight test digits in three rows: noisy, original, and as the pretrained U-Net rebuilt them. The rebuilt digits are clean and sharp, and close to the originals."
import torch

from dae_tutorial.figures import visualize_reconstruction
from dae_tutorial.further.pretrained import load_pretrained
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise

model = load_pretrained("unet")
clean = load_mnist(train=False).images[:8]
noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    reconstruction = model(noisy)
visualize_reconstruction(noisy, clean, reconstruction)

# %% [markdown]
# ## Cards
#
# Each file carries its own card. [`read_card`][dae_tutorial.further.pretrained.read_card]
# returns it:

# %%
from dae_tutorial.further.pretrained import read_card

read_card("unet")

# %% [markdown]
# All four met the same images and the same kind of noise, but not for equally long:
# their cards name [epochs](../glossary.md#epoch) and seconds. The recipes were chosen
# on images held out of the training set; then each model learned from all of the
# training set, and met the [test set](../glossary.md#test-set) once, for its card. The
# scores below are those of the cards. They were measured when the models were made.

# %% tags=["hide-code"]

from IPython.display import Markdown

from dae_tutorial.further.pretrained import FOLDER, NAMES

lines = [
    "| download | parameters | test MSE | PSNR | size |",
    "|---|--:|--:|--:|--:|",
]
for name in NAMES:
    card = read_card(name)
    size = (FOLDER / f"{name}.safetensors").stat().st_size
    lines.append(
        f"| [{name}](../assets/weights/{name}.safetensors) "
        f"| {card['parameters']:,} | {card['test']['mse']:.5f} "
        f"| {card['test']['psnr']:.2f} dB | {size / 1e6:.1f} MB |"
    )
Markdown("\n".join(lines))

# %% [markdown]
# **Data**: MNIST, 60,000 training images, pixels in $[0, 1]$. **Noise**: Gaussian,
# $\sigma$ = 0.5, clipped to $[0, 1]$. **Made with**: `make weights`,
# [Adam](../glossary.md#adam) and a [one-cycle
# schedule](../glossary.md#one-cycle-schedule), one seed. **Licence**: MIT, like the
# code; MNIST has terms of its own, see [About and licences](../about.md).
#
# **Good for**: trying things out, comparing, features for small experiments (the two
# autoencoders). **Not good for**: other kinds of noise, stronger noise, other pictures.
# Under weak noise, $\sigma = 0.1$, the two autoencoders do more harm than the noise. They
# have seen one kind of damage to one kind of image, and
# [a denoiser knows best the noise that it has met](../learn/train-your-first-dae.py).
#
# ## Load a downloaded file
#
# The files are [safetensors](../reference/weights.md): numbers and a description, no
# code. So loading one runs nothing from it. Build the same architecture, then load:

# %%
from dae_tutorial.further.pretrained import FOLDER
from dae_tutorial.further.weights import load_weights
from dae_tutorial.model import Autoencoder

autoencoder = Autoencoder()
load_weights(autoencoder, FOLDER / "autoencoder.safetensors")

with torch.no_grad():
    code = autoencoder.encode(clean)
print(code.shape)

# %% tags=["check"]
from dae_tutorial.evaluate import mean_squared_error

test = load_mnist(train=False).images[:1000]
damaged = add_gaussian_noise(test, generator=torch.Generator().manual_seed(1))
for name in NAMES:
    card = read_card(name)
    with torch.no_grad():
        errors = mean_squared_error(load_pretrained(name)(damaged), test)
    spread = errors.std().item() / len(errors) ** 0.5
    assert abs(errors.mean().item() - card["test"]["mse"]) < 5 * spread
    assert "60,000" in card["data"]
    assert "0.5" in card["noise"]
faint = add_gaussian_noise(test, 0.1, generator=torch.Generator().manual_seed(1))
harmless = mean_squared_error(faint, test).mean()
for name in ("autoencoder", "conv-autoencoder"):
    with torch.no_grad():
        assert mean_squared_error(load_pretrained(name)(faint), test).mean() > harmless
