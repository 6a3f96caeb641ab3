"""The training loop: what goes in, what is compared, what is averaged."""

import re
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from dae_tutorial import train as train_module
from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import load_mnist
from dae_tutorial.model import Autoencoder, UNet
from dae_tutorial.noise import add_gaussian_noise, no_noise
from dae_tutorial.train import (
    History,
    fit,
    one_cycle,
    pick_device,
    train_one_epoch,
)


class Recording(nn.Module):
    """Returns a constant, and keeps what it was given."""

    def __init__(self, constant: float = 0.0):
        super().__init__()
        self.constant = nn.Parameter(torch.tensor(constant))
        self.inputs = []

    def forward(self, x):
        self.inputs.append(x.detach().clone())
        return self.constant.expand_as(x)


def seeds(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def still(model):
    """An optimiser that changes nothing."""
    return torch.optim.SGD(model.parameters(), lr=0.0)


def batches_of(*sizes):
    return [(torch.rand(size, 1, 28, 28), torch.zeros(size)) for size in sizes]


def first_images(count, *, train=True):
    return load_mnist(train=train).images[:count]


def test_noise_on_the_input_and_not_on_the_target():
    model, clean = Recording(), torch.full((64, 1, 28, 28), 0.5)
    targets = []

    class Watching(nn.MSELoss):
        def forward(self, input, target):
            targets.append(target.clone())
            return super().forward(input, target)

    train_one_epoch(
        model, [(clean, None)], still(model), add_gaussian_noise, criterion=Watching()
    )
    assert torch.equal(targets[0], clean), "the target must be the clean image"
    assert not torch.equal(model.inputs[0], clean), "the input must be noisy"
    assert (clean == 0.5).all()


def test_noise_is_fresh_at_every_step():
    model, (batch,) = Recording(), batches_of(8)
    fit(model, [batch, batch], add_gaussian_noise, epochs=2, optimizer=still(model))
    inputs = torch.stack([x.cpu() for x in model.inputs])
    assert len(inputs.unique(dim=0)) == 4


def test_all_noise_of_an_epoch_is_of_the_generator_that_is_passed():
    drawn_from = []

    def corrupt(images, *, generator):
        drawn_from.append(generator)
        return images.clone()

    (generator,), model = seeds(1), Recording()
    parts = {"generator": generator}
    train_one_epoch(model, batches_of(1, 1, 1), still(model), corrupt, **parts)
    assert all(source is generator for source in drawn_from)
    assert len(drawn_from) == 3


def test_loss_is_averaged_over_images():
    model = Recording(0.0)
    batches = [
        (torch.ones(9, 1, 2, 2), None),
        (torch.zeros(1, 1, 2, 2), None),
    ]
    loss = train_one_epoch(model, batches, still(model), no_noise)
    assert loss == pytest.approx(0.9)  # an average over batches would be 0.5


def test_gradients_do_not_pile_up():
    """Ten steps of plain gradient descent, checked against the formula by hand."""
    model = Recording(1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batch = (torch.zeros(4, 1, 2, 2), None)
    train_one_epoch(model, [batch] * 10, optimizer, no_noise)
    # The loss is c², so each step multiplies c by 1 - 0.1 · 2.
    assert model.constant.item() == pytest.approx(0.8**10)


def test_reported_loss_is_before_the_step():
    model = Recording(1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    assert train_one_epoch(
        model, [(torch.zeros(4, 1, 2, 2), None)], optimizer, no_noise
    ) == pytest.approx(1.0)


def test_scheduler_steps_once_a_batch():
    model = Recording()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    halve = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    train_one_epoch(model, batches_of(4, 4, 4), optimizer, no_noise, scheduler=halve)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5**3)


@pytest.mark.parametrize("fused", [True, False])
def test_one_cycle_is_adam_under_a_one_cycle_schedule(fused):
    """To the last bit what everybody writes by hand."""
    batches, weights = batches_of(4, 4, 4), []

    def by_hand(model, peak, betas):
        optimizer = torch.optim.Adam(
            model.parameters(), lr=peak, betas=betas, fused=fused
        )
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=peak, total_steps=2 * len(batches)
        )
        return optimizer, scheduler

    def ours(model, peak, betas):
        return one_cycle(model, batches, 2, peak, betas=betas, fused=fused)

    for make in (by_hand, ours):
        torch.manual_seed(0)
        model = Autoencoder()
        optimizer, scheduler = make(model, 6e-3, (0.9, 0.99))
        recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": 2}
        fit(model, batches, add_gaussian_noise, device="cpu", **recipe)
        weights.append(nn.utils.parameters_to_vector(model.parameters()))
    assert torch.equal(*weights)


def test_one_cycle_rises_falls_and_ends_with_the_run():
    model, batches, rates = Recording(), batches_of(*[1] * 10), []

    def watch(images, *, generator):
        rates.append(optimizer.param_groups[0]["lr"])
        return images.clone()

    optimizer, scheduler = one_cycle(model, batches, 10, peak=0.5)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "epochs": 10}
    fit(model, batches, watch, device="cpu", **recipe)
    assert optimizer.param_groups[0]["betas"][1] == 0.999  # the first one is cycled
    assert max(rates) == pytest.approx(0.5, rel=1e-3)
    assert rates.index(max(rates)) == 29
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates[-1] < 1e-4


