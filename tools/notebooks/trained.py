"""Train once what several notebooks train: a store of finished trainings.

A call of `remembered(fit, folder)` is looked up first, if all that it depends on can
be described. On a hit it leaves behind exactly what the training would have left:
parameters, buffers, gradients, the states of optimiser, scheduler and generators,
and the history. Kernels of notebooks use it by themselves, so that readers see plain
code. A study, or a benchmark that does not time the training, writes

    fit = remembered(fit, Path(".cache/trained"))

A call with anything that cannot be described just trains: a lambda, a function that a
notebook defines, a hook, another device than the CPU, an argument not known here.
"""

import contextlib
import dataclasses
import functools
import hashlib
import inspect
import json
import logging
import os
import pickle
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tools.notebooks.cache import evict_oldest, lock, write_atomically
from tools.notebooks.described import PLAIN, Description, Unknown, describe
from tools.notebooks.syntax import code_digest

logger = logging.getLogger(__name__)

MOST_BYTES = 500_000_000

# What `fit` may be given; any other argument must be left at its default.
KNOWN = (
    "model",
    "batches",
    "corrupt",
    "epochs",
    "optimizer",
    "scheduler",
    "criterion",
    "validate",
    "device",
    "seed",
)


def remembered(fit: Callable, folder: Path) -> Callable:
    """Return `fit`, but looking up in `folder` what has been trained before.

    Args:
        fit: `dae_tutorial.train.fit`, or a function with its signature.
        folder: where finished trainings are kept.

    Returns:
        A function whose results are those of `fit` bit for bit, but for the seconds in
        the history: those are of the training, whenever that was.
    """
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def recall_or_fit(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        try:
            described = _described(fit, signature, bound.arguments)
        except Unknown as reason:
            logger.info("not looked up, because of %s", reason)
            return fit(*args, **kwargs)
        training = _Training(fit, bound, described)
        path = folder / f"{described.key}.entry"
        with lock(folder, described.key):
            return training.recall(path) or training.run_and_store(path)

    return recall_or_fit


def _described(fit: Callable, signature: inspect.Signature, arguments: dict):
    """Describe a call, and the settings of torch on which its numbers depend."""
    for name, value in arguments.items():
        if name not in KNOWN and value is not signature.parameters[name].default:
            raise Unknown(f"the argument {name}")
    device = arguments["device"] or fit.__globals__["pick_device"]()
    if torch.device(device).type != "cpu":
        raise Unknown(f"the device {device}")
    known = {name: value for name, value in arguments.items() if name in KNOWN}
    described = describe([fit, known | {"device": "cpu"}, _settings(), _own_code()])
    _check_that_all_is_restored(arguments["optimizer"], described)
    return described


def _check_that_all_is_restored(
    optimizer: Optimizer | None, described: Description
) -> None:
    groups = optimizer.param_groups if optimizer is not None else []
    trained = {id(parameter) for group in groups for parameter in group["params"]}
    own = {id(one) for module in described.modules for one in module.parameters()}
    if not trained <= own:
        raise Unknown("the optimiser's parameters, which no module holds")


@functools.cache
def _own_code() -> list[str]:
    here = Path(__file__)
    files = (here, here.with_name("described.py"))
    return [code_digest(file.read_text(encoding="utf-8")) for file in files]


def _settings() -> list:
    return [
        torch.get_rng_state(),
        torch.get_num_threads(),
        torch.backends.cpu.get_cpu_capability(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
    ]


class _Training:
    """One call of `fit`: run it and keep what it leaves behind, or put that back."""

    def __init__(
        self, fit: Callable, bound: inspect.BoundArguments, described: Description
    ):
        self.fit, self.bound, self.described = fit, bound, described

    def run_and_store(self, path: Path) -> Any:
        """Train; store the result if nothing undescribed can have taken part."""
        outside = _other_random_states()
        with _warnings_noted() as noted:
            history = self.fit(*self.bound.args, **self.bound.kwargs)
        # Whoever trains this again must meet the warning too.
        if not noted and _other_random_states() == outside:
            with contextlib.suppress(Unknown):
                write_atomically(path, packed(self.state(history)))
                evict_oldest(path.parent, MOST_BYTES)
        return history

    def recall(self, path: Path) -> Any:
        """Put a finished training in place and return its history, if there is one."""
        if not path.exists():
            return None
        try:
            state = unpacked(path.read_bytes())
            os.utime(path)
        except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            logger.warning("Deleted the damaged training %s: %s", path, error)
            path.unlink(missing_ok=True)
            return None
        self.put_in_place(state)
        return self.fit.__globals__["History"](**state["history"])

    def state(self, history: Any) -> dict:
        """Return all that the training has changed."""
        return {
            "modules": [_module_state(module) for module in self.described.modules],
            "optimizer": self._state_of("optimizer"),
            "scheduler": self._state_of("scheduler"),
            "generators": [one.get_state() for one in self.described.generators],
            "random state": torch.get_rng_state(),
            "history": dataclasses.asdict(history),
        }

    def put_in_place(self, state: dict) -> None:
        """Leave every object as the training has left it."""
        modules = zip(self.described.modules, state["modules"], strict=True)
        for module, module_state in modules:
            _set_module_state(module, module_state)
        for name in ("optimizer", "scheduler"):
            if self.bound.arguments[name] is not None:
                self.bound.arguments[name].load_state_dict(state[name])
        generators = zip(self.described.generators, state["generators"], strict=True)
        for generator, generator_state in generators:
            generator.set_state(generator_state)
        torch.set_rng_state(state["random state"])

    def _state_of(self, name: str) -> dict | None:
        stateful = self.bound.arguments[name]
        return None if stateful is None else stateful.state_dict()


def _module_state(module: nn.Module) -> dict:
    parameters, buffers = module._parameters, module._buffers
    return {
        "training": module.training,
        "tensors": parameters | buffers,
        "gradients": {
            name: value.grad for name, value in parameters.items() if value is not None
        },
    }


def _set_module_state(module: nn.Module, state: dict) -> None:
    module.training = state["training"]
    tensors = module._parameters | module._buffers
    with torch.no_grad():
        for name, value in state["tensors"].items():
            if value is not None:
                tensors[name].copy_(value)
    for name, gradient in state["gradients"].items():
        module._parameters[name].grad = gradient


def packed(state: dict) -> bytes:
    """Return a nested state as bytes: a line of JSON, then its tensors.

    Raises:
        Unknown: If something in it is neither plain, nor a tensor, nor a container.
    """
    tensors: dict[str, Tensor] = {}
    outline = _outline(state, tensors)
    body = safetensors.torch.save(tensors)
    content = json.dumps(outline).encode() + b"\n" + body
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def unpacked(content: bytes) -> dict:
    """Return the state that `packed` has written; no code runs out of it.

    Raises:
        ValueError: If the content is not what was written.
    """
    digest, _, rest = content.partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        raise ValueError("its content was altered")
    outline, _, body = rest.partition(b"\n")
    return _filled(json.loads(outline), safetensors.torch.load(body))


def _outline(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return `value` for JSON, and move its tensors into `tensors`."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, dict):
        items = [[key, _outline(member, tensors)] for key, member in value.items()]
        return {"dict": items}
    if type(value) in (list, tuple):
        members = [_outline(member, tensors) for member in value]
        return {type(value).__name__: members}
    raise Unknown(f"a {type(value).__qualname__}")


def _filled(outline: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(outline, dict):
        return outline
    ((kind, content),) = outline.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _filled(member, tensors) for key, member in content}
    members = [_filled(member, tensors) for member in content]
    return tuple(members) if kind == "tuple" else members


def _other_random_states() -> str:
    """Return a digest of the generators that no training here should use."""
    states = (random.getstate(), np.random.get_state(legacy=False))  # noqa: NPY002
    return hashlib.sha256(pickle.dumps(states)).hexdigest()


@contextlib.contextmanager
def _warnings_noted() -> Iterator[list]:
    """Note whether a warning is shown, and show it all the same."""
    noted = []
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note_and_show(*args, **kwargs):
            noted.append(args)
            show(*args, **kwargs)

        warnings.showwarning = note_and_show
        yield noted
