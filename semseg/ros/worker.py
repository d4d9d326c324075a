"""The one thread that decodes, segments and publishes; knows nothing of ROS."""

import logging
import threading
from collections import Counter
from typing import Any, Callable, Dict, Mapping

from semseg.errors import SemsegError
from semseg.ros.statistics import REPLACED
from semseg.runtime.mailbox import Mailbox

_log = logging.getLogger(__name__)

MAX_PASSED_OVER = 3
"""How many frames in a row may be given up, decoded, for a newer one. A camera that is faster
than its frames can be decoded would otherwise never be answered."""


class Worker:
    """Segments the newest frame of each camera in turn.

    When an inference starts, no newer frame of that camera waits in the mailbox: one that came
    while the frame was decoded takes its place (at most ``MAX_PASSED_OVER`` times in a row).

    Args:
      segmenter: ``Segmenter`` or alike; used by the worker's thread only.
      mailbox: where the cameras leave their frames, by camera name.
      cameras: camera name -> ``Camera`` or alike: ``prepare``, ``publish``, ``reject``,
        ``statistics`` and ``probabilities_wanted``.
      failed: called when an error of the program itself ended the worker.
    """

    def __init__(
        self,
        segmenter: Any,
        mailbox: Mailbox,
        cameras: Mapping[str, Any],
        failed: Callable[[], None],
    ):
        self._segmenter = segmenter
        self._mailbox = mailbox
        self._cameras = cameras
        self._failed = failed
        self._passed_over: Dict[str, int] = Counter()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Takes no more frames and waits for the thread.

        Returns:
          Whether it ended; it does not while an inference takes longer than the time.
        """
        self._mailbox.close()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self):
        try:
            while not self._mailbox.closed:
                item = self._mailbox.take()
                if item is not None:
                    self._serve(*item)
        except Exception:
            if self._mailbox.closed:
                return  # The node ends: what this frame publishes on is closed already.
            # Without its worker the node would look alive and never answer again.
            _log.exception("the worker failed; the node ends")
            self._failed()

    def _serve(self, name, frame):
        camera = self._cameras[name]
        try:
            prepared = camera.prepare(frame, self._segmenter)
            if prepared is None or self._is_superseded(name):
                return
            segmentation = self._segmenter.segment(
                prepared.seen, probabilities=camera.probabilities_wanted
            )
            camera.publish(prepared, segmentation, self._segmenter.classes)
        except SemsegError as error:
            camera.reject(error)

    def _is_superseded(self, name):
        if not self._mailbox.holds(name) or self._passed_over[name] == MAX_PASSED_OVER:
            self._passed_over[name] = 0
            return False
        self._passed_over[name] += 1
        self._cameras[name].statistics.count(REPLACED)
        return True
