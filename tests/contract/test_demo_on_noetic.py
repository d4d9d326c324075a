"""The demo also runs on Ubuntu 20.04: Python 3.8, without what only training needs."""

import ast
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
DEMO = "semseg.commands.demo"
TRAINING_ONLY = {"grain", "jax", "keras", "matplotlib", "pydantic", "tensorboardX", "tensorflow"}
BUILTIN_GENERICS = {"dict", "frozenset", "list", "set", "tuple", "type"}

GRAPH = grimp.build_graph(
    "semseg", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
)
UPSTREAM = GRAPH.find_upstream_modules(DEMO) | {DEMO}
MODULES = sorted(name for name in UPSTREAM if name.split(".")[0] == "semseg")


def _parse(module):
    path = ROOT / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(), feature_version=(3, 8))


def _annotations(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            yield node.annotation


def _imported(tree):
    """The (module, name) pairs of all ``from module import name``."""
    return {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _generics(tree):
    """Names that only Python 3.9 can subscript."""
    abstract = {name for module, name in _imported(tree) if module == "collections.abc"}
    return BUILTIN_GENERICS | abstract


def _is_too_new(annotation, generics):
    """Whether evaluating it needs Python 3.9 (``list[int]``) or 3.10 (``int | None``)."""
    return any(
        isinstance(node, ast.BinOp)
        or (isinstance(node, ast.Subscript) and getattr(node.value, "id", None) in generics)
        for node in ast.walk(annotation)
    )


def test_the_modules_are_those_of_the_demo():
    assert {DEMO, "semseg.bags", "semseg.town.render", "semseg.runtime.graph.frozen_graph"} <= {
        *MODULES
    }


@pytest.mark.parametrize("module", MODULES)
def test_module_loads_in_python_3_8(module):
    tree = _parse(module)
    if ("__future__", "annotations") not in _imported(tree):
        generics = _generics(tree)
        assert [ast.unparse(a) for a in _annotations(tree) if _is_too_new(a, generics)] == []


def test_nothing_that_only_training_needs_is_imported():
    imported = {
        name for module in MODULES for name in GRAPH.find_modules_directly_imported_by(module)
    }
    assert not imported & TRAINING_ONLY
