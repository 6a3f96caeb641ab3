# ---
# title: Choosing without clean images
# description: Estimate the noise level from one image, compare denoisers by Stein's unbiased risk estimate, and stop a training, all without a clean image, each beside the choice that clean images would have made.
# ---

# %% [markdown]
# # Choosing without clean images
#
# !!! abstract "In two sentences"
#     ABSTRACT
#
# Training is half of the work. The other half is choosing: how strong a filter, how long a
# training, which of two networks. Usually one looks at the error on clean
# [validation images](../glossary.md#validation-set). Without any, three questions
# remain: how strong is the noise, how large is the error, and when should one stop?
#
# For each, we choose without clean images first. Then we look at the clean ones, and see
# what they would have chosen.
#
# ## How strong is the noise?
#
# SURE and R2R must be told $\sigma$. Two ways to find it.
#
# - **Two copies.** In the difference $y - y'$ the image is gone, and what is left has the
#   variance $2\sigma^2$: $\hat\sigma = \operatorname{std}(y - y') / \sqrt{2}$.
# - **One image.** In the finest details of a wavelet transform there is little image and all
#   of the noise. The image's own details, its edges, are few and large. So take the *median*
#   size, which hardly feels a few large ones, and divide it by 0.6745, the median size of a
#   standard normal number. (Donoho and Johnstone; `estimate_sigma` of scikit-image.)

# %%
import torch
from skimage.restoration import estimate_sigma
from torchvision.transforms.v2.functional import center_crop, rgb_to_grayscale

from dae_tutorial.evidence.photographs import TEST, load_photograph
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise

digits = load_mnist(train=False).images[:100]
photographs = torch.stack(
    [center_crop(rgb_to_grayscale(load_photograph(name)), [192]) for name in TEST]
)
kinds = {"digits": digits, "photographs": photographs}
generator = torch.Generator().manual_seed(0)


def noisy_copy(clean, sigma):
    return add_gaussian_noise(clean, sigma, clip=False, generator=generator)


def from_one(noisy):
    return torch.tensor([estimate_sigma(image[0].numpy()) for image in noisy])


def from_two(first, second):
    return (first - second).flatten(1).std(dim=1) / 2**0.5


ratios = {}
print("estimate ÷ σ, mean ± deviation from image to image")
for kind, clean in kinds.items():
    for sigma in (0.02, 0.1, 0.25, 0.5):
        first, second = noisy_copy(clean, sigma), noisy_copy(clean, sigma)
        one, two = from_one(first) / sigma, from_two(first, second) / sigma
        ratios[kind, sigma] = one, two
        print(
            f"{kind:11} σ = {sigma:<4}  one image {one.mean():.2f} ± {one.std():.2f}"
            f"   two copies {two.mean():.2f} ± {two.std():.2f}"
        )

# %% tags=["check"]
CHECK_SIGMA

# %% [markdown]
# TEXT_SIGMA
#
# ## How large is the error? SURE as a judge
#
# [SURE](learning-without-clean-images.py#sure-subtract-what-copying-pays) estimates the mean
# squared error of *any* denoiser, trained or not, from noisy images alone. First: is it
# right? A thousand noisy digits, and two filters at several settings each. The last column
# is what clean images say.

# %%
from functools import partial

from dae_tutorial.beyond.selfsupervised import sure
from dae_tutorial.evidence.baselines import blur, non_local_means

sigma = 0.25
clean = load_mnist(train=False).images[1000:2000]
noisy = noisy_copy(clean, sigma)


def judged(denoise, noisy, clean, sigma):
    """Return SURE and the true error of each image."""
    estimate = sure(denoise, noisy, sigma, generator=generator)
    return estimate, (denoise(noisy) - clean).square().flatten(1).mean(dim=1)


print("blur of width   SURE     true error   ratio")
agreement = []
for width in (0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
    estimate, true = judged(partial(blur, width=width), noisy, clean, sigma)
    agreement.append((estimate.mean() / true.mean()).item())
    print(f"{width:8} {estimate.mean():13.5f} {true.mean():12.5f} {agreement[-1]:8.3f}")

# %% tags=["check"]
assert all(abs(ratio - 1) < 0.02 for ratio in agreement)

# %% [markdown]
# Within 2 % everywhere. How exact can it be? SURE minus the true error of an image is
#
# $$\Big(\frac1N\lVert n \rVert^2 - \sigma^2\Big) - \Big(\frac2N \langle n, D(y) - x \rangle
# - \text{its mean}\Big).$$
#
# The first bracket is how much noise this image happened to get: its standard deviation is
# $\sigma^2 \sqrt{2/N}$ whatever the denoiser, 0.0032 here for one image and 0.0001 for a
# thousand. A denoiser with a true error of 0.005 is thus known to 2 %; for one ten times
# better, a thousand digits would not be enough.
#
# But **the first bracket is the same for all denoisers** on the same noisy images. In a
# comparison it drops out. So SURE can tell two denoisers apart much better than it can tell
# how good either is:

# %%
one, other = (
    judged(partial(blur, width=width), noisy, clean, sigma) for width in (0.5, 0.6)
)
errors = {
    "of one": one[0] - one[1],
    "of the difference": (one[0] - other[0]) - (one[1] - other[1]),
}
for name, error in errors.items():
    print(f"standard error {name:18} {error.std() / 1000**0.5:.6f}")

# %% tags=["check"]
assert errors["of one"].std() > 3 * errors["of the difference"].std()
assert abs(sigma**2 * (2 / 784) ** 0.5 - 0.0032) < 0.00005

# %% [markdown]
# ### One photograph, one noisy copy
#
# Now as in life: a single noisy photograph, $\sigma$ estimated from it, and settings to
# choose. SURE chooses; then the clean image tells how many decibels its own choice would
# have been better.

# %%
offered = {
    f"blur {width}": partial(blur, width=width)
    for width in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.3)
}


