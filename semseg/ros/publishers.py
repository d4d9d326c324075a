"""What the node publishes for one camera; each output is computed only while someone listens."""

from typing import Callable, Sequence

import rospy
from sensor_msgs.msg import CameraInfo

from semseg.ros.outputs import CONFIDENCE, PROBABILITIES, Output, Result

# A listener that lags by more frames than this loses the oldest; the worker never waits for it.
QUEUE_SIZE = 5


class _Listeners(rospy.SubscribeListener):
    """Says that a listener came or went; rospy calls it after counting."""

    def __init__(self, changed):
        self._changed = changed

    def peer_subscribe(self, topic_name, topic_publish, peer_publish):
        self._changed()

    def peer_unsubscribe(self, topic_name, num_peers):
        self._changed()


class CameraPublishers:
    """The output topics of one camera.

    Args:
      prefix: what precedes the topics' names, such as ``~`` or ``~front/``.
      outputs: what is published there.
      changed: called, from rospy's threads, when a listener came or went; must not wait.
    """

    def __init__(self, prefix: str, outputs: Sequence[Output], changed: Callable[[], None]):
        listeners = _Listeners(changed)
        self._outputs = outputs
        self._publishers = {
            output.name: rospy.Publisher(
                prefix + output.name, output.kind, listeners, queue_size=QUEUE_SIZE
            )
            for output in outputs
        }
        self._camera_info = rospy.Publisher(
            prefix + "camera_info", CameraInfo, queue_size=QUEUE_SIZE
        )

    @property
    def wanted(self) -> bool:
        """Whether anyone listens to an output that needs inference."""
        return any(publisher.get_num_connections() for publisher in self._publishers.values())

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        return self._publishers[PROBABILITIES].get_num_connections() > 0

    @property
    def confidence_wanted(self) -> bool:
        """Whether anyone listens to the confidence."""
        return self._publishers[CONFIDENCE].get_num_connections() > 0

    def publish(self, result: Result) -> None:
        """Computes and publishes the outputs that have listeners."""
        for output in self._outputs:
            publisher = self._publishers[output.name]
            message = output.message(result) if publisher.get_num_connections() else None
            if message is not None:
                publisher.publish(message)
        if result.camera_info is not None:
            self._camera_info.publish(result.camera_info)
