#!/usr/bin/env python3
"""Cameras with options of their own in one node: what is seen, answered and dropped."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import cv2
import numpy as np
import rospy
import rostest
import scene_encodings as scene
from camera_bench import (
    FRAME_ID,
    Camera,
    Counters,
    Listener,
    patches,
    pixels,
    skip,
    wait_for_ready,
    wait_until,
)
from diagnostic_msgs.msg import DiagnosticArray
from semseg.msg import Stats
from sensor_msgs.msg import CameraInfo, CompressedImage
from std_msgs.msg import Header

STUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stub_node.py")
CAMERAS = {
    "plain": {"overlay_alpha": 0.0, "overlay_legend": False},  # its overlay is what was decoded
    "packed": {"overlay_alpha": 0.0, "overlay_legend": False, "transport": "compressed"},
    "turned": {"rotation": 90, "crop": "4,8,2,6"},
    "small": {"rotation": 270, "crop": "0,16,0,0", "output_size": "network"},
    "kept": {"keep_subscribed": True, "max_rate": 5},
    "fresh": {"max_age": 5.0},
    "odd": {},
    "wide": {
        "label_encoding": "16UC1",
        "masks": ["green"],
        "groups": {"warm": ["red", "green"]},
        "min_confidence": 0.75,
    },
}


def has_compressed_transport():
    plugins = subprocess.run(
        ["rospack", "plugins", "--attrib=plugin", "image_transport"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    )
    return "compressed_image_transport" in plugins.stdout


class OptionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        mask = np.zeros((48, 96), np.uint8)
        mask[40:, :48] = 255
        path = os.path.join(cls.folder, "bonnet.png")
        cv2.imwrite(path, mask)
        options = dict(CAMERAS, turned=dict(CAMERAS["turned"], ignore_mask=path))
        rospy.set_param("/segmenter", dict(options, cameras=list(options)))
        cls.node = subprocess.Popen([sys.executable, STUB])
        wait_for_ready()

    @classmethod
    def tearDownClass(cls):
        cls.node.terminate()
        cls.node.wait()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.listeners, self.cameras = [], []

    def tearDown(self):
        for listener in self.listeners:
            listener.close()
        # Else the next test sends its frame into a connection that is about to end.
        self.assertTrue(
            wait_until(lambda: not any(camera.connections() for camera in self.cameras))
        )

    def open(self, name, *outputs):
        """Returns a camera and listeners to its outputs, all connected."""
        camera = Camera(name + "/image")
        if not CAMERAS[name].get("keep_subscribed"):
            self.cameras.append(camera)
        found = [Listener("segmenter/%s/%s" % (name, output)) for output in outputs]
        self.listeners += found
        self.assertTrue(camera.connected())
        return (camera, *found)

    def assert_shows(self, message, labels, overlay, shown, tolerance):
        stamp = message.header.stamp
        agreement = (pixels(labels.wait_for(stamp)) == scene.LABELS).mean()
        self.assertGreaterEqual(agreement, 0.99)
        decoded = pixels(overlay.wait_for(stamp), 3).astype(int)
        inner = np.arange(3 * scene.COLUMN) % scene.COLUMN
        inner = (inner >= 2) & (inner < scene.COLUMN - 2)  # Bayer pixels are interpolated there
        difference = np.abs(decoded - shown)[2:-2, inner]
        self.assertLessEqual(difference.max(), tolerance)

    def test_one_scene_in_every_encoding(self):
        camera, labels, overlay = self.open("plain", "labels", "overlay")
        seen = set()
        for number, (message, shown, tolerance) in enumerate(scene.raw_messages()):
            message.header = Header(stamp=rospy.Time(100 + number, 3), frame_id=FRAME_ID)
            camera.images.publish(message)
            with self.subTest(message.encoding, step=message.step, big=message.is_bigendian):
                self.assert_shows(message, labels, overlay, shown, tolerance)
            seen.add(message.encoding)
        self.assertEqual(len(seen), 29)

    def test_one_scene_in_every_compression(self):
        camera = rospy.Publisher("packed/image/compressed", CompressedImage, queue_size=5)
        labels, overlay = (Listener("segmenter/packed/" + name) for name in ("labels", "overlay"))
        self.listeners += [labels, overlay]
        self.assertTrue(wait_until(lambda: camera.get_num_connections() > 0))
        for number, (message, shown, tolerance) in enumerate(scene.compressed_messages()):
            message.header = Header(stamp=rospy.Time(200 + number, 3), frame_id=FRAME_ID)
            camera.publish(message)
            with self.subTest(message.format, number=number):
                self.assert_shows(message, labels, overlay, shown, tolerance)

    def test_crop_rotation_and_ignore_mask_leave_void(self):
        camera, labels, color = self.open("turned", "labels", "color")
        for factor in (1, 2):  # the mask is brought to another resolution, the crop is in pixels
            image, expected = patches(48 * factor, 96 * factor)
            message = labels.wait_for(camera.send(image))
            visible = np.zeros(expected.shape, bool)
            visible[4:-8, 2:-6] = True
            visible[40 * factor :, : 48 * factor] = False
            np.testing.assert_array_equal(pixels(message), np.where(visible, expected, 255))
            drawn = pixels(color.wait_for(message.header.stamp), 3)
            self.assertFalse(drawn[~visible].any())

    def test_outputs_of_the_network_s_size_and_their_camera_info(self):
        camera, labels, overlay = self.open("small", "labels", "overlay")
        infos = Listener("segmenter/small/camera_info", CameraInfo)
        self.listeners.append(infos)
        wait_until(lambda: camera.infos.get_num_connections() > 0)
        matrix = [100, 0, 47, 0, 110, 23, 0, 0, 1]
        projection = [100, 0, 47, -8, 0, 110, 23, 0, 0, 0, 1, 0]
        camera.infos.publish(CameraInfo(height=48, width=96, K=matrix, P=projection))
        time.sleep(0.5)  # another connection: nothing orders it before the image
        image, _ = patches(48, 96)
        message = labels.wait_for(camera.send(image))
        # 32 of 48 rows, upright 96x32, letterboxed into 24x32: 24x8. Turned back: 8x24.
        self.assertEqual((message.height, message.width), (8, 24))
        np.testing.assert_array_equal(pixels(message), patches(8, 24)[1])
        self.assertEqual(pixels(overlay.wait_for(message.header.stamp), 3).shape, (8, 24, 3))
        info = infos.wait_for(message.header.stamp)
        self.assertEqual((info.height, info.width), (8, 24))
        np.testing.assert_allclose(info.K, [25, 0, 11.75, 0, 27.5, 5.75, 0, 0, 1])
        np.testing.assert_allclose(info.P, [25, 0, 11.75, -2, 0, 27.5, 5.75, 0, 0, 0, 1, 0])

    def test_wide_labels_masks_groups_and_uncertain_pixels(self):
        outputs = ("labels", "mask/green", "mask/warm", "class_distribution")
        camera, labels, green, warm = self.open("wide", *outputs[:3])
        compressed = Listener("segmenter/wide/labels/compressed", CompressedImage)
        self.listeners.append(compressed)
        image, expected = patches(6, 12)
        image[:, 6:8] = (30, 190, 20)  # of 192 or more of 255 the stub is certain enough
        image[:, 4:6] = (30, 191, 20)
        image[:, 5] = (30, 192, 20)
        expected = np.where(image.max(axis=2) < 0.75 * 255, 255, expected)
        self.assertEqual(set(np.unique(expected)), {0, 1, 2, 255})
        message = labels.wait_for(camera.send(image))
        self.assertEqual(message.encoding, "16UC1")
        np.testing.assert_array_equal(pixels(message, dtype=np.uint16), expected)
        stamp = message.header.stamp
        np.testing.assert_array_equal(pixels(green.wait_for(stamp)), (expected == 1) * 255)
        np.testing.assert_array_equal(pixels(warm.wait_for(stamp)), (expected < 2) * 255)
        packed = compressed.wait_for(stamp)
        self.assertEqual(packed.format, "16UC1; png compressed ")
        decoded = cv2.imdecode(np.frombuffer(packed.data, np.uint8), cv2.IMREAD_UNCHANGED)
        self.assertEqual(decoded.dtype, np.uint16)
        np.testing.assert_array_equal(decoded, expected)

    def test_compressed_labels_go_through_image_transport_unchanged(self):
        if not has_compressed_transport():
            skip(self, "no compressed_image_transport is installed")
        self.assert_republished("plain", np.uint8)
        self.assert_republished("wide", np.uint16)

    def assert_republished(self, name, dtype):
        topics = ["in:=segmenter/%s/labels" % name, "out:=republished_" + name]
        command = ["rosrun", "image_transport", "republish", "compressed", "raw"]
        republisher = subprocess.Popen(command + topics + ["__name:=republish_" + name])
        republished = Listener("republished_" + name)
        camera, labels = self.open(name, "labels")
        image, _ = patches(33, 47)
        # The first frames may come before the republisher is connected.
        self.assertTrue(wait_until(lambda: camera.send(image) and republished.messages, 20))
        stamp, message = next(iter(republished.messages.items()))
        sent = labels.wait_for(stamp)
        self.assertEqual(message.encoding, sent.encoding)
        np.testing.assert_array_equal(pixels(message, dtype=dtype), pixels(sent, dtype=dtype))
        republisher.terminate()
        republisher.wait()

    def test_a_kept_camera_counts_what_nobody_asked_for_and_what_is_too_much(self):
        camera = Camera("kept/image")
        counters = Counters("kept/image")
        self.assertTrue(camera.connected())
        self.assertEqual(int(counters.fresh()["segmented"]), 0)
        for _ in range(4):
            camera.send(patches(8, 8)[0])
        self.assertEqual(int(counters.fresh()["idle"]), 4)
        _, labels = self.open("kept", "labels")
        started = time.monotonic()
        for _ in range(50):
            camera.send(patches(8, 8)[0])
            time.sleep(0.02)
        expected = 1 + 5 * (time.monotonic() - started)
        values = {name: int(float(counters.fresh()[name])) for name in ("segmented", "limited")}
        self.assertEqual(sum(values.values()), 50)
        self.assertLessEqual(values["segmented"], expected + 1)
        self.assertGreaterEqual(values["segmented"], 3)
        self.assertEqual(len(labels.order), values["segmented"])

    def test_stale_frames_are_refused_and_counted(self):
        camera, labels = self.open("fresh", "labels")
        counters = Counters("fresh/image")
        image = patches(8, 8)[0]
        camera.send(image, stamp=rospy.Time.now() - rospy.Duration(6))
        time.sleep(0.3)  # else the next one replaces it
        stamp = camera.send(image, stamp=rospy.Time.now())
        labels.wait_for(stamp)
        values = counters.fresh()
        self.assertEqual((values["stale"], values["segmented"]), ("1", "1"))
        self.assertEqual(labels.order, [stamp])
        self.assertIn("end_to_end_p95_ms", values)

    def test_stats_and_diagnostics_agree_once_a_second(self):
        camera, labels = self.open("plain", "labels")
        stats, statuses = [], []
        rospy.Subscriber("segmenter/plain/stats", Stats, stats.append)
        rospy.Subscriber("/diagnostics", DiagnosticArray, statuses.append)
        for _ in range(30):  # identical images with stamps of 1970
            labels.wait_for(camera.send(patches(8, 8)[0]))
        num_stats = len(stats)
        time.sleep(3.2)
        self.assertIn(len(stats) - num_stats, (2, 3, 4))
        newest = stats[-1]
        self.assertEqual(newest.topic, rospy.resolve_name("plain/image"))
        self.assertEqual(newest.header.frame_id, FRAME_ID)
        counts = {count.fate: count.frames for count in newest.counts}
        self.assertEqual(counts["received"], sum(counts.values()) - counts["received"])
        self.assertGreaterEqual(counts["segmented"], 30)
        steps = {step.step: step for step in newest.steps}
        self.assertLessEqual(
            {"decode", "resize", "inference", "restore", "publish", "age"}, set(steps)
        )
        self.assertLessEqual(steps["age"].p50_ms, steps["age"].p95_ms)
        self.assertGreater(newest.memory_mib, 20)
        status = [found for found in statuses[-1].status if found.name == "/segmenter: plain"][0]
        values = {pair.key: pair.value for pair in status.values}
        self.assertEqual(int(values["segmented"]), counts["segmented"])
        self.assertEqual((values["engine"], values["precision"]), ("stub", "exact"))
        self.assertEqual((values["model"], values["digest"]), ("stub.pb", "stub"))
        self.assertIn("identical: is the camera frozen?", status.message)

    def test_a_topic_of_another_type_is_named_in_the_diagnostics(self):
        rospy.Publisher("odd/image", CompressedImage, queue_size=1)
        statuses = []
        rospy.Subscriber("/diagnostics", DiagnosticArray, lambda m: statuses.extend(m.status))
        self.listeners.append(Listener("segmenter/odd/labels"))
        hint = "sensor_msgs/CompressedImage is published there, expected sensor_msgs/Image"
        self.assertTrue(wait_until(lambda: any(hint in found.message for found in statuses), 10))


if __name__ == "__main__":
    rospy.init_node("options_test")
    rostest.rosrun("semseg", "options", OptionsTest)
