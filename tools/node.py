"""Where Node.js is."""

import sys
from pathlib import Path


def node() -> str:
    """Return the command of the Node.js that set-up puts beside Python."""
    beside_python = Path(sys.executable).with_name("node")
    return str(beside_python) if beside_python.exists() else "node"
