"""What networks and schedules are compared by: equal but for what is named."""

from functools import cache

import pytest
import torch

from studies.experiments import architectures, averaging, recipe, schedules


@pytest.fixture(scope="module", autouse=True)
def mnist_decoded_once():
    """Spare the studies of this module the decoding of MNIST."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "load_mnist", cache(recipe.load_mnist))
        yield


@pytest.fixture
def watched(monkeypatch):
    """Note each epoch and each evaluation of a study, and train nothing."""
    calls = {"epochs": [], "evaluations": []}

    def watch(module):
        def epoch(model, batches, optimizer, corrupt, *, scheduler, generator):
            group = optimizer.param_groups[0]
            rates = []
            for _ in range(len(batches)):
                rates.append(group["lr"])
                optimizer.step()
                if scheduler is not None:
                    scheduler.step()
            first = next(model.parameters()).detach().clone()
            calls["epochs"].append((first, rates, group["betas"], corrupt, generator))

        def evaluate(model, batches, corrupt, *, seed):
            calls["evaluations"].append((corrupt, seed))
            return real(model, batches, corrupt, seed=seed)

        real = module.evaluate
        loop = module if hasattr(module, "train_one_epoch") else recipe
        monkeypatch.setattr(loop, "train_one_epoch", epoch)
        monkeypatch.setattr(module, "evaluate", evaluate)
        return calls

    return watch


def test_each_of_the_three_is_changed_alone_and_with_the_others():
    base, *others = schedules.RECIPES
    changed = {
        tuple(a != b for a, b in zip(base, other, strict=True)) for other in others
    }
    alone = {(True, False, False), (False, True, False), (False, False, True)}
    assert changed >= alone | {(True, True, True)}


@pytest.mark.parametrize("beta2", [0.99, 0.999])
@pytest.mark.parametrize("rate", [0.001, 0.005])
def test_a_schedule_has_its_rate_and_its_betas(watched, rate, beta2):
    calls = watched(schedules)
    for schedule in ("constant", "one cycle"):
        part = {"schedule": schedule, "rate": rate, "beta2": beta2}
        schedules.study(seed=0, **schedules.TOY | part)
    betas = [betas for _, _, betas, *_ in calls["epochs"]]
    assert {second for _, second in betas} == {beta2}
    assert [first for first, _ in betas[:2]] == [0.9, 0.9]
    assert [first for first, _ in betas[2:]] == pytest.approx([0.86, 0.95], abs=0.03)
    constant, cycle = (
        [lr for _, rates, *_ in calls["epochs"][two : two + 2] for lr in rates]
        for two in (0, 2)
    )
    assert set(constant) == {rate}
    assert len(constant) == len(cycle)
    assert max(cycle) == pytest.approx(rate, rel=0.05)  # a step may miss the peak
    assert cycle[0] < 0.1 * rate
    assert cycle[-1] < 0.05 * rate


@pytest.mark.parametrize("module", [schedules, architectures, averaging])
def test_runs_of_a_seed_begin_alike_and_meet_other_noise_in_the_test(watched, module):
    calls = watched(module)
    for epochs in (2, 4):
        part = {"train_images": 256, "epochs": epochs}
        module.study(seed=3, **module.TOY | part)
    weights = [first for first, *_ in calls["epochs"]]
    assert all(torch.equal(first, weights[0]) for first in weights)
    draws = {generator.initial_seed() for *_, generator in calls["epochs"]}
    assert draws == {3}
    assert {seed for _, seed in calls["evaluations"]} == {module.DRAW}
    assert module.DRAW not in module.SEEDS


def test_a_constant_rate_knows_no_end():
    """Hence the first epochs of a long run stand for a short one."""
    part = schedules.TOY | {"schedule": "constant", "train_images": 512}
    short, long = (
        [row["mse"] for row in schedules.study(seed=0, **part | {"epochs": epochs})]
        for epochs in (2, 3)
    )
    assert long[:2] == short


def test_the_validation_images_are_not_trained_on(watched, monkeypatch):
    seen = {}
    calls = watched(schedules)
    real = schedules.evaluate
    monkeypatch.setattr(
        schedules,
        "evaluate",
        lambda model, batches, *rest, **options: (
            seen.update(validation=batches.dataset.images)
            or real(model, batches, *rest, **options)
        ),
    )
    drawn = recipe.mnist(300, seed=1).images
    part = {"train_images": 200, "validation_images": 100, "epochs": 1}
    schedules.study(seed=1, **part)
    assert torch.equal(seen["validation"], drawn[200:])
    assert len(calls["epochs"][0][1]) == 2  # 200 images in batches of 128


@pytest.mark.parametrize("network", architectures.NETWORKS)
def test_each_budget_has_a_cycle_of_its_own(watched, network):
    calls = watched(architectures)
    peak = architectures.NETWORKS[network].peak
    for epochs in (1, 4):
        part = {"network": network, "epochs": epochs, "test_images": 10}
        architectures.study(seed=0, **architectures.TOY | part)
        rates = [lr for _, steps, *_ in calls["epochs"][-epochs:] for lr in steps]
        assert max(rates) == pytest.approx(peak, rel=0.05)
        assert rates[-1] < 0.05 * peak
    assert len(calls["epochs"]) == 5


@pytest.mark.parametrize("clip", ["clipped", "unclipped"])
def test_noise_is_clipped_in_training_and_test_or_in_neither(watched, clip):
    calls = watched(architectures)
    part = {"network": "dense", "clip": clip, "epochs": 1}
    [row] = architectures.study(seed=0, **architectures.TOY | part)
    (*_, corrupt, _), (in_test, _) = calls["epochs"][0], calls["evaluations"][0]
    black = torch.zeros(1, 1, 28, 28)
    for noisy in (corrupt(black), in_test(black)):
        assert (noisy.min() < 0) == (clip == "unclipped")
    # Black pixels have 0.25 under unclipped noise of 0.5, half of it when clipped.
    assert (row["noisy_mse"] > 0.2) == (clip == "unclipped")


def test_only_training_is_timed(monkeypatch):
    clock = {"now": 0}
    takes = {"mnist": 1, "train": 10, "evaluate": 100}

    def slowed(real, ticks):
        def tick(*inputs, **options):
            clock["now"] += ticks
            return real(*inputs, **options)

        return tick

    for name, ticks in takes.items():
        real = getattr(architectures, name)
        monkeypatch.setattr(architectures, name, slowed(real, ticks))
    monkeypatch.setattr(architectures.time, "process_time", lambda: clock["now"])
    part = {"network": "dense", "train_images": 128, "epochs": 3, "test_images": 10}
    [row] = architectures.study(seed=0, **part)
    assert row["seconds"] == 10


def test_the_wide_network_has_no_bottleneck():
    widths = [
        layer.out_features
        for layer in architectures.wide_network()
        if isinstance(layer, torch.nn.Linear)
    ]
    assert widths == [1024, 784]


def test_an_average_follows_the_weights_at_its_speed():
    def errors(epochs: int) -> dict[float, float]:
        part = averaging.TOY | {"train_images": 320, "epochs": epochs}
        rows = averaging.study(seed=0, decays=(1e-6, 1 - 1e-6), **part)
        return {row["decay"]: row["mse"] for row in rows}

    one, two = errors(1), errors(2)
    for found in (one, two):  # what forgets at once is the weights as they are
        assert found[1e-6] == pytest.approx(found[0.0], rel=1e-3)
    assert two[0.0] < 0.9 * one[0.0]
    # What never forgets stays where the first step has brought it.
    assert two[1 - 1e-6] > 1.2 * two[0.0]


@pytest.mark.slow
def test_a_higher_rate_pays_in_a_short_run():
    part = {"schedule": "constant", "train_images": 4000, "epochs": 5}
    last = {
        rate: schedules.study(seed=0, **schedules.TOY | part | {"rate": rate})[-1][
            "mse"
        ]
        for rate in (1e-3, 5e-3)
    }
    assert last[5e-3] < 0.9 * last[1e-3]
