#!/usr/bin/env python3
"""segment_cameras.launch: two cameras, one model; each camera's labels on its own topics only."""

import unittest

import numpy as np
import rospy
import rostest
from camera_bench import Camera, Listener, patches, pixels, wait_for_ready


class CamerasTest(unittest.TestCase):
    def test_each_camera_gets_its_own_labels(self):
        wait_for_ready()
        image, labels = patches(48, 64)
        images = {"front": image, "rear": image[:, ::-1]}
        expected = {"front": labels, "rear": labels[:, ::-1]}
        cameras = {name: Camera(name + "/image") for name in images}
        listeners = {name: Listener("segmenter/%s/labels" % name) for name in images}
        for camera in cameras.values():
            self.assertTrue(camera.connected())
        for _ in range(5):
            stamps = {name: cameras[name].send(images[name]) for name in images}
            for name, stamp in stamps.items():
                message = listeners[name].wait_for(stamp)
                np.testing.assert_array_equal(pixels(message), expected[name])
        self.assertEqual([len(listener.order) for listener in listeners.values()], [5, 5])


if __name__ == "__main__":
    rospy.init_node("cameras_test")
    rostest.rosrun("semseg", "cameras", CamerasTest)
