"""A camera of the node on ROS: its topics as the source and the sink of ``node.camera``."""

import difflib
from typing import Any, Callable, Optional, Sequence, Tuple

import numpy as np
import rospy
from sensor_msgs.msg import CameraInfo

from semseg.node.camera import Camera, CameraFrame
from semseg.node.masks import mask_classes
from semseg.node.models import Model
from semseg.node.options import COMPRESSED, RAW, CameraOptions
from semseg.node.ports import Facts, Receiver, Result, Source
from semseg.ros.camera_info import fitted, image_size, output_camera_info
from semseg.ros.messages import disparity_from_message, image_from_message
from semseg.ros.outputs import CameraPublishers, outputs
from semseg.ros.stereo_pairs import Pairing
from semseg.ros.subscriptions import CameraSubscription, ImageTopic
from semseg.runtime.graph.frozen_graph import DISPARITY

IMAGE, COMPRESSED_IMAGE = "sensor_msgs/Image", "sensor_msgs/CompressedImage"
_TRANSPORT_OF = {IMAGE: RAW, COMPRESSED_IMAGE: COMPRESSED}
_SUFFIX = "/" + COMPRESSED
MAX_NAMED = 3


def hint(topic: str, kind: str, published: Sequence[Tuple[str, str]]) -> str:
    """Returns what may be wrong, for a topic without a connected publisher; empty: no idea.

    Args:
      topic: the resolved topic that is subscribed.
      kind: the type that is expected there, such as ``sensor_msgs/Image``.
      published: (topic, type) of all that is published, as the master knows it.
    """
    found = dict(published).get(topic)
    if found == kind:
        return "its publisher does not connect: can it be reached (ROS_IP, ROS_HOSTNAME)?"
    if found is not None:
        return "%s is published there, expected %s%s" % (found, kind, _transport_hint(found))
    twin = topic[: -len(_SUFFIX)] if topic.endswith(_SUFFIX) else topic + _SUFFIX
    if twin in dict(published):
        return "%s is published%s" % (twin, _transport_hint(dict(published)[twin]))
    return _similar(topic, [name for name, published_kind in published if published_kind == kind])


def _transport_hint(kind):
    return "; set ~transport to %s?" % _TRANSPORT_OF[kind] if kind in _TRANSPORT_OF else ""


def _similar(topic, candidates):
    if not candidates:
        return "no image of this type is published at all"
    near = difflib.get_close_matches(topic, candidates, n=MAX_NAMED, cutoff=0.0)
    return "remap image to one of: %s?" % ", ".join(near)


def ros_camera(
    name: str,
    options: CameraOptions,
    model: Model,
    put: Callable[[str, CameraFrame], Optional[CameraFrame]],
    changed: Callable[[], None],
) -> Camera:
    """Makes a camera with its topics.

    Args:
      name: ``front`` subscribes ``front/image`` and publishes ``~front/labels`` and so on;
        the empty name subscribes ``image`` and publishes ``~labels``.
      options: how its frames are read, seen and answered.
      model: the node's model.
      put: see ``Camera``.
      changed: called when a listener came or went; ``follow_demand`` is due then.

    Raises:
      ConfigError: an option cannot be used.
    """
    prefix = name + "/" if name else ""
    masks = mask_classes(options.masks, options.groups, model.segmenter.classes)
    source = CameraTopics(prefix, options, model.second)
    sink = CameraPublishers("~" + prefix, outputs(options, masks), changed, source.info_of)
    return Camera(name, options, model, source=source, sink=sink, put=put, clock=rospy.get_time)


class CameraTopics(CameraSubscription, Source):
    """The topics of one camera's images, second images and camera info.

    Args:
      prefix: what precedes the topics' names, such as ``front/``.
      options: how its messages are read.
      second: name of the second images' topic, ``right`` or ``disparity``; None without.
    """

    def __init__(self, prefix: str, options: CameraOptions, second: Optional[str]):
        self._receiver = Receiver()
        self._stretch = options.stretch
        if second is None:
            super().__init__(prefix + "image", options.transport, self._take)
            return
        self._pairing = Pairing(options.sync_slop, self._take_pair, self._miss)
        kind = RAW if second == DISPARITY else options.transport  # JPEG would ruin disparities.
        super().__init__(
            prefix + "image",
            options.transport,
            self._take_first,
            ImageTopic.resolve(prefix + second, kind),
            self._pairing.add_second,
        )

    def deliver_to(self, receiver: Receiver) -> None:
        """Says who gets the messages; called once, before ``open``."""
        self._receiver = receiver

    def facts(self, message: Any) -> Facts:
        """Returns what the header of a message says, and its data."""
        header = message.header
        return Facts(header.stamp.to_sec(), header.frame_id, message.data)

    def image(self, message: Any) -> np.ndarray:
        """Decodes a message; raises ``ImageError``."""
        return image_from_message(message, self._stretch)

    def disparity(self, message: Any) -> np.ndarray:
        """Decodes a message of disparities; raises ``ImageError``."""
        return disparity_from_message(message)

    def info_of(self, result: Result) -> Optional[CameraInfo]:
        """Returns the camera info of a result's images; None if the camera tells none of them.

        One of another size is counted, and named in ``info_complaint``.
        """
        info, placement = self.newest_info, result.placement
        if info is None:
            return None
        found = fitted(info, placement.image_size)
        if found is None:
            self.unfit_infos += 1
            self.info_complaint = "camera_info is of images of %s, those on %s are %s" % (
                "%dx%d" % image_size(info),
                self.topic,
                "%dx%d" % placement.image_size,
            )
            return None
        self.info_complaint = ""
        return output_camera_info(found, result.message.header, placement)

    def hint(self) -> str:
        """Returns why no publisher is connected, as far as other topics tell; asks the master."""
        return hint(self.topic, self.kind._type, _published())

    # These run in rospy's receive threads: while they run, the camera's socket is not read.
    def _take(self, message):
        self._receiver.observe(message)
        self._receiver.offer(message)

    def _take_first(self, message):
        self._receiver.observe(message)
        self._pairing.add_first(message)

    def _take_pair(self, message, second):
        self._receiver.offer(message, second)

    def _miss(self):
        self._receiver.miss()


def _published():
    """Returns (topic, type) of all that others publish; nothing while the master is away."""
    own = rospy.get_name() + "/"
    try:
        published = rospy.get_published_topics()
    except (OSError, rospy.ROSException):
        return []
    return [(topic, kind) for topic, kind in published if not topic.startswith(own)]
