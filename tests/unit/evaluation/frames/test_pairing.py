"""Pairing by stamp, whatever the order, in bounded memory."""

import pytest

from semseg.bags import BagMessage
from semseg.errors import BagError
from semseg.evaluation.frames.bag_frames import pair_by_stamp


def message(topic, stamp):
    return BagMessage(topic, stamp, "camera", None)


def stamps(messages):
    return [image.stamp_ns for image, _ in pair_by_stamp(messages, "/image", "/labels")]


def test_either_may_come_first_and_each_pair_is_image_then_labels():
    messages = [message("/labels", 1), message("/image", 1), message("/image", 2)]
    messages.append(message("/labels", 2))
    for image, labels in pair_by_stamp(messages, "/image", "/labels"):
        assert (image.topic, labels.topic) == ("/image", "/labels")
        assert image.stamp_ns == labels.stamp_ns
    assert stamps(messages) == [1, 2]


def test_labels_may_come_late():
    messages = [message("/image", stamp) for stamp in range(50)]
    messages += [message("/labels", stamp) for stamp in range(50)]
    assert stamps(messages) == list(range(50))


def test_what_waits_too_long_is_left_out_and_said(caplog):
    messages = [message("/image", stamp) for stamp in range(60)]
    messages += [message("/labels", stamp) for stamp in range(60)]
    # Ten images went before their labels came; ten labels then found no image.
    assert stamps(messages) == list(range(10, 60))
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
