#!/usr/bin/env python3
"""How the segmenter node ends: refusals name the file and the cause, signals end it at once."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import rospy
import rostest
from camera_bench import Camera, Listener, patches, wait_for_ready
from sensor_msgs.msg import Image

FOLDER = os.path.dirname(os.path.abspath(__file__))
SEGMENTER = os.path.join(FOLDER, "..", "..", "ros_nodes", "segmenter_node.py")
STUB = os.path.join(FOLDER, "stub_node.py")


NAMES = ("__name:=refused_%d" % number for number in itertools.count())


def run_segmenter(*arguments):
    """Runs the node until it ends; returns its exit status and its lines."""
    # A new name each time: private parameters stay on the parameter server.
    done = subprocess.run(
        [sys.executable, SEGMENTER, next(NAMES)] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


class RefusalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = rospy.myargv()[1]
        cls.folder = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def assert_refused(self, arguments, *parts):
        status, lines = run_segmenter(*arguments)
        self.assertEqual(status, 2, lines)
        fatal = [line for line in lines if "[FATAL]" in line]
        self.assertEqual(len(fatal), 1, lines)
        for part in parts:
            self.assertIn(part, fatal[0])
        self.assertFalse([line for line in lines if "Traceback" in line], lines)
        self.assertFalse([line for line in lines if "segmenting" in line], lines)
        return lines

    def test_a_missing_graph(self):
        self.assert_refused(["_model:=/nowhere/x.pb"], "/nowhere/x.pb")

    def test_a_truncated_graph(self):
        path = os.path.join(self.folder, "truncated.pb")
        with open(self.model, "rb") as whole, open(path, "wb") as part:
            part.write(whole.read()[:-40])
        self.assert_refused(["_model:=" + path], path)

    def test_an_unknown_profile_engine_and_transport(self):
        self.assert_refused(["_model:=reducd"], "reducd", "full, reduced", "did you mean 'reduced'")
        self.assert_refused(["_model:=" + self.model, "_engine:=warp"], "warp", "tensorflow")
        lines = self.assert_refused(
            ["_model:=" + self.model, "_transport:=theora", "_overlay_alfa:=0.3"],
            "unknown transport 'theora'; available: compressed, raw",
        )
        warning = "unknown parameter ~overlay_alfa is ignored; did you mean ~overlay_alpha?"
        self.assertTrue([line for line in lines if warning in line], lines)

    def test_a_parameter_of_a_wrong_type_or_size(self):
        self.assert_refused(
            ["_model:=" + self.model, "_threads:=many"],
            "~threads: expected an integer, found 'many'",
        )
        self.assert_refused(["_model:=" + self.model, "_input_size:=wide"], "256x512", "wide")

    def test_a_signal_ends_it_in_the_middle_of_an_inference(self):
        node = subprocess.Popen([sys.executable, STUB, "_latency:=30", "image:=camera/image_raw"])
        wait_for_ready()
        camera = Camera("camera/image_raw")
        Listener("segmenter/labels", Image)
        self.assertTrue(camera.connected())
        camera.send(patches(8, 8)[0])
        time.sleep(1.0)
        asked = time.monotonic()
        node.send_signal(signal.SIGTERM)
        self.assertEqual(node.wait(20), 0)
        self.assertLess(time.monotonic() - asked, 5.0)  # 2 s unless the machine is overloaded


if __name__ == "__main__":
    rospy.init_node("refusal_test")
    rostest.rosrun("semseg", "refusal", RefusalTest)
