# ---
# title: Better architectures
# description: From a dense autoencoder to a convolutional one to a small residual U-Net in PyTorch. Error, PSNR, SSIM, parameters and cost on the same noisy digits, and why a sigmoid can kill a U-Net.
# ---

# %% [markdown]
# # Better architectures
#
# !!! abstract "In two sentences"
#     On MNIST at σ = 0.5, clipped, the small [U-Net](../glossary.md#u-net) that comes
#     with this site has a test error of 0.0085, the
#     [convolutional](../glossary.md#convolution) autoencoder 0.0111 and the dense one
#     0.0141. They did not train for equally long, each has one seed, and a wider dense
#     network was not among them, so the order is that of these four models and not of
#     their kinds.
#
# A dense autoencoder does not know what a picture is. To its first layer, two
# neighbouring pixels are as unrelated as two opposite corners. Models that know more
# about pictures should need fewer weights to denoise as well. This page compares three,
# on the same digits, under the same noise.
#
# ## Three models
#
# | model | what it knows | its code |
# |---|---|---|
# | [`Autoencoder`][dae_tutorial.model.Autoencoder] | nothing: every pixel is connected with every hidden unit | 32 numbers |
# | [`ConvAutoencoder`][dae_tutorial.model.ConvAutoencoder] | near pixels belong together, and a stroke is a stroke wherever it is | 32 numbers |
# | [`UNet`][dae_tutorial.model.UNet] | the same, and that the noisy image is a good place to start from | none |
#
# The first two are autoencoders: everything that they know about an image has passed
# through 32 numbers, and these can serve as features. The U-Net is no autoencoder. Its
# *skip connection* carries details past every narrow place, so it never has to compress
# anything. **It is a denoiser, not a representation learner.** If you want features, do
# not take it; if you want clean images, do.

# %%
import torch

from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet

models = {
    "dense": Autoencoder(),
    "convolutional": ConvAutoencoder(),
    "U-Net": UNet(image_size=28),
}
for name, model in models.items():
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{name:14} {count:8,} parameters")

# %% [markdown]
# How the shapes change on the way, for one image:
#
# | step | dense | convolutional | U-Net |
# |---|---|---|---|
# | input | 784 | 1 × 28 × 28 | 1 × 28 × 28 |
# | half the sides | 128 | 16 × 14 × 14 | 16 × 14 × 14 |
# | a quarter | – | 32 × 7 × 7 | 48 × 7 × 7 |
# | narrowest place | 32 | 32 | none: every step has a way around it |
# | output | 784 | 1 × 28 × 28 | 1 × 28 × 28 |
#
# ## Trained, side by side
#
# These models come trained with the package, so that you need not wait. Each has a
# *card* that says how it was made: data, noise, [epochs](../glossary.md#epoch), seed,
# scores. All of them met Gaussian noise of $\sigma = 0.5$, clipped to $[0, 1]$. There
# is a larger U-Net too, twice as wide and trained for longer.

# %%
from dae_tutorial.further.pretrained import NAMES, load_pretrained, read_card

print(f"{'model':18}{'parameters':>12}{'epochs':>8}{'test MSE':>10}{'PSNR':>10}")
for name in NAMES:
    card = read_card(name)
    scores = card["test"]
    print(
        f"{name:18}{card['parameters']:12,}{card['epochs']:8}"
        f"{scores['mse']:10.5f}{scores['psnr']:7.2f} dB"
    )
nothing = read_card("unet")["test"]
print(
    f"{'doing nothing':38}{nothing['noisy_mse']:10.5f}{nothing['noisy_psnr']:7.2f} dB"
)

# %% [markdown]
# The convolutional autoencoder has about half of the dense one's weights, and a fifth
# less error, with a code of the same length. The U-Net's error is three fifths of the
# dense model's.
#
# Two things the table does not show. The first is *time*: the dense model's thirty epochs
# took three and a half minutes, the convolutional one's twelve took nine, and the small
# U-Net's six took sixteen. With equal time the dense model could have trained for longer,
# or been wider. That comparison is missing here. The second is *work*: a convolution uses
# each of its weights at every place of the image, so few weights can mean much work.
#
# PyTorch can count that work: the multiplications for one image. In the figure, a point
# to the lower left is better in both respects.

