"""Event files for TensorBoard, written without TensorFlow and in the order of the calls."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import time

import numpy as np
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary

from semseg.errors import CheckpointError


class Board:
    """An event file of a run.

    ``tensorboardX.SummaryWriter`` writes from a thread of its own, which dies silently on a full
    disk and then blocks the run: here the run itself writes, and sees the error.

    Args:
      folder: where the file is made.
      start: step at which the run goes on; what an earlier file has from there on is hidden.

    Raises:
      CheckpointError: the file cannot be written.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventsWriter(str(folder / "events"))
        except OSError as error:
            raise self._error(error)
        self._write(Event(step=start, session_log=SessionLog(status=SessionLog.START)))

    def __enter__(self) -> "Board":
        """Returns the board."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the file, all of which is on the disk already."""
        with suppress(OSError):
            self._writer.close()

    def add(
        self, step: int, scalars: Mapping[str, float], images: Mapping[str, np.ndarray]
    ) -> None:
        """Writes the values and the images, uint8 (H, W, 3) RGB, of a step, by their names."""
        values = [summary.scalar(name, value) for name, value in scalars.items()]
        values += [summary.image(name, image, dataformats="HWC") for name, image in images.items()]
        for value in values:
            self._write(Event(step=step, summary=Summary(value=value.value)))
        try:
            self._writer.flush()
        except OSError as error:
            raise self._error(error)

    def _write(self, event: Event) -> None:
        event.wall_time = time()
        try:
            self._writer.write_event(event)
        except OSError as error:
            raise self._error(error)

    def _error(self, error: OSError) -> CheckpointError:
        return CheckpointError(f"cannot write into {self._folder}: {error.strerror or error}")
