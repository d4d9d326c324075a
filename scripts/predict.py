#!/usr/bin/env python3
"""Labels images, a video or a camera: files of the same names and sizes, a video, a window.

--output DIR gets labels/NAME.png (ids, 255 is void), colors/NAME.png and overlay/NAME.png; of a
video the last two are colors.mp4 and overlay.mp4.
"""

from argparse import Namespace

from semseg import command_line
from semseg.commands import flags, predict
from semseg.evaluation.outputs.predictions import DRAWN_KINDS
from semseg.runtime.images.view import WHOLE

EXAMPLE = """scripts/predict.py --model reduced --images 'drive/*.png' --output predictions
  scripts/predict.py --model reduced --images camera --show"""


def arguments() -> Namespace:
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
    return parser.parse_args()


def main() -> int:
    args = arguments()
    outcome = predict.label(args)
    print(f"{args.output or args.video or args.images}: {outcome}")
    return command_line.BAD_VERDICT if outcome.skipped else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