# %% tags=["check"]
cards = {name: read_card(name) for name in NAMES}
mse = {name: card["test"]["mse"] for name, card in cards.items()}
weights = {name: card["parameters"] for name, card in cards.items()}
assert list(mse.values()) == sorted(mse.values(), reverse=True)
assert [round(mse[name], 4) for name in NAMES[:3]] == [0.0141, 0.0111, 0.0085]
minutes = [cards[name]["seconds"] / 60 for name in NAMES[:3]]
assert [cards[name]["epochs"] for name in NAMES[:3]] == [30, 12, 6]
assert abs(minutes[0] - 3.5) < 0.1
assert [round(value) for value in minutes[1:]] == [9, 16]
assert 0.45 < weights["conv-autoencoder"] / weights["autoencoder"] < 0.6
assert 0.75 < mse["conv-autoencoder"] / mse["autoencoder"] < 0.85
assert 0.57 < mse["unet"] / mse["autoencoder"] < 0.63
assert cards["unet-large"]["arguments"]["width"] == 2 * 16
assert cards["unet-large"]["epochs"] > cards["unet"]["epochs"]

# %%
from torch.utils.flop_counter import FlopCounterMode

multiplications = {}
for name in NAMES:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        load_pretrained(name)(torch.zeros(1, 1, 28, 28))
    multiplications[name] = counter.get_total_flops() / 2
    print(f"{name:18}{multiplications[name]:12,.0f} multiplications an image")

# %% tags=["hide-code"] alt="Test error against multiplications an image, for four models. The dense autoencoder is the cheapest and has the largest error; the convolutional autoencoder costs several times more and has a smaller one; the two U-Nets cost most and have by far the smallest errors."
import matplotlib.pyplot as plt

from dae_tutorial.figures import COLOURS, INK, STYLE, WIDTH

with plt.rc_context(STYLE):
    figure, axes = plt.subplots(figsize=(WIDTH, 3.6), layout="constrained")
for name in NAMES:
    axes.scatter(multiplications[name], mse[name], s=50, color=COLOURS["blue"])
    axes.annotate(
        name,
        (multiplications[name], mse[name]),
        xytext=(0, -18 if name == "unet-large" else 9),
        textcoords="offset points",
        ha="left" if name == "autoencoder" else "right",
        color=INK["light"],
    )
axes.set(
    xscale="log",
    xlabel="multiplications an image",
    ylabel="test MSE",
    ylim=(0, 0.018),
    xlim=(1e5, 4e7),
)
plt.close(figure)
figure

# %% tags=["check"]
assert multiplications["autoencoder"] < multiplications["conv-autoencoder"]
assert multiplications["conv-autoencoder"] < multiplications["unet"]
assert multiplications["unet"] < multiplications["unet-large"]
assert multiplications["unet"] > 20 * multiplications["autoencoder"]

# %% [markdown]
# That is the cost on paper. The clock tells another story: a processor does not do all
# multiplications at the same speed. These times were taken when the page was built, in
# [batches](../glossary.md#batch) of 100 images; yours will differ, their ratios less.

# %%
import time
from statistics import median

loaded = {name: load_pretrained(name) for name in NAMES}
images = torch.rand(100, 1, 28, 28)
seconds = {name: [] for name in NAMES}
with torch.no_grad():
    for _ in range(9):  # in turns, so that what disturbs one disturbs all
        for name, model in loaded.items():
            started = time.perf_counter()
            model(images)
            seconds[name].append((time.perf_counter() - started) / len(images))

print(f"{'model':18}{'ms an image':>12}{'dense = 1':>12}{'on paper':>11}")
for name in NAMES:
    ratios = [a / b for a, b in zip(seconds[name], seconds["autoencoder"], strict=True)]
    on_paper = multiplications[name] / multiplications["autoencoder"]
    print(
        f"{name:18}{1e3 * median(seconds[name]):12.3f}"
        f"{median(ratios):12.1f}{on_paper:11.1f}"
    )

# %% tags=["check"]
assert median(seconds["unet-large"]) > median(seconds["autoencoder"])

# %% [markdown]
# ## The same digits
#
# Six test images, and under each the PSNR: higher is better, and three decibels more
# mean half the squared error.

# %% alt="Six test digits under noise, and as three models rebuilt them, with the PSNR below each image. The dense model's strokes are soft and sometimes broken; the convolutional model's are cleaner; the U-Net's are the sharpest, and it has the highest PSNR for most digits."
from dae_tutorial.evaluate import psnr
from dae_tutorial.figures import compare_images
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise

