#!/usr/bin/env python3
"""image_publisher_node.py: what a camera would have sent, and how it ends."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import cv2
import numpy as np
import rospy
import rostest
from camera_bench import Listener, pixels, wait_until
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Bool

FOLDER = os.path.dirname(os.path.abspath(__file__))
PLAYER = os.path.join(FOLDER, "..", "..", "ros_nodes", "image_publisher_node.py")
GREYS = (40, 90, 140, 190)


class ImagePublisherTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def play(self, name, *parameters):
        command = [sys.executable, PLAYER, "__name:=" + name, "_images:=" + self.folder]
        return subprocess.Popen(
            command + list(parameters), stderr=subprocess.PIPE, universal_newlines=True
        )

    def test_a_folder_is_played_in_order_resized_once_told_to_start(self):
        for grey in GREYS:
            image = np.full((20, 30, 3), (0, 0, grey), np.uint8)  # BGR: red
            cv2.imwrite(os.path.join(self.folder, "%d.png" % (1000 + grey)), image)
        with open(os.path.join(self.folder, "damaged.png"), "w") as file:
            file.write("no image")
        options = ["_rate:=20", "_size:=10x16", "_frame_id:=front_optical", "_wait_for:=go"]
        player = self.play("player", *options)
        images = Listener("camera/image_raw")
        infos = Listener("camera/camera_info", CameraInfo)
        rospy.Publisher("go", Bool, queue_size=1, latch=True).publish(True)
        _, complaints = player.communicate(timeout=120)
        self.assertEqual(player.returncode, 1)  # one image was skipped
        self.assertIn("damaged.png: damaged, cut off or no image (8 bytes)", complaints)
        self.assertTrue(wait_until(lambda: len(images.order) == len(infos.order) == len(GREYS)))
        self.assertEqual(images.order, sorted(images.order))
        self.assertEqual(sorted(infos.order), images.order)
        for stamp, grey in zip(images.order, GREYS):
            message, info = images.messages[stamp], infos.messages[stamp]
            self.assertEqual((message.height, message.width, message.encoding), (10, 16, "rgb8"))
            self.assertEqual((info.height, info.width), (10, 16))
            self.assertEqual(message.header.frame_id, "front_optical")
            np.testing.assert_array_equal(pixels(message, 3)[5, 8], (grey, 0, 0))
        self.assertGreater((images.order[-1] - images.order[0]).to_sec(), 0.14)

    def test_a_folder_without_images_is_refused(self):
        player = self.play("refused")
        _, complaints = player.communicate(timeout=120)
        self.assertEqual(player.returncode, 2)
        self.assertIn("no image at '%s'" % self.folder, complaints)


if __name__ == "__main__":
    rospy.init_node("image_publisher_test")
    rostest.rosrun("semseg", "image_publisher", ImagePublisherTest)
