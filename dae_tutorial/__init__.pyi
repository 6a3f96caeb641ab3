"""The flat names, for editors and type checkers: `__init__.py` finds them when used."""

from dae_tutorial.beyond.blind_spots import (
    BlindPixelLoss as BlindPixelLoss,
    BlindSpotNet as BlindSpotNet,
    answer_blindly as answer_blindly,
    give_back as give_back,
    grid_mask as grid_mask,
    hide_pixels as hide_pixels,
)
from dae_tutorial.beyond.inverse import (
    Operator as Operator,
    diffpir as diffpir,
    plug_and_play as plug_and_play,
    regularise_by_denoising as regularise_by_denoising,
)
from dae_tutorial.beyond.jacobians import (
    asymmetry as asymmetry,
    denoiser_jacobian as denoiser_jacobian,
)
from dae_tutorial.beyond.mending import (
    anscombe as anscombe,
    anscombe_mean as anscombe_mean,
    clipped_mean as clipped_mean,
    invert_mean as invert_mean,
)
from dae_tutorial.beyond.operators import (
    Blur as Blur,
    Downsample as Downsample,
    LinearOperator as LinearOperator,
    Mask as Mask,
    gaussian_kernel as gaussian_kernel,
)
from dae_tutorial.beyond.selfsupervised import (
    RecorruptedPairs as RecorruptedPairs,
    SureLoss as SureLoss,
    divergence as divergence,
    sure as sure,
    undo_extra_noise as undo_extra_noise,
)
from dae_tutorial.beyond.set_prior import (
    Measurement as Measurement,
    posterior_mean_of_set as posterior_mean_of_set,
)
from dae_tutorial.evaluate import (
    Evaluation as Evaluation,
    evaluate as evaluate,
    mean_squared_error as mean_squared_error,
    psnr as psnr,
    ssim as ssim,
)
from dae_tutorial.evidence.baselines import (
    AffineDenoiser as AffineDenoiser,
    blur as blur,
    fit_linear as fit_linear,
    fit_mean_image as fit_mean_image,
    fit_pca as fit_pca,
    median as median,
    non_local_means as non_local_means,
    posterior_mean as posterior_mean,
    total_variation as total_variation,
    wavelet as wavelet,
)
from dae_tutorial.evidence.comparison import (
    Comparison as Comparison,
)
from dae_tutorial.evidence.photographs import (
    draw_patches as draw_patches,
    load_photograph as load_photograph,
)
from dae_tutorial.evidence.pretrain import (
    HiddenLayer as HiddenLayer,
    choose_linear_probe as choose_linear_probe,
    error_rate as error_rate,
    extract_features as extract_features,
    fit_linear_probe as fit_linear_probe,
    pretrain_stack as pretrain_stack,
    train_classifier as train_classifier,
)
from dae_tutorial.evidence.tables import (
    Row as Row,
    from_text as from_text,
    names as names,
    read as read,
    read_record as read_record,
    select as select,
    spread as spread,
)
from dae_tutorial.evidence.variations import (
    add_image_background as add_image_background,
    add_random_background as add_random_background,
    rotate as rotate,
    shipped_photographs as shipped_photographs,
    split as split,
)
from dae_tutorial.figures import (
    compare_images as compare_images,
    plot_loss as plot_loss,
    visualize_batch as visualize_batch,
    visualize_noisy_batch as visualize_noisy_batch,
    visualize_reconstruction as visualize_reconstruction,
)
from dae_tutorial.further.checkpoint import (
    Checkpoint as Checkpoint,
)
from dae_tutorial.further.drawings import (
    draw_strokes as draw_strokes,
    fit_picture as fit_picture,
)
from dae_tutorial.further.image_files import (
    read_image as read_image,
    write_image as write_image,
)
from dae_tutorial.further.inspection import (
    DataReport as DataReport,
    DataSummary as DataSummary,
    check_data as check_data,
)
from dae_tutorial.further.laboratory import (
    choose_digits as choose_digits,
    laboratory_models as laboratory_models,
    write_laboratory as write_laboratory,
)
from dae_tutorial.further.losses import (
    EmphasisedLoss as EmphasisedLoss,
    corrupt_and_mark as corrupt_and_mark,
    emphasised_error as emphasised_error,
)
from dae_tutorial.further.onnx_export import (
    export_onnx as export_onnx,
    in_eight_bits as in_eight_bits,
)
from dae_tutorial.further.pretrained import (
    load_pretrained as load_pretrained,
    read_card as read_card,
)
from dae_tutorial.further.transforms import (
    Corrupt as Corrupt,
)
from dae_tutorial.further.weights import (
    load_weights as load_weights,
    read_settings as read_settings,
    save_weights as save_weights,
)
from dae_tutorial.loaders import (
    ImageTensors as ImageTensors,
    get_mnist_loaders as get_mnist_loaders,
    get_mnist_splits as get_mnist_splits,
    load_mnist as load_mnist,
)
from dae_tutorial.model import (
    Autoencoder as Autoencoder,
    ConvAutoencoder as ConvAutoencoder,
    GlobalMixing as GlobalMixing,
    ResidualBlock as ResidualBlock,
    UNet as UNet,
)
from dae_tutorial.noise import (
    add_block_occlusion as add_block_occlusion,
    add_gaussian_noise as add_gaussian_noise,
    add_masking_noise as add_masking_noise,
    add_salt_and_pepper_noise as add_salt_and_pepper_noise,
    add_varied_gaussian_noise as add_varied_gaussian_noise,
    add_varied_gaussian_noise_with_level as add_varied_gaussian_noise_with_level,
    append_noise_level as append_noise_level,
    no_noise as no_noise,
)
from dae_tutorial.theory.multilevel import (
    MultilevelPairs as MultilevelPairs,
    Preconditioned as Preconditioned,
)
from dae_tutorial.theory.multilevel_unet import (
    MultilevelUNet as MultilevelUNet,
    ToldBlock as ToldBlock,
)
from dae_tutorial.theory.pretexts import (
    PrincipalNoise as PrincipalNoise,
    add_noise_of_any_scale as add_noise_of_any_scale,
    mask_patches as mask_patches,
)
from dae_tutorial.theory.pretrained import (
    load_digit_features as load_digit_features,
    load_multilevel as load_multilevel,
    read_theory_card as read_theory_card,
)
from dae_tutorial.theory.sample_quality import (
    DigitFeatures as DigitFeatures,
    frechet_distance as frechet_distance,
    nearest_distances as nearest_distances,
    precision_and_recall as precision_and_recall,
)
from dae_tutorial.theory.sampling import (
    draw_start as draw_start,
    guided as guided,
    heun as heun,
    noise_levels as noise_levels,
    step_down as step_down,
)
from dae_tutorial.theory.score import (
    FiniteSet as FiniteSet,
    GaussianMixture as GaussianMixture,
    tweedie_mean as tweedie_mean,
    tweedie_score as tweedie_score,
)
from dae_tutorial.theory.walks import (
    langevin as langevin,
    walkback as walkback,
)
from dae_tutorial.train import (
    Corruption as Corruption,
    History as History,
    fit as fit,
    one_cycle as one_cycle,
    pick_device as pick_device,
    train_one_epoch as train_one_epoch,
)

__version__: str