clean = load_mnist(train=False).images[:1000]
noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(0))
rows = {"noisy": noisy}
with torch.no_grad():
    for name in ("autoencoder", "conv-autoencoder", "unet"):
        rows[name.replace("-", "-\n")] = load_pretrained(name)(noisy)
rows["clean"] = clean

compare_images(
    {name: images[:6] for name, images in rows.items()},
    below={
        name: [f"{value:.1f} dB" for value in psnr(images[:6], clean[:6])]
        for name, images in rows.items()
        if name != "clean"
    },
)

# %% [markdown]
# Squared error is one opinion.
# *[Structural similarity](../glossary.md#structural-similarity)* ([`ssim`][dae_tutorial.evaluate.ssim]) compares local means, contrasts and patterns
# instead, and 1 is a perfect image. It agrees that all convolutional models are ahead of
# the dense one, but sees hardly a difference between the convolutional autoencoder and
# the smaller U-Net:

# %%
from dae_tutorial.evaluate import mean_squared_error, ssim

with torch.no_grad():
    rebuilt = {name: model(noisy) for name, model in loaded.items()}
score = {}
for name, images in {"noisy": noisy, **rebuilt}.items():
    score[name] = ssim(images, clean).mean().item()
    error = mean_squared_error(images, clean).mean().item()
    print(f"{name:18} MSE {error:.5f}   SSIM {score[name]:.3f}")

# %% tags=["check"]
dense, conv, unet, large = (score[name] for name in NAMES)
assert score["noisy"] + 0.5 < dense < min(conv, unet, large) - 0.015
assert abs(conv - unet) < 0.02

# %% [markdown]
# ## Why the U-Net is built this way
#
# **It predicts a change.** The network's output is added to the noisy image. Doing
# nothing is then the easiest thing to learn, and all effort goes into the noise.
#
# **It works at low resolution.** The first step folds each square of 2 × 2 pixels into
# four channels, and nothing is lost. A 3 × 3 convolution at half the sides costs a
# quarter, at a quarter of the sides a sixteenth.
#
# **Blocks begin as the identity.** The last convolution of each residual block starts at
# zero, so a fresh network passes its input almost unchanged, and gradients reach its
# first layer at once.
#
# **One layer knows the whole picture.** MNIST's digits are centred, so *where* a stroke
# is says much about *what* it is; a convolution cannot know that. With
# `image_size=28`, two dense layers around 64 numbers connect everything with everything,
# at the lowest resolution, where that is cheap. The price: such a model takes images of
# that size only.
#
# **It ends without a [sigmoid](../glossary.md#sigmoid).** The next section says why.
#
# ## How a sigmoid kills a U-Net
#
# Pixels lie in $[0, 1]$, and so does a sigmoid. The dense autoencoder ends in one, and
# is fine. Let us train three small U-Nets at a [learning
# rate](../glossary.md#learning-rate) of 0.003, for 60 steps: one that ends in a sigmoid
# under squared error, the same with a linear end, and one with a sigmoid under binary
# cross-entropy. The last takes `nn.BCEWithLogitsLoss`, which is given the value before
# the sigmoid, here called $a$, and applies the sigmoid $s(a) = 1 / (1 + e^{-a})$
# within.

# %%
from torch import nn

from dae_tutorial.train import train_one_epoch

train = load_mnist(train=True).images[: 60 * 32]
batches = [(images, None) for images in train.split(32)]


def train_briefly(model, parameters, lr, criterion):
    optimizer = torch.optim.Adam(parameters, lr=lr)
    generator = torch.Generator().manual_seed(0)
    noise = {"corrupt": add_gaussian_noise, "generator": generator}
    train_one_epoch(model, batches, optimizer, criterion=criterion, **noise)


def small_unet():
    torch.manual_seed(0)
    return UNet(width=8)


ends = {
    "sigmoid, squared error": (nn.MSELoss(), nn.Sigmoid()),
    "linear, squared error": (nn.MSELoss(), nn.Identity()),
    "sigmoid, cross-entropy": (nn.BCEWithLogitsLoss(), nn.Identity()),
}
networks = {name: small_unet() for name in ends}
for name, (criterion, end) in ends.items():
    model = nn.Sequential(networks[name], end)
    train_briefly(model, model.parameters(), 0.003, criterion)

