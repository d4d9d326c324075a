"""The robot half under the robot's own Python (3.6 or 3.7) and TensorFlow 1.15.

Looks for that interpreter in SEMSEG_ROBOT_PYTHON, then in .venv-robot of the checkout.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROBOT_PATHS = [
    "semseg/errors.py",
    "semseg/classes.py",
    "semseg/metrics.py",
    "semseg/resources.py",
    "semseg/command_line.py",
    "semseg/runtime",
    "semseg/ros",
    "ros_nodes",
]
ROBOT_TESTS = [
    "tests/unit/runtime",
    "tests/unit/test_classes.py",
    "tests/unit/test_metrics.py",
    "tests/unit/test_command_line.py",
]
COMPILE = "import sys; [compile(open(p).read(), p, 'exec') for p in sys.argv[1:]]"
PROBE = "import sys; assert sys.version_info[:2] in ((3, 6), (3, 7)); import pytest, tensorflow"


@pytest.fixture(scope="module")
def robot_python():
    candidates = [os.environ.get("SEMSEG_ROBOT_PYTHON"), ROOT / ".venv-robot" / "bin" / "python"]
    for candidate in filter(None, candidates):
        if shutil.which(candidate) and _run(candidate, "-c", PROBE).returncode == 0:
            return candidate
    return pytest.skip(
        "no Python 3.6 or 3.7 with TensorFlow 1.15 and pytest: "
        "set SEMSEG_ROBOT_PYTHON or make .venv-robot"
    )


def test_robot_half_is_python_36(robot_python):
    paths = [ROOT / path for path in ROBOT_PATHS]
    files = [
        str(file) for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))
    ]
    assert len(files) > len(paths)
    compiled = _run(robot_python, "-c", COMPILE, *files)
    assert compiled.returncode == 0, compiled.stderr


def test_ros_half_imports_there(robot_python):
    imported = _run(robot_python, "tests/robot/import_with_stubs.py", str(ROOT))
    assert imported.returncode == 0, imported.stderr


def test_runtime_passes_its_tests_there(robot_python):
    finished = _run(
        robot_python,
        "-m",
        "pytest",
        "-q",
        "-c",
        "tests/robot/pytest.ini",
        "--rootdir=.",
        *ROBOT_TESTS,
    )
    assert finished.returncode == 0, finished.stdout[-5000:] + finished.stderr[-2000:]
    assert " passed" in finished.stdout


def _run(python, *arguments):
    environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(
        [python, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
