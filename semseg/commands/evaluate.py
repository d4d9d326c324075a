"""What ``scripts/evaluate.py`` does: a model on a split of a dataset."""

from argparse import Namespace
from collections.abc import Callable, Sequence

from semseg.commands import delivery, flags
from semseg.data import DatasetSpec, Sample
from semseg.data.declarations.class_map import ClassMap, ClassMapFile, read_class_map
from semseg.data.declarations.specs import FolderSpec, ScoreConfig
from semseg.data.samples.instances import InstanceReader
from semseg.data.samples.samples import RemappedSample
from semseg.evaluation.averaging import AveragingSegmenter, Loaded, Views
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.frames.sources import frames_from_dataset
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.outputs.predictions import RAW_IDS, SUBMISSION, PredictionSaver, raw_id_table
from semseg.evaluation.report.report import Report, describe_model
from semseg.evaluation.scores.scores import ScoreOptions
from semseg.files import new_folder
from semseg.runtime import Segmentation
from semseg.runtime.images.geometry import Size


def score(arguments: Namespace) -> Report:
    """Scores a model as the flags of ``scripts/evaluate.py`` say.

    Raises:
      SemsegError: what the flags name cannot be used.
    """
    delivery.check_report_flags(arguments)
    class_map = read_class_map(arguments.class_map) if arguments.class_map else ClassMapFile()
    views = Views(tuple(arguments.scales), arguments.flip, arguments.window)
    loaded = _load(arguments, views)
    spec, samples = flags.load_samples(arguments, flags.second_kind(loaded.base))
    of_model, of_truth = class_map.between(loaded.segmenter.classes, spec.classes)
    declared, instances = _declared_scores(spec, samples, of_truth)
    options = ScoreOptions(declared, loss=arguments.loss, boundary_px=arguments.boundary)
    remapped = [RemappedSample(sample, of_truth.table) for sample in samples]
    report = evaluate(
        loaded.segmenter,
        frames_from_dataset(remapped, instances),
        source=f"{spec.name} {arguments.split}",
        settings=Settings(of_model, options, arguments.shown),
        min_mean_iou=arguments.min_miou,
        save=_saver(arguments, spec, loaded, of_model),
    )
    return report._replace(model={**describe_model(loaded.base), **views.describe()})


def _load(arguments: Namespace, views: Views) -> Loaded:
    path = flags.graph_path(arguments.model)
    engine, size = arguments.engine, arguments.size
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
    arguments: Namespace, spec: DatasetSpec, loaded: Loaded, class_map: ClassMap
) -> Callable[[Frame, Segmentation], None] | None:
    if not arguments.save_predictions:
        return None
    needs_ids = {RAW_IDS, SUBMISSION} & set(arguments.kind)
    raw_ids = raw_id_table(spec, class_map) if needs_ids else None
    folder = new_folder(arguments.save_predictions, arguments.force)

    def network_size(size: Size) -> Size:
        return loaded.base.fit(size).inner_size

    saver = PredictionSaver(
        folder,
        loaded.segmenter.classes,
        arguments.kind,
        raw_ids,
        network_size if arguments.at == "network" else None,
    )
    return lambda frame, result: saver.save(frame, result.labels)
