#!/usr/bin/env python3
"""Evaluates a model on a ROS 1 or ROS 2 bag: without ROS, or (--live) as a running node.

With a label topic: the scores. Without: how steady the labels are, class shares, confidence and
latency over time, and with --other-model where two models agree.
"""

from argparse import Namespace

from semseg import command_line
from semseg.commands import delivery, flags

EXAMPLE = """scripts/evaluate_bag.py --bag x.bag --model reduced --other-model full \\
      --image-topic /camera/image_raw --label-topic /camera/labels --html report.html"""


def arguments() -> Namespace:
    parser = command_line.parser(__doc__, EXAMPLE)
    parser.add_argument("--bag", required=True, metavar="BAG", help="file, or folder of ROS 2")
    flags.add_model_flags(parser)
    parser.add_argument("--image-topic", required=True, metavar="TOPIC", help="raw or compressed")
    parser.add_argument("--label-topic", metavar="TOPIC", help="true labels, ids of the model")
    delivery.add_report_flags(parser)
    offline = parser.add_argument_group("without ROS")
    offline.add_argument("--other-model", metavar="MODEL", help="compare the labels with its")
    offline.add_argument("--output", metavar="BAG", help="new bag: all messages, and the labels")
    offline.add_argument("--force", action="store_true", help="replace an existing bag")
    live = parser.add_argument_group("with ROS")
    live.add_argument("--live", action="store_true", help="play it through the node, in real time")
    positive = command_line.positive(float)
    live.add_argument("--max-latency", type=positive, metavar="S", help="exit 1 above (p95)")
    live.add_argument("--play-rate", type=positive, default=1.0, metavar="FACTOR", help="speed")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.live:
        from semseg.commands.evaluate_live import evaluate_live

        return evaluate_live(args)
    from semseg.commands.evaluate_bag import score_bag

    found = score_bag(args)
    report = found.report._replace(extra=found.to_json())
    print("\n".join(found.lines()))
    return delivery.deliver(report, args, found.sections())


if __name__ == "__main__":
    command_line.run(main)
