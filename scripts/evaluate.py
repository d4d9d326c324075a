#!/usr/bin/env python3
"""Scores a model on a labelled dataset split, at the resolution of the truth."""

from argparse import BooleanOptionalAction, Namespace

from semseg import command_line
from semseg.data.class_map import ClassMapFile, read_class_map
from semseg.data.samples import RemappedSample
from semseg.evaluation import flags
from semseg.evaluation.evaluate import evaluate
from semseg.evaluation.output import new_folder
from semseg.evaluation.predict import KINDS, PredictionWriter
from semseg.evaluation.report import describe_model
from semseg.evaluation.sources import frames_from_dataset

EXAMPLE = """scripts/evaluate.py --model reduced --dataset camvid --root DIR --split val \\
      --report report.json"""


def arguments() -> Namespace:
    parser = command_line.parser(__doc__, EXAMPLE)
    flags.add_model_flags(parser)
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    flags.add_dataset_flags(parser)
    parser.add_argument("--report", metavar="FILE", help="JSON file to write")
    parser.add_argument("--class-map", metavar="FILE", help="name or YAML file of a class map")
    parser.add_argument("--loss", action=BooleanOptionalAction, default=True, help="cross-entropy")
    parser.add_argument("--min-miou", type=float, metavar="0..1", help="exit 1 below this")
    parser.add_argument("--save-predictions", metavar="DIR", help="new folder for predictions")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS, help="what to save")
    parser.add_argument("--force", action="store_true", help="write into an existing folder")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    spec, samples = flags.load_samples(args)
    class_map = read_class_map(args.class_map) if args.class_map else ClassMapFile()
    folder = new_folder(args.save_predictions, args.force) if args.save_predictions else None
    segmenter = flags.load_segmenter(args)
    of_model, of_truth = class_map.between(segmenter.classes, spec.classes)
    samples = [RemappedSample(sample, of_truth.table) for sample in samples]
    report = evaluate(
        segmenter,
        frames_from_dataset(samples),
        source=f"{spec.name} {args.split}",
        class_map=of_model,
        with_loss=args.loss,
        min_mean_iou=args.min_miou,
        save=PredictionWriter(folder, segmenter.classes, args.kind).save if folder else None,
    )._replace(model=describe_model(segmenter))
    print(report.table())
    if args.report:
        report.write(args.report)
    return command_line.DONE if report.passed else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
