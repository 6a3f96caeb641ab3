"""Describe a call by all that its result depends on, or say what cannot be described.

The description holds the content of tensors, the states of generators, the settings
of modules, optimisers and data loaders, the names of functions and classes, and, by
the rules that hold for notebooks, the code behind these names.
"""

import ast
import functools
import hashlib
import importlib.util
import inspect
import json
import platform
import sys
import sysconfig
import types
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Dataset, Sampler

from tools.notebooks.syntax import code_digest

PLAIN = (bool, int, float, str, type(None))
WRITTEN_OUT = (torch.dtype, torch.device, Path)
NAMED = (type, types.FunctionType, types.BuiltinFunctionType)

MODULE_INTERNALS = vars(nn.Module()).keys()
LOADER_SETTINGS = (
    "dataset",
    "batch_size",
    "drop_last",
    "sampler",
    "batch_sampler",
    "collate_fn",
    "generator",
    "num_workers",
)


class Unknown(Exception):
    """Something cannot be described in full; the message names it."""


@dataclass(frozen=True)
class Description:
    """A digest of some objects, and those among them that training changes.

    Attributes:
        key: changes exactly when the result may change.
        modules: every module met, children included.
        generators: every random generator met.
    """

    key: str
    modules: list[nn.Module]
    generators: list[Generator]


def describe(values: Any) -> Description:
    """Describe nested lists and dicts of the objects that trainings are made of.

    Raises:
        Unknown: If anything in them cannot be described in full.
    """
    writer = _Writer()
    parts = [writer.of(values), code_behind(writer.code), platform.python_version()]
    return Description(
        key=hashlib.sha256(json.dumps(parts).encode()).hexdigest(),
        modules=writer.met(nn.Module),
        generators=writer.met(Generator),
    )


class _Writer:
    """Write objects as lists that JSON can hold, each object once."""

    def __init__(self):
        self.places: dict[int, int] = {}
        self.objects: list[Any] = []  # alive, so that no two share an id
        self.code: set[str] = set()

    def met(self, kind: type) -> list:
        return [value for value in self.objects if isinstance(value, kind)]

    def of(self, value: Any) -> Any:
        if type(value) in PLAIN:
            return value
        if isinstance(value, WRITTEN_OUT):
            return [type(value).__name__, str(value)]
        if type(value) in (list, tuple, set):
            members = sorted(value, key=repr) if isinstance(value, set) else value
            return [type(value).__name__, *map(self.of, members)]
        if isinstance(value, dict):
            return ["dict", *([self.of(k), self.of(v)] for k, v in value.items())]
        if isinstance(value, NAMED):
            return ["name", self.named(value)]
        return self.object(value)

    def object(self, value: Any) -> list:
        """Describe an object whose identity matters: two may share a generator."""
        if id(value) in self.places:
            return ["same", self.places[id(value)]]
        self.places[id(value)] = len(self.objects)
        self.objects.append(value)
        for kind, describe_kind in OBJECTS:
            if isinstance(value, kind):
                return [self.named(type(value)), self.of(describe_kind(value))]
        raise Unknown(f"a {type(value).__qualname__}")

    def named(self, value: Any) -> str:
        """Return the name by which a function or class can be imported again."""
        module, name = value.__module__, value.__qualname__
        found = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        # What a module shows may be wrapped, as `fit` is in a notebook's kernel.
        if module == "__main__" or inspect.unwrap(found) is not value:
            raise Unknown(f"{name}, which no module defines under this name")
        self.code.add(module)
        return f"{module}.{name}"


def _tensor(tensor: Tensor) -> list:
    hooks = (tensor._backward_hooks, tensor._post_accumulate_grad_hooks)
    if any(hooks) or tensor.layout != torch.strided or tensor.device.type != "cpu":
        raise Unknown("a tensor with hooks, or not dense, or not on the CPU")
    flat = tensor.detach().contiguous().reshape(-1)
    digest = hashlib.sha256(flat.view(torch.uint8).numpy()).hexdigest()
    return [tensor.dtype, list(tensor.shape), tensor.requires_grad, digest]


def _generator(generator: Generator) -> list:
    return [generator.device, generator.get_state()]


def _module(module: nn.Module) -> dict:
    own = vars(module)
    settings = {name: own[name] for name in own if name not in MODULE_INTERNALS}
    if any(own[name] for name in MODULE_INTERNALS if name.endswith("hooks")):
        raise Unknown(f"the hooks of a {type(module).__name__}")
    content = ("training", "_parameters", "_buffers", "_modules")
    if not own.keys() >= set(content):
        raise Unknown(f"what {type(module).__name__} wraps")
    return settings | {name: own[name] for name in content}


def _optimizer(optimizer: Optimizer) -> list:
    # `step` is shadowed by every scheduler; other attributes are the class's own.
    return [optimizer.defaults, optimizer.param_groups, optimizer.state]


def _loader(loader: DataLoader) -> dict:
    if loader.num_workers:
        raise Unknown("a loader with worker processes")
    return {name: getattr(loader, name) for name in LOADER_SETTINGS}


def _partial(function: functools.partial) -> list:
    return [function.func, list(function.args), function.keywords]


OBJECTS = (
    (Tensor, _tensor),
    (Generator, _generator),
    (nn.Module, _module),
    (Optimizer, _optimizer),
    (DataLoader, _loader),
    (functools.partial, _partial),
    ((LRScheduler, Dataset, Sampler), vars),
)


def code_behind(names: set[str]) -> dict[str, str]:
    """Return a digest of each named module's code, and of what it imports.

    Of an installed package it is the version; the standard library is Python's.

    Raises:
        Unknown: If a module has neither source nor version, or was patched.
    """
    digests: dict[str, str] = {}
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            continue
        module = sys.modules[name]
        if _is_installed(module):
            digests[top] = _version(top)
        elif name not in digests:
            # As an import reads it: the notebook itself has not looked at it.
            code = SourceFileLoader(name, module.__file__).get_source(name)
            digests[name] = code_digest(code)
            waiting |= _imports(code, module)
            _refuse_patched(module)
    return dict(sorted(digests.items()))


def _is_installed(module: types.ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return file is None or any(Path(file).is_relative_to(place) for place in places)


def _version(package: str) -> str:
    version = getattr(sys.modules[package], "__version__", None)
    if version is None:
        raise Unknown(f"the version of {package}")
    return str(version)


def _imports(code: str, module: types.ModuleType) -> set[str]:
    """Return the names of the loaded modules that a module's code imports."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(relative, module.__package__)
            names |= {source} | {f"{source}.{alias.name}" for alias in node.names}
    return {name for name in names if name in sys.modules}


def _refuse_patched(module: types.ModuleType) -> None:
    for name, value in vars(module).items():
        if (inspect.isfunction(value) or inspect.isclass(value)) and (
            value.__module__ == "__main__"
        ):
            raise Unknown(f"{module.__name__}.{name}, which a notebook replaced")
