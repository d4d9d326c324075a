"""A camera and listeners for rostests: sends images, collects what a node answers."""

import threading
import time

import numpy as np
import rospy
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Bool, Header

from semseg.ros.messages import image_message
from semseg.ros.playback.evaluator import sends_to_me

FRAME_ID = "camera_optical_frame"
PATIENCE_S = 60.0


def skip(test, reason):
    """Skips a test, and says so for ``tools/run_rostests``: rosunit would count it as passed."""
    print("SKIPPED %s: %s" % (test.id().rsplit(".", 1)[-1], reason))
    test.skipTest(reason)


def wait_until(condition, patience_s=PATIENCE_S):
    """Polls; returns whether the condition became true in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def patches(height, width):
    """An RGB image of red, green and blue columns (each off its pure colour), and its labels."""
    labels = (np.arange(width) * 3 // width).astype(np.uint8)
    labels = np.repeat(labels[np.newaxis], height, axis=0)
    colors = np.array([(200, 10, 60), (30, 180, 20), (5, 70, 220)], np.uint8)
    return colors[labels], labels


class Camera:
    """Publishes images with stamps of their own."""

    def __init__(self, topic):
        self.images = rospy.Publisher(topic, Image, queue_size=20)
        self.infos = rospy.Publisher(
            topic.rsplit("/", 1)[0] + "/camera_info", CameraInfo, queue_size=20
        )
        self._next = 1000

    def connections(self):
        return self.images.get_num_connections()

    def connected(self):
        return wait_until(lambda: self.images.get_num_connections() > 0)

    def message(self, image, encoding="rgb8"):
        """Returns a message with the next stamp: 1000.000000007 s, 1001.000000007 s, ..."""
        header = Header(stamp=rospy.Time(self._next, 7), frame_id=FRAME_ID)
        self._next += 1
        return image_message(header, image, encoding)

    def send(self, image, encoding="rgb8", stamp=None):
        message = self.message(image, encoding)
        message.header.stamp = stamp or message.header.stamp
        self.images.publish(message)
        return message.header.stamp


class Listener:
    """Keeps every message of a topic by stamp."""

    def __init__(self, topic, kind=Image):
        self.messages = {}
        self.order = []
        self.subscriber = rospy.Subscriber(topic, kind, self._keep)
        # The publisher's end counts: it is later than ours, and sends nothing before.
        assert wait_until(lambda: sends_to_me(self.subscriber.resolved_name))

    def _keep(self, message):
        self.messages[message.header.stamp] = message
        self.order.append(message.header.stamp)

    def wait_for(self, stamp, patience_s=PATIENCE_S):
        if not wait_until(lambda: stamp in self.messages, patience_s):
            raise AssertionError("no answer of stamp %s on %s" % (stamp, self.subscriber.name))
        return self.messages[stamp]

    def close(self):
        self.subscriber.unregister()


class Counters:
    """A camera's counters, from the status of its topic (or of that name) in /diagnostics."""

    def __init__(self, topic, status=None):
        self._topic = rospy.resolve_name(topic)
        self._status = status
        self.message = ""
        self._values = {}
        self._changed = threading.Event()
        rospy.Subscriber("/diagnostics", DiagnosticArray, self._keep)

    def _keep(self, message):
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if values["topic"] == self._topic and self._status in (None, status.name):
                self._values, self.message = values, status.message
                self._changed.set()

    def fresh(self):
        """Returns the values of the second status from now: all before now is counted there."""
        for _ in range(2):
            self._changed.clear()
            assert self._changed.wait(PATIENCE_S), "no diagnostics"
        return self._values


def wait_for_ready(segmenter="segmenter"):
    assert rospy.wait_for_message(segmenter + "/ready", Bool, 120).data


def pixels(message, channels=1, dtype=np.uint8):
    """Returns the pixels of a message without padding, (H, W) or (H, W, channels)."""
    array = np.frombuffer(message.data, dtype)
    assert message.step == message.width * channels * array.itemsize
    shape = (message.height, message.width) + ((channels,) if channels > 1 else ())
    return array.reshape(shape)