def test_the_last_epoch_of_one_cycle_may_be_a_part():
    _, scheduler = one_cycle(Recording(), batches_of(*[1] * 10), 1.5, peak=0.1)
    assert scheduler.total_steps == 15


@pytest.mark.parametrize(
    ("epochs", "peak", "message"),
    [
        (0, 0.1, "epochs must give at least one step of 2 an epoch, got 0"),
        (-1, 0.1, "epochs must give"),
        (0.1, 0.1, "epochs must give"),
        (float("nan"), 0.1, "epochs must give"),
        (float("inf"), 0.1, "epochs must give"),
        (1, 0, "peak must be a finite number above 0, got 0"),
        (1, -0.1, "peak must be"),
        (1, float("nan"), "peak must be"),
        (1, float("inf"), "peak must be"),
    ],
)
def test_wrong_cycles(epochs, peak, message):
    with pytest.raises(ValueError, match=message):
        one_cycle(Recording(), batches_of(1, 1), epochs, peak)


def test_a_cycle_may_be_one_step_and_is_fused_unless_told():
    optimizer, scheduler = one_cycle(Recording(), batches_of(1, 1), 0.5, peak=0.1)
    assert scheduler.total_steps == 1
    assert optimizer.defaults["fused"] is True


def test_a_cycle_over_batches_without_a_number():
    with pytest.raises(TypeError, match=r"loader must know how many .* got generator"):
        one_cycle(Recording(), (batch for batch in batches_of(1)), 1, 0.1)


def test_same_seed_same_run():
    losses, batches = [], batches_of(16, 16)
    for seed in (5, 5, 6):
        torch.manual_seed(0)
        model = Autoencoder()
        history = fit(
            model, batches, add_gaussian_noise, epochs=2, device="cpu", seed=seed
        )
        losses.append(history.train_loss)
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_history_has_an_entry_an_epoch():
    history = fit(
        Autoencoder(),
        batches_of(8),
        add_gaussian_noise,
        epochs=3,
        validate=lambda model: 0.25,
        device="cpu",
    )
    assert len(history.train_loss) == len(history.seconds) == 3
    assert history.validation == [0.25] * 3


def test_validation_may_leave_the_model_in_evaluation_mode():
    modes = []

    class Watching(Recording):
        def forward(self, x):
            modes.append(self.training)
            return super().forward(x)

    model = Watching()
    fit(
        model,
        batches_of(4),
        no_noise,
        epochs=2,
        optimizer=still(model),
        validate=lambda model: model.eval() and 0.0,
    )
    assert modes == [True, True]


