"""Pairing by stamp, whatever the order, in bounded memory."""

import pytest

from semseg.bags import BagMessage
from semseg.errors import BagError
from semseg.evaluation.frames.pairing import STAMPS, Clock, choose_clock, pair


def message(topic, stamp):
    return BagMessage(topic, stamp, "camera", None)


def stamps(messages):
    return [image.stamp_ns for image, _ in pair(messages, "/image", "/labels")]


def test_either_may_come_first_and_each_pair_is_image_then_labels():
    messages = [message("/labels", 1), message("/image", 1), message("/image", 2)]
    messages.append(message("/labels", 2))
    for image, labels in pair(messages, "/image", "/labels"):
        assert (image.topic, labels.topic) == ("/image", "/labels")
        assert image.stamp_ns == labels.stamp_ns
    assert stamps(messages) == [1, 2]


def test_labels_may_come_late():
    messages = [message("/image", stamp) for stamp in range(1, 51)]
    messages += [message("/labels", stamp) for stamp in range(1, 51)]
    assert stamps(messages) == list(range(1, 51))


def test_what_waits_too_long_is_left_out_and_said(caplog):
    messages = [message("/image", stamp) for stamp in range(1, 61)]
    messages += [message("/labels", stamp) for stamp in range(1, 61)]
    # Ten images went before their labels came; ten labels then found no image.
    assert stamps(messages) == list(range(11, 61))
    assert caplog.messages == [
        "10 messages of /image have no partner and were left out",
        "10 messages of /labels have no partner and were left out",
    ]


@pytest.mark.parametrize(
    "images, labels, nearest",
    [
        ([0], [3_000_000], "3.000 ms"),
        ([0, 10_000_000], [9_000_000], "1.000 ms"),
        ([5_000_000], [0, 4_500_000, 90_000_000], "0.500 ms"),
    ],
)
def test_no_pair_names_the_nearest_distance(images, labels, nearest):
    messages = [message("/image", stamp) for stamp in images]
    messages += [message("/labels", stamp) for stamp in labels]
    with pytest.raises(BagError, match=f"no stamp of '/labels' equals.*nearest two are {nearest}"):
        stamps(messages)


def test_no_message_of_a_topic_has_no_distance():
    with pytest.raises(BagError, match="equals one of '/image'$"):
        stamps([message("/image", 1)])


def recorded(topic, time, stamp=0):
    return BagMessage(topic, stamp, "camera", None, time)


def test_messages_without_a_stamp_are_left_out_and_counted(caplog):
    messages = [recorded("/image", 1), recorded("/labels", 2), message("/image", 5)]
    messages += [message("/labels", 5), recorded("/labels", 9)]
    assert stamps(messages) == [5]
    assert caplog.messages == [
        "1 messages of /image have no partner and were left out (1 of them have no stamp)",
        "2 messages of /labels have no partner and were left out (2 of them have no stamp)",
    ]


def test_repeated_stamps_lose_nothing_and_are_said(caplog):
    """The camera repeats a stamp; labels come two images late."""
    images = [recorded("/image", time, stamp) for time, stamp in [(10, 1), (20, 2), (30, 2)]]
    labels = [recorded("/labels", time, stamp) for time, stamp in [(35, 1), (45, 2), (55, 2)]]
    pairs = list(pair([*images, *labels], "/image", "/labels"))
    assert [(image.time_ns, label.time_ns) for image, label in pairs] == [
        (10, 35),
        (20, 45),
        (30, 55),
    ]
    assert caplog.messages == [
        f"1 messages of {topic} repeat the stamp of another; they were paired in the order of"
        " recording"
        for topic in ("/image", "/labels")
    ]


def test_stamps_that_differ_are_the_clock():
    assert choose_clock([(5, 1), (6, 2)], [(6, 3), (7, 4)]) == STAMPS
    assert choose_clock([(5, 1), (6, 2), (0, 3)], [(6, 3), (6, 4)]) == STAMPS  # Most of them.
    assert choose_clock([(5, 1)]) == STAMPS
    assert choose_clock([], []) == STAMPS


@pytest.mark.parametrize("stamp", [0, 1234], ids=["never set", "always the same"])
def test_without_stamps_what_was_recorded_together_pairs(stamp):
    """Ten images a second; labels a few milliseconds after theirs, one of them missing."""
    images = [recorded("/image", MS * 100 * index, stamp) for index in range(1, 6)]
    labels = [recorded("/labels", MS * (100 * index + 8), stamp) for index in (1, 2, 4, 5)]
    clock = choose_clock(times(images), times(labels))
    assert clock == Clock(is_stamp=False, near_ns=25 * MS)
    messages = sorted([*images, *labels], key=lambda message: message.time_ns)
    pairs = list(pair(messages, "/image", "/labels", clock))
    assert [(image.time_ns // MS, label.time_ns // MS) for image, label in pairs] == [
        (100, 108),
        (200, 208),
        (400, 408),
        (500, 508),
    ]


@pytest.mark.parametrize("late_ms", [26, 50, 150])
def test_without_stamps_late_labels_are_refused(late_ms):
    images = [recorded("/image", MS * 100 * index) for index in range(1, 6)]
    labels = [recorded("/labels", MS * (100 * index + late_ms)) for index in range(1, 6)]
    with pytest.raises(BagError, match="zero or repeat.*cannot be told.*are 100 ms apart"):
        choose_clock(times(images), times(labels))


MS = 10**6


def times(messages):
    return [(message.stamp_ns, message.time_ns) for message in messages]
