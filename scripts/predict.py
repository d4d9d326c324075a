#!/usr/bin/env python3
"""Labels images or a video: label, colour and overlay images of the same names and sizes."""

from argparse import Namespace

from semseg import command_line
from semseg.evaluation import flags
from semseg.evaluation.output import new_folder
from semseg.evaluation.predict import KINDS, PredictionWriter, crop, predict
from semseg.evaluation.sources import frames_from_images

EXAMPLE = "scripts/predict.py --model reduced --images 'drive/*.png' --output predictions"


def arguments() -> Namespace:
    parser = command_line.parser(__doc__, EXAMPLE)
    flags.add_model_flags(parser)
    parser.add_argument("--images", required=True, help="a glob in quotes, a folder or a video")
    parser.add_argument("--output", required=True, metavar="DIR", help="new folder")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS, help="default: all")
    parser.add_argument(
        "--crop",
        type=crop,
        default=(0, 0),
        metavar="TOP,BOTTOM",
        help="rows that the model is not shown; they become void",
    )
    parser.add_argument("--force", action="store_true", help="write into an existing folder")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    frames = frames_from_images(args.images)
    folder = new_folder(args.output, args.force)
    segmenter = flags.load_segmenter(args)
    with PredictionWriter(folder, segmenter.classes, args.kind, frames.rate_hz) as writer:
        outcome = predict(segmenter, frames, writer.save, args.crop)
    print(f"{folder}: {outcome}")
    return command_line.BAD_VERDICT if outcome.skipped else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
