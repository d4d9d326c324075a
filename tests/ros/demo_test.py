#!/usr/bin/env python3
"""demo.launch plays a bag whose true labels are known to be half right, and reports just that."""

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
from std_msgs.msg import Header

from semseg.ros.messages import image_message

FRAMES = 12
SIZE = (48, 66)


def write_bag(path):
    """Red, green and blue columns; of every second frame the truth calls the red ones green."""
    labels = np.repeat((np.arange(SIZE[1]) * 3 // SIZE[1]).astype(np.uint8)[np.newaxis], SIZE[0], 0)
    image = np.eye(3, dtype=np.uint8)[labels] * 200
    with rosbag.Bag(path, "w") as bag:
        for number in range(FRAMES):
            stamp = rospy.Time(1600000000 + number // 4, number % 4 * 250000000)
            header = Header(stamp=stamp, frame_id="camera_optical_frame")
            truth = labels if number % 2 else np.maximum(labels, 1)
            bag.write("/camera/image_raw", image_message(header, image, "bgr8"), stamp)
            bag.write("/camera/labels", image_message(header, truth, "mono8"), stamp)


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_report_sheet_and_video(self):
        write_bag(self.path("x.bag"))
        arguments = {
            "bag": self.path("x.bag"),
            "model": rospy.myargv()[1],
            "input_size": "48x66",
            "true_labels": "/camera/labels",
            "report": self.path("report.json"),
            "sheet": self.path("sheet.png"),
            "video": self.path("overlay.mp4"),
            "min_miou": "0.7",
        }
        options = ["%s:=%s" % pair for pair in arguments.items()]
        command = ["roslaunch", "--wait", "semseg", "demo.launch"] + options
        subprocess.run(command, check=True, timeout=250)
        with open(self.path("report.json")) as file:
            report = json.load(file)
        self.assertEqual(report["sent"], FRAMES)
        self.assertEqual(report["segmented"] + report["skipped"], FRAMES)
        self.assertEqual(report["drops"]["unexplained"], 0)
        self.assertEqual(report["header_errors"], [])
        self.assertEqual(report["model"], "tiny_graph.pb")
        # Red is true in half of the frames where it is found; green is found in 22 of 22 and
        # in 22 of 44 columns.
        self.assertEqual(report["frames"], FRAMES)
        self.assertAlmostEqual(report["iou"]["red"], 1 / 2)
        self.assertAlmostEqual(report["iou"]["green"], 2 / 3)
        self.assertAlmostEqual(report["iou"]["blue"], 1)
        self.assertTrue(report["passed"])
        self.assertLessEqual(report["latency_ms"]["p50"], report["latency_ms"]["p99"])
        self.assertEqual(cv2.imread(self.path("sheet.png")).shape[1], 3 * SIZE[1] + 2 * 6)
        video = cv2.VideoCapture(self.path("overlay.mp4"))
        self.assertEqual(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), FRAMES)
        self.assertAlmostEqual(video.get(cv2.CAP_PROP_FPS), 4, delta=0.1)


if __name__ == "__main__":
    rospy.init_node("demo_test")
    rostest.rosrun("semseg", "demo", DemoTest)
