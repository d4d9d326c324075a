"""Imports the ROS half where no ROS is installed: run by test_robot_python.py, in Python 3.6.

Usage: import_with_stubs.py CHECKOUT. Any name of a ROS package is a class without meaning.
"""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

ROS_PACKAGES = (
    "cv_bridge",
    "diagnostic_msgs",
    "geometry_msgs",
    "message_filters",
    "rosgraph",
    "rosgraph_msgs",
    "roslib",
    "rospy",
    "sensor_msgs",
    "std_msgs",
    "std_srvs",
)
GENERATED = ("semseg.msg", "semseg.srv")


def _stub(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _StubType(name, (), {"__init__": lambda self, *args, **kwargs: None})


class _StubType(type):
    def __getattr__(cls, name):
        return _stub(name)


class _StubModule(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        return _stub(name)


class _StubFinder:
    """Finds every module of the ROS packages."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ROS_PACKAGES or name in GENERATED:
            return importlib.util.spec_from_loader(name, self)
        return None

    def create_module(self, spec):
        return _StubModule(spec.name)

    def exec_module(self, module):
        pass


def main(checkout):
    sys.meta_path.insert(0, _StubFinder())
    for wing in ("node", "ros"):
        for path in sorted((checkout / "semseg" / wing).rglob("*.py")):
            parts = path.relative_to(checkout).with_suffix("").parts
            importlib.import_module(".".join(parts))
    for path in sorted((checkout / "ros_nodes").glob("*.py")):
        spec = importlib.util.spec_from_file_location("ros_node_" + path.stem, str(path))
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    strangers = {"keras", "grain", "pydantic", "rosbags", "tensorflow"} & set(sys.modules)
    if strangers:
        raise SystemExit("the robot half imported %s" % ", ".join(sorted(strangers)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
