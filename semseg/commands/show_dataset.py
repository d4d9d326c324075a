"""Draws a contact sheet of a dataset; with --augment, of each augmentation and whole batches."""

from typing import NamedTuple

from semseg import command_line
from semseg.commands import flags
from semseg.commands.flags import DatasetOptions
from semseg.data.batches.augmentation import AugmentationConfig
from semseg.data.check.show import EXAMPLE_STRENGTHS, augmentation_sheet, dataset_sheet
from semseg.data.declarations.specs import SecondKind
from semseg.files import write_png

EXAMPLE = "scripts/show_dataset.py --dataset camvid --root DIR --output sheet.png --augment"


class Options(NamedTuple):
    """What is shown.

    Attributes:
      samples: the samples.
      second: second input that is shown too.
      output: PNG file.
      augment: whether augmentations and batches are shown.
      config: experiment whose augmentation is shown; None: one that shows them all.
    """

    samples: DatasetOptions
    second: SecondKind | None
    output: str
    augment: bool
    config: str | None


def main() -> None:
    """Runs the command line."""
    parser = command_line.parser(__doc__, EXAMPLE)
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    flags.add_dataset_flags(parser, split="train")
    parser.add_argument("--second", choices=("right", "disparity"), help="second input to show")
    parser.add_argument("--output", required=True, metavar="FILE", help="PNG file to write")
    parser.add_argument("--augment", action="store_true", help="show augmentations and batches")
    parser.add_argument("--config", metavar="FILE", help="experiment whose augmentation to show")
    options = command_line.options(parser, Options)
    spec, found = flags.load_samples(options.samples, options.second)
    if options.augment:
        sheet = augmentation_sheet(found, spec.classes, _strengths(options.config, options.second))
    else:
        sheet = dataset_sheet(found, spec.classes)
    write_png(options.output, sheet)
    print(options.output)


def _strengths(config: str | None, second: str | None) -> AugmentationConfig:
    if config is None and second == "right":
        return EXAMPLE_STRENGTHS.model_copy(update={"class_mix": 0.0})
    if config is None:
        return EXAMPLE_STRENGTHS
    # Keras comes with it, which takes seconds.
    from semseg.training.config.experiment import load_config

    return load_config(config).augmentation
