#!/usr/bin/env python3
"""evaluate_bag.py --live: its exit status is the verdict on the running node."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import cv2
import numpy as np
import rosbag
import rospy
import rostest
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from semseg.ros.messages import image_message

FRAMES = 8
SIZE = (48, 66)
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/evaluate_bag.py")


def write_bag(path):
    """Red, green and blue columns; of every second frame the truth calls the red ones green.

    The bag also has labels that an earlier run of the node has left: all wrong.
    """
    labels = np.repeat((np.arange(SIZE[1]) * 3 // SIZE[1]).astype(np.uint8)[np.newaxis], SIZE[0], 0)
    image = np.eye(3, dtype=np.uint8)[labels] * 200
    png = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    with rosbag.Bag(path, "w") as bag:
        for number in range(FRAMES):
            stamp = rospy.Time(1600000000 + number // 4, number % 4 * 250000000)
            header = Header(stamp=stamp, frame_id="camera_optical_frame")
            truth = labels if number % 2 else np.maximum(labels, 1)
            compressed = CompressedImage(header=header, format="png", data=png)
            bag.write("/camera/image_raw/compressed", compressed, stamp)
            bag.write("/camera/labels", image_message(header, truth, "mono8"), stamp)
            stale = image_message(header, np.zeros(SIZE, np.uint8), "mono8")
            bag.write("/segmenter/labels", stale, stamp)


class EvaluateBagTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        write_bag(cls.path("x.bag"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def evaluate(self, *flags, bag="x.bag"):
        """Returns exit status, report (None without) and what it said."""
        report = self.path("report.json")
        if os.path.exists(report):
            os.remove(report)
        command = ["python3", SCRIPT, "--live", "--bag", self.path(bag), "--report", report]
        command += ["--model", rospy.myargv()[1], "--size", "48x66"]
        command += ["--image-topic", "/camera/image_raw/compressed", *flags]
        run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=200)
        if not os.path.exists(report):
            return run.returncode, None, run.stderr
        with open(report) as file:
            return run.returncode, json.load(file), run.stdout

    def test_a_good_node_passes_and_the_report_shows_it(self):
        page = self.path("page.html")
        bars = ["--min-miou", "0.7", "--max-latency", "5", "--html", page]
        status, report, said = self.evaluate("--label-topic", "/camera/labels", *bars)
        self.assertEqual(status, 0, said)
        self.assertEqual((report["sent"], report["recorded"]), (FRAMES, FRAMES))
        self.assertEqual(report["segmented"] + report["skipped"], FRAMES)
        self.assertEqual(report["header_errors"], [])
        # Red is true in half of the frames where it is found; green in 22 of 44 columns.
        self.assertAlmostEqual(report["iou"]["red"], 1 / 2)
        self.assertAlmostEqual(report["iou"]["green"], 2 / 3)
        self.assertAlmostEqual(report["iou"]["blue"], 1)
        self.assertAlmostEqual(report["rate_hz"]["images"], 4, delta=0.5)
        # Labels are in use until the next ones come, a period after their image and a latency.
        self.assertGreater(report["age_ms"]["p50"], report["latency_ms"]["p50"] + 150)
        self.assertIn("verdict                        passed", said)
        with open(page) as file:
            self.assertIn("data:image/jpeg;base64,", file.read())

    def test_without_labels_a_latency_above_the_bar_fails(self):
        status, report, said = self.evaluate("--max-latency", "0.000001")
        self.assertEqual(status, 1, said)
        self.assertFalse(report["passed"])
        self.assertEqual(report["segmented"] + report["skipped"], FRAMES)
        self.assertIsNone(report["mean_iou"])

    def test_what_cannot_be_played_is_said_at_once(self):
        with open(self.path("x.bag"), "rb") as file:
            whole = file.read()
        with open(self.path("cut.bag"), "wb") as file:
            file.write(whole[:-50])
        status, report, said = self.evaluate(bag="cut.bag")
        self.assertEqual((status, report), (2, None))
        self.assertIn("cut.bag has no index, so that `rosbag play` cannot play it", said)


if __name__ == "__main__":
    rospy.init_node("evaluate_bag_test")
    rostest.rosrun("semseg", "evaluate_bag", EvaluateBagTest)