def with_similar(sigma):
    return {
        f"non-local means {strength}": partial(
            non_local_means, sigma=sigma, strength=strength
        )
        for strength in (0.2, 0.4, 0.6, 0.8, 1.0)
    }


def choices(noisy, clean, sigma_told):
    """Return the names that SURE and the truth choose, and what the former costs."""
    found = {
        name: [value.item() for value in judged(denoise, noisy, clean, sigma_told)]
        for name, denoise in (offered | with_similar(sigma_told)).items()
    }
    by_sure, by_truth = (min(found, key=lambda n: found[n][i]) for i in (0, 1))
    ratio = torch.tensor(found[by_sure][1] / found[by_truth][1])
    return by_sure, by_truth, 10 * ratio.log10().item()


costs = []
for sigma in (0.1, 0.25):
    for name, image in zip(TEST, photographs, strict=True):
        noisy = noisy_copy(image[None], sigma)
        by_sure, by_truth, cost = choices(noisy, image[None], from_one(noisy).item())
        costs.append(cost)
        print(f"σ = {sigma:<4} {name:9}  SURE: {by_sure}, truth: {by_truth}, {cost:.2f} dB")

# %% tags=["check"]
CHECK_CHOICES

# %% [markdown]
# TEXT_CHOICES
#
# ## When to stop
#
# A small set of noisy images, and a network that goes through it again and again, will learn
# its noise by heart. With clean images one would watch the error on a
# validation set and stop at its lowest. Without them there are two substitutes, both on
# noisy images that the training does not use:
#
# - **SURE**, if $\sigma$ is known;
# - **the second copy**: the squared distance from a second noisy copy, less $\sigma^2$. By
#   the line of [the first page](learning-without-clean-images.py#one-line-that-all-of-them-share)
#   its mean is the true error, for any independent noise of mean zero. (And to find the
#   lowest point, $\sigma^2$ is not needed.)
#
# We train the dense autoencoder by Noise2Noise on 500 pairs, far too few, at
# $\sigma = 0.5$.

# %%
from dae_tutorial.model import Autoencoder
from dae_tutorial.train import fit
from torch.utils.data import DataLoader, TensorDataset

sigma = 0.5
many = load_mnist(train=True).images
train_clean, held_out = many[:500], many[500:1500]
pairs = TensorDataset(noisy_copy(train_clean, sigma), noisy_copy(train_clean, sigma))
first, second = noisy_copy(held_out, sigma), noisy_copy(held_out, sigma)

watched = {"SURE": [], "second copy": [], "true": []}


@torch.no_grad()
def watch(model):
    def denoise(noisy):
        return model(noisy).reshape(noisy.shape)

    answer = denoise(first)
    estimate = sure(denoise, first, sigma, generator=generator)
    watched["SURE"].append(estimate.mean().item())
    watched["second copy"].append((answer - second).square().mean().item() - sigma**2)
    watched["true"].append((answer - held_out).square().mean().item())
    return watched["SURE"][-1]


torch.manual_seed(0)
model = Autoencoder()
order = torch.Generator().manual_seed(0)
batches = DataLoader(pairs, 50, shuffle=True, generator=order)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
history = fit(
    model, batches, None, epochs=120, optimizer=optimizer, validate=watch, device="cpu"
)

# %% tags=["hide-code"] alt="ALT_STOP"
import matplotlib.pyplot as plt

from dae_tutorial import figures

BLUE, ORANGE, TEAL = figures.COLOURS.values()
with plt.rc_context(figures.STYLE):
    figure, axes = plt.subplots(figsize=(figures.WIDTH, 3.6), layout="constrained")
epochs = range(1, len(watched["true"]) + 1)
axes.plot(epochs, watched["true"], color=BLUE, label="true error")
axes.plot(epochs, watched["SURE"], ".", color=ORANGE, label="SURE")
axes.plot(epochs, watched["second copy"], "+", color=TEAL, label="second copy, less σ²")
axes.plot(
    epochs,
    [loss - sigma**2 for loss in history.train_loss],
    "--",
    color="grey",
    label="training loss, less σ²",
)
axes.set(xlabel="epoch", ylabel="mean squared error", ylim=(0, 0.08))
axes.legend(frameon=False)
plt.close(figure)
figure

# %%
best = min(watched["true"])
stops = {name: values.index(min(values)) for name, values in watched.items()}
stops["never"] = len(watched["true"]) - 1
for name, epoch in stops.items():
    error = watched["true"][epoch]
    print(
        f"{name:12} epoch {epoch + 1:4}: true error {error:.4f}, {error / best - 1:+.1%}"
    )

# %% tags=["check"]
CHECK_STOP

# %% [markdown]
# TEXT_STOP
#
# ## What to take along
#
# - Measure $\sigma$ before you trust a method that must be told. Two copies make that easy.
# - SURE judges any denoiser on noisy images it was not trained on. Compare on the *same*
#   noisy images.
# - Keep some noisy images out of training. They do for stopping what clean ones would.
# - All of it rests on noise that is Gaussian, independent and not clipped. If yours is not,
#   [mend it first](where-it-breaks.py).
