"""What tests of several folders share. Python 3.6 syntax: the robot's pytest reads it too."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# A shell has its background jobs ignore SIGINT, and whatever they start: tests that interrupt
# something would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
PROBE = """
import sys, pytest, tensorflow
assert sys.version_info[:2] in ((3, 6), (3, 7)) and tensorflow.__version__.startswith("1.15")
"""


NOT_QUICK = ("tensorflow", "keras", "genpy", "genmsg", "roslib", "rosgraph", "rospy")
"""What --quick does without; every message of ROS needs genpy."""


def pytest_addoption(parser):
    """Adds --quick: TensorFlow and ROS cannot be imported, and a case that tries is skipped.

    So no list says which cases are quick: each says it itself, by what it imports.
    """
    parser.addoption("--quick", action="store_true", help="skip what needs TensorFlow or ROS")


def pytest_configure(config):
    """Hides the modules; to `find_spec` they are not installed."""
    if config.getoption("quick", False):
        sys.modules.update(dict.fromkeys(NOT_QUICK))


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """Skips a file that imports what is hidden."""
    report = (yield).get_result()
    _skip_what_is_not_quick(collector, report, report.call)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Skips a case that imports what is hidden, itself or in what it calls."""
    _skip_what_is_not_quick(item, (yield).get_result(), call)


def _skip_what_is_not_quick(node, report, call):
    error = call.excinfo.value if call.excinfo and node.config.getoption("quick", False) else None
    while error is not None:
        hidden = (getattr(error, "name", None) or "").split(".")[0]
        if report.failed and isinstance(error, ImportError) and hidden in NOT_QUICK:
            report.outcome = "skipped"
            report.longrepr = (str(node.fspath), 0, "Skipped: not quick, it needs " + hidden)
        error = error.__cause__ or error.__context__


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
        process = self.start(*arguments, stderr=subprocess.PIPE)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def start(self, *arguments, **options):
        """Starts the interpreter in the checkout, with pipes of text for input and output."""
        environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
        return subprocess.Popen(
            [self._executable] + [str(argument) for argument in arguments],
            cwd=str(ROOT),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            **options,
        )


@pytest.fixture(scope="session")
def robot_python(request):
    """Python 3.6 or 3.7 with TensorFlow 1.15 and pytest, else the test is skipped.

    Looked for in SEMSEG_ROBOT_PYTHON, then in .venv-robot of the checkout.
    """
    if request.config.getoption("quick", False):
        pytest.skip("not quick, it needs tensorflow")
    candidates = [os.environ.get("SEMSEG_ROBOT_PYTHON"), ROOT / ".venv-robot" / "bin" / "python"]
    for candidate in filter(None, candidates):
        if shutil.which(str(candidate)) and not RobotPython(candidate).run("-c", PROBE).returncode:
            return RobotPython(candidate)
    return pytest.skip(
        "no Python 3.6 or 3.7 with TensorFlow 1.15 and pytest: set SEMSEG_ROBOT_PYTHON or make "
        ".venv-robot"
    )


def pytest_generate_tests(metafunc):
    """Runs a test that takes ``network_name`` for each network: a new one is tested by existing.

    The first network of a family, that is of a module, is in `make test`, the others are slow.
    """
    if "network_name" not in metafunc.fixturenames:
        return
    networks = pytest.importorskip("semseg.networks")
    families, cases = set(), []
    for name in networks.__all__:
        family = getattr(networks.NETWORKS.get(name), "__module__", None)
        if family is not None:
            cases.append(pytest.param(name, marks=[pytest.mark.slow] if family in families else []))
            families.add(family)
    metafunc.parametrize("network_name", cases, scope="module")


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory):
    """Declaration of a dataset of 24x32 pixels whose three classes colour alone tells apart.

    Its folder holds the files.
    """
    import yaml

    root = tmp_path_factory.mktemp("tiny")
    colors = {"sky": (200, 40, 40), "road": (40, 200, 40), "car": (40, 40, 200)}
    _write_tiny_samples(root, {"train": 6, "val": 3}, list(colors.values()))
    declaration = {
        "name": "tiny",
        "terms": "made by a test",
        "decode": "gray8",
        "classes": [{"name": name, "color": list(color)} for name, color in colors.items()],
        "ignored": [3],
        "splits": {
            split: {"images": f"{split}/images/*.png", "labels": f"{split}/labels/*.png"}
            for split in ("train", "val")
        },
    }
    path = root / "tiny.yaml"
    path.write_text(yaml.safe_dump(declaration))
    return path


def _write_tiny_samples(root, counts, colors):
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for split, count in counts.items():
        for index in range(count):
            labels = np.zeros((24, 32), np.uint8)
            labels[rng.integers(6, 12) :] = 1
            labels[8:16, rng.integers(0, 20) :] = 2
            image = np.array(colors, np.uint8)[labels] + rng.integers(0, 40, (24, 32, 3), np.uint8)
            labels[0] = 3  # void
            for kind, pixels in (("images", image[..., ::-1]), ("labels", labels)):
                path = root / split / kind / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="session")
def tiny_network():
    """A function of a network's name, number of classes and options: it, as narrow as it works.

    Any option whose name ends in "width" and whose default is not 0 is a width.
    """
    import inspect

    networks = pytest.importorskip("semseg.networks")

    def build(name, num_classes, **options):
        narrow = {
            option.name: 0.1 if isinstance(option.default, float) else 4
            for option in inspect.signature(networks.NETWORKS[name]).parameters.values()
            if option.name.endswith("width") and option.default
        }
        return networks.NETWORKS[name](num_classes, **dict(narrow, **options))

    return build
