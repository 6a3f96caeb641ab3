"""One denoiser for all levels: scales, pairs, the class that may be told, resuming."""

import math

import pytest
import torch
from torch import nn

from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.theory.multilevel import MultilevelPairs, Preconditioned
from dae_tutorial.theory.multilevel_unet import MultilevelUNet
from dae_tutorial.train import fit, one_cycle

SPREAD = 0.4


class Recorder(nn.Module):
    """Answers with a constant, and keeps what it was told."""

    def __init__(self, answer=0.0):
        super().__init__()
        self.answer = answer

    def forward(self, told):
        self.told = told
        return torch.full_like(told[:, :1], self.answer)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def loader(count=64, *, batch_size=16, seed=0, side=4):
    images = torch.rand(count, 1, side, side, generator=seeded())
    labels = torch.arange(count) % 10
    return ImageTensors(images, labels).loader(batch_size, shuffle=True, seed=seed)


def pairs_of(denoiser, seed=0, **options):
    return MultilevelPairs(loader(seed=seed), denoiser, **options)


@pytest.mark.parametrize("sigma", [0.01, 0.1, SPREAD, 1.0, 10.0])
def test_input_and_target_have_mean_square_one_at_each_level(sigma):
    count = 200_000
    clean = SPREAD * torch.randn(
        count, 1, 1, 1, dtype=torch.float64, generator=seeded()
    )
    noise = torch.randn(clean.shape, dtype=torch.float64, generator=seeded(1))
    denoiser = Preconditioned(Recorder(), SPREAD)
    told, wanted = denoiser.question(clean, clean + sigma * noise, torch.tensor(sigma))
    for numbers in (told[:, :1], wanted):  # squares of normal numbers have variance 2
        assert abs(numbers.square().mean() - 1) < 4 * math.sqrt(2 / count)


@pytest.mark.parametrize("sigma", [0.02, 0.5, 6.0])
def test_the_skip_leaves_the_network_as_little_as_can_be(sigma):
    """No other share of the input leaves a smaller rest, by the formula."""
    noisy = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    skip, out, _ = Preconditioned(Recorder(), SPREAD).scaled(noisy, sigma, None)

    def rest(share):
        return (1 - share) ** 2 * SPREAD**2 + share**2 * sigma**2

    assert math.isclose(rest(skip.item()), out.item() ** 2)
    assert rest(skip.item()) < min(rest(skip.item() * share) for share in (0.99, 1.01))


def test_at_no_noise_the_answer_is_the_input():
    noisy = torch.rand(3, 1, 4, 4, generator=seeded())
    for sigma in (1e-2, 1e-4):
        answer = Preconditioned(Recorder(answer=1.0), SPREAD)(noisy, sigma)
        assert (answer - noisy).abs().max() < 1.01 * sigma  # c_out → σ, and F is 1


def test_at_much_noise_the_answer_is_the_networks():
    noisy = 1e4 * torch.randn(3, 1, 4, 4, generator=seeded())
    answer = Preconditioned(Recorder(answer=1.0), SPREAD)(noisy, 1e4)
    assert torch.allclose(answer, torch.full_like(answer, SPREAD), atol=1e-4)


def test_the_question_and_the_answer_belong_together():
    """A network that answers its question right gives the clean image."""
    clean, noise = (torch.rand(5, 1, 4, 4, generator=seeded(s)) for s in (0, 1))
    sigma = torch.tensor([0.01, 0.1, 1.0, 3.0, 10.0])
    noisy = clean + sigma.reshape(-1, 1, 1, 1) * noise

    class Right(nn.Module):
        def forward(self, told):
            return wanted

    denoiser = Preconditioned(Right(), SPREAD)
    _, wanted = denoiser.question(clean, noisy, sigma)
    assert torch.allclose(denoiser(noisy, sigma), clean, atol=1e-5)


