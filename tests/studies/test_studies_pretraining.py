"""The claims about features and pretraining hold their direction at toy size."""

import pytest
import torch

from dae_tutorial.noise import no_noise
from studies.experiments import pretraining, variations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits():
    """Return 3,000 images to learn from, 500 to choose with, and 2,000 to test on."""
    return variations.make("basic", (3_000, 500, 2_000), seed=0)


@pytest.fixture(scope="module")
def frozen(digits):
    """Return the test errors with 1,000 labels, on the features of four seeds."""
    train, *held_out = digits

    def errors(corrupt) -> list[float]:
        found = []
        for seed in range(4):
            encoder = pretraining.learn_stack(
                train[0], corrupt, width=64, layers=1, steps=150, seed=seed
            )
            (row,) = pretraining.probe(encoder, (1_000,), train, *held_out)
            found.append(row["test_error"])
        return found

    return {"AE": errors(no_noise), "DAE": errors(pretraining.masking)}


def test_noise_makes_features_better_than_those_of_the_clean_twin(frozen):
    plain, denoising = (torch.tensor(frozen[name]) for name in ("AE", "DAE"))
    difference = plain - denoising  # by seed
    standard_error = difference.std() / len(difference) ** 0.5
    assert difference.mean() > 2 * standard_error, difference


def test_twins_begin_with_the_same_weights():
    images = torch.rand(9, 1, 28, 28)
    plain, other = (
        pretraining.learn_stack(images, None, width=8, layers=2, steps=1, seed=seed)
        for seed in (0, 0)
    )
    networks = [
        pretraining.with_classifier(stack, 8, 0.0, seed=0) for stack in (plain, other)
    ]
    for one, same in zip(*(net.parameters() for net in networks), strict=True):
        assert torch.equal(one, same)


def test_labels_are_balanced_and_nested():
    labels = torch.randint(10, (5_000,), generator=torch.Generator().manual_seed(0))
    few, many = (pretraining.balanced(labels, count, seed=0) for count in (100, 1_000))
    assert torch.equal(few, many[:100])
    for chosen, each in ((few, 10), (many, 100)):
        assert torch.bincount(labels[chosen], minlength=10).tolist() == [each] * 10
        assert len(chosen.unique()) == len(chosen)
    other = pretraining.balanced(labels, 100, seed=1)
    assert not torch.equal(few, other)


def test_principal_components_are_orthogonal_and_in_order(digits):
    images = digits[0][0]
    project = pretraining.principal_components(images, 20)
    directions = project[1].weight
    assert torch.allclose(directions @ directions.T, torch.eye(20), atol=1e-5)
    assert (project(images).var(dim=0).diff() > 0).all()


def test_a_network_starts_from_the_encoder_and_leaves_it_alone():
    torch.manual_seed(0)
    encoder = pretraining.learn_stack(
        torch.rand(9, 1, 28, 28), None, width=8, layers=2, steps=1, seed=0
    )
    network = pretraining.with_classifier(encoder, 8, 0.5, seed=0)
    names = [type(module).__name__ for module in network]
    assert names == ["Flatten", *["Linear", "ReLU", "Dropout"] * 2, "Linear"]
    assert torch.equal(network[1].weight, encoder[1].weight)
    assert network[1].weight is not encoder[1].weight


TINY = pretraining.TOY | {"unlabelled": 300, "steps": 8, "fine_steps": 8, "width": 16}


def test_every_method_meets_every_number_of_labels_at_every_rate():
    sizes = {"labels": (10, 30), "rates": (1e-3, 1e-2), "fine_rates": (1e-3, 3e-3)}
    rows = pretraining.study(seed=0, **TINY | sizes)
    met = [tuple(row[k] for k in ("use", "method", "labels", "rate")) for row in rows]
    never_trained, learned = 3, 2 * len(pretraining.LEARNED)
    networks = 2 * len(pretraining.NETWORKS)
    assert len(met) == len(set(met)) == 2 * (never_trained + learned + networks)
    for row in rows:
        assert 0 <= row["test_error"] <= 1
        untrained = row["method"] in ("raw pixels", "random features", "PCA")
        assert (row["rate"] == 0) == untrained


def test_each_encoder_has_its_noise_and_its_rate(monkeypatch):
    trained = []

    def train(layer, images, corrupt, *, peak, **options):
        noisy = corrupt(torch.zeros(1, 784))
        trained.append((peak, noisy.min().item() < 0, noisy.max().item() > 0))

    monkeypatch.setattr(pretraining, "train", train)
    rates = (0.1, 0.2)
    images = torch.rand(9, 1, 28, 28)
    encoders = pretraining.learn_encoders(images, 8, 1, rates, seed=0)
    for rate in rates:  # (below black, above black) of a black image, by layer
        plain_and_masked = [(rate, False, False)] * 4
        gaussian = [(rate, False, True), (rate, True, True)]
        assert sorted(t for t in trained if t[0] == rate) == sorted(
            plain_and_masked + gaussian
        )
        assert encoders["DAE, masking", rate][1] is encoders["stacked DAE", rate][1]
        assert encoders["AE", rate][1] is encoders["stacked AE", rate][1]
        assert encoders["AE", rate][1] is not encoders["DAE, masking", rate][1]
        assert len(encoders["stacked DAE", rate]) == len(encoders["AE", rate]) + 2


def test_a_network_starts_from_the_encoder_that_validation_chose(monkeypatch):
    starts = []

    def probe(encoder, counts, *_):  # the second call of a method is better at 30
        calls.append(encoder)
        errors = (0.5, 0.5 - 0.01 * len(calls))
        return [
            {"labels": count, "validation_error": error, "test_error": 1 - error}
            for count, error in zip(counts, errors, strict=True)
        ]

    def fine_tune(networks, counts, *_):
        starts.append([network[1].weight for network in networks])
        return []

    calls = []
    monkeypatch.setattr(pretraining, "probe", probe)
    monkeypatch.setattr(pretraining, "fine_tune", fine_tune)
    sizes = {"labels": (10, 30), "rates": (1e-3, 1e-2)}
    pretraining.study(seed=0, **TINY | sizes)
    stacks = [encoder for encoder in calls if len(encoder) == 5]
    random, *_, low, high = stacks  # the stacked DAE's two are the last
    assert [torch.equal(start, random[1].weight) for start in starts[0]] == [True, True]
    few, many = starts[list(pretraining.NETWORKS).index("stacked DAE")]
    assert torch.equal(few, low[1].weight)
    assert torch.equal(many, high[1].weight)


@pytest.mark.parametrize("variation", variations.VARIATIONS)
def test_sets_of_a_variation_are_made_from_one_seed(variation):
    first, again, other = (
        variations.make(variation, (20, 10, 10), seed) for seed in (0, 0, 1)
    )
    for one, same, different in zip(first, again, other, strict=True):
        assert torch.equal(one[0], same[0])
        assert torch.equal(one[1], same[1])
        assert not torch.equal(one[0], different[0])


def test_variations_are_harder_than_basic_digits():
    def linear_error(variation: str) -> float:
        train, validation, test = variations.make(variation, (1_000, 300, 1_000), 0)
        encoder = torch.nn.Flatten()
        (row,) = pretraining.probe(encoder, (1_000,), train, validation, test)
        return row["test_error"]

    basic = linear_error("basic")
    # Two errors of 1,000 images differ by chance by some 0.02 (one standard error).
    for variation in variations.VARIATIONS[1:]:
        assert linear_error(variation) > basic + 0.08
