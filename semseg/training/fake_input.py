"""The speed of training steps alone, with no data read."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from semseg.data.batches.batches import Batch
from semseg.data.soft_labels import CELL
from semseg.networks.heads import is_teacher, with_teacher
from semseg.runtime.graph.frozen_graph import RIGHT
from semseg.training.building import build_network, compile_model, precision
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.fine_tuning import Freezing
from semseg.training.learning_data import class_map_of, learnt_classes, load_specs
from semseg.training.teacher import Teacher
from semseg.training.training_step import TrainingStep, Usage


def measure_steps(config: ExperimentConfig, steps: int) -> dict[str, Any]:
    """Trains on one batch of random crops.

    Args:
      config: the experiment; class weights that are computed from data are left out.
      steps: how many steps to time.

    Returns:
      ``images_per_second``, and what ``usage.json`` of a run says.
    """
    step, batches = fake_steps(config)
    usage = Usage()
    for number in range(steps):
        began = time.perf_counter()
        step.run(batches, number)
        usage.add(time.perf_counter() - began)
    summary = usage.summary()
    images = config.training.batch_size * config.training.accumulate
    return {"images_per_second": round(images / summary["median_step_seconds"], 2), **summary}


def fake_steps(config: ExperimentConfig) -> tuple[TrainingStep, list[Batch]]:
    """Builds the step of an experiment, and random batches for it."""
    heads, num_classes = learnt_classes(config.data, load_specs(config.data))
    with precision(config.training.precision):
        model = build_network(config.network, num_classes, config.data.second)
    if isinstance(config.loss.class_weights, str):
        config = config.model_copy(
            update={"loss": config.loss.model_copy(update={"class_weights": None})}
        )
    teacher = None
    if config.loss.teacher is not None:
        teacher = Teacher(config.loss.teacher, heads, class_map_of(config.data))
        model = with_teacher(model, teacher.head)
    compile_model(model, config, heads, dict.fromkeys(heads, ()))
    Freezing(model, config.fine_tuning).apply(0)
    least = min(classes.num_classes for classes in heads.values())
    batch = _random_batch(config, least, None if teacher is None else teacher.num_classes)
    step = TrainingStep(model, _targets)
    return step, [batch] * config.training.accumulate


def _targets(batch: Batch, outputs: Sequence[str]) -> dict[str, Any]:
    return {output: batch.soft_labels if is_teacher(output) else batch.labels for output in outputs}


def _random_batch(
    config: ExperimentConfig, num_classes: int, taught_classes: int | None = None
) -> Batch:
    rng = np.random.default_rng(0)
    shape = (config.training.batch_size, *(config.augmentation.crop or config.data.size))
    images = rng.integers(0, 256, (*shape, 3), np.uint8)
    second = None
    if config.data.second is not None:
        second = images if config.data.second == RIGHT else rng.random((*shape, 1), np.float32)
    soft_labels = None
    if taught_classes is not None:
        cells = (shape[0], *(-(-side // CELL) for side in shape[1:]), taught_classes)
        soft_labels = rng.integers(0, 256, cells, np.uint8)
    return Batch(
        images=images,
        labels=rng.integers(0, num_classes, shape, np.uint8),
        names=("random",) * shape[0],
        dataset=np.zeros(shape[0], int),
        second=second,
        soft_labels=soft_labels,
    )