def test_device_can_be_chosen():
    model = Autoencoder()
    fit(model, batches_of(4), add_gaussian_noise, epochs=1, device="cpu")
    assert next(model.parameters()).device.type == "cpu"
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "fastest"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps")],
)
def test_the_fastest_device_is_picked(cuda, mps, fastest, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device() == torch.device(fastest)


def test_a_model_is_moved_to_the_device():
    model = nn.Linear(1, 1)
    assert train_module._place(model, "meta") == torch.device("meta")
    assert model.weight.is_meta


def test_images_and_losses_go_where_the_model_is(monkeypatch):
    """The device of this test has no memory, but tensors that know where they are."""
    seen = []

    class Watching(nn.MSELoss):
        def forward(self, input, target):
            seen.extend([input.device.type, target.device.type])
            return super().forward(input, target)

    class Model(nn.Linear):
        def forward(self, x):
            seen.append(x.device.type)
            return super().forward(x)

    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    monkeypatch.setattr(train_module, "_finite_mean", lambda total, count: total)
    model, pair = Model(4, 4, device="meta"), (torch.rand(8, 4), torch.rand(8, 4))
    total = train_one_epoch(model, [pair], still(model), None, criterion=Watching())
    assert {*seen, total.device.type} == {"meta"}


def test_noise_is_drawn_where_the_model_is(monkeypatch):
    class Seen(Exception): ...

    def stream(model, seed, device, *, is_kept):
        raise Seen(device)

    monkeypatch.setattr(train_module, "_stream", stream)
    model = nn.Linear(4, 4)
    with pytest.raises(Seen, match="meta"):
        fit(model, [torch.rand(8, 4)], no_noise, device="meta")
    assert model.weight.is_meta


@pytest.mark.slow
def test_overfits_one_batch():
    """Sixteen digits and no noise: the model must be able to learn them by heart."""
    images = first_images(16)
    history = fit(Autoencoder(), [(images, None)] * 500, no_noise, epochs=4)
    mean_image = images.mean(dim=0, keepdim=True)
    best_constant = (images - mean_image).square().mean().item()
    assert history.train_loss[-1] < best_constant / 20


@pytest.mark.slow
def test_training_on_noise_beats_nothing_and_beats_training_on_clean_images():
    """The claim of the whole tutorial, with its control."""
    images = first_images(12_800)
    batches = [(batch, None) for batch in images.split(128)]
    test = [(first_images(2_000, train=False), None)]
    scores = {}
    for name, corrupt in (("noisy", add_gaussian_noise), ("clean", no_noise)):
        torch.manual_seed(0)
        model = Autoencoder()
        fit(model, batches, corrupt, epochs=8, device="cpu")
        scores[name] = evaluate(model, test, add_gaussian_noise)
    # Over five seeds the scores were 0.0308 ± 0.0005 and 0.0483 ± 0.0009, and doing
    # nothing 0.1154: the margins leave the gaps three standard deviations and more.
    assert scores["noisy"].mse < scores["noisy"].noisy_mse - 0.08
    assert scores["noisy"].mse < scores["clean"].mse - 0.014
    assert scores["clean"].noisy_mse == scores["noisy"].noisy_mse, "same noise for both"


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_trains_and_leaves_float32_where_it_matters(half):
    seen = []

    class Watching(nn.MSELoss):
        def forward(self, input, target):
            seen.append(input.dtype)
            return super().forward(input, target)

    class Inside(nn.Sequential):
        def forward(self, x):
            reconstruction = super().forward(x)
            seen.append(reconstruction.dtype)
            return reconstruction

    model = Inside(nn.Linear(28, 28))
    train = partial(fit, model, batches_of(32), no_noise, epochs=20, device="cpu")
    history = train(autocast=half, criterion=Watching())
    assert set(seen[::2]) == {half}, "the model's products"
    assert set(seen[1::2]) == {torch.float32}, "the loss"
    assert model[0].weight.dtype == torch.float32
    assert history.train_loss[-1] < 0.95 * history.train_loss[0]
    train(epochs=1)
    assert seen[-1] == torch.float32, "and not without autocast"


@pytest.mark.slow
def test_compiled_model_takes_the_same_steps():
    """Its graphs are traced as for any backend, and not translated into C++."""
    plain, compiled = Autoencoder(), Autoencoder()
    compiled.load_state_dict(plain.state_dict())
    batches = batches_of(16, 16)
    losses = [
        fit(model, batches, add_gaussian_noise, epochs=2, device="cpu").train_loss
        for model in (plain, torch.compile(compiled, backend="aot_eager"))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    # The model that was passed to the compiler has learned.
    torch.testing.assert_close(
        plain.state_dict(), compiled.state_dict(), atol=1e-4, rtol=0
    )


@pytest.fixture
def second_of_two(monkeypatch):
    """Let the loop believe that it runs in the second of two processes."""
    monkeypatch.setattr(train_module, "_rank_and_processes", lambda: (1, 2))
    # The other process has the same losses.
    monkeypatch.setattr(train_module.distributed, "all_reduce", lambda t: t.mul_(2))


def test_a_process_learns_from_its_share_with_its_share_of_the_noise(second_of_two):
    model, images = Recording(), torch.rand(6, 1, 28, 28)
    seeded = partial(torch.Generator().manual_seed, 4)
    loss = train_one_epoch(
        model, [(images, None)], still(model), add_gaussian_noise, generator=seeded()
    )
    noisy = add_gaussian_noise(images, generator=seeded())
    assert torch.equal(model.inputs[0], noisy[3:])
    assert loss == pytest.approx(images[3:].square().mean().item())


def test_one_bar_for_all_processes(second_of_two, capsys):
    list(train_module._epochs_left(History([0.5], [], [1.0]), 3))
    assert capsys.readouterr().err == ""


def test_a_bar_shows_how_far_the_run_is(capsys):
    list(train_module._epochs_left(History([0.5], [], [1.0]), 3))
    told = capsys.readouterr().err
    assert re.match(r"\rtraining: +33%.* 1/3 ", told)
    rate = r"(\depoch/s|s/epoch)"
    assert re.search(rf"training: 100%.* 3/3 \[.*{rate}, loss=0\.50000\]\s*$", told)


def test_a_batch_that_cannot_be_shared(second_of_two):
    model = Recording()
    with pytest.raises(ValueError, match="5 images cannot be shared equally among 2"):
        train_one_epoch(model, batches_of(5), still(model), no_noise)


def test_processes_that_would_not_average_their_gradients(second_of_two):
    with pytest.raises(ValueError, match="would train a model of its own"):
        fit(Autoencoder(), batches_of(4), no_noise, epochs=1)


def test_processes_that_do_may_hide_it(second_of_two, monkeypatch):
    """As where a compiled model wraps the one that averages its gradients."""
    # The wrapping of this kind that averages needs several processes.
    monkeypatch.setattr(train_module, "DistributedDataParallel", nn.DataParallel)
    model = nn.Sequential(nn.DataParallel(nn.Linear(4, 4)))
    assert fit(model, [torch.rand(8, 4)], no_noise, epochs=1, device="cpu").train_loss


@pytest.mark.parametrize("epochs", [0, -1, 1.5])
def test_epochs(epochs):
    with pytest.raises(ValueError, match="epochs must be an integer of at least 1"):
        fit(Autoencoder(), batches_of(4), add_gaussian_noise, epochs=epochs)


def test_no_batches():
    with pytest.raises(ValueError, match=r"^batches must yield at least one image"):
        fit(Autoencoder(), [], add_gaussian_noise, epochs=1)


def test_rows_of_pixels_train_as_images_do():
    """Most autoencoders return flat images, whatever shape they are given."""
    losses, weights, batches = [], [], batches_of(8, 8)
    for end in (nn.Identity(), nn.Unflatten(1, (1, 28, 28))):
        torch.manual_seed(0)
        model = nn.Sequential(Autoencoder(), end)
        fitted = fit(model, batches, add_gaussian_noise, epochs=2, device="cpu")
        losses.append(fitted.train_loss)
        weights.append(model.state_dict())
    assert losses[0] == losses[1]
    pairs = zip(*(state.values() for state in weights), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_the_criterion_sees_images_whatever_the_model_returns():
    shapes = []

    class Watching(nn.MSELoss):
        def forward(self, input, target):
            shapes.append((input.shape, target.shape))
            return super().forward(input, target)

    fit(Autoencoder(), batches_of(4), no_noise, epochs=1, criterion=Watching())
    assert shapes == [((4, 1, 28, 28), (4, 1, 28, 28))]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x[:, :, :-1],
        lambda x: x.flatten(),
        lambda x: x[:, 0],  # it would broadcast, to (4, 4, 28, 28)
        lambda x: x.flatten(1).T,
        lambda x: x.flatten(1)[:, :1],
        lambda x: x.mean(),
        lambda x: x.flatten(1)[:1],
        lambda x: x.repeat(1, 3, 1, 1),
    ],
)
def test_other_shapes_are_refused(wrong):
    class Model(Recording):
        def forward(self, x):
            return wrong(super().forward(x))

    message = r"model must return .*\(4, 1, 28, 28\), or .*\(4, 784\), got \("
    with pytest.raises(ValueError, match=message):
        fit(Model(), batches_of(4), no_noise, epochs=1, device="cpu")


def test_a_model_that_returns_several_things_is_refused():
    class Model(Recording):
        def forward(self, x):
            return super().forward(x), 0

    with pytest.raises(TypeError, match=r"model must return a tensor .* got tuple"):
        fit(Model(), batches_of(4), no_noise, epochs=1, device="cpu")


def test_rows_of_coloured_pixels_are_images():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 12))
    fit(model, [torch.rand(5, 3, 2, 2)], no_noise, epochs=1, device="cpu")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_diverged_training_is_told(value):
    model = Recording(value)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        train_one_epoch(model, batches_of(4), still(model), no_noise)


