"""What messages show of a camera."""

from semseg.node.ports import Facts
from semseg.node.stream import StreamWatch, is_believable


def message(data, stamp_s=100.0):
    return Facts(stamp_s, "front_optical", data)


def test_a_frozen_camera_repeats_its_data_and_a_living_one_does_not():
    stream = StreamWatch()
    assert (stream.last_arrival_s, stream.num_identical) == (None, 0)
    for number, data in enumerate((b"abc", b"abc", b"abc", b"abd", b"abd")):
        stream.observe(message(data), 10.0 + number, 100.5)
        assert stream.num_identical == (0, 1, 2, 0, 1)[number]
    assert (stream.last_arrival_s, stream.stamp_age_s) == (14.0, 0.5)
    assert stream.frame_id == "front_optical"
    stream.reset()
    assert (stream.last_arrival_s, stream.num_identical) == (None, 0)


def test_stamps_that_tell_no_time():
    stream = StreamWatch()
    stream.observe(message(b"", stamp_s=0.0), 1.0, 100.0)
    assert stream.stamp_age_s is None
    stream.observe(message(b"", stamp_s=5.0), 1.0, 0.0)
    assert stream.stamp_age_s is None


def test_which_stamps_are_of_this_clock():
    assert [is_believable(age) for age in (0.0, 9.0, -0.5, 11.0, -2.0, 3e8, None)] == (
        [True] * 3 + [False] * 4
    )
