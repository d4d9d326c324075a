#!/usr/bin/env python3
"""Runs a model on a bag, without ROS.

With a label topic: the scores. Without: class shares, confidence and latency over time.
"""

from argparse import Namespace

from semseg import command_line
from semseg.evaluation import flags
from semseg.evaluation.bag_frames import frames_from_bag
from semseg.evaluation.evaluate import evaluate
from semseg.evaluation.report import describe_model

EXAMPLE = """scripts/evaluate_bag.py --bag x.bag --model reduced \\
      --image-topic /camera/image_raw --label-topic /camera/labels --report report.json"""


def arguments() -> Namespace:
    parser = command_line.parser(__doc__, EXAMPLE)
    parser.add_argument("--bag", required=True, metavar="FILE", help="a ROS 1 bag")
    flags.add_model_flags(parser)
    parser.add_argument("--image-topic", required=True, metavar="TOPIC", help="raw or compressed")
    parser.add_argument("--label-topic", metavar="TOPIC", help="true labels, ids of the model")
    parser.add_argument("--report", metavar="FILE", help="JSON file to write")
    parser.add_argument("--min-miou", type=float, metavar="0..1", help="exit 1 below this")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    frames = frames_from_bag(args.bag, args.image_topic, args.label_topic)
    segmenter = flags.load_segmenter(args)
    source = f"{args.bag} {args.image_topic}"
    report = evaluate(segmenter, frames, source=source, min_mean_iou=args.min_miou)
    report = report._replace(model=describe_model(segmenter))
    print(report.table())
    if args.report:
        report.write(args.report)
    return command_line.DONE if report.passed else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