@pytest.mark.slow
def test_sigmoid_under_squared_error_kills_a_unet_and_a_linear_end_does_not():
    """At a brisk learning rate the sigmoid saturates for good: black images."""
    images = load_mnist(train=True).images[: 60 * 32]
    batches = [(batch, None) for batch in images.split(32)]
    black = images.square().mean().item()
    error = {}
    for end in (nn.Sigmoid(), nn.Identity()):
        torch.manual_seed(0)
        model = nn.Sequential(UNet(width=8), end)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        generator = torch.Generator().manual_seed(0)
        train_one_epoch(
            model, batches, optimizer, add_gaussian_noise, generator=generator
        )
        with torch.no_grad():
            noisy = add_gaussian_noise(images[:500], generator=generator)
            output = model(noisy)
        error[type(end)] = (output - images[:500]).square().mean().item()
    assert error[nn.Sigmoid] > 0.9 * black
    assert error[nn.Identity] < black / 2


def test_a_corruption_that_writes_into_its_input():
    def write_into(images, *, generator):
        images[images > 0.5] = 0
        return images

    batches = batches_of(4)
    before, model = batches[0][0].clone(), Recording(0.5)
    message = (
        r"^corrupt must return new images, .* given, which are the target; let it "
        r"begin with images = images\.clone\(\)$"
    )
    with pytest.raises(ValueError, match=message):
        fit(model, batches, write_into, epochs=1, device="cpu")
    assert torch.equal(batches[0][0], before), "the images are as they were"
    assert model.constant == 0.5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_images_that_are_no_numbers_are_told_before_a_step(value):
    model, images = Recording(0.5), torch.rand(4, 1, 28, 28)
    images[0, 0, 0, 0] = value
    message = "^batches must yield finite images, got NaN or infinite pixels$"
    with pytest.raises(ValueError, match=message):
        fit(model, [(images, None)], no_noise, epochs=1, device="cpu")
    assert model.constant == 0.5


