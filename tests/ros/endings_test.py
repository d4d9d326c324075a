#!/usr/bin/env python3
"""How the node begins and ends: signals, two side by side, a read-only system, a lost master."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from xmlrpc.client import ServerProxy

import rosgraph
import rospy
import rostest
from camera_bench import Camera, Listener, patches, skip, wait_for_ready, wait_until

from semseg.ros.benchmark.private_master import free_port

STUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stub_node.py")
RESPAWNED = """<launch>
  <node pkg="semseg" type="stub_node.py" name="segmenter" respawn="true" respawn_delay="0.5">
    <param name="max_rate" value="7.0"/>
  </node>
</launch>"""
NOBODY = 65534


def start(name, *arguments, **options):
    return subprocess.Popen([sys.executable, STUB, "__name:=" + name] + list(arguments), **options)


class EndingsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def assert_ends(self, node, end):
        asked = time.monotonic()
        end()
        self.assertEqual(node.wait(20), 0)
        self.assertLess(time.monotonic() - asked, 5.0)  # 2 s unless the machine is overloaded

    def test_every_way_to_end_it_works_in_the_middle_of_an_inference(self):
        ends = {
            "interrupted": lambda node: node.send_signal(signal.SIGINT),
            "terminated": lambda node: node.send_signal(signal.SIGTERM),
            "killed": lambda node: ServerProxy(
                rosgraph.Master("/test").lookupNode("/killed")
            ).shutdown("/test", "rosnode kill"),
        }
        camera = Camera("camera/image_raw")
        nodes = {name: start(name, "_latency:=30", "image:=camera/image_raw") for name in ends}
        for name, node in nodes.items():
            wait_for_ready(name)
            labels = Listener(name + "/labels")
            self.assertTrue(camera.connected())
            camera.send(patches(8, 8)[0])
            time.sleep(0.5)
            self.assert_ends(node, lambda: ends[name](node))  # noqa: B023 - called at once
            labels.close()

    def test_two_side_by_side_share_a_camera_and_nothing_else(self):
        camera = Camera("shared/image")
        nodes = {name: start(name, "image:=shared/image") for name in ("first", "second")}
        for name in nodes:
            wait_for_ready(name)
        listeners = [Listener(name + "/labels") for name in nodes]
        self.assertTrue(wait_until(lambda: camera.images.get_num_connections() == 2))
        stamp = camera.send(patches(8, 8)[0])
        for listener in listeners:
            listener.wait_for(stamp)
        self.assert_ends(nodes["first"], nodes["first"].terminate)
        stamp = camera.send(patches(8, 8)[0])
        listeners[1].wait_for(stamp)
        nodes["second"].terminate()
        nodes["second"].wait()

    def test_it_writes_nowhere_but_in_ros_home(self):
        if os.geteuid() != 0:
            skip(self, "only root can become a user who may write nothing")
        os.chmod(self.folder, 0o755)
        home = os.path.join(self.folder, "ros_home")
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
        environment = dict(os.environ, ROS_HOME=home, HOME="/nonexistent", TMPDIR="/nonexistent")
        environment.pop("ROS_LOG_DIR", None)
        # It may read all, also a checkout that is root's alone; write it may nothing.
        reading = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        tree = subprocess.Popen(
            ["setpriv", "--reuid", str(NOBODY), "--clear-groups", *reading, sys.executable, STUB]
            + ["__name:=poor", "image:=poor/image"],
            env=environment,
            cwd="/",
        )
        wait_for_ready("poor")
        camera, labels = Camera("poor/image"), Listener("poor/labels")
        self.assertTrue(camera.connected())
        labels.wait_for(camera.send(patches(8, 8)[0]))
        self.assert_ends(tree, tree.terminate)
        self.assertEqual(os.listdir(home), ["log"])

    def test_respawn_survives_a_restart_of_the_master(self):
        path = os.path.join(self.folder, "respawned.launch")
        with open(path, "w") as file:
            file.write(RESPAWNED)
        port = free_port()
        environment = dict(os.environ, ROS_MASTER_URI="http://localhost:%d" % port)
        master = rosgraph.Master("/test", environment["ROS_MASTER_URI"])

        def serves():
            try:
                services = dict(master.getSystemState()[2])
            except OSError:
                return False
            return "/segmenter/enable" in services

        core = ["rosmaster", "--core", "-p", str(port)]
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(_process(core, environment))
            self.assertTrue(wait_until(master.is_online))
            stack.enter_context(_process(["roslaunch", path], environment))
            self.assertTrue(wait_until(serves))
            first.kill()
            first.wait()
            stack.enter_context(_process(core, environment))
            self.assertTrue(wait_until(master.is_online))
            self.assertFalse(serves())
            self.assertTrue(wait_until(serves, 30))
            self.assertEqual(master.getParam("/segmenter/max_rate"), 7.0)


@contextlib.contextmanager
def _process(command, environment):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment, **quiet)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    rospy.init_node("endings_test")
    rostest.rosrun("semseg", "endings", EndingsTest)
