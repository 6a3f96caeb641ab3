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
- `theory`: the score, one denoiser for all levels, and samplers that draw with it
- `beyond`: training without clean images, and a denoiser as the prior for other tasks
- `further`: a look at data, image files, drawings, more losses, transforms, trained
  models, what keeps models on disk, and what takes them into a browser

Import from the module that you need, as in
`from dae_tutorial.noise import add_gaussian_noise`, or every function and class from
here, as in `from dae_tutorial import add_gaussian_noise, fit`. A module is read when
one of its names is used first, so `import dae_tutorial` itself costs nothing.

`dae_tutorial.evaluate` is the function; `from dae_tutorial.evaluate import psnr` finds
the module of that name all the same.
"""

import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

# What each module gives to the flat names; `__init__.pyi` tells editors the same.
_NAMES = {
    "loaders": "ImageTensors get_mnist_loaders get_mnist_splits load_mnist",
    "noise": "add_block_occlusion add_gaussian_noise add_masking_noise "
    "add_salt_and_pepper_noise add_varied_gaussian_noise "
    "add_varied_gaussian_noise_with_level append_noise_level no_noise",
    "model": "Autoencoder ConvAutoencoder GlobalMixing ResidualBlock UNet",
    "train": "Corruption History fit one_cycle pick_device train_one_epoch",
    "evaluate": "Evaluation evaluate mean_squared_error psnr ssim",
    "figures": "compare_images plot_loss visualize_batch visualize_noisy_batch "
    "visualize_reconstruction",
    "beyond.blind_spots": "BlindPixelLoss BlindSpotNet answer_blindly give_back "
    "grid_mask hide_pixels",
    "beyond.inverse": "Operator diffpir plug_and_play regularise_by_denoising",
    "beyond.jacobians": "asymmetry denoiser_jacobian",
    "beyond.mending": "anscombe anscombe_mean clipped_mean invert_mean",
    "beyond.operators": "Blur Downsample LinearOperator Mask gaussian_kernel",
    "beyond.selfsupervised": "RecorruptedPairs SureLoss divergence sure "
    "undo_extra_noise",
    "beyond.set_prior": "Measurement posterior_mean_of_set",
    "evidence.baselines": "AffineDenoiser blur fit_linear fit_mean_image fit_pca "
    "median non_local_means posterior_mean total_variation wavelet",
    "evidence.comparison": "Comparison",
    "evidence.photographs": "draw_patches load_photograph",
    "evidence.pretrain": "HiddenLayer choose_linear_probe error_rate extract_features "
    "fit_linear_probe pretrain_stack train_classifier",
    "evidence.tables": "Row from_text names read read_record select spread",
    "evidence.variations": "add_image_background add_random_background rotate "
    "shipped_photographs split",
    "further.checkpoint": "Checkpoint",
    "further.drawings": "draw_strokes fit_picture",
    "further.image_files": "read_image write_image",
    "further.inspection": "DataReport DataSummary check_data",
    "further.laboratory": "choose_digits laboratory_models write_laboratory",
    "further.losses": "EmphasisedLoss corrupt_and_mark emphasised_error",
    "further.onnx_export": "export_onnx in_eight_bits",
    "further.pretrained": "load_pretrained read_card",
    "further.transforms": "Corrupt",
    "further.weights": "load_weights read_settings save_weights",
    "theory.multilevel": "MultilevelPairs Preconditioned",
    "theory.multilevel_unet": "MultilevelUNet ToldBlock",
    "theory.pretexts": "PrincipalNoise add_noise_of_any_scale mask_patches",
    "theory.pretrained": "load_digit_features load_multilevel read_theory_card",
    "theory.sample_quality": "DigitFeatures frechet_distance nearest_distances "
    "precision_and_recall",
    "theory.sampling": "draw_start guided heun noise_levels step_down",
    "theory.score": "FiniteSet GaussianMixture tweedie_mean tweedie_score",
    "theory.walks": "langevin walkback",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    """Find a flat name in the module that defines it."""
    if name not in _HOME:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}",
            name=name,
            obj=sys.modules[__name__],
        )
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the flat names beside what is here."""
    return sorted(globals().keys() | _HOME.keys())


class _Package(ModuleType):
    """Keeps a module from hiding the function that has its name."""

    def __setattr__(self, name: str, value: object) -> None:
        # Python binds a module in its package once it is imported.
        if name in _HOME and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