def test_parts_that_do_not_belong_together():
    model, other = Recording(), Recording()
    ours, theirs = still(model), still(other)
    steps = partial(torch.optim.lr_scheduler.StepLR, step_size=1)
    wrong = [
        (
            {"optimizer": theirs},
            ValueError,
            "^optimizer must hold parameters of model, got",
        ),
        (
            {"scheduler": steps(ours)},
            ValueError,
            "^scheduler must come with its optimizer",
        ),
        (
            {"optimizer": ours, "scheduler": steps(theirs)},
            ValueError,
            "^scheduler must be one of optimizer, got",
        ),
        ({"validate": 0.5}, TypeError, "validate must be a function .* got float"),
        ({"checkpoint": "run.safetensors"}, TypeError, "checkpoint must .* got str"),
    ]
    for arguments, error, message in wrong:
        with pytest.raises(error, match=message):
            fit(model, batches_of(4), no_noise, epochs=1, **arguments)
    assert model.inputs == [], "nothing was done before"


def test_a_scheduler_that_hides_its_optimiser_is_trusted():
    """As does what wraps one for several processes."""

    class Wrapped:
        steps = 0

        def step(self):
            self.steps += 1

    model, scheduler = Recording(), Wrapped()
    parts = {"optimizer": still(model), "scheduler": scheduler}
    fit(model, batches_of(4, 4), no_noise, epochs=1, **parts)
    assert scheduler.steps == 2


