"""Pretraining: what is stacked, what is frozen, what is chosen on what."""

import pytest
import torch
from torch import nn

from dae_tutorial.evidence.pretrain import (
    HiddenLayer,
    choose_linear_probe,
    error_rate,
    extract_features,
    fit_linear_probe,
    pretrain_stack,
    train_classifier,
)


def blobs(count: int, *, distance: float = 6.0, seed: int = 0):
    """Three classes of unit normal points, `distance` apart, in 20 dimensions."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    centres = distance * torch.eye(3, 20)
    return centres[labels] + torch.randn(count, 20, generator=generator), labels


def test_each_layer_meets_what_those_below_put_out():
    seen = []

    def note(layer, inputs):
        seen.append(inputs)
        nn.init.constant_(layer.encoder[0].weight, 1.0)
        nn.init.zeros_(layer.encoder[0].bias)

    images = torch.rand(6, 1, 2, 2)
    stack = pretrain_stack(images, (3, 2), note)
    assert torch.equal(seen[0], images.flatten(start_dim=1))
    expected = seen[0].sum(dim=1, keepdim=True).expand(-1, 3)
    assert torch.allclose(seen[1], expected), "the second layer needs the trained first"
    assert torch.allclose(stack(images), 3 * expected[:, :2])


def test_the_stack_is_what_was_trained_without_the_decoders():
    layers = []
    stack = pretrain_stack(
        torch.rand(5, 1, 2, 2), (3, 2), lambda layer, inputs: layers.append(layer)
    )
    assert [type(module).__name__ for module in stack] == [
        "Flatten",
        "Linear",
        "ReLU",
        "Linear",
        "ReLU",
    ]
    assert stack[1] is layers[0].encoder[0]
    assert stack[3] is layers[1].encoder[0]


def test_activation_is_the_callers():
    stack = pretrain_stack(
        torch.rand(5, 4), (3,), lambda *_: None, activation=nn.Sigmoid
    )
    assert isinstance(stack[-1], nn.Sigmoid)


def test_a_stack_needs_a_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        pretrain_stack(torch.rand(5, 4), (), lambda *_: None)


def test_a_hidden_layer_can_learn_to_reconstruct():
    inputs = torch.rand(64, 3) @ torch.rand(3, 10)  # three directions
    layer = HiddenLayer(10, 8)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
    before = nn.functional.mse_loss(layer(inputs), inputs).item()
    for _ in range(500):
        optimizer.zero_grad()
        nn.functional.mse_loss(layer(inputs), inputs).backward()
        optimizer.step()
    assert nn.functional.mse_loss(layer(inputs), inputs).item() < before / 50


def test_features_are_extracted_in_evaluation_mode_and_without_gradient():
    encoder = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
    images = torch.rand(7, 4)
    features = extract_features(encoder, images, batch_size=3)
    assert encoder.training
    assert not features.requires_grad
    assert torch.allclose(features, encoder[0](images))


def test_the_mode_comes_back_even_after_an_error():
    encoder = nn.Linear(4, 3)
    with pytest.raises(RuntimeError):
        extract_features(encoder, torch.rand(7, 5))
    assert encoder.training


def test_the_probe_separates_what_can_be_separated():
    train, test = blobs(300), blobs(3000, seed=1)
    probe = fit_linear_probe(*train, classes=3)
    assert error_rate(probe, *test) < 0.001


def test_the_probe_reaches_the_minimum():
    features, labels = blobs(200, distance=1.0)
    probe = fit_linear_probe(features, labels, penalty=0.1, classes=3, iterations=200)
    scale = (features - features.mean(dim=0)).square().mean().sqrt()
    loss = nn.functional.cross_entropy(probe(features), labels)
    norm = (probe.weight * scale).square().sum()  # of the weights for scaled features
    (loss + 0.1 / 2 * norm).backward()
    assert probe.weight.grad.abs().max() < 1e-3
    assert probe.bias.grad.abs().max() < 1e-3


def test_the_probe_does_not_depend_on_units():
    features, labels = blobs(200, distance=2.0)
    probe = fit_linear_probe(features, labels, classes=3)
    shifted = fit_linear_probe(1000 * features + 5, labels, classes=3)
    difference = shifted(1000 * features + 5) - probe(features)
    assert difference.abs().max() < 0.05


def test_a_stronger_penalty_means_smaller_weights():
    features, labels = blobs(200, distance=2.0)
    norms = [
        fit_linear_probe(features, labels, penalty=penalty, classes=3).weight.norm()
        for penalty in (1e-4, 1e-2, 1.0)
    ]
    assert norms[0] > norms[1] > norms[2]


def test_classes_without_a_label_are_allowed():
    features, labels = blobs(30)
    assert fit_linear_probe(features, labels).weight.shape == (10, 20)


def test_constant_features_do_no_harm():
    probe = fit_linear_probe(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), classes=2)
    assert probe(torch.ones(1, 3)).isfinite().all()


def test_the_penalty_is_chosen_on_validation_not_on_training():
    # Labels at random on few points: the weakest penalty learns them by heart.
    generator = torch.Generator().manual_seed(0)
    train = torch.randn(20, 20, generator=generator), torch.arange(20) % 2
    validation = blobs(200, distance=0.0)[0], torch.zeros(200, dtype=torch.int64)
    probes = {
        penalty: fit_linear_probe(*train, penalty=penalty) for penalty in (1e-4, 10.0)
    }
    errors = {key: error_rate(probe, *validation) for key, probe in probes.items()}
    chosen = choose_linear_probe(train, validation, penalties=(1e-4, 10.0))
    assert error_rate(chosen, *validation) == min(errors.values())


def test_training_learns_and_is_repeatable():
    train, test = blobs(300), blobs(1000, seed=1)
    weights = []
    for _ in range(2):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 3))
        train_classifier(network, train, test, steps=100, peak=1e-2, seed=3)
        weights.append(network[0].weight)
    assert error_rate(network, *test) < 0.01
    assert torch.equal(*weights)


def test_the_best_weights_are_kept_not_the_last():
    labels = torch.tensor([0, 1])
    network = nn.Linear(2, 2)
    # Training teaches the opposite of the validation labels, so it only gets worse.
    best = train_classifier(
        network,
        (torch.eye(2), 1 - labels),
        (torch.eye(2), labels),
        steps=200,
        peak=0.1,
        checks=200,
    )
    assert error_rate(network, torch.eye(2), labels) == best


def test_validation_is_looked_at_as_often_as_asked():
    looks = []

    class Watched(nn.Linear):
        def forward(self, x):
            if not self.training:
                looks.append(len(x))
            return super().forward(x)

    train = (torch.eye(4), torch.arange(4))
    train_classifier(Watched(4, 4), train, train, steps=50, checks=7)
    assert looks == [4] * 7


def test_every_image_is_met_equally_often():
    met = []

    class Watched(nn.Linear):
        def forward(self, x):
            if self.training:
                met.append(x.argmax(dim=1))
            return super().forward(x)

    train = (torch.eye(10), torch.arange(10))
    train_classifier(Watched(10, 10), train, train, steps=15, batch_size=4)
    counts = torch.bincount(torch.cat(met), minlength=10)
    assert counts.tolist() == [6] * 10  # 15 batches of 4 images, 10 of them


def test_dropout_is_off_while_scoring():
    network = nn.Sequential(nn.Dropout(0.9), nn.Linear(20, 3))
    images, labels = blobs(50)
    assert error_rate(network, images, labels) == error_rate(network, images, labels)
