#!/usr/bin/env python3
"""A bag that is played with its own clock, over and over, by a player that dies and comes back."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import rosbag
import rospy
import rostest
from camera_bench import FRAME_ID, Counters, Listener, patches, pixels, wait_for_ready, wait_until
from std_msgs.msg import Header

from semseg.ros.messages import image_message

FRAMES, PERIOD_NS = 10, 10**8


def write_bag(path):
    with rosbag.Bag(path, "w") as bag:
        for number in range(FRAMES):
            stamp = rospy.Time(1600000000, number * PERIOD_NS)
            header = Header(stamp=stamp, frame_id=FRAME_ID)
            bag.write("/camera/image_raw", image_message(header, patches(12, 18)[0], "rgb8"), stamp)


def num_jumps_back(stamps):
    return sum(later < earlier for earlier, later in zip(stamps, stamps[1:]))


class ClockTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.bag = os.path.join(self.folder, "x.bag")
        write_bag(self.bag)
        self.player = None

    def tearDown(self):
        if self.player is not None:
            self.kill_player()
        shutil.rmtree(self.folder)

    def play(self):
        command = ["rosbag", "play", "--quiet", "--clock", "--loop", self.bag]
        self.player = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def kill_player(self):
        os.killpg(self.player.pid, signal.SIGKILL)  # `rosbag` is a script around the player
        self.player.wait()
        self.player = None

    def test_looping_time_and_a_player_that_comes_back(self):
        wait_for_ready()
        labels, counters = Listener("segmenter/labels"), Counters("camera/image_raw")
        for _ in range(2):
            labels.order.clear()
            self.play()
            self.assertTrue(wait_until(lambda: num_jumps_back(labels.order) >= 2, 30))
            begin, end = [
                position
                for position in range(1, len(labels.order))
                if labels.order[position] < labels.order[position - 1]
            ][:2]
            whole_round = labels.order[begin:end]
            self.assertEqual(whole_round, sorted(whole_round))
            self.assertGreaterEqual(len(whole_round), FRAMES - 2)
            message = labels.messages[whole_round[0]]
            self.assertTrue((pixels(message) == patches(12, 18)[1]).all())
            values = counters.fresh()  # once a second, whatever the clock does
            self.assertEqual(values["stale"], "0")
            self.kill_player()
            self.assertTrue(wait_until(lambda: counters.fresh()["publishers"] == "0", 30))


if __name__ == "__main__":
    rospy.init_node("clock_test")
    rostest.rosrun("semseg", "clock", ClockTest)