def noise_of(model, **options):
    """Return what a call of `fit` for one epoch draws."""
    drawn = []

    def corrupt(images, *, generator):
        drawn.append(torch.rand(3, generator=generator))
        return images.clone()

    fit(model, batches_of(1), corrupt, epochs=1, device="cpu", **options)
    return drawn[0].tolist()


def test_each_call_draws_fresh_noise():
    model = Recording()
    calls = [noise_of(model), noise_of(model), noise_of(model), noise_of(model, seed=1)]
    assert len(set(map(tuple, calls))) == 4
    other = Recording()
    again = [noise_of(other), noise_of(other), noise_of(other), noise_of(other, seed=1)]
    assert again == calls, "the same calls give the same run"


def test_the_noise_of_a_seed_stays_that_of_the_stored_tables():
    model = Recording()
    drawn = [noise_of(model)[0] for _ in range(2)]
    assert drawn == pytest.approx([0.1182, 0.7236], abs=1e-4)


def test_no_test_with_the_same_seed_meets_the_noise_of_the_training():
    tested = []

    def corrupt(images, *, generator):
        tested.append(torch.rand(3, generator=generator).tolist())
        return images.clone()

    for seed in (0, 5):
        evaluate(nn.Identity(), batches_of(1), corrupt, seed=seed)
        by_hand = torch.rand(3, generator=torch.Generator().manual_seed(seed))
        assert noise_of(Recording(), seed=seed) not in (tested[-1], by_hand.tolist())


def test_a_run_on_disk_goes_on_with_its_own_noise():
    class Forgetful:
        def resume(self, run):
            run["noise"].manual_seed(run["noise"].initial_seed())

        def save(self, run): ...

    model = Recording()
    calls = [noise_of(model, checkpoint=Forgetful()) for _ in range(2)]
    assert calls[0] == calls[1] == noise_of(model)
    assert noise_of(model, checkpoint=Forgetful()) == calls[0]


class Kept:
    """A checkpoint that shows what it is handed."""

    def resume(self, run):
        self.run = run

    def save(self, run):
        assert run is self.run


def test_a_checkpoint_is_handed_all_that_a_run_is_made_of():
    model, criterion, kept = nn.Linear(4, 4), nn.L1Loss(), Kept()
    images, order, sampled = TensorDataset(torch.rand(8, 4)), *seeds(2)
    sampler = RandomSampler(images, generator=sampled)
    batches = DataLoader(images, 4, sampler=sampler, generator=order)
    parts = {"model": model, "batches": batches, "criterion": criterion}
    parts["corrupt"] = no_noise
    history = fit(**parts, device="cpu", checkpoint=kept)
    del parts["corrupt"]
    parts |= {"corruption": no_noise, "scheduler": None, "history": history}
    parts |= {"order": order, "sampler": sampled, "torch": torch.default_generator}
    assert kept.run.keys() == parts.keys() | {"optimizer", "noise"}
    assert all(kept.run[name] is part for name, part in parts.items())
    assert isinstance(kept.run["optimizer"], torch.optim.Adam)
    assert kept.run["optimizer"].defaults["fused"] is True
    assert len(history.train_loss) == 10, "epochs, unless told"


