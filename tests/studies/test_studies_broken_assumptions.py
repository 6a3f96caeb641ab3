"""What broken assumptions do to networks: fair comparisons, and who beats whom."""

import pytest
import torch

from studies.experiments import broken_assumptions as study, own_pixel, without_clean


@pytest.fixture
def watched(monkeypatch):
    """Keep what networks are trained on; their answers stay noisy."""
    seen = []

    def dense(given, target, **options):
        seen.append(("dense", (given, target), options))
        return lambda noisy: noisy

    def convolutional(method, copies, **options):
        seen.append((method, copies, options))
        return lambda noisy: noisy

    monkeypatch.setattr(study, "autoencoder", dense)
    monkeypatch.setattr(study, "convolutional", convolutional)
    return seen


def asked_for(broken: str, **more) -> torch.Tensor:
    """Run one break, and return its clean images."""
    clean = torch.rand(40, 1, 28, 28)
    options = {"seed": 0, "epochs": 1, "width": 2, "told": 1.0} | more
    run, _ = study.BREAKS[broken]
    methods = [method for method, *_ in run(clean, clean[:4], **options)]
    assert len(set(methods)) == len(methods)
    return clean


DENSE = ("clipping", "few images", "counts")


@pytest.mark.parametrize("broken", DENSE)
def test_only_the_supervised_autoencoder_is_given_clean_images(broken, watched):
    clean = asked_for(broken)
    targets = [target for _, (_, target), _ in watched]
    assert sum(target is clean for target in targets) == 1
    drawn_anew = [options for _, (given, _), options in watched if given is clean]
    assert len(drawn_anew) == (broken == "few images")
    assert all(options["corrupt"] is not None for options in drawn_anew)


def test_only_the_supervised_convolutional_network_is_given_clean_images(watched):
    """The others do not look at the third, as a test of their study makes sure."""
    for broken in ("counts, convolutional", "shared noise", "level"):
        clean = asked_for(broken)
        for method, copies, _ in watched:
            for copy in copies[:2] if broken == "shared noise" else copies:
                assert method == "supervised" or copy is not clean
        watched.clear()


def test_shared_noise_is_as_strong_and_two_copies_are_independent():
    draw = torch.Generator().manual_seed(0)
    black = torch.zeros(3000, 1, 10, 10)
    for width in (1, 2, 3):
        one, two = (study.averaged(black, width, draw) for _ in range(2))
        assert one.std() == pytest.approx(study.SIGMA, rel=0.02)
        assert abs((one * two).mean()) < 0.005
        for apart in (1, 2, 3):
            product = (one[..., apart:] * one[..., :-apart]).mean() / study.SIGMA**2
            expected = max(0, 1 - apart / width)
            assert product == pytest.approx(expected, abs=0.02)


def test_sure_is_told_the_share_it_should_be_told(watched):
    asked_for("level", told=0.8)
    ((method, _, options),) = watched
    assert (method, options["sigma"]) == ("SURE", 0.8 * study.SIGMA)


@pytest.mark.slow
def test_the_inverse_mends_clipping():
    part = {"broken": "clipping", "images": 2000, "epochs": 8, "tested": 200}
    found = {row["method"]: row["psnr"] for row in study.study(seed=0, **part)}
    assert found["Noise2Noise, inverse of g"] > found["Noise2Noise"] + 1


@pytest.mark.slow
def test_blind_answers_copy_shared_noise_and_noise2noise_does_not():
    part = {"broken": "shared noise", "images": 3200, "width": 2, "tested": 200}
    rows = {row["method"]: row for row in study.study(seed=0, **part)}
    assert rows["doing nothing"]["copied"] == pytest.approx(1)
    assert rows["blind spot"]["copied"] > rows["Noise2Noise"]["copied"] + 0.3
    assert rows["Noise2Noise"]["psnr"] > rows["blind spot"]["psnr"] + 2


def test_the_loss_does_not_see_what_is_added():
    rows = own_pixel.study(seed=0, **own_pixel.TOY)
    losses = [row["loss"] for row in rows]
    assert max(losses) - min(losses) < 1e-5
    assert max(row["psnr"] for row in rows) > min(row["psnr"] for row in rows) + 0.3
    slopes = [row["own"] - row["added"] for row in rows]
    assert slopes == pytest.approx([slopes[0]] * len(rows))


def test_a_right_level_is_the_study_without_clean_images():
    """All but what SURE is told is the same, so the tables may be compared."""
    part = {"images": 64, "tested": 20, "told": 1.0}
    [told_right] = study.study(seed=1, broken="level", **part)
    [row] = without_clean.study(seed=1, method="SURE", steps=2, tested=20)
    assert told_right["psnr"] == row["psnr"]
