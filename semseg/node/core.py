"""The node as a whole: cameras, one worker, models that come and go."""

import logging
import threading
from typing import Callable, Dict, Mapping, Optional, Tuple

from semseg.errors import ConfigError, SemsegError
from semseg.node.camera import Camera, CameraFrame
from semseg.node.lineup import Lineup
from semseg.node.mailbox import Mailbox
from semseg.node.models import Model, check_same_classes
from semseg.node.options import CameraOptions
from semseg.node.periodic import Periodic
from semseg.node.worker import Worker

_log = logging.getLogger(__name__)

# Should a listener that came or went ever be missed, it is seen after this long.
LISTENERS_S = 1.0

Put = Callable[[str, CameraFrame], Optional[CameraFrame]]
MakeCamera = Callable[[str, CameraOptions, Model, Put, Callable[[], None]], Camera]


def _load_none(name):
    raise ConfigError("this node loads no other model")


class NodeCore:
    """Segments the newest frame of each camera in turn.

    The middleware's threads only swap the newest frame into a mailbox; one worker decodes,
    segments and publishes. A camera's images are asked for only while someone listens to its
    labels.

    Args:
      model: the model that labels.
      cameras: camera name -> options.
      make_camera: makes a ``Camera`` of (name, options, model, put, changed); ``changed`` is to
        be called when a listener came or went.
      announce: called with the model that labels from now on, the first one too.
      ended: called when the worker failed.
      reduced: the model that labels when ``model`` does not hold ``target_rate_hz``.
      target_rate_hz: labels per second that each camera is to get; 0 asks for no rate.
      load: makes the model that ``load_model`` names; raises ``SemsegError`` for one that must
        not or cannot be loaded.

    Attributes:
      cameras: camera name -> ``Camera``.
      lineup: the models.

    Raises:
      ConfigError: an option cannot be used.
      GraphError: the two models cannot take turns.
    """

    def __init__(
        self,
        model: Model,
        cameras: Mapping[str, CameraOptions],
        make_camera: MakeCamera,
        *,
        announce: Callable[[Model], None],
        ended: Callable[[], None],
        reduced: Optional[Model] = None,
        target_rate_hz: float = 0.0,
        load: Optional[Callable[[str], Model]] = None,
    ):
        if reduced is not None:
            check_same_classes(model, reduced)
        self._load = load or _load_none
        self._loading = threading.Lock()
        # Not from the middleware's callbacks themselves: subscribing there would wait for ROS's
        # master while the listener's connection waits for the callback, and two would cross.
        self._demand = Periodic("demand", self._follow_demand, LISTENERS_S)
        self._mailbox = Mailbox({name: options.weight for name, options in cameras.items()})
        self.cameras: Dict[str, Camera] = {
            name: make_camera(name, options, model, self._mailbox.put, self._demand.soon)
            for name, options in cameras.items()
        }
        self.lineup = Lineup(model, reduced, target_rate_hz, announce)
        self._worker = Worker(self.lineup, self._mailbox, self.cameras, ended)
        announce(model)

    def start(self) -> None:
        """Starts the worker and asks for the images that are wanted."""
        for camera in self.cameras.values():
            _log.info("segmenting %s", camera.source.topic)
        self._worker.start()
        self._follow_demand()
        self._demand.start()

    def take_no_more(self) -> None:
        """Refuses frames from now on."""
        self._mailbox.close()
        self._demand.stop()

    def stop(self, timeout_s: float) -> bool:
        """Takes no more frames and waits for the worker.

        Returns:
          Whether the worker ended; it does not while an inference takes longer than the time.
        """
        self.take_no_more()
        return self._worker.stop(timeout_s)

    def enable(self, enabled: bool) -> str:
        """Lets all frames be segmented, or none; returns what was done."""
        for camera in self.cameras.values():
            camera.enabled = enabled
        self._demand.soon()
        return "enabled" if enabled else "disabled"

    def load_model(self, name: str) -> Tuple[bool, str]:
        """Puts another model in the first one's place; that labels until the new one has run.

        Args:
          name: of a profile, or a path.

        Returns:
          Whether it labels now, and its name or why not.
        """
        try:
            with self._loading:
                model = self._load(name)
                self._check(model)
                if not self._worker.swap(model):
                    return False, "the node ends"
        except (SemsegError, OSError) as error:
            reason = " ".join(str(error).split())
            _log.warning("~load_model '%.300s': %s", name, reason)
            return False, reason
        _log.info("%s labels from now on", model.name)
        return True, model.name

    def _follow_demand(self):
        for camera in self.cameras.values():
            camera.follow_demand()

    def _check(self, model):
        try:
            for camera in self.cameras.values():
                camera.check(model)
            if self.lineup.reduced is not None:
                check_same_classes(model, self.lineup.reduced)
        except SemsegError:
            model.segmenter.close()
            raise
