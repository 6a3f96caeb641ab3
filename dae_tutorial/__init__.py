"""Denoising autoencoders from the ground up: the code behind the tutorial.

One idea a module, and each module is a file that can be copied whole. The core:

- `loaders`: MNIST as batches of clean images in [0, 1]
- `noise`: the ways to corrupt an image
- `model`: a dense autoencoder, a convolutional one, a residual U-Net
- `train`: noisy in, clean out
- `evaluate`: how much better than doing nothing?
- `figures`: every figure of the site

Around it, in folders named like sections of the site:

- `evidence`: classical denoisers, pretraining, harder data, measured tables
- `further`: more losses, transforms, trained models, and what keeps models on disk

Import from the module that you need, as in
`from dae_tutorial.noise import add_gaussian_noise`.
"""

__version__ = "0.1.0"
