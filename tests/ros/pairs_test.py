#!/usr/bin/env python3
"""Models with two inputs: images and second images are paired by their stamps."""

import unittest

import numpy as np
import rospy
import rostest
from camera_bench import FRAME_ID, Camera, Counters, Listener, patches, pixels, wait_for_ready
from std_msgs.msg import Header

from semseg.ros.messages import image_message

IMAGE, LABELS = patches(8, 12)
DARK = np.zeros_like(IMAGE)


def at(seconds):
    return rospy.Time.from_sec(seconds)


class PairsTest(unittest.TestCase):
    def open(self, node, first, second, output):
        wait_for_ready(node)
        cameras = Camera(first), Camera(second)
        labels = Listener(output)
        self.addCleanup(labels.close)
        for camera in cameras:
            self.assertTrue(camera.connected())
        return (*cameras, labels)

    def test_equal_stamps_make_a_pair_and_what_finds_none_is_counted(self):
        left, right, labels = self.open(
            "stereo", "exact/image", "exact/right", "stereo/exact/labels"
        )
        for number in range(12):  # a right image that is late, and one that is missing
            left.send(DARK, stamp=at(100 + number))
            if number != 5:
                right.send(IMAGE, stamp=at(100 + number))
                message = labels.wait_for(at(100 + number))
                np.testing.assert_array_equal(pixels(message), LABELS)
        left.send(DARK, stamp=at(200))
        right.send(IMAGE, stamp=at(200.01))
        for number in range(10):
            left.send(DARK, stamp=at(201 + number))
        values = Counters("exact/image").fresh()
        self.assertEqual((values["received"], values["segmented"]), ("23", "11"))
        self.assertEqual(values["unpaired"], "2")
        self.assertEqual(len(labels.order), 11)

    def test_similar_stamps_make_a_pair_if_asked_for(self):
        left, right, labels = self.open(
            "stereo", "loose/image", "loose/right", "stereo/loose/labels"
        )
        for number, delay in enumerate((0.0, 0.03, -0.04)):
            right.send(IMAGE, stamp=at(100 + number + delay))
            left.send(DARK, stamp=at(100 + number))
            message = labels.wait_for(at(100 + number))  # the left image's stamp
            np.testing.assert_array_equal(pixels(message), LABELS)

    def test_disparities_are_cropped_with_their_image(self):
        left, _, labels = self.open("depth", "rgb/image", "stereo/disparity", "depth/labels")
        disparity = np.tile(np.arange(12, dtype=np.float32), (8, 1))
        disparity[4] = np.nan
        disparity[5] = -1
        camera = rospy.Publisher("stereo/disparity", type(left.message(IMAGE)), queue_size=5)
        for _round_number in range(2):  # the second round of a looped bag
            for number in range(3):
                stamp = at(100 + number)
                labels.messages.clear()
                header = Header(stamp=stamp, frame_id=FRAME_ID)
                camera.publish(image_message(header, disparity, "32FC1"))
                left.send(IMAGE, stamp=stamp)
                found = pixels(labels.wait_for(stamp))
                expected = np.where(disparity > 0, disparity, 0).astype(np.uint8)
                expected[:2], expected[:, :1] = 255, 255
                np.testing.assert_array_equal(found, expected)


if __name__ == "__main__":
    rospy.init_node("pairs_test")
    rostest.rosrun("semseg", "pairs", PairsTest)
