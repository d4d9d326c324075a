"""What the code imports is declared: in package.xml and both lists of apt, or for pip."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
RUN = ["semseg/**/*.py", "ros_nodes/*.py", "scripts/*.py"]
BUILT_OR_TESTED = ["tests/ros/*.py", "tests/unit/**/*.py", "tests/contract/*.py", "setup.py"]
PIP_NAMES = {"PIL": "pillow", "backports": "backports.zstd", "imageio_ffmpeg": "imageio"}
"""Modules whose requirement has another name."""
NEWER_STANDARD = {"compression"}
"""Modules of Python 3.14 and later, which are tried first."""
SYSTEM = {
    # module: name in package.xml, on Debian, on Ubuntu
    "catkin_pkg": ("python3-catkin-pkg-modules", "python3-catkin-pkg", "python3-catkin-pkg"),
    "cv2": ("python3-opencv", "python3-opencv", "python3-opencv"),
    "numpy": ("python3-numpy", "python3-numpy", "python3-numpy"),
    "setuptools": ("python3-setuptools", None, None),  # tools/set_up has a version of its own
    "yaml": ("python3-yaml", "python3-yaml", "python3-yaml"),
}
"""Modules of the distribution that are no ROS packages."""
LISTS = {"debian-12": 1, "ubuntu-20.04": 2}


def _names(path):
    text = re.sub(r"#.*", "", path.read_text())
    return {re.split(r"[\[<>=;@ ]", line)[0].lower() for line in text.split("\n") if line.strip()}


PIP = {
    name.replace("-", "_")
    for path in ROOT.glob("requirements/*.txt")
    if path.stem in ("base", "train", "pretrained", "export", "engines", "dev", "jax")
    for name in _names(path)
}
# These come from the distribution where there is ROS; tensorflow is the build for processors.
PIP -= {"numpy", "pyyaml", "opencv_python", "opencv_python_headless"}
PIP |= {"tensorflow"}


def _imported(path):
    """Top names that a file imports, or says to pytest that it imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "importorskip":
            yield str(getattr(node.args[0], "value", "semseg")).split(".")[0]


def _foreign(patterns):
    """Modules that are neither Python's, nor of this package, nor pip's."""
    files = {path for pattern in patterns for path in ROOT.glob(pattern)}
    local = {path.stem for path in files} | {"semseg", "tolerances"}
    names = {name for path in files for name in _imported(path)}
    names -= sys.stdlib_module_names | NEWER_STANDARD | local
    return {name for name in names if PIP_NAMES.get(name, name.lower()) not in PIP}


MODULES = sorted(_foreign(RUN + BUILT_OR_TESTED))


def test_the_modules_are_those_of_ros_and_the_distribution():
    assert {"cv2", "diagnostic_msgs", "message_filters", "rospy", "rostest", "yaml"} <= {*MODULES}
    assert "keras" not in MODULES and "PIL" not in MODULES


def test_package_xml_names_what_runs_and_what_is_tested():
    tags = ElementTree.parse(ROOT / "package.xml").getroot()
    declared = {kind: {tag.text for tag in tags if kind in tag.tag} for kind in ("depend", "test")}
    run = {tag.text for tag in tags if tag.tag in ("depend", "exec_depend")}
    for module in _foreign(RUN):
        assert SYSTEM.get(module, (module,))[0] in run, module
    for module in MODULES:
        assert SYSTEM.get(module, (module,))[0] in declared["depend"], module


@pytest.mark.parametrize("system", LISTS)
@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_its_package_in_the_list(module, system):
    prefix = {"debian-12": "python3-", "ubuntu-20.04": "ros-noetic-"}[system]
    ros_package = prefix + module.replace("_", "-")
    package = SYSTEM.get(module, (None, ros_package, ros_package))[LISTS[system]]
    assert package is None or package in _names(ROOT / f"requirements/apt-{system}.txt")


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no packages of Debian here")
def test_on_debian_the_package_that_holds_a_module_is_in_the_list():
    """The names above are guessed by a rule; here is what is true."""
    listed = _names(ROOT / "requirements/apt-debian-12.txt")
    found = [importlib.util.find_spec(name) for name in MODULES]
    places = [spec.origin for spec in found if spec and spec.origin.startswith("/usr/lib/python3/")]
    if not places:
        pytest.skip("no ROS is installed here")
    owners = subprocess.run(
        ["dpkg-query", "-S", *places], capture_output=True, text=True, check=True
    )
    packages = {line.split(":")[0] for line in owners.stdout.splitlines()}
    assert packages <= listed


def test_what_launch_files_start_is_in_package_xml():
    started = {
        name
        for path in ROOT.glob("launch/*.launch")
        for name in re.findall(r'<node (?!if="\$\(arg gui\)")[^>]*?pkg="(\w+)"', path.read_text())
    }
    tags = ElementTree.parse(ROOT / "package.xml").getroot()
    assert started == {"rosbag", "semseg"}
    assert started - {"semseg"} <= {tag.text for tag in tags if tag.tag == "exec_depend"}
