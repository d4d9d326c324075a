#!/usr/bin/env python3
"""What the segmenter node refuses to start with: one line names the cause, exit status 2."""

import itertools
import os
import subprocess
import sys
import unittest

import rospy
import rostest

FOLDER = os.path.dirname(os.path.abspath(__file__))
SEGMENTER = os.path.join(FOLDER, "..", "..", "ros_nodes", "segmenter_node.py")


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
    """One refusal before the model is read, one while, one after; tests/unit has the others."""

    @classmethod
    def setUpClass(cls):
        cls.model = rospy.myargv()[1]

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

    def test_an_unknown_transport_and_a_misspelt_parameter(self):
        lines = self.assert_refused(
            ["_model:=" + self.model, "_transport:=theora", "_overlay_alfa:=0.3"],
            "unknown transport 'theora'; available: compressed, raw",
        )
        warning = "unknown parameter ~overlay_alfa is ignored; did you mean ~overlay_alpha?"
        self.assertTrue([line for line in lines if warning in line], lines)

    def test_a_mask_of_a_class_that_the_model_has_not(self):
        self.assert_refused(
            ["_model:=" + self.model, "_masks:=[gren]"],
            "~masks: unknown class 'gren'; available: blue, green, red (did you mean 'green'?)",
        )


if __name__ == "__main__":
    rospy.init_node("refusal_test")
    rostest.rosrun("semseg", "refusal", RefusalTest)