def test_one_level_for_all_is_the_same_as_one_an_image():
    noisy = torch.rand(3, 1, 4, 4, generator=seeded())
    denoiser = Preconditioned(Recorder(answer=0.3), SPREAD)
    alone = denoiser(noisy, 0.7)
    assert torch.allclose(alone, denoiser(noisy, torch.full((3,), 0.7)))
    mixed = denoiser(noisy, torch.tensor([0.7, 0.1, 9.0]))
    assert torch.allclose(mixed[0], alone[0])
    assert not torch.allclose(mixed[1:], alone[1:])


def test_the_level_is_told_as_a_quarter_of_its_logarithm():
    network = Recorder()
    Preconditioned(network, SPREAD)(torch.rand(2, 1, 3, 3), torch.tensor([0.1, 2.0]))
    wanted = torch.tensor([0.1, 2.0]).log() / 4
    assert torch.allclose(network.told[:, 1], wanted.reshape(2, 1, 1).expand(2, 3, 3))


def test_points_of_the_plane_are_denoised_as_well():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, told):
            return self.layer(told)

    points = torch.randn(128, 2, generator=seeded())
    denoiser = Preconditioned(Dense(), 1.0)
    assert denoiser(points, 0.5).shape == points.shape
    data = ImageTensors(points, torch.zeros(128)).loader(32, shuffle=True, seed=0)
    for told, wanted in MultilevelPairs(data, denoiser):
        assert told.shape == (32, 3)
        assert wanted.shape == (32, 2)


def test_the_class_is_told_in_one_channel_of_ten():
    network = Recorder()
    denoiser = Preconditioned(network, SPREAD, classes=10)
    denoiser(torch.rand(3, 1, 2, 2), 1.0, torch.tensor([0, 9, -1]))
    told = network.told[:, 2:, 0, 0]
    assert told.shape == (3, 10)
    assert torch.equal(told.argmax(dim=1)[:2], torch.tensor([0, 9]))
    assert torch.equal(told.sum(dim=1), torch.tensor([1.0, 1.0, 0.0]))
    denoiser(torch.rand(3, 1, 2, 2), 1.0)
    assert network.told[:, 2:].count_nonzero() == 0


@pytest.mark.parametrize(
    "labels", [[0, 1], [0, 1, 10], [0, -2, 1], [[0], [1], [2]]], ids=str
)
def test_labels_that_do_not_fit_are_refused(labels):
    denoiser = Preconditioned(Recorder(), SPREAD, classes=10)
    with pytest.raises(ValueError, match="labels must be 3 integers from -1 to 9"):
        denoiser(torch.rand(3, 1, 2, 2), 1.0, torch.tensor(labels))


def test_labels_are_refused_by_who_knows_no_classes():
    with pytest.raises(ValueError, match="told no classes"):
        Preconditioned(Recorder(), SPREAD)(torch.rand(1, 1, 2, 2), 1.0, torch.zeros(1))


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan, math.inf])
def test_a_level_that_is_not_above_0_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma must be finite numbers above 0"):
        Preconditioned(Recorder(), SPREAD)(torch.rand(2, 1, 2, 2), sigma)
    with pytest.raises(ValueError, match="sigma must be finite numbers above 0"):
        Preconditioned(Recorder(), SPREAD)(
            torch.rand(2, 1, 2, 2), torch.tensor([1.0, sigma])
        )


@pytest.mark.parametrize("spread", [0.0, -1.0, math.nan, math.inf])
def test_data_without_spread_are_refused(spread):
    with pytest.raises(ValueError, match="sigma_data must be"):
        Preconditioned(Recorder(), spread)


def drawn(pairs):
    return torch.cat([told for told, _ in pairs])


def test_each_pass_draws_fresh_noise_and_the_seed_repeats_it():
    denoiser = Preconditioned(Recorder(), SPREAD, classes=10)
    pairs, same = pairs_of(denoiser), pairs_of(denoiser)
    first, second = drawn(pairs), drawn(pairs)
    assert not torch.equal(first, second)
    assert torch.equal(first, drawn(same))
    assert torch.equal(second, drawn(same))
    assert not torch.equal(first, drawn(pairs_of(denoiser, seed=1)))


