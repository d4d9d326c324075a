"""The rules of docs/architecture.md that a linter for imports cannot state alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROBOT_MODULES = ("errors", "classes", "files", "metrics", "resources", "profiles", "command_line")
ROBOT_COMMANDS = ("__init__", "benchmark", "benchmark_node", "build_engine")
ENTRY_POINTS = sorted([*ROOT.glob("scripts/*.py"), *ROOT.glob("ros_nodes/*.py")])
SOURCES = sorted((ROOT / "semseg").rglob("*.py"))
ROBOT_SOURCES = sorted(
    [ROOT / f"semseg/{name}.py" for name in ("__init__", *ROBOT_MODULES)]
    + [path for path in SOURCES if path.relative_to(ROOT).parts[1] in ("runtime", "node", "ros")]
    + [ROOT / f"semseg/commands/{name}.py" for name in ROBOT_COMMANDS]
    + list(ROOT.glob("ros_nodes/*.py"))
)


def _name(path):
    return str(path.relative_to(ROOT))


def test_import_contracts_are_kept():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=_name)
def test_entry_points_are_short_and_executable(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 60
    assert text.startswith("#!/usr/bin/env python3\n")
    assert path.stat().st_mode & 0o111


def test_nothing_imports_an_entry_point():
    names = {path.stem for path in ENTRY_POINTS}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                top = (node.module or "").split(".")[0]
                assert top not in names | {"scripts", "ros_nodes"}, _name(path)


def test_no_module_is_a_drawer():
    drawers = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert [_name(path) for path in SOURCES if path.stem in drawers] == []


def test_package_imports_nothing():
    # catkin's devel space executes it whenever anything below semseg is imported.
    body = ast.parse((ROOT / "semseg/__init__.py").read_text()).body
    imported = [
        alias.name for node in body if isinstance(node, ast.Import) for alias in node.names
    ] + [node.module for node in body if isinstance(node, ast.ImportFrom)]
    assert set(imported) <= {"pkgutil"}


@pytest.mark.parametrize("path", ROBOT_SOURCES, ids=_name)
def test_robot_half_is_python_3_6_syntax(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 6))
    # What feature_version does not see: it parses, but 3.6 has no such future or module.
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module == "__future__" and node.names[0].name == "annotations")
            assert node.module not in ("dataclasses", "importlib.resources", "importlib.metadata")