def test_what_has_no_generator_of_its_own_is_no_obstacle():
    kept = Kept()
    fit(nn.Linear(4, 4), [torch.rand(8, 4)], no_noise, device="cpu", checkpoint=kept)
    assert kept.run["order"] is kept.run["sampler"] is None


def test_a_history_comes_back_from_its_state():
    history = History([0.5], [0.25], [1.0])
    again = History()
    again.load_state_dict(history.state_dict())
    assert again == history


def trained(batches, corrupt=add_gaussian_noise, **options):
    """Return what the model was given, and the result."""
    seen = []

    class Watching(nn.Identity):
        def forward(self, x):
            seen.append(x.clone())
            return x * self.one

    model = Watching()
    model.one = nn.Parameter(torch.tensor(1.0))
    recipe = {"optimizer": still(model), "epochs": 1, "device": "cpu"}
    (result,) = fit(model, batches, corrupt, **recipe, **options).train_loss
    return seen[0], result


IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("batch", "options"),
    [
        (IMAGES, {}),  # two of them: not images and labels
        ((IMAGES,), {}),
        ([IMAGES, torch.arange(2)], {}),
        ((IMAGES, torch.arange(2), "more", None), {}),
        ({"image": IMAGES, "label": torch.arange(2)}, {}),
        ({"pixels": IMAGES}, {"key": "pixels"}),
    ],
)
def test_images_are_found_in_what_loaders_yield(batch, options):
    run = trained
    expected = run([(IMAGES, torch.arange(2))])
    found = run([batch], **options)
    assert torch.equal(found[0], expected[0])
    assert found[1] == expected[1]


def test_the_images_of_a_dict_are_called_image_unless_told():
    def loss(batch, **options):
        return train_one_epoch(model, [batch], still(model), no_noise, **options)

    model = Recording()
    assert loss({"image": IMAGES}) == loss({"pixels": IMAGES}, key="pixels") > 0


def test_pairs_bring_their_own_noise():
    noisy = IMAGES * 0.5
    given, result = trained([(noisy, IMAGES)], None)
    assert torch.equal(given, noisy)
    error = (noisy - IMAGES).square().mean().item()
    assert result == pytest.approx(error)


def test_noisy_images_may_bring_their_level_along():
    noisy = torch.cat([IMAGES * 0.5, torch.full_like(IMAGES, 0.3)], dim=1)
    model = nn.Conv2d(2, 1, 1)
    recipe = {"optimizer": still(model), "epochs": 1, "device": "cpu"}
    (loss,) = fit(model, [(noisy, IMAGES)], None, **recipe).train_loss
    assert loss == pytest.approx((model(noisy) - IMAGES).square().mean().item())
    # Beside a corruption, what has other channels than the images is a label.
    assert torch.equal(trained([(noisy, IMAGES)], no_noise)[0], noisy)
    for other in (IMAGES[:1], IMAGES[..., :4], IMAGES[:, :0]):
        with pytest.raises(ValueError, match="corrupt must be given"):
            trained([(other, IMAGES)], None)


def test_rows_can_be_pairs_and_numbers_cannot():
    rows = IMAGES.flatten(1)
    assert torch.equal(trained([(rows / 2, rows)], None)[0], rows / 2)
    for batch in [(rows, rows.long()), (rows[0], rows[1])]:
        assert torch.equal(trained([batch], no_noise)[0], batch[0])


