"""Images and second images find each other by stamp; those that do not are counted."""

from types import SimpleNamespace

import pytest
import rospy

from semseg.ros.stereo_pairs import QUEUE_SIZE, Pairing


@pytest.fixture(autouse=True)
def clock():
    rospy.rostime.set_rostime_initialized(True)
    yield
    rospy.rostime.set_rostime_initialized(False)


class Bench:
    def __init__(self, slop_s=0.0):
        self.pairs, self.num_unpaired = [], 0
        self._pairing = Pairing(slop_s, self._pair, self._drop)

    def first(self, *stamps):
        for stamp in stamps:
            self._pairing.add_first(message(stamp))

    def second(self, *stamps):
        for stamp in stamps:
            self._pairing.add_second(message(stamp))

    def _pair(self, first, second):
        self.pairs.append((first.header.stamp.to_sec(), second.header.stamp.to_sec()))

    def _drop(self):
        self.num_unpaired += 1


def message(stamp):
    return SimpleNamespace(header=SimpleNamespace(stamp=rospy.Time.from_sec(stamp)))


def test_equal_stamps_are_paired_in_any_order():
    bench = Bench()
    bench.first(1, 2, 3)
    bench.second(2, 1.5, 4)
    bench.first(4)
    assert bench.pairs == [(2, 2), (4, 4)]


def test_similar_stamps_are_paired_within_the_slop_alone():
    bench = Bench(0.05)
    bench.first(1, 2)
    bench.second(1.03, 2.06)
    assert bench.pairs == [(1, 1.03)]


def test_every_image_without_a_partner_is_counted_once():
    bench = Bench()
    for number in range(1, 51):
        bench.first(number)
        if number % 5 == 0:
            bench.second(number)
    assert len(bench.pairs) == 10
    bench.first(*range(51, 51 + QUEUE_SIZE))
    assert bench.num_unpaired == 40


def test_images_of_one_stamp_take_each_other_s_place():
    bench = Bench()
    bench.first(0, 0, 0)
    bench.second(0)
    assert (len(bench.pairs), bench.num_unpaired) == (1, 2)


@pytest.mark.parametrize("slop_s", [0.0, 0.05])
def test_a_looped_bag_does_not_stall(slop_s):
    bench = Bench(slop_s)
    for _ in range(3):
        bench.first(*range(100, 130))  # the second topic begins late
        for number in range(130, 140):
            bench.first(number)
            bench.second(number)
    assert len(bench.pairs) == 30
