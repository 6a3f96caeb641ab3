"""What the site needs besides its pages, made from what is installed.

MkDocs calls the ``on_…`` functions (``hooks`` in mkdocs.yml). Nothing here reaches
the network:

- KaTeX's style and fonts are copied from ``node_modules`` into the git-ignored
  ``docs/assets/vendor``;
- the API reference links to PyTorch's manual through a small local inventory;
- the package's trained models are offered as downloads;
- the laboratory gets its models, made anew when the code or weights behind them have
  changed, and the runtime that they need.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocstrings import Inventory

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # MkDocs loads a hook by its path, not as a module
    sys.path.insert(0, str(ROOT))

from tools import provenance  # noqa: E402

KATEX = ROOT / "node_modules" / "katex"
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
ASSETS = ROOT / "docs" / "assets" / "vendor"  # git-ignored
VENDOR = ASSETS / "katex"
INVENTORY = ROOT / ".cache" / "torch.inv"
WEIGHTS = ROOT / "dae_tutorial" / "further" / "pretrained"
TORCH_MANUAL = "https://docs.pytorch.org/docs/stable/"

# Where PyTorch's manual describes what our signatures and prose mention.
TORCH_PAGES = {
    "torch.Tensor": "tensors.html",
    "torch.Generator": "generated/torch.Generator.html",
    "torch.device": "tensor_attributes.html",
    "torch.dtype": "tensor_attributes.html",
    "torch.manual_seed": "generated/torch.manual_seed.html",
    "torch.clamp": "generated/torch.clamp.html",
    "torch.randn_like": "generated/torch.randn_like.html",
    "torch.nn.Linear": "generated/torch.nn.Linear.html",
    "torch.nn.Module": "generated/torch.nn.Module.html",
    "torch.nn.MSELoss": "generated/torch.nn.MSELoss.html",
    "torch.nn.ReLU": "generated/torch.nn.ReLU.html",
    "torch.nn.Sequential": "generated/torch.nn.Sequential.html",
    "torch.nn.Sigmoid": "generated/torch.nn.Sigmoid.html",
    "torch.optim.Adam": "generated/torch.optim.Adam.html",
    "torch.optim.Optimizer": "optim.html",
    "torch.utils.data.DataLoader": "data.html",
    "torch.utils.data.Dataset": "data.html",
    "torch.utils.data.Sampler": "data.html",
    "torch.utils.data.TensorDataset": "data.html",
}
TORCH_FUNCTIONS = {"torch.manual_seed", "torch.clamp", "torch.randn_like"}


def write_if_new(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that no reader sees half of it.

    A file that already holds it is left alone: ``mkdocs serve`` watches some of these,
    and a new modification time would rebuild the site for nothing.
    """
    if not path.is_file() or path.read_bytes() != content:
        provenance.write_whole(path, content)


def installed(folder: Path) -> Path:
    """Return a folder that npm has made; complain where it is missing."""
    if not folder.is_dir():
        raise PluginError(f"{folder} is missing: run `npm ci --ignore-scripts` first.")
    return folder


def fill(folder: Path, files: dict[str, Path]) -> None:
    """Copy files into a folder, each to its name there, and delete what is not of them.

    What is there already stays where it is, for a build or a server may be reading it.
    """
    for name, file in files.items():
        write_if_new(folder / name, file.read_bytes())
    for path in folder.rglob("[!.]*"):  # a hidden one is being written
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink(missing_ok=True)


def copy_katex(source: Path = KATEX, target: Path = VENDOR) -> None:
    """Copy the parts of KaTeX that a browser loads, fonts in their smallest format."""
    dist = installed(source) / "dist"
    fonts = (dist / "fonts").glob("*.woff2")
    files = [dist / "contrib" / "copy-tex.min.js", dist / "katex.min.css", *fonts]
    copies = {file.relative_to(dist).as_posix(): file for file in files}
    fill(target, copies | {"LICENSE": source / "LICENSE"})


def laboratory_key() -> str:
    """Return a digest of all that the laboratory's models are made of."""
    maker = ROOT / "dae_tutorial" / "further" / "laboratory" / "__init__.py"
    ours, others = provenance.used_modules(maker, ROOT)
    weights = {f for m in ours.values() for f in m.parent.glob("*.safetensors")}
    return provenance.text_digest(
        *(provenance.code_digest(file) for file in [maker, *ours.values()]),
        *(provenance.file_digest(file) for file in sorted(weights)),
        *(f"{name} {v}" for name, v in provenance.versions(others | {"onnx"}).items()),
    )


def make_laboratory() -> None:
    """Write the laboratory's models and copy its runtime, where they are not there."""
    runtime = installed(RUNTIME)
    fill(ASSETS / "onnxruntime", {name: runtime / name for name in RUNTIME_FILES})
    folder, key = ASSETS / "laboratory", laboratory_key()
    if (folder / ".key").is_file() and (folder / ".key").read_text() == key:
        return
    code = "from dae_tutorial.further.laboratory import write_laboratory as write"
    with tempfile.TemporaryDirectory(dir=ASSETS, prefix=".making-") as scratch:
        # In a process of its own, which knows nothing of the code of an hour ago.
        command = [sys.executable, "-c", f"{code}; write({scratch!r})"]
        subprocess.run(command, cwd=ROOT, check=True)
        fill(folder, {file.name: file for file in Path(scratch).iterdir()})
    write_if_new(folder / ".key", key.encode())


def write_torch_inventory(target: Path = INVENTORY) -> None:
    """Write the inventory that turns names such as ``torch.Tensor`` into links."""
    inventory = Inventory(project="PyTorch", version="stable")
    for name, page in TORCH_PAGES.items():
        role = "function" if name in TORCH_FUNCTIONS else "class"
        inventory.register(name=name, domain="py", role=role, uri=f"{page}#{name}")
    write_if_new(target, inventory.format_sphinx())


@event_priority(100)  # before mkdocstrings reads the inventories
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put everything in place, and tell mkdocstrings where its inventory is."""
    copy_katex()
    make_laboratory()
    write_torch_inventory()
    handler = config.plugins["mkdocstrings"].config.handlers["python"]
    handler["inventories"] = [{"url": INVENTORY.as_uri(), "base_url": TORCH_MANUAL}]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Put the trained models of the package where pages can link to them."""
    for weights in sorted(WEIGHTS.glob("*.safetensors")):
        name = f"assets/weights/{weights.name}"
        files.append(File.generated(config, name, abs_src_path=str(weights)))
