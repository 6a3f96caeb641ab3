"""The studies of losses and noise levels show their effects at toy size, too."""

import pytest

from studies.experiments import losses, noise_levels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def under_losses():
    """Return the toy measures of a model trained on masking noise, by its loss."""

    def measured(loss: str) -> dict:
        model, _ = losses.study(seed=0, noise="masking", loss=loss, **losses.TOY)
        return model

    return {loss: measured(loss) for loss in ("MSE", "L1", *losses.INTACT)}


def test_absolute_error_avoids_grey_and_loses_ink(under_losses):
    squared, absolute = under_losses["MSE"], under_losses["L1"]
    assert absolute["grey"] < squared["grey"] / 2
    assert absolute["ink"] < squared["ink"] - 0.2


def test_the_more_emphasis_the_brighter_and_the_worse_at_intact_pixels(under_losses):
    three = [under_losses[loss] for loss in ("MSE", *losses.INTACT)]
    assert [part["ink"] for part in three] == sorted(part["ink"] for part in three)
    for emphasised in three[1:]:
        assert emphasised["intact"] > 1.03 * three[0]["intact"]


def test_parts_of_the_error_make_up_the_whole(under_losses):
    for measures in under_losses.values():
        parts = measures["corrupted"] + measures["intact"]
        assert parts == pytest.approx(measures["mse"], rel=1e-5)


@pytest.fixture(scope="module")
def at_levels():
    """Return the toy MSE of a training at (true level, told level)."""

    def measured(training: str) -> dict:
        rows = noise_levels.study(seed=0, training=training, **noise_levels.TOY)
        return {(row["sigma"], row["told"]): row["mse"] for row in rows}

    trainings = ("only 0.1", "only 1", "blind", "aware")
    return {training: measured(training) for training in trainings}


def test_a_specialist_fails_away_from_its_level(at_levels):
    assert at_levels["only 0.1"][1.0, 1.0] > 1.3 * at_levels["blind"][1.0, 1.0]
    assert at_levels["only 1"][0.1, 0.1] > 1.3 * at_levels["blind"][0.1, 0.1]


def test_being_told_the_level_makes_little_difference(at_levels):
    for sigma in noise_levels.TEST_LEVELS:
        ratio = at_levels["aware"][sigma, sigma] / at_levels["blind"][sigma, sigma]
        assert 0.9 < ratio < 1.1


def test_only_an_aware_model_is_told_wrong_levels():
    blind = noise_levels.questions("blind")
    lies = set(noise_levels.questions("aware")) - set(blind)
    assert len(lies) == len(noise_levels.TOLD_LEVELS) - 1
    assert all(sigma == told for sigma, told in blind)


def test_an_aware_model_does_as_it_is_told():
    model = noise_levels.AwareAutoencoder().eval()
    noisy = losses.mnist_test(4).images
    low = noise_levels.Told(model, 0.1)(noisy)
    assert low.shape == noisy.shape
    assert not low.equal(noise_levels.Told(model, 0.9)(noisy))
