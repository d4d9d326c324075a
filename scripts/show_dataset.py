#!/usr/bin/env python3
"""Draws a contact sheet of a dataset; with --augment, of each augmentation and whole batches."""

from semseg import command_line
from semseg.data import load_dataset, samples
from semseg.data.batches.augmentation import AugmentationConfig
from semseg.data.check.show import EXAMPLE_STRENGTHS, augmentation_sheet, dataset_sheet
from semseg.files import write_png

EXAMPLE = "scripts/show_dataset.py --dataset camvid --root DIR --output sheet.png --augment"


def strengths(config: str | None, second: str | None) -> AugmentationConfig:
    if config is None and second == "right":
        return EXAMPLE_STRENGTHS.model_copy(update={"class_mix": 0.0})
    if config is None:
        return EXAMPLE_STRENGTHS
    # Keras comes with it, which takes seconds.
    from semseg.training.config.experiment import load_config

    return load_config(config).augmentation


def main() -> None:
    parser = command_line.parser(__doc__, EXAMPLE)
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--split", default="train", help="split to show (default: %(default)s)")
    parser.add_argument("--second", choices=("right", "disparity"), help="second input to show")
    parser.add_argument("--output", required=True, metavar="FILE", help="PNG file to write")
    parser.add_argument("--augment", action="store_true", help="show augmentations and batches")
    parser.add_argument("--config", metavar="FILE", help="experiment whose augmentation to show")
    arguments = parser.parse_args()
    spec = load_dataset(arguments.dataset)
    found = samples(
        spec, arguments.root, arguments.split, arguments.label_root, second=arguments.second
    )
    if arguments.augment:
        sheet = augmentation_sheet(
            found, spec.classes, strengths(arguments.config, arguments.second)
        )
    else:
        sheet = dataset_sheet(found, spec.classes)
    write_png(arguments.output, sheet)
    print(arguments.output)


if __name__ == "__main__":
    command_line.run(main)
