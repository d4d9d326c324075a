"""Scores a model on a labelled dataset split, at the resolution of the truth."""

from argparse import BooleanOptionalAction
from collections.abc import Callable, Sequence
from typing import NamedTuple

from semseg import command_line
from semseg.commands import delivery, flags
from semseg.commands.delivery import ReportOptions
from semseg.commands.flags import DatasetOptions, SegmenterOptions
from semseg.data import DatasetSpec, Sample
from semseg.data.declarations.class_map import ClassMap, ClassMapFile, read_class_map
from semseg.data.declarations.specs import FolderSpec, ScoreConfig
from semseg.data.samples.instances import InstanceReader
from semseg.data.samples.samples import RemappedSample
from semseg.evaluation.averaging import AveragingSegmenter, Loaded, Views
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.frames.sources import frames_from_dataset
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.outputs.predictions import (
    KINDS,
    RAW_IDS,
    SUBMISSION,
    PredictionSaver,
    raw_id_table,
)
from semseg.evaluation.report.report import Report, describe_model
from semseg.evaluation.scores.scores import ScoreOptions
from semseg.files import new_folder
from semseg.runtime import Segmentation
from semseg.runtime.images.geometry import Size

EXAMPLE = """scripts/evaluate.py --model reduced --dataset camvid --root DIR --split val \\
      --report report.json --html report.html"""


class Options(NamedTuple):
    """What is evaluated, and how.

    Attributes:
      segmenter: the model.
      samples: the samples.
      delivery: what becomes of the report.
      class_map: name or file of a class map.
      loss: whether the cross-entropy is computed.
      boundary: tolerance of the boundary F score in pixels; None leaves it out.
      shown: how many of the best and of the worst images the page shows.
      flip: whether mirrored images are averaged in.
      scales: sizes, as factors, that are averaged.
      window: (height, width) of sliding windows; None sees whole images.
      save_predictions: new folder for predictions.
      kind: what is saved there.
      at: ``image`` or ``network``: their size.
      force: whether the folder may exist.
    """

    segmenter: SegmenterOptions
    samples: DatasetOptions
    delivery: ReportOptions
    class_map: str | None
    loss: bool
    boundary: int | None
    shown: int
    flip: bool
    scales: Sequence[float]
    window: Size | None
    save_predictions: str | None
    kind: Sequence[str]
    at: str
    force: bool


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, EXAMPLE)
    flags.add_model_flags(parser)
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    flags.add_dataset_flags(parser)
    parser.add_argument("--class-map", metavar="FILE", help="name or YAML file of a class map")
    parser.add_argument("--loss", action=BooleanOptionalAction, default=True, help="cross-entropy")
    parser.add_argument("--boundary", type=int, metavar="PIXELS", help="boundary F, its tolerance")
    delivery.add_report_flags(parser)
    parser.add_argument("--shown", type=int, default=5, metavar="N", help="best and worst images")
    views = parser.add_argument_group("views, whose probabilities are averaged")
    views.add_argument("--flip", action="store_true", help="mirrored images, too")
    positive = command_line.positive(float)
    views.add_argument(
        "--scales", nargs="+", type=positive, default=[1.0], help="sizes, as factors"
    )
    views.add_argument("--window", type=command_line.size, metavar="HxW", help="sliding windows")
    saved = parser.add_argument_group("predictions")
    saved.add_argument("--save-predictions", metavar="DIR", help="new folder for predictions")
    saved.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS[:3], help="what to save")
    saved.add_argument("--at", choices=("image", "network"), default="image", help="their size")
    saved.add_argument("--force", action="store_true", help="write into an existing folder")
    options = command_line.options(parser, Options)
    return delivery.deliver(score(options), options.delivery)


def score(options: Options) -> Report:
    """Scores a model on a split.

    Raises:
      SemsegError: what the options name cannot be used.
    """
    delivery.check_report_options(options.delivery)
    class_map = read_class_map(options.class_map) if options.class_map else ClassMapFile()
    views = Views(tuple(options.scales), options.flip, options.window)
    loaded = _load(options.segmenter, views)
    spec, samples = flags.load_samples(options.samples, flags.second_kind(loaded.base))
    of_model, of_truth = class_map.between(loaded.segmenter.classes, spec.classes)
    declared, instances = _declared_scores(spec, samples, of_truth)
    scored = ScoreOptions(declared, loss=options.loss, boundary_px=options.boundary)
    remapped = [RemappedSample(sample, of_truth.table) for sample in samples]
    report = evaluate(
        loaded.segmenter,
        frames_from_dataset(remapped, instances),
        source=f"{spec.name} {options.samples.split}",
        settings=Settings(of_model, scored, options.shown),
        min_mean_iou=options.delivery.min_miou,
        save=_saver(options, spec, loaded, of_model),
    )
    return report._replace(model={**describe_model(loaded.base), **views.describe()})


def _load(options: SegmenterOptions, views: Views) -> Loaded:
    path = flags.graph_path(options.model)
    engine, size = options.engine, options.size
    return AveragingSegmenter.load(path, views, engine=engine, input_size=size)


def _declared_scores(
    spec: DatasetSpec, samples: Sequence[Sample], of_truth: ClassMap
) -> tuple[ScoreConfig, InstanceReader | None]:
    """Returns what a dataset declares of scores, as far as classes and files are its own."""
    if not isinstance(spec, FolderSpec) or of_truth.classes != spec.classes:
        return ScoreConfig(), None
    instances = InstanceReader.create(spec, samples)
    left_out = {} if instances else {"instances": None}
    return spec.scores.model_copy(update=left_out), instances


def _saver(
    options: Options, spec: DatasetSpec, loaded: Loaded, class_map: ClassMap
) -> Callable[[Frame, Segmentation], None] | None:
    if not options.save_predictions:
        return None
    needs_ids = {RAW_IDS, SUBMISSION} & set(options.kind)
    raw_ids = raw_id_table(spec, class_map) if needs_ids else None
    folder = new_folder(options.save_predictions, options.force)

    def network_size(size: Size) -> Size:
        return loaded.base.fit(size).inner_size

    saver = PredictionSaver(
        folder,
        loaded.segmenter.classes,
        options.kind,
        raw_ids,
        network_size if options.at == "network" else None,
    )
    return lambda frame, result: saver.save(frame, result.labels)
