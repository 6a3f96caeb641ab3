"""How restored images are measured, scored and chosen between, at toy size."""

import pytest
import torch

from dae_tutorial.beyond.operators import Mask
from studies.experiments import boxes, jacobians, priors, restorers
from studies.experiments.recipe import mnist_test


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def solved(**part) -> dict:
    """Return rows by method."""
    rows = priors.study(seed=0, **priors.TOY | {"rounds": 12} | part)
    return {row["method"]: row for row in rows}


@pytest.mark.parametrize("task", restorers.TASKS)
def test_each_task_measures_with_noise_of_the_same_level(task):
    clean = mnist_test(200).images
    operator, measured = restorers.measure(task, clean, generator())
    off = measured - operator.forward(clean)
    if isinstance(operator, Mask):
        assert (measured[operator.seen == 0] == 0).all()
        off = off[operator.seen == 1]
    assert off.std() == pytest.approx(restorers.NOISE, rel=4 / (2 * off.numel()) ** 0.5)
    assert abs(off.mean()) < 4 * restorers.NOISE / off.numel() ** 0.5


def test_masks_hide_what_their_names_say():
    clean = mnist_test(200).images
    shares = {"half missing": 0.5, "80 % missing": 0.8, "box": 0.25}
    for task, share in shares.items():
        operator, _ = restorers.measure(task, clean, generator())
        assert 1 - operator.seen.mean() == pytest.approx(share, abs=0.01)
        assert not torch.equal(operator.seen[0], operator.seen[1])


def test_the_truth_misfits_by_the_noise_and_has_no_error():
    clean = mnist_test(200)
    for task in ("box", "quarter size"):
        operator, measured = restorers.measure(task, clean.images, generator())
        score = priors.scorer(operator, measured, clean)
        row = score(clean.images)
        assert row["psnr"] == 100
        assert row["invented"] < 0.02
        assert row["consistency"] == pytest.approx(1, abs=0.03)
        other = score(clean.images.roll(1, dims=0))
        assert other["invented"] > 0.7
        assert other["consistency"] > 2
        assert other["frechet"] == pytest.approx(row["frechet"], rel=1e-3)


def test_the_setting_that_does_best_on_validation_images_is_chosen():
    clean = mnist_test(20).images
    choice = restorers.measure("half size", clean, generator())

    def answering(images):
        return lambda operator, measured, generator: images

    offered = [("black", answering(0 * clean), 1), ("right", answering(clean), 2)]
    for several in (offered, offered[::-1]):
        setting, _, calls = priors.best(iter(several), choice, clean)
        assert (setting, calls) == ("right", 2)


def test_no_image_is_both_scored_and_chosen_by():
    test = mnist_test().images
    scored, others = priors.drawn("test", 100, 50, generator())
    for image in others:
        assert not (scored.images == image).all(dim=(1, 2, 3)).any()
    assert any((test[:9000] == scored.images[0]).all(dim=(1, 2, 3)))
    again, same = priors.drawn("training", 100, 50, generator())
    assert torch.equal(others, same)
    assert not torch.equal(again.images, scored.images)


@pytest.mark.slow
def test_a_denoiser_fills_a_box_better_than_nothing_does():
    methods = ("pseudo-inverse", "plug-and-play, falling", "DiffPIR")
    rows = solved(methods=(*methods, "DiffPIR, mean of 4"))
    nothing, filled, drawn, mean = (
        rows[name] for name in (*methods, "DiffPIR, mean of 4")
    )
    assert filled["psnr"] > nothing["psnr"] + 2
    assert filled["frechet"] < nothing["frechet"] / 2
    assert mean["psnr"] > drawn["psnr"] + 0.3
    assert (nothing["calls"], filled["calls"], drawn["calls"]) == (0, 12, 8)
    assert mean["calls"] == 32


@pytest.mark.slow
def test_the_exact_answer_finds_training_images_and_no_others():
    part = {"task": "half size", "known": 60_000, "methods": ("training set",)}
    own, other = (solved(source=source, **part) for source in ("training", "test"))
    assert own["training set"]["psnr"] > 90
    assert other["training set"]["psnr"] < 25
    assert own["training set"]["consistency"] == pytest.approx(1, abs=0.03)


def test_a_network_for_boxes_trains_on_boxes_and_is_scored_as_priors_are(monkeypatch):
    met = []

    def watch(model, images, corrupt, *, steps, seed, peak):
        met.append((corrupt(images.images[:20], generator=generator()), steps, seed))
        return model

    monkeypatch.setattr(boxes, "train", watch)
    [row] = boxes.study(seed=2, train_images=300, images=80)
    given, steps, seed = met[0]
    assert (steps, seed) == (3, 2)
    hidden = (given == 0).float().mean(dim=(1, 2, 3))
    torch.testing.assert_close(hidden, torch.full((20,), 0.25))
    [clean] = priors.study(seed=2, **priors.TOY | {"methods": ("pseudo-inverse",)})[:1]
    assert row.keys() < clean.keys() | {"begin", "train_images"}
    assert row["psnr"] < 16  # it has learned nothing


@pytest.mark.slow
def test_a_network_for_boxes_may_begin_as_the_denoiser():
    before = boxes.load_multilevel().state_dict()
    part = {"train_images": 256, "images": 80}
    anew, on = (
        boxes.study(seed=0, begin=b, **part)[0]["psnr"] for b in ("anew", "denoiser")
    )
    assert on > anew + 2
    shipped = boxes.load_multilevel().state_dict()
    assert all(map(torch.equal, shipped.values(), before.values()))


def test_a_network_for_boxes_meets_the_images_and_boxes_of_the_other_study():
    seen = []
    for validation in (8, 1):  # of the two studies
        draw = generator(3)
        clean, _ = priors.drawn("test", 80, validation, draw)
        operator, measured = restorers.measure("box", clean.images, draw)
        seen.append((clean.images, operator.seen, measured))
    assert all(torch.equal(one, other) for one, other in zip(*seen, strict=True))


def jacobian_of(**part) -> dict:
    [row] = jacobians.study(seed=0, **jacobians.TOY | part)
    return row


def test_the_exact_denoiser_is_symmetric_and_trained_ones_are_not():
    assert jacobian_of(denoiser="exact")["asymmetry"] < 1e-9
    matrix = jacobian_of(denoiser="linear", known=800)
    assert matrix["asymmetry"] > 0.1
    assert matrix["norm"] > 1.5
    assert matrix["norm"] >= matrix["gain"]


@pytest.mark.slow
def test_the_network_is_not_symmetric_either():
    row = jacobian_of(denoiser="network")
    assert 0.05 < row["asymmetry"] < 0.6
    assert row["norm"] >= row["gain"] > 0
