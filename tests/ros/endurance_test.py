#!/usr/bin/env python3
"""A real graph under hostile messages and for many frames: it answers, warns, and does not grow.

SEMSEG_SLOW_TESTS makes both tests long, as in `make test-all`.
"""

import os
import re
import time
import unittest
from collections import Counter

import numpy as np
import rospy
import rostest
from camera_bench import Camera, Counters, Listener, patches, pixels, wait_for_ready, wait_until
from hostile_messages import hostile
from rosgraph_msgs.msg import Log
from semseg.msg import Stats

IS_SLOW = bool(os.environ.get("SEMSEG_SLOW_TESTS"))
NUM_HOSTILE = 2000 if IS_SLOW else 100
NUM_FRAMES = 20000 if IS_SLOW else 500
WARM_UP = 2000 if IS_SLOW else 200
MAX_GROWTH_MIB = 5
WARNING_PERIOD_S = 10.0


class EnduranceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        wait_for_ready()
        cls.camera = Camera("camera/image_raw")
        cls.counters = Counters("camera/image_raw")
        cls.stats, cls.warnings = [], []
        rospy.Subscriber("segmenter/stats", Stats, cls.stats.append)
        rospy.Subscriber("/rosout", Log, cls.keep_warning)

    @classmethod
    def keep_warning(cls, log):
        if log.level >= Log.WARN and log.name == "/segmenter":
            cls.warnings.append(log.msg)

    def open(self, *outputs):
        listeners = [Listener("segmenter/" + output) for output in outputs]
        self.assertTrue(self.camera.connected())
        for listener in listeners:
            self.addCleanup(listener.close)
        return listeners

    def answer(self, labels, image, expected):
        message = labels.wait_for(self.camera.send(image))
        self.assertTrue((pixels(message) == expected).all())
        labels.messages.clear()
        labels.order.clear()

    def memory_mib(self):
        """Returns the memory that the node says in its second statement from now."""
        num_stats = len(self.stats)
        self.assertTrue(wait_until(lambda: len(self.stats) >= num_stats + 2))
        return self.stats[-1].memory_mib

    def test_every_good_frame_between_hostile_ones_is_answered(self):
        (labels,) = self.open("labels")
        image, expected = patches(24, 32)
        for _ in range(50):
            self.answer(labels, image, expected)
        before_mib, started = self.memory_mib(), time.monotonic()
        malformed = int(self.counters.fresh()["malformed"])
        self.warnings.clear()
        for seed in range(NUM_HOSTILE):
            self.camera.images.publish(hostile(self.camera.message(image), seed))
            time.sleep(0.01)  # else the good one takes its place unread
            self.answer(labels, image, expected)
        values = self.counters.fresh()
        gained = int(values["malformed"]) - malformed
        self.assertEqual(values["failed"], "0")
        self.assertGreater(gained, NUM_HOSTILE / 2)
        self.assertLess(self.memory_mib() - before_mib, MAX_GROWTH_MIB)
        # As the node's throttle sees it, complaints are of one kind up to the first number.
        kinds = Counter(re.split("[0-9']", warning)[0] for warning in self.warnings)
        self.assertGreaterEqual(len(kinds), 4)  # unknown encodings, and known ones in bad shape
        self.assertLessEqual(len(kinds), 10)
        seconds = time.monotonic() - started
        self.assertLessEqual(max(kinds.values()), 1 + seconds // WARNING_PERIOD_S, kinds)
        self.assertLess(max(map(len, self.warnings)), 400)

    def test_memory_does_not_grow_with_the_frames(self):
        labels, *_ = self.open("labels", "color", "overlay", "confidence", "probabilities")
        image, expected = patches(48, 64)
        image = np.ascontiguousarray(image)
        for _ in range(WARM_UP):
            self.answer(labels, image, expected)
        before_mib = self.memory_mib()
        for _ in range(NUM_FRAMES):
            self.answer(labels, image, expected)
        self.assertLess(self.memory_mib() - before_mib, MAX_GROWTH_MIB)


if __name__ == "__main__":
    rospy.init_node("endurance_test")
    rostest.rosrun("semseg", "endurance", EnduranceTest)
