"""Labels images, a video or a camera: files of the same names and sizes, a video, a window.

--output DIR gets labels/NAME.png (ids, 255 is void), colors/NAME.png and overlay/NAME.png; of a
video the last two are colors.mp4 and overlay.mp4.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semseg import command_line
from semseg.classes import ClassTable
from semseg.commands import flags
from semseg.commands.flags import SegmenterOptions
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame, Frames, Outcome
from semseg.evaluation.frames.sources import frames_from_images
from semseg.evaluation.frames.video import VIDEO_RATE_HZ
from semseg.evaluation.outputs.predictions import DRAWN_KINDS, PredictionWriter
from semseg.evaluation.outputs.viewing import Clip, Window
from semseg.evaluation.prediction import predict
from semseg.files import new_folder
from semseg.runtime.images.view import WHOLE, Margins

Save = Callable[[Frame, np.ndarray], None]


EXAMPLE = """scripts/predict.py --model reduced --images 'drive/*.png' --output predictions
  scripts/predict.py --model reduced --images camera --show"""


class Options(NamedTuple):
    """What is labelled, and what becomes of the labels.

    Attributes:
      segmenter: the model.
      images: a glob, a folder, a video or a camera.
      frames: only so many; None takes all.
      crop: what the model is not shown.
      median: of how many frames each pixel gets the most frequent label.
      output: new folder.
      kind: what is written there.
      video: new video file.
      rate: its frames per second; None: as filmed.
      show: whether a window opens.
      force: whether existing files may be replaced.
    """

    segmenter: SegmenterOptions
    images: str
    frames: int | None
    crop: Margins
    median: int
    output: str | None
    kind: Sequence[str]
    video: str | None
    rate: float | None
    show: bool
    force: bool


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, EXAMPLE)
    flags.add_model_flags(parser)
    count = command_line.positive(int)
    images = "a glob in quotes, a folder, a video, or camera, camera:1, ..."
    parser.add_argument("--images", required=True, help=images)
    parser.add_argument("--frames", type=count, metavar="N", help="only the first N")
    parser.add_argument(
        "--crop",
        type=flags.crop,
        default=WHOLE,
        metavar="TOP,BOTTOM",
        help="what the model is not shown; it becomes void",
    )
    median = "temporal median: of N frames, the label that a pixel has most often (odd)"
    parser.add_argument("--median", type=count, default=1, metavar="N", help=median)
    parser.add_argument("--output", metavar="DIR", help="new folder")
    parser.add_argument(
        "--kind", nargs="+", choices=DRAWN_KINDS, default=DRAWN_KINDS, help="default: all"
    )
    video = "new .mp4 or .gif: overlay, legend, labelled frames per second"
    parser.add_argument("--video", metavar="FILE", help=video)
    rate = command_line.positive(float)
    parser.add_argument("--rate", type=rate, metavar="HZ", help="of --video; default: as filmed")
    parser.add_argument("--show", action="store_true", help="open a window; q closes it")
    parser.add_argument("--force", action="store_true", help="write over what is there")
    options = command_line.options(parser, Options)
    outcome = label(options)
    print(f"{options.output or options.video or options.images}: {outcome}")
    return command_line.BAD_VERDICT if outcome.skipped else command_line.DONE


def label(options: Options) -> Outcome:
    """Labels images.

    Raises:
      SemsegError: what the options name cannot be used.
    """
    if not (options.output or options.video or options.show):
        raise ConfigError("nothing to do with the labels; give --output, --video or --show")
    if options.median % 2 == 0:
        raise ConfigError(f"--median {options.median}: expected an odd number of frames")
    frames = frames_from_images(options.images).first(options.frames)
    if options.output:
        new_folder(options.output, options.force)
    with ExitStack() as stack:
        segmenter = stack.enter_context(flags.load_segmenter(options.segmenter))
        window = stack.enter_context(Window(segmenter.classes)) if options.show else None
        saves = _files(options, frames, segmenter.classes, stack)
        if window is not None:
            saves.append(window.show)
        shown = window.until_closed(frames) if window is not None else frames
        return predict(segmenter, shown, _each(saves), options.crop, options.median)


def _files(options: Options, frames: Frames, classes: ClassTable, stack: ExitStack) -> list[Save]:
    saves: list[Save] = []
    if options.output:
        folder, kinds = Path(options.output), options.kind
        writer = PredictionWriter(folder, classes, kinds, frames.rate_hz)
        saves.append(stack.enter_context(writer).save)
    if options.video:
        rate_hz = options.rate or frames.rate_hz or VIDEO_RATE_HZ
        clip = Clip(Path(options.video), rate_hz, classes, options.force)
        saves.append(stack.enter_context(clip).save)
    return saves


def _each(saves: list[Save]) -> Save:
    def save(frame: Frame, labels: np.ndarray) -> None:
        for each in saves:
            each(frame, labels)

    return save
