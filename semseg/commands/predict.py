"""What ``scripts/predict.py`` does: labels for people and programs, to files and to a window."""

from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from semseg.classes import ClassTable
from semseg.commands import flags
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame, Frames, Outcome
from semseg.evaluation.frames.sources import frames_from_images
from semseg.evaluation.frames.video import VIDEO_RATE_HZ
from semseg.evaluation.outputs.predictions import PredictionWriter
from semseg.evaluation.outputs.viewing import Clip, Window
from semseg.evaluation.prediction import predict
from semseg.files import new_folder

Save = Callable[[Frame, np.ndarray], None]


def label(arguments: Namespace) -> Outcome:
    """Labels images as the flags of ``scripts/predict.py`` say.

    Raises:
      SemsegError: what the flags name cannot be used.
    """
    if not (arguments.output or arguments.video or arguments.show):
        raise ConfigError("nothing to do with the labels; give --output, --video or --show")
    if arguments.median % 2 == 0:
        raise ConfigError(f"--median {arguments.median}: expected an odd number of frames")
    frames = frames_from_images(arguments.images).first(arguments.frames)
    if arguments.output:
        new_folder(arguments.output, arguments.force)
    with ExitStack() as stack:
        segmenter = stack.enter_context(flags.load_segmenter(arguments))
        window = stack.enter_context(Window(segmenter.classes)) if arguments.show else None
        saves = _files(arguments, frames, segmenter.classes, stack)
        if window is not None:
            saves.append(window.show)
        shown = window.until_closed(frames) if window is not None else frames
        return predict(segmenter, shown, _each(saves), arguments.crop, arguments.median)


def _files(
    arguments: Namespace, frames: Frames, classes: ClassTable, stack: ExitStack
) -> list[Save]:
    saves: list[Save] = []
    if arguments.output:
        folder, kinds = Path(arguments.output), arguments.kind
        writer = PredictionWriter(folder, classes, kinds, frames.rate_hz)
        saves.append(stack.enter_context(writer).save)
    if arguments.video:
        rate_hz = arguments.rate or frames.rate_hz or VIDEO_RATE_HZ
        clip = Clip(Path(arguments.video), rate_hz, classes, arguments.force)
        saves.append(stack.enter_context(clip).save)
    return saves


def _each(saves: list[Save]) -> Save:
    def save(frame: Frame, labels: np.ndarray) -> None:
        for each in saves:
            each(frame, labels)

    return save
