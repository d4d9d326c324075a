"""The node's logic and its tests run where there is no ROS, and under the robot's Python."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Finds every package of ROS before its installation does, and refuses it.
WITHOUT_ROS = """
import sys

class NoRos:
    def find_spec(self, name, path=None, target=None):
        ros = ("rospy", "rosgraph", "roslib", "genpy", "cv_bridge", "message_filters",
               "sensor_msgs", "std_msgs", "std_srvs", "diagnostic_msgs", "semseg.msg", "semseg.srv")
        if name in ros or name.split(".")[0] in ros or name == "semseg.ros":
            raise ImportError("no ROS here: " + name)

sys.meta_path.insert(0, NoRos())
sys.path.insert(0, {root!r})
{act}
"""


def _run(act):
    program = WITHOUT_ROS.format(root=str(ROOT), act=act)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_blocker_blocks():
    result = _run("import semseg.ros.messages")
    assert result.returncode
    assert "no ROS here: semseg.ros" in result.stderr


def test_unit_tests_of_the_node_pass_without_ros():
    result = _run(
        "import pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'tests/unit/node']))"
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    assert " passed" in result.stdout
