#!/usr/bin/env python3
"""The node around a stub of 0.1 s: pixels, headers, laziness, newest frame, nonsense."""

import json
import time
import unittest

import cv2
import numpy as np
import rospy
import rostest
from camera_bench import (
    FRAME_ID,
    Camera,
    Counters,
    Listener,
    patches,
    pixels,
    wait_for_ready,
    wait_until,
)
from rosgraph_msgs.msg import Log
from semseg.msg import ClassDistribution, LabelInfo
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool

COLORS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)


class NodeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.camera = Camera("camera/image_raw")
        cls.counters = Counters("camera/image_raw")
        wait_for_ready()

    def setUp(self):
        self.listeners = []

    def tearDown(self):
        for listener in self.listeners:
            listener.close()
        # Else the next test sends its frame into a connection that is about to end.
        self.assertTrue(wait_until(lambda: not self.camera.connections()))

    def listen(self, output, kind=Image):
        listener = Listener("segmenter/" + output, kind)
        self.listeners.append(listener)
        assert output == "camera_info" or self.camera.connected()
        return listener

    def answer(self, listener, image, encoding="rgb8"):
        stamp = self.camera.send(image, encoding)
        message = listener.wait_for(stamp)
        self.assertEqual(message.header.frame_id, FRAME_ID)
        return message

    def test_outputs_have_the_image_s_size_header_and_classes(self):
        labels, overlay = self.listen("labels"), self.listen("overlay")
        # A size may change in mid-stream, to a single pixel and to 4K.
        for height, width in ((48, 64), (37, 91), (1, 1), (2160, 3840), (6, 9)):
            image, expected = patches(height, width)
            for encoding in ("rgb8", "bgr8") if height < 100 else ("rgb8",):
                message = self.answer(labels, image, encoding)
                self.assertEqual(message.encoding, "mono8")
                np.testing.assert_array_equal(pixels(message), expected)
                drawn = overlay.wait_for(message.header.stamp)
                self.assertEqual((drawn.height, drawn.width), (height, width))
                self.assertEqual(drawn.header.frame_id, FRAME_ID)

    def test_color_and_overlay_show_the_table_s_colours(self):
        color, overlay = self.listen("color"), self.listen("overlay")
        image, expected = patches(20, 30)
        message = self.answer(color, image)
        self.assertEqual(message.encoding, "rgb8")
        np.testing.assert_array_equal(pixels(message, 3), COLORS[expected])
        blend = pixels(overlay.wait_for(message.header.stamp), 3).astype(int)
        mean = (COLORS[expected].astype(int) + image) / 2
        self.assertLessEqual(np.abs(blend - mean).max(), 1)

    def test_confidence_and_probabilities(self):
        confidence, probabilities = self.listen("confidence"), self.listen("probabilities")
        image, expected = patches(5, 9)
        message = self.answer(confidence, image)
        np.testing.assert_array_equal(pixels(message), image.max(axis=2))
        message = probabilities.wait_for(message.header.stamp)
        self.assertEqual((message.encoding, message.step), ("32FC3", 9 * 3 * 4))
        shares = np.frombuffer(message.data, np.float32).reshape(5, 9, 3)
        np.testing.assert_allclose(shares.sum(axis=2), 1, rtol=1e-5)
        np.testing.assert_array_equal(shares.argmax(axis=2), expected)

    def test_class_distribution_names_each_class_s_share(self):
        distribution = self.listen("class_distribution", ClassDistribution)
        image = np.zeros((4, 8, 3), np.uint8)
        image[:, :2, 0], image[:, 2:, 2] = 200, 200
        message = self.answer(distribution, image)
        self.assertEqual(message.fractions, (0.25, 0.0, 0.75))
        self.assertEqual(message.void_fraction, 0.0)

    def test_compressed_labels_are_lossless(self):
        compressed = self.listen("labels/compressed", CompressedImage)
        image, expected = patches(33, 47)
        message = self.answer(compressed, image)
        self.assertEqual(message.format, "mono8; png compressed ")
        decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(decoded, expected)

    def test_camera_info_comes_with_the_image_s_stamp(self):
        labels, infos = self.listen("labels"), self.listen("camera_info", CameraInfo)
        image, _ = patches(20, 30)
        wait_until(lambda: self.camera.infos.get_num_connections() > 0)
        info = CameraInfo(height=20, width=30, K=[40, 0, 15, 0, 41, 10, 0, 0, 1])
        self.camera.infos.publish(info)
        time.sleep(0.5)  # another connection: nothing orders it before the image
        stamp = self.answer(labels, image).header.stamp
        message = infos.wait_for(stamp)
        self.assertEqual(message.header.frame_id, FRAME_ID)
        self.assertEqual(list(message.K), info.K)

    def test_without_listeners_the_camera_is_left_and_taken_again(self):
        for output, kind in (("labels", Image), ("labels/compressed", CompressedImage)):
            self.assertTrue(wait_until(lambda: not self.camera.connections()))
            first, second = self.listen(output, kind), self.listen("color")
            first.close()
            time.sleep(0.5)  # the one that stays is enough
            self.answer(second, patches(8, 8)[0])
            second.close()
        self.assertTrue(wait_until(lambda: not self.camera.connections()))
        self.listen("camera_info", CameraInfo)  # asks for nothing by itself
        time.sleep(0.5)
        self.assertEqual(self.camera.connections(), 0)

    def test_disabled_it_leaves_the_camera_and_enabled_it_answers(self):
        labels = self.listen("labels")
        enable = rospy.ServiceProxy("segmenter/enable", SetBool)
        self.assertTrue(enable(False).success)
        self.assertTrue(wait_until(lambda: not self.camera.connections()))
        self.assertTrue(enable(True).success)
        self.assertTrue(self.camera.connected())
        self.answer(labels, patches(8, 8)[0])

    def test_the_newest_frame_is_next_and_every_other_is_counted(self):
        labels = self.listen("labels")
        before = self.counters.fresh()
        stamps = []
        for _ in range(40):  # 100 Hz into a segmenter of 10 Hz
            stamps.append(self.camera.send(patches(8, 8)[0]))
            time.sleep(0.01)
        labels.wait_for(stamps[-1])
        self.assertEqual(labels.order, sorted(labels.order))
        after = self.counters.fresh()
        gained = {name: int(after[name]) - int(before[name]) for name in ("segmented", "replaced")}
        self.assertEqual(gained["segmented"], len(labels.order))
        self.assertEqual(gained["segmented"] + gained["replaced"], 40)
        self.assertLess(gained["segmented"], 12)

    def test_nonsense_is_named_once_and_the_next_good_frame_is_served(self):
        labels = self.listen("labels")
        warnings = []
        rospy.Subscriber(
            "/rosout", Log, lambda log: log.level == Log.WARN and warnings.append(log.msg)
        )
        time.sleep(0.5)
        image, expected = patches(8, 12)
        for round_number in range(3):
            for change in (
                {"encoding": "jpeg%d" % round_number},
                {"height": 0, "data": b""},
                {"height": 2**32 - 1, "width": 2**32 - 1},
                {"data": b"\1" * (10 + round_number)},
            ):
                message = self.camera.message(image)
                for field, value in change.items():
                    setattr(message, field, value)
                self.camera.images.publish(message)
                time.sleep(0.05)
                answer = self.answer(labels, image)
                np.testing.assert_array_equal(pixels(answer), expected)
        self.assertTrue(wait_until(lambda: len(warnings) >= 2))
        time.sleep(0.5)
        topic = rospy.resolve_name("camera/image_raw")
        self.assertEqual(len(warnings), 2, warnings)
        self.assertTrue(
            warnings[0].startswith(topic + ": unknown image encoding 'jpeg0'"), warnings
        )
        self.assertTrue(warnings[1].startswith(topic + ": rgb8 image of 0x12 needs rows"), warnings)

    def test_label_info_reaches_late_listeners(self):
        for _ in range(2):
            info = rospy.wait_for_message("segmenter/label_info", LabelInfo, 10)
            self.assertEqual((info.model, info.digest, info.void_id), ("stub.pb", "stub", 255))
            self.assertEqual([entry.name for entry in info.classes], ["red", "green", "blue"])
            self.assertEqual([entry.id for entry in info.classes], [0, 1, 2])
            twin = json.loads(rospy.wait_for_message("segmenter/label_info_json", String, 10).data)
            self.assertEqual((twin["digest"], twin["void_id"]), ("stub", 255))
            self.assertEqual(
                twin["classes"][1],
                {"id": 1, "name": "green", "color": {"r": 0.0, "g": 1.0, "b": 0.0, "a": 1.0}},
            )
            blue = info.classes[2].color
            self.assertEqual((blue.r, blue.g, blue.b, blue.a), (0.0, 0.0, 1.0, 1.0))


if __name__ == "__main__":
    rospy.init_node("node_test")
    rostest.rosrun("semseg", "node", NodeTest)
