"""Throttling of complaints by kind."""

from semseg.node.camera import Throttle


def test_one_complaint_of_a_kind_per_period():
    now = [100.0]
    throttle = Throttle(period_s=10, clock=lambda: now[0])
    assert throttle.passes("front", "rgb8 image of 3x4 needs more")
    assert not throttle.passes("front", "rgb8 image of 99x1 needs more")
    assert throttle.passes("front", "unknown encoding 'x'")
    assert not throttle.passes("front", "unknown encoding 'it's odd'")
    assert throttle.passes("rear", "rgb8 image of 3x4 needs more")
    now[0] += 10
    assert throttle.passes("front", "rgb8 image of 5x5 needs more")


def test_ever_different_nonsense_does_not_fill_the_memory():
    throttle = Throttle()
    passed = [throttle.passes("front", "unknown encoding '%d'" % number) for number in range(500)]
    assert sum(passed) == 1
    assert len(throttle._last) == 1
