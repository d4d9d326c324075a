#!/usr/bin/env python3
"""segment.launch with a real graph: labels, the model's facts, and the example that reads both."""

import os
import re
import subprocess
import sys
import unittest

import cv2
import rospy
import rostest
from camera_bench import FRAME_ID, Listener, patches, pixels, wait_for_ready, wait_until
from rosgraph_msgs.msg import Log
from semseg.msg import LabelInfo
from semseg.srv import LoadModel
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

FOLDER = os.path.dirname(os.path.abspath(__file__))
DOCUMENT = os.path.join(FOLDER, "..", "..", "docs", "segmenter_node.md")


class SegmentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        wait_for_ready()
        cls.camera = rospy.Publisher("camera/image_raw/compressed", CompressedImage, queue_size=5)

    def test_labels_are_the_graph_s_at_the_camera_s_size(self):
        labels = Listener("segmenter/labels")
        self.assertTrue(wait_until(lambda: self.camera.get_num_connections() > 0))
        for number, (height, width) in enumerate(((48, 64), (96, 192))):
            image, expected = patches(height, width)
            stamp = rospy.Time(2000 + number, 5)
            data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
            header = Header(stamp=stamp, frame_id=FRAME_ID)
            self.camera.publish(CompressedImage(header=header, format="png", data=data))
            message = labels.wait_for(stamp)
            self.assertEqual(message.header.frame_id, FRAME_ID)
            self.assertEqual((message.height, message.width), (height, width))
            wrong = (pixels(message) != expected).mean()
            self.assertLessEqual(wrong, 0.0 if (height, width) == (48, 64) else 0.02)

    def test_the_documented_consumer_reports_what_it_sees(self):
        with open(DOCUMENT) as file:
            source = re.search("```python\n(.*?)```", file.read(), re.DOTALL).group(1)
        self.assertLessEqual(len(source.splitlines()), 30)
        reports = []
        rospy.Subscriber("/rosout", Log, lambda log: reports.append(log.msg))
        consumer = subprocess.Popen([sys.executable, "-c", source, "_class:=green"])
        self.addCleanup(consumer.wait)
        self.addCleanup(consumer.terminate)
        self.assertTrue(wait_until(lambda: self.camera.get_num_connections() > 0))
        image, _ = patches(48, 64)
        data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
        message = CompressedImage(header=Header(stamp=rospy.Time(3000)), format="png", data=data)
        expected = "33 % green at 3000000000000"

        def is_reported():
            self.camera.publish(message)  # again: it may not be connected yet
            return expected in reports

        self.assertTrue(wait_until(is_reported, 20), reports[-3:])

    def test_label_info_names_model_and_digest(self):
        info = rospy.wait_for_message("segmenter/label_info", LabelInfo, 10)
        self.assertEqual(info.model, "tiny_graph.pb")
        self.assertRegex(info.digest, "^[0-9a-f]{64}$")
        self.assertEqual([entry.name for entry in info.classes], ["red", "green", "blue"])
        red = info.classes[0].color  # the graph's table is BGR
        self.assertEqual((red.r, red.g, red.b), (1.0, 0.0, 0.0))

    def test_models_that_must_not_or_cannot_be_loaded_are_refused(self):
        load = rospy.ServiceProxy("segmenter/load_model", LoadModel)
        refused = load("/etc/passwd")
        self.assertFalse(refused.success)
        self.assertRegex(refused.message, "^/etc/passwd is in none of ~model_folders: .*/models$")
        self.assertRegex(load("fulll").message, "did you mean 'full'")
        refused = load("")
        self.assertFalse(refused.success)


if __name__ == "__main__":
    rospy.init_node("segment_test")
    rostest.rosrun("semseg", "segment", SegmentTest)
