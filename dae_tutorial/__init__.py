"""Denoising autoencoders from the ground up: the code behind the tutorial.

One idea a module, and each module is a file that can be copied whole:

- `loaders`: MNIST as batches of clean images in [0, 1]
- `noise`: the ways to corrupt an image
- `transforms`: the same corruptions inside a torchvision pipeline
- `model`: a dense autoencoder, a convolutional one, a residual U-Net
- `losses`: what is not in torch.nn
- `train`: noisy in, clean out
- `evaluate`: how much better than doing nothing?
- `baselines`: classical denoisers, for comparison
- `pretrain`, `variations`, `photographs`: for the experiments on the site
- `figures`: every figure of the site
- `weights`: trained models on disk
- `checkpoint`: training runs on disk
- `pretrained`: trained models that come along

Import from the module that you need, as in
`from dae_tutorial.noise import add_gaussian_noise`.
"""

__version__ = "0.1.0"
