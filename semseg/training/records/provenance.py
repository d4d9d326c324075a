"""What the model card says of a checkpoint: which data, which classes, which scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semseg.classes import ClassTable
from semseg.data import Sample
from semseg.networks.heads import ONLY_HEAD
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.learning_data import LearntDataset
from semseg.training.validation import Score


def class_record(heads: Mapping[str, ClassTable]) -> dict[str, Any]:
    """Returns the classes as a checkpoint keeps them: of the network, or of each of its heads."""
    tables = {head: classes.to_list() for head, classes in heads.items()}
    return {"classes": tables[ONLY_HEAD]} if ONLY_HEAD in tables else {"heads": tables}


def training_record(
    datasets: Sequence[LearntDataset],
    config: ExperimentConfig,
    initial_weights: str | None,
    steps: int,
    *,
    teacher: Mapping[str, Any] | None = None,
    unlabelled: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Returns what the network learnt from, and for how many ``steps``.

    Args:
      datasets: those of the run; one that is only scored is left out.
      config: the experiment.
      initial_weights: what it started from.
      steps: how many.
      teacher: the teacher's record, if it had one.
      unlabelled: the record of each source of unlabelled images.
    """
    learnt = [dataset for dataset in datasets if dataset.source.train_split is not None]
    taught = {} if teacher is None else {"teacher": dict(teacher), "unlabelled": [*unlabelled]}
    return {
        "dataset": " + ".join(dataset.spec.name for dataset in learnt),
        "title": " + ".join(dataset.spec.title for dataset in learnt),
        "terms": " + ".join(dataset.spec.terms for dataset in learnt),
        "split": " + ".join(str(dataset.source.train_split) for dataset in learnt),
        "steps": steps,
        "batch_size": config.training.batch_size * config.training.accumulate,
        "initial_weights": initial_weights,
        **taught,
    }


def _scored_split(dataset: LearntDataset, config: ExperimentConfig) -> str:
    if config.training.overfit is not None:
        return f"{dataset.source.train_split} ({len(dataset.train)} samples learnt by heart)"
    learnt = {*map(_identity, dataset.train)} & {*map(_identity, dataset.validation)}
    split = dataset.source.validation_split
    return f"{split} ({len(learnt)} of its images were learnt)" if learnt else split


def _identity(sample: Sample) -> object:
    """What tells a sample from others, whichever split it came by."""
    return sample.image_path or sample.name


def score_records(
    datasets: Sequence[LearntDataset],
    scores: Mapping[str, Score],
    config: ExperimentConfig,
    initial_weights: str | None,
) -> list[dict[str, Any]]:
    """Returns the validation scores, each with the protocol that says what it means."""
    height, width = config.data.size
    start = f"started from {initial_weights}" if initial_weights else "no pretraining"
    if config.loss.teacher is not None and config.training.overfit is None:
        start += f", taught by {Path(config.loss.teacher.graph).name}"
    return [
        {
            "mean_iou": round(score.confusion.mean_iou, 5),
            "pixel_accuracy": round(score.confusion.pixel_accuracy, 5),
            "protocol": (
                f"{dataset.source.dataset} {_scored_split(dataset, config)}, "
                f"{score.confusion.num_classes} classes, void ignored, Cityscapes IoU, network at "
                f"{height}x{width}, scored at the labels' size, one scale, no flip, {start}"
            ),
        }
        for dataset, score in zip(datasets, scores.values(), strict=True)
    ]