def test_levels_are_drawn_as_they_are_described():
    denoiser = Preconditioned(Recorder(), SPREAD)
    count = 20_000
    batches = loader(count, batch_size=500, side=1)
    pairs = MultilevelPairs(batches, denoiser, mean=-1.0, deviation=0.8)
    assert len(pairs) == 40
    logs = 4 * drawn(pairs)[:, 1, 0, 0]
    assert abs(logs.mean() + 1.0) < 4 * 0.8 / math.sqrt(count)
    assert abs(logs.std() / 0.8 - 1) < 4 / math.sqrt(2 * count)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_that_is_not_told_the_class(share):
    denoiser, count = Preconditioned(Recorder(), SPREAD, classes=10), 5000
    batches = loader(count, batch_size=500, side=1)
    pairs = MultilevelPairs(batches, denoiser, unlabelled=share)
    told = drawn(pairs)[:, 2:, 0, 0].sum(dim=1)
    error = math.sqrt(share * (1 - share) / count)
    assert abs((told == 0).double().mean() - share) <= 4 * error


def test_pairs_say_what_the_noise_was():
    """The right answer, put through the denoiser's scales, is the clean image."""
    images = torch.rand(32, 1, 4, 4, generator=seeded())
    batches = ImageTensors(images, torch.zeros(32)).loader(32, shuffle=False, seed=0)
    [(told, wanted)] = list(
        MultilevelPairs(batches, Preconditioned(Recorder(), SPREAD))
    )
    sigma = (4 * told[:, 1:2, :1, :1]).exp()
    size = (sigma**2 + SPREAD**2).sqrt()
    noisy = size * told[:, :1]
    clean = SPREAD**2 / size**2 * noisy + sigma * SPREAD / size * wanted
    assert torch.allclose(clean, images, atol=1e-4)
    noise = ((noisy - images) / sigma).flatten()
    assert abs(noise.std() - 1) < 4 / math.sqrt(2 * len(noise))


def test_the_unet_hears_the_level_and_the_class():
    torch.manual_seed(0)
    network = MultilevelUNet(width=8, classes=10)
    told = torch.randn(1, 12, 28, 28, generator=seeded())
    told[:, 1:] = 0
    assert network(told).count_nonzero() == 0  # it begins by answering nothing
    for part in network.parameters():
        nn.init.normal_(part, std=0.1, generator=seeded(part.numel()))
    louder, of_class = told.clone(), told.clone()
    louder[:, 1] = 0.5
    of_class[:, 2 + 7] = 1
    assert not torch.allclose(network(told), network(louder))
    assert not torch.allclose(network(told), network(of_class))


def train(path=None, *, epochs, total=4):
    """Train a toy; with a path, it can go on where it was stopped."""
    torch.manual_seed(0)
    denoiser = Preconditioned(MultilevelUNet(width=8, classes=10), SPREAD, 10)
    pairs = MultilevelPairs(loader(64, batch_size=32, side=28), denoiser)
    network = denoiser.network
    optimizer, scheduler = one_cycle(network, pairs, total, peak=5e-3)
    history = fit(
        network,
        pairs,
        None,
        epochs=epochs,
        optimizer=optimizer,
        scheduler=scheduler,
        device="cpu",
        checkpoint=path and Checkpoint(path),
    )
    return network, history


def test_a_toy_learns_and_goes_on_as_if_never_stopped(tmp_path):
    whole, history = train(epochs=4)
    assert history.train_loss[-1] < 0.9 * history.train_loss[0]
    path = tmp_path / "run.safetensors"
    train(path, epochs=2)
    resumed, again = train(path, epochs=4)
    assert again.train_loss == history.train_loss
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