# %%
print(f"an all-black image:     MSE {clean.square().mean():.4f}")
before_end, brief = {}, {}
for name, network in networks.items():
    with torch.no_grad():
        a = network(noisy)  # in training mode: nothing is cut
    output = a if "linear" in name else a.sigmoid()
    before_end[name] = a
    brief[name] = mean_squared_error(output, clean).mean().item()
    print(
        f"{name}: MSE {brief[name]:.4f}, largest output {output.max():.3f}; "
        f"before the end: median {a.median():.3g}, largest {a.max():.3g}"
    )

# %% [markdown]
# The first model is dead. It returns black images, whatever it is shown, and its error
# is that of an all-black image. The other two learn.
#
# **Why.** Four fifths of MNIST's pixels are black, so the first steps push all outputs
# down. Before the sigmoid there is no bottom: most outputs end up thousands below zero,
# and all of them far below it. There the sigmoid is 0 to the last digit, and so is its
# slope, $s'(a) = s(a)\,(1 - s(a))$. Squared error has the gradient
# $2\,(s(a) - x)\,s'(a)$: whatever the error, it is multiplied by zero. No gradient, no
# way back:

# %%
for name, network in networks.items():
    network.zero_grad()
    criterion, end = ends[name]
    criterion(end(network(noisy[:32])), clean[:32]).backward()
    largest = max(p.grad.abs().max().item() for p in network.parameters())
    print(f"{name}: largest gradient {largest:.2g}")

# %% tags=["check"]
black = clean.square().mean().item()
dead, linear, entropy = brief.values()
assert abs(dead - black) < 0.002
assert linear < black / 2
assert entropy < black / 2
dead_before_end = before_end["sigmoid, squared error"]
assert dead_before_end.median() < -1000
assert dead_before_end.max() < -100
assert dead_before_end.sigmoid().max() == 0
assert 0.79 < (train == 0).float().mean() < 0.82
for parameter in networks["sigmoid, squared error"].parameters():
    assert parameter.grad.abs().max() == 0

# %% [markdown]
# Without the sigmoid the gradient is $2\,(a - x)$, large where the output is wrong. With
# cross-entropy it is $s(a) - x$, on paper: the slope cancels out. Whether it does so in
# float32 depends on who does the algebra. `nn.BCELoss` after `nn.Sigmoid` multiplies a
# large number by the slope, and once the slope is exactly 0, so is the product.
# `nn.BCEWithLogitsLoss` starts from $s(a) - x$. Here is the gradient of one pixel that
# is as wrong as it can be:

# %%
from torch.nn import functional

losses = {
    "MSELoss after Sigmoid": lambda a, x: functional.mse_loss(a.sigmoid(), x),
    "BCELoss after Sigmoid": lambda a, x: functional.binary_cross_entropy(
        a.sigmoid(), x
    ),
    "BCEWithLogitsLoss": functional.binary_cross_entropy_with_logits,
}
wrong = ((-200.0, 1.0), (-20.0, 1.0), (0.0, 1.0), (20.0, 0.0))
gradient = {}
print(f"{'':23}" + "".join(f"{f'a = {a:g}, x = {x:g}':>17}" for a, x in wrong))
for name, loss in losses.items():
    for place in wrong:
        a, x = (torch.tensor(value, requires_grad=True) for value in place)
        gradient[name, place] = torch.autograd.grad(loss(a, x.detach()), a)[0].item()
    print(f"{name:23}" + "".join(f"{gradient[name, place]:17.2g}" for place in wrong))

# %% tags=["check"]
low, middle_low, middle, high = wrong
for name in ("MSELoss after Sigmoid", "BCELoss after Sigmoid"):
    assert gradient[name, low] == gradient[name, high] == 0
assert abs(gradient["MSELoss after Sigmoid", middle_low]) < 1e-8
assert gradient["BCELoss after Sigmoid", middle_low] == -1
for a, x in wrong:
    exact = torch.tensor(a).sigmoid().item() - x
    assert abs(gradient["BCEWithLogitsLoss", (a, x)] - exact) < 1e-6

# %% [markdown]
# **Why not the dense autoencoder?** It ends in the same sigmoid, and learns under the
# same squared error. Is our learning rate too high for the U-Net only? Let us try
# others, on the dense model as well, and on a U-Net in which only the last layer is
# trained:


