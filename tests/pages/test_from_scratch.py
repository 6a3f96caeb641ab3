"""The page that keeps its promise in sixty lines, without the package."""

import ast

from tests.pages.built_site import ROOT
from tools.notebooks.notebook import read


def lesson() -> str:
    """Return the page's code without the check, which compares it with the package."""
    page = read(ROOT / "docs" / "learn" / "from-scratch.py", ROOT / "docs")
    cells = [c for c in page.code_cells if "check" not in c.metadata.get("tags", [])]
    assert len(cells) == len(page.code_cells) - 1
    return "\n".join(cell.source for cell in cells)


def test_it_has_at_most_sixty_lines_of_code():
    lines = [line for line in lesson().splitlines() if line.strip()]
    assert 50 < len(lines) <= 60


def test_it_imports_nothing_of_the_package():
    tree = ast.parse(lesson())
    froms = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names = {
        a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    }
    tops = {name.partition(".")[0] for name in froms | names}
    assert tops == {"matplotlib", "torch", "torchvision"}
