"""What tests of several folders share. Python 3.6 syntax: the robot's pytest reads it too."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROBE = """
import sys, pytest, tensorflow
assert sys.version_info[:2] in ((3, 6), (3, 7)) and tensorflow.__version__.startswith("1.15")
"""


class RobotPython:
    """The robot's interpreter, with the checkout on its path.

    Attributes:
      root: folder of the checkout.
    """

    def __init__(self, executable):
        self.root = ROOT
        self._executable = str(executable)

    def run(self, *arguments):
        """Runs the interpreter in the checkout; returns the finished process, output as text."""
        environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
        return subprocess.run(
            [self._executable] + [str(argument) for argument in arguments],
            cwd=str(ROOT),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            check=False,
        )


@pytest.fixture(scope="session")
def robot_python():
    """Python 3.6 or 3.7 with TensorFlow 1.15 and pytest, else the test is skipped.

    Looked for in SEMSEG_ROBOT_PYTHON, then in .venv-robot of the checkout.
    """
    candidates = [os.environ.get("SEMSEG_ROBOT_PYTHON"), ROOT / ".venv-robot" / "bin" / "python"]
    for candidate in filter(None, candidates):
        if shutil.which(str(candidate)) and not RobotPython(candidate).run("-c", PROBE).returncode:
            return RobotPython(candidate)
    return pytest.skip(
        "no Python 3.6 or 3.7 with TensorFlow 1.15 and pytest: set SEMSEG_ROBOT_PYTHON or make "
        ".venv-robot"
    )