@pytest.mark.parametrize(
    ("batch", "corrupt", "error", "message"),
    [
        ((IMAGES, IMAGES), add_gaussian_noise, ValueError, "pass corrupt=None"),
        ((IMAGES, torch.arange(2)), None, ValueError, "^corrupt must .* one shape$"),
        ((torch.rand(2), torch.rand(2, 1)), None, ValueError, "^corrupt must be given"),
        ((torch.rand(2, 1), torch.rand(2)), None, ValueError, "^corrupt must be given"),
        (IMAGES, None, ValueError, "^corrupt must be given, unless"),
        (
            {"pixels": IMAGES, "label": torch.arange(2)},
            add_gaussian_noise,
            ValueError,
            "^key must be one of pixels, label, got 'image'$",
        ),
        (("a", IMAGES), add_gaussian_noise, TypeError, "tensors of images, got str"),
        (IMAGES.numpy(), add_gaussian_noise, TypeError, "of images, got ndarray"),
        ((), add_gaussian_noise, TypeError, "tensors of images, got tuple"),
    ],
)
def test_batches_that_cannot_be_understood(batch, corrupt, error, message):
    with pytest.raises(error, match=message):
        trained([batch], corrupt)


def test_frozen_parts_stay_frozen():
    """Their running averages would change, though their weights may not."""
    frozen, other = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
    model = nn.Sequential(frozen, other, nn.Linear(4, 4))
    frozen.eval()
    fit(model, [torch.rand(8, 4)], no_noise, epochs=2, device="cpu")
    assert not frozen.training
    assert other.training
    assert torch.equal(frozen.running_mean, torch.zeros(4))
    assert not torch.equal(other.running_mean, torch.zeros(4))


def test_a_model_in_evaluation_mode_is_trained_whole():
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4)).eval()
    fit(model, [torch.rand(8, 4)], no_noise, epochs=1, device="cpu")
    assert model[0].training


@pytest.mark.parametrize("value", [None, "good", (0.1, 0.2)])
def test_a_validation_that_gives_no_number(value):
    with pytest.raises(TypeError, match="validate must return a number, got"):
        fit(
            nn.Linear(4, 4),
            [torch.rand(8, 4)],
            no_noise,
            device="cpu",
            validate=lambda model: value,
        )


def test_the_default_optimiser_is_adam_with_a_rate_of_a_thousandth():
    """Adam's first step moves each weight by the learning rate."""
    model = nn.Linear(4, 4)
    before = model.weight.detach().clone()
    fit(model, [torch.rand(8, 4)], no_noise, epochs=1, device="cpu")
    steps = (model.weight.detach() - before).abs()
    torch.testing.assert_close(steps, torch.full((4, 4), 1e-3), rtol=1e-3, atol=1e-6)


def test_fit_steps_the_scheduler():
    model = nn.Linear(4, 4)
    optimizer, scheduler = one_cycle(model, [0, 0, 0], epochs=2, peak=0.1)
    parts = {"optimizer": optimizer, "scheduler": scheduler}
    fit(model, [torch.rand(8, 4)] * 3, no_noise, epochs=2, device="cpu", **parts)
    assert scheduler.last_epoch == 6


def test_seconds_are_of_the_training_alone(monkeypatch):
    """On a clock that ticks at each batch, and ten times in the validation."""
    clock = iter(range(1000))

    def ticking():
        for _ in range(3):
            next(clock)
            yield torch.rand(8, 4)

    class Batches:
        def __iter__(self):
            return ticking()

    def validate(model):
        for _ in range(10):
            next(clock)
        return 0.0

    monkeypatch.setattr(train_module.time, "perf_counter", lambda: float(next(clock)))
    parts = {"epochs": 2, "device": "cpu", "validate": validate}
    history = fit(nn.Linear(4, 4), Batches(), no_noise, **parts)
    assert history.seconds == [4.0, 4.0]


def test_no_graph_grows_over_the_epoch(monkeypatch):
    """The sum of losses holds numbers, and not what they were computed from."""
    sums = []
    mean = train_module._finite_mean
    monkeypatch.setattr(
        train_module, "_finite_mean", lambda *sum: sums.append(sum[0]) or mean(*sum)
    )
    fit(nn.Linear(4, 4), [torch.rand(8, 4)], no_noise, epochs=1, device="cpu")
    assert [total.requires_grad for total in sums] == [False]
