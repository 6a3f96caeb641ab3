"""What made a table: the code behind a study, and the versions of the libraries."""

import platform
from functools import cache
from importlib import metadata
from pathlib import Path

import grimp

from tools.notebooks.fingerprint import digest

ROOT = Path(__file__).parents[1]

VERSIONED = ("torch", "numpy", "scikit-image", "scikit-learn")


def code_digests(name: str) -> dict[str, str]:
    """Return a digest of a study's module and of each of ours that it imports.

    Comments, docstrings and formatting do not count; imports of imports do.

    Args:
        name: the study's module name.

    Returns:
        module → the first 16 digits of its digest.

    Examples:
        >>> "dae_tutorial.noise" in code_digests("which_noise")
        True
    """
    module = f"studies.{name}"
    modules = {module, *_graph().find_upstream_modules(module)}
    return {name: digest(f"module {name}", ROOT)[:16] for name in sorted(modules)}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that do the computing."""
    libraries = {name: metadata.version(name) for name in VERSIONED}
    return {"python": platform.python_version(), **libraries}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("dae_tutorial", "studies", cache_dir=None)
