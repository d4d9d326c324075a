"""Trains a network by its configuration, so that an interrupted run ends as if it was not."""

import itertools
import logging
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from semseg.data import DatasetSpec, load_dataset, samples
from semseg.data.batches import Batch, SampleSource, batches
from semseg.errors import SemsegError
from semseg.training.averaging import settle_statistics
from semseg.training.building import build_loss, build_network, build_optimizer
from semseg.training.checkpoints import (
    initialize,
    load_checkpoint,
    model_variables,
    restore,
    save_checkpoint,
)
from semseg.training.config import ExperimentConfig
from semseg.training.interruption import Interruption
from semseg.training.run_folder import RunFolder
from semseg.training.validation import Score, Validation

logger = logging.getLogger(__name__)

KEPT_IMAGES = 4
SETTLING_BATCHES = 16
"""Batches that batch norm's statistics are measured on before averaged weights are scored."""


class DivergenceError(SemsegError):
    """A run whose loss is no number any more."""


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
      step: steps done.
      finished: False if a signal ended it before its last step.
      best_mean_iou: validation mean IoU of the best checkpoint; NaN before the first validation.
      skipped: name -> reason, of training samples that could not be read.
    """

    step: int
    finished: bool
    best_mean_iou: float
    skipped: Mapping[str, str]


def train(
    config: ExperimentConfig,
    roots: Mapping[str, str],
    workdir: str | Path,
    resume: bool = False,
    init_weights: str | Path | None = None,
) -> Outcome:
    """Trains a network, or goes on training it.

    Args:
      config: the experiment.
      roots: folder of each dataset, by the dataset's name as in the configuration; a dataset
        without files needs none.
      workdir: the run folder, see ``RunFolder``.
      resume: continue the run that is in the folder, if there is one.
      init_weights: checkpoint whose fitting weights a new run starts from.

    Returns:
      How it ended. SIGINT and SIGTERM end a run after the current step, saved.

    Raises:
      SemsegError: the configuration, the data or the folder cannot be used.
      DivergenceError: the loss became NaN or infinite.
    """
    if config.training.deterministic:
        os.environ["TF_DETERMINISTIC_OPS"] = "1"  # Read by TensorFlow at its first operation.
    keras.utils.set_random_seed(config.training.seed)
    run = _Run(config, roots, RunFolder(workdir))
    run.folder.begin(config, resume)
    if resume and run.folder.last.exists():
        run.restore()
    else:
        run.start(init_weights)
    with logging_redirect_tqdm():
        return run.train()


class _Run:
    """The objects and the state of one run."""

    def __init__(
        self, config: ExperimentConfig, roots: Mapping[str, str], folder: RunFolder
    ) -> None:
        self.config = config
        self.folder = folder
        data = config.data
        self.spec = load_dataset(data.dataset)
        root = roots.get(data.dataset)
        train_samples = samples(self.spec, root, data.train_split)
        self.source = SampleSource(train_samples, cache=data.cache)
        self.model = build_network(config.network, self.spec.classes.num_classes)
        self.optimizer = build_optimizer(config)
        self.optimizer.build(self.model.trainable_variables)
        # Without XLA: its convolutions on processors are three times slower than oneDNN's.
        self.model.compile(
            self.optimizer,
            build_loss(config.loss, train_samples, self.spec.classes),
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        )
        self.validation = Validation(
            self.model,
            samples(self.spec, root, data.validation_split),
            self.spec.classes.num_classes,
            data.size,
            config.training.batch_size,
        )
        self.history: list[dict[str, Any]] = []
        self.epoch_losses: list[float] = []

    @property
    def step(self) -> int:
        """Number of steps done."""
        return int(self.optimizer.iterations)

    @property
    def best_mean_iou(self) -> float:
        """Best validation mean IoU so far; NaN before the first."""
        scores = [epoch["validation_mean_iou"] for epoch in self.history]
        return max(scores, default=math.nan)

    def start(self, init_weights: str | Path | None) -> None:
        """Begins a new run, from the weights of another one if there are any."""
        self.folder.write_images(self.validation.images(KEPT_IMAGES))
        if init_weights is not None:
            weights = load_checkpoint(Path(init_weights))
            for line in initialize(weights, model_variables(self.model)):
                logger.warning("--init-weights skips %s", line)

    def restore(self) -> None:
        """Takes up a run where its last checkpoint left it."""
        checkpoint = load_checkpoint(self.folder.last)
        restore(checkpoint, self._variables())
        self.history = checkpoint.state["history"]
        self.epoch_losses = checkpoint.state["epoch_losses"]
        logger.info("resuming %s at step %d", self.folder.path, self.step)

    def train(self) -> Outcome:
        """Runs the steps that are left."""
        training = self.config.training
        stream = self._batches(start=self.step)
        progress = tqdm(total=training.steps, initial=self.step, unit="step", dynamic_ncols=True)
        board = SummaryWriter(str(self.folder.tensorboard), purge_step=self.step)
        with Interruption() as interruption, progress, board:
            while self.step < training.steps and not interruption.requested:
                self._train_step(next(stream))
                progress.update()
                progress.set_postfix(loss=self.epoch_losses[-1], best=self.best_mean_iou)
                if self.step % training.epoch_steps == 0 or self.step == training.steps:
                    self._finish_epoch(board)
            if interruption.requested:
                self._save_last()
        return Outcome(
            self.step, self.step == training.steps, self.best_mean_iou, dict(self.source.skipped)
        )

    def _train_step(self, batch: Batch) -> None:
        self.model.reset_metrics()
        loss = float(self.model.train_on_batch(batch.images.astype(np.float32), batch.labels))
        if not math.isfinite(loss):
            raise DivergenceError(
                f"the loss is {loss} at step {self.step}; the checkpoints before it are kept in "
                f"{self.folder.last.parent}; a lower optimizer.learning_rate or "
                "optimizer.clip_norm may help"
            )
        self.epoch_losses.append(loss)

    def _finish_epoch(self, board: SummaryWriter) -> None:
        """Validates, and saves the last and, if it is the best so far, the best checkpoint."""
        variables = model_variables(self.model)
        present = {name: np.array(variable) for name, variable in variables.items()}
        if self.config.optimizer.average is not None:
            self.optimizer.finalize_variable_values(self.model.trainable_variables)
            settle_statistics(self.model, self._latest_images())
        score = self.validation.run()
        is_best = not score.confusion.mean_iou <= self.best_mean_iou
        self._record(score, board)
        if is_best:
            save_checkpoint(self.folder.best, model_variables(self.model), self._state(score))
        for name, variable in variables.items():
            variable.assign(present[name])
        self._save_last()
        self.folder.write_history(self.history)

    def _latest_images(self) -> Iterator[np.ndarray]:
        """Yields the images of the latest batches once more."""
        stream = self._batches(start=max(0, self.step - SETTLING_BATCHES))
        return (batch.images for batch in itertools.islice(stream, SETTLING_BATCHES))

    def _batches(self, start: int) -> Iterator[Batch]:
        training = self.config.training
        return batches(
            self.source,
            self.config.augmentation,
            training.batch_size,
            seed=training.seed,
            start=start,
            threads=training.threads,
        )

    def _record(self, score: Score, board: SummaryWriter) -> None:
        epoch = {
            "step": self.step,
            "loss": math.fsum(self.epoch_losses) / len(self.epoch_losses),
            "learning_rate": float(self.optimizer.learning_rate),
            "validation_loss": score.loss,
            "validation_mean_iou": score.confusion.mean_iou,
            "validation_pixel_accuracy": score.confusion.pixel_accuracy,
        }
        self.history.append(epoch)
        self.epoch_losses = []
        logger.info(
            "step %(step)d: loss %(loss).4f, validation loss %(validation_loss).4f, "
            "mean IoU %(validation_mean_iou).4f",
            epoch,
        )
        for name, value in epoch.items():
            board.add_scalar(name, value, self.step)
        for name, value in zip(self.spec.classes.names, score.confusion.iou, strict=True):
            board.add_scalar(f"iou/{name}", value, self.step)

    def _save_last(self) -> None:
        state = {"history": self.history, "epoch_losses": self.epoch_losses}
        save_checkpoint(self.folder.last, self._variables(), state)

    def _variables(self) -> dict[str, Any]:
        optimizer = {variable.path: variable for variable in self.optimizer.variables}
        return {**model_variables(self.model), **optimizer}

    def _state(self, score: Score) -> dict[str, Any]:
        """What the model card says of these weights."""
        return {
            "step": self.step,
            "classes": self.spec.classes.to_list(),
            "training": _training_data(self.spec, self.config),
            "scores": [_score_record(score, self.config)],
        }


def _training_data(spec: DatasetSpec, config: ExperimentConfig) -> dict[str, Any]:
    return {
        "dataset": spec.name,
        "title": spec.title,
        "terms": spec.terms,
        "split": config.data.train_split,
        "steps": config.training.steps,
        "batch_size": config.training.batch_size,
    }


def _score_record(score: Score, config: ExperimentConfig) -> dict[str, Any]:
    """The validation score with the protocol that says what it means."""
    height, width = config.data.size
    return {
        "mean_iou": round(score.confusion.mean_iou, 5),
        "pixel_accuracy": round(score.confusion.pixel_accuracy, 5),
        "protocol": (
            f"{config.data.dataset} {config.data.validation_split}, "
            f"{score.confusion.num_classes} classes, void ignored, Cityscapes IoU, network at "
            f"{height}x{width}, scored at the labels' size, one scale, no flip, no pretraining"
        ),
    }