# %%
def try_dense(lr):
    torch.manual_seed(0)
    model = Autoencoder()
    train_briefly(model, model.parameters(), lr, nn.MSELoss())
    with torch.no_grad():
        return model.decoder[:-1](model.encode(noisy)).reshape(noisy.shape)


def try_unet(lr, trained=lambda network: network):
    network = small_unet()
    model = nn.Sequential(network, nn.Sigmoid())
    train_briefly(model, trained(network).parameters(), lr, nn.MSELoss())
    with torch.no_grad():
        return network(noisy)


tried = {
    "U-Net, 0.001": try_unet(0.001),
    "its last layer only, 0.01": try_unet(0.01, lambda network: network.leave),
    "dense, 0.01": try_dense(0.01),
    "dense, 0.03": try_dense(0.03),
    "dense, 0.1": try_dense(0.1),
}
for name, a in tried.items():
    error = (a.sigmoid() - clean).square().mean()
    print(f"{name:26} MSE {error:.4f}; a from {a.min():.3g} to {a.max():.3g}")

# %% [markdown]
# It is not the rate. At the usual 0.001 the U-Net comes out just as black. And at 0.01
# and 0.03, three times and ten times the rate that killed the U-Net, the dense model
# learns. (It is not immune: at 0.1 its outputs run away as well, to both sides.) But a
# U-Net in which only the last layer learns survives 0.01, too. So it dies when *all* of
# its twelve layers move at once. A likely reason: each layer is pushed towards a darker
# picture, and their effects multiply. That the dense model has only four layers, and
# weights of its own for each pixel, is our guess at what saves it; these numbers do not
# prove it.

# %% tags=["check"]
after = {name: (a.sigmoid() - clean).square().mean() for name, a in tried.items()}
assert abs(after["U-Net, 0.001"] - black) < 0.002
assert tried["U-Net, 0.001"].max() < -10
for name in ("dense, 0.01", "dense, 0.03", "its last layer only, 0.01"):
    assert after[name] < 0.8 * black, name
    assert tried[name].max() > 0
assert after["dense, 0.1"] > 0.95 * black
assert tried["dense, 0.1"].max() > 1000
assert tried["dense, 0.1"].min() < -1000
layers = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
depth = {
    type(model).__name__: sum(isinstance(part, layers) for part in model.modules())
    for model in (Autoencoder(), UNet(width=8))
}
assert depth == {"Autoencoder": 4, "UNet": 12}

# %% [markdown]
# **How to prevent it**: let a residual model end linearly, as ours does, and cut its
# output to $[0, 1]$ only when it is used; or keep the sigmoid, and train with
# `nn.BCEWithLogitsLoss`.
#
# ## What is left
#
# The larger U-Net shows that more width and more time together still help a little.
# (Which of the two, these models do not tell.) Much larger networks exist for
# photographs.
#
# A little more can be had with no training at all. A digit that is shifted by a pixel is
# still a digit. So show the network the image and its four neighbours, each shifted by a
# pixel, shift the answers back, and average. The noise falls on other weights each time,
# and some of the mistakes cancel out. (What a shift pushes out at one edge comes in at
# the other. MNIST's edges are black, so that does no harm.)

# %%
answers = 6 * rebuilt["unet-large"]  # the best weight on training images: six in ten
with torch.no_grad():
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        shifted = noisy.roll((down, right), dims=(2, 3))
        answers += loaded["unet-large"](shifted).roll((-down, -right), dims=(2, 3))

once = mean_squared_error(rebuilt["unet-large"], clean)
averaged = mean_squared_error(answers / 10, clean)
gain = once - averaged
standard_error = gain.std() / len(gain) ** 0.5
print(f"MSE {once.mean():.5f}, averaged {averaged.mean():.5f}")
print(f"gain {gain.mean():.6f} ± {standard_error:.6f}")

# %% [markdown]
# That is one per cent less error, for five times the work: real, and too dear for most
# uses. How much is left to gain on MNIST we do not know. Some of the error will stay:
# where the noise has hidden a stroke, no network can know that it was there.

# %% tags=["check"]
assert 0.85 < mse["unet-large"] / mse["unet"] < 0.99
assert 0.008 < gain.mean() / once.mean() < 0.015
assert gain.mean() > 4 * standard_error
