"""What of a piece of Python counts: its syntax, not its comments or formatting."""

import ast
import hashlib

WITH_DOCSTRING = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def normalised_cell(code: str) -> str:
    """Return what IPython will do with a cell, whatever its formatting.

    A trailing semicolon hides a cell's result, so it is kept; a cell that is not
    plain Python (a magic, a syntax error) is returned as it stands.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    # A lone string in a cell is its result, not a docstring: keep the module's.
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module):
            _drop_docstring(node)
    hides_result = _code_ends_with_semicolon(code)
    return ast.dump(tree) + (";" if hides_result else "")


def normalised_module(code: str) -> str:
    """Return a module's syntax tree without docstrings, comments and formatting."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        _drop_docstring(node)
    return ast.dump(tree)


def code_digest(code: str) -> str:
    """Return a digest of a module that changes only when its behaviour may."""
    return hashlib.sha256(normalised_module(code).encode()).hexdigest()


def _drop_docstring(node: ast.AST) -> None:
    if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node) is not None:
        node.body = node.body[1:]


def _code_ends_with_semicolon(code: str) -> bool:
    lines = [line.split("#")[0].rstrip() for line in code.splitlines()]
    return bool(lines) and next((s for s in reversed(lines) if s), "").endswith(";")
