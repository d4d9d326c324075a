#!/usr/bin/env python3
"""Models that change while frames come: by ~load_model, and by ~target_rate."""

import threading
import time
import unittest

import numpy as np
import rospy
import rostest
from camera_bench import Camera, Counters, Listener, patches, pixels, wait_for_ready, wait_until
from semseg.msg import LabelInfo
from semseg.srv import LoadModel

IMAGE, LABELS = patches(8, 12)


class ModelsTest(unittest.TestCase):
    def setUp(self):
        self.camera = Camera("camera/image_raw")
        self.ended = threading.Event()

    def watch(self, node):
        """Starts a stream of 20 Hz; returns listeners to the node's labels and label info."""
        wait_for_ready(node)
        self.infos = []
        rospy.Subscriber(node + "/label_info", LabelInfo, self.infos.append)
        labels = Listener(node + "/labels")
        self.assertTrue(self.camera.connected())
        stream = threading.Thread(target=self.stream)
        stream.start()
        self.addCleanup(labels.close)
        self.addCleanup(stream.join)
        self.addCleanup(self.ended.set)
        return labels

    def stream(self):
        number = 0
        while not self.ended.wait(0.05):
            number = (number + 1) % 8  # a living camera's images differ
            self.camera.send(IMAGE + np.uint8(number), stamp=rospy.Time.now())

    def test_another_model_takes_over_between_two_frames(self):
        labels = self.watch("segmenter")
        connections = []
        listener = rospy.SubscribeListener()
        listener.peer_unsubscribe = lambda *_: connections.append("lost")
        self.camera.images.impl.add_subscriber_listener(listener)
        load = rospy.ServiceProxy("segmenter/load_model", LoadModel)
        self.assertTrue(wait_until(lambda: labels.order))

        refused = load("nonsense")
        self.assertFalse(refused.success)
        self.assertEqual(refused.message, "nonsense: no such stub")
        self.assertEqual([info.model for info in self.infos], ["stub.pb"])

        before = len(labels.order)
        self.assertEqual(load("reverse").message, "reverse.pb")
        during = labels.order[before:]
        self.assertGreater(len(during), 5)  # it took a second: the former model went on
        wait_until(lambda: len(labels.order) > before + len(during) + 5)
        self.ended.set()
        self.assertTrue(wait_until(lambda: len(self.infos) == 2))
        self.assertEqual([entry.name for entry in self.infos[1].classes], ["blue", "green", "red"])
        self.assertEqual(self.infos[1].digest, "reverse")
        is_new = [(pixels(labels.messages[stamp]) == 2 - LABELS).all() for stamp in labels.order]
        for stamp, new in zip(labels.order, is_new):
            expected = 2 - LABELS if new else LABELS
            self.assertTrue((pixels(labels.messages[stamp]) == expected).all())
        self.assertEqual(is_new, sorted(is_new))
        self.assertEqual((is_new[0], is_new[-1]), (False, True))
        self.assertEqual(connections, [])

    def test_the_full_model_gives_way_when_it_does_not_hold_the_rate(self):
        self.watch("hurried")
        counters = Counters("camera/image_raw", "/hurried: image")
        self.assertTrue(wait_until(lambda: len(self.infos) == 2))
        self.assertEqual([info.model for info in self.infos], ["stub.pb", "reduced.pb"])
        values = counters.fresh()
        self.assertEqual((values["model"], values["target_rate_hz"]), ("reduced.pb", "10"))
        self.assertRegex(
            counters.message, r"stub.pb takes 2\d\d ms .* too long for 10 Hz: reduced.pb labels"
        )
        time.sleep(1)
        self.assertEqual(len(self.infos), 2)


if __name__ == "__main__":
    rospy.init_node("models_test")
    rostest.rosrun("semseg", "models", ModelsTest)
