"""Trains a network by its configuration, so that an interrupted run ends as if it was not.

When the process is asked to end, the loop stops at the end of a step.
"""

import itertools
import logging
import math
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NamedTuple

import keras
import numpy as np
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from semseg.classes import ClassTable
from semseg.errors import CheckpointError
from semseg.networks.heads import ONLY_HEAD, with_teacher
from semseg.training.building import build_network, compile_model, precision
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.distribution import ALONE, Hosts
from semseg.training.fine_tuning import Freezing
from semseg.training.inputs import network_inputs
from semseg.training.learning_data import LearningData
from semseg.training.records import provenance
from semseg.training.records.checkpoints import (
    Checkpoint,
    load_checkpoint,
    model_variables,
    restore,
    save_checkpoint,
)
from semseg.training.records.initial_weights import start_from
from semseg.training.records.run_folder import Resume, RunFolder
from semseg.training.records.tensorboard import Board
from semseg.training.training_step import TrainingStep, Usage, settle_statistics
from semseg.training.validation import (
    Epoch,
    Score,
    Scoring,
    best_mean_iou,
    has_stalled,
    validation_columns,
)

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context in which the first SIGINT or SIGTERM sets ``requested``.

    The second one acts as it did before the context: Ctrl-C twice ends the process at once.

    Attributes:
      requested: whether a signal came.
    """

    def __init__(self) -> None:
        self.requested = False
        self._former: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        """Takes the signals over."""
        self._former = {number: signal.signal(number, self._request) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Gives the signals back."""
        self._give_back()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._give_back()
        logger.info("%s: saving at the end of this step", signal.Signals(number).name)

    def _give_back(self) -> None:
        for number, action in self._former.items():
            signal.signal(number, action)


SETTLING_BATCHES = 16
"""Batches that batch norm's statistics are measured on before averaged weights are scored."""


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
      step: steps done.
      finished: False if a signal ended it before it was done.
      best_mean_iou: validation mean IoU of the best checkpoint; NaN before the first validation.
      pixel_accuracy: of the last validation, likewise.
      skipped: name -> reason, of training samples that could not be read.
      overfit: number of samples that were to be learnt by heart; None if it was no such run.
    """

    step: int
    finished: bool
    best_mean_iou: float
    pixel_accuracy: float
    skipped: Mapping[str, str]
    overfit: int | None

    @property
    def passed(self) -> bool:
        """Whether all samples could be read and those to be learnt by heart were."""
        return not self.skipped and (self.overfit is None or self.pixel_accuracy == 1)

    def text(self) -> str:
        """Says in a line how good the network became."""
        if self.overfit is None:
            return f"best validation mean IoU {self.best_mean_iou:.4f}"
        return (
            f"{100 * self.pixel_accuracy:.3f} % of the pixels of {self.overfit} samples are right "
            f"after {self.step} steps"
        )


def train(
    config: ExperimentConfig,
    roots: Mapping[str, str],
    workdir: str | Path,
    resume: Resume = Resume.NEVER,
    init_weights: str | Path | None = None,
    *,
    hosts: Hosts = ALONE,
) -> Outcome:
    """Trains a network, or goes on training it.

    Args:
      config: the experiment.
      roots: folder of each dataset, by the dataset's name as in the configuration; a dataset
        without files needs none.
      workdir: the run folder, see ``RunFolder``.
      resume: what is done about a run that is in the folder already.
      init_weights: what a new run starts from, see ``start_from``; None takes what
        ``fine_tuning.init_weights`` says.
      hosts: this host and its devices, see ``distribution.join``; all hosts are given the same
        of everything else.

    Returns:
      How it ended. SIGINT and SIGTERM end a run after the current step, saved.

    Raises:
      SemsegError: the configuration, the data or the folder cannot be used.
      DivergenceError: the loss or a weight became NaN or infinite.
    """
    if config.training.deterministic:
        os.environ["TF_DETERMINISTIC_OPS"] = "1"  # Read by TensorFlow at its first operation.
    keras.utils.set_random_seed(config.training.seed)
    hosts.check_batch(config.training.batch_size)
    with hosts.run_folder(workdir) as folder, logging_redirect_tqdm():
        run = _Run(config, LearningData(config, roots), folder, hosts)
        if folder.is_continued(config, resume):
            run.restore()
        else:
            run.start(init_weights)
        return run.train()


class _Run:
    """The objects and the state of one run."""

    def __init__(
        self, config: ExperimentConfig, data: LearningData, folder: RunFolder, hosts: Hosts
    ) -> None:
        self.config = config
        self.data = data
        self.folder = folder
        self.hosts = hosts
        with precision(config.training.precision):
            self.model = build_network(config.network, data.num_classes, config.data.second)
        if data.teacher is not None:
            self.model = with_teacher(self.model, data.teacher.head)
        compile_model(self.model, config, data.heads, data.train_samples)
        self.learnt_variables = self.model.trainable_variables
        self.freezing = Freezing(self.model, config.fine_tuning)
        self.training_step = TrainingStep(self.model, data.targets)
        self.scoring = Scoring(self.model, data, config)
        self.usage = Usage()
        self.step = 0
        self.history: list[Epoch] = []
        self.epoch_losses: list[float] = []
        self.initial_weights: str | None = None

    def start(self, init_weights: str | Path | None) -> None:
        """Begins a new run, from the weights of another one if there are any.

        The folder is made when all else is known to be good.
        """
        source = init_weights or self.config.fine_tuning.init_weights
        if source is not None:
            self.initial_weights = start_from(source, self.model)
        self.data.prepare()
        self.folder.begin(self.config)
        self.folder.write_images(*self.scoring.images())

    def restore(self) -> None:
        """Takes up a run where its last checkpoint left it."""
        checkpoint = load_checkpoint(self.folder.last)
        _check_classes(checkpoint, self.data.heads)
        _check_teacher(checkpoint, self._teacher_record)
        restore(checkpoint, self._variables())
        self.step = checkpoint.fact("step")
        self.history = checkpoint.fact("history")
        self.epoch_losses = checkpoint.fact("epoch_losses")
        self.initial_weights = checkpoint.fact("initial_weights")
        logger.info("resuming %s at step %d", self.folder.path, self.step)

    def train(self) -> Outcome:
        """Runs the steps that are left."""
        training = self.config.training
        share = (self.hosts.index, self.hosts.count)
        stream = self.data.batches(start=self.step * training.accumulate, share=share)
        progress = tqdm(total=training.steps, initial=self.step, unit="step", dynamic_ncols=True)
        board = Board(self.folder.tensorboard, start=self.step)
        with Interruption() as interruption, progress, board:
            while not self._is_done() and not self.hosts.any(interruption.requested):
                began = time.perf_counter()
                self.freezing.apply(self.step)
                batches = list(itertools.islice(stream, training.accumulate))
                self.epoch_losses.append(self.training_step.run(batches, self.step))
                self.usage.add(time.perf_counter() - began)
                self.step += 1
                progress.update()
                progress.set_postfix(loss=self.epoch_losses[-1], best=best_mean_iou(self.history))
                if self.step % self.data.epoch_steps == 0 or self.step == training.steps:
                    self._finish_epoch(board)
            if self.hosts.any(interruption.requested):
                self._save_last()
        return self._outcome()

    def _is_done(self) -> bool:
        """Says whether the run has reached its end; of its state alone, so that it can resume."""
        training = self.config.training
        if training.overfit and self._pixel_accuracy() == 1:
            return True
        if training.patience is not None and has_stalled(self.history, training.patience):
            return True
        return self.step >= training.steps

    def _outcome(self) -> Outcome:
        return Outcome(
            self.step,
            self._is_done(),
            best_mean_iou(self.history),
            self._pixel_accuracy(),
            self.data.skipped,
            self.config.training.overfit,
        )

    def _pixel_accuracy(self) -> float:
        return self.history[-1]["validation_pixel_accuracy"] if self.history else math.nan

    def _finish_epoch(self, board: Board) -> None:
        """Validates, and saves the last and, if it is the best so far, the best checkpoint."""
        self.training_step.check_weights(self.step)
        variables = model_variables(self.model)
        present = {name: np.array(variable) for name, variable in variables.items()}
        if self.config.optimizer.average is not None:
            self.model.optimizer.finalize_variable_values(self.learnt_variables)
            settle_statistics(self.model, self._latest_inputs())
        scores = self.scoring.run()
        is_best = self._record(scores)
        scalars = {**self.history[-1], **self.scoring.class_scores(scores)}
        board.add(self.step, scalars, self.scoring.pictures())
        if is_best:
            save_checkpoint(self.folder.best, model_variables(self.model), self._card(scores))
        for name, variable in variables.items():
            variable.assign(present[name])
        self._save_last()
        self.folder.write_history(self.history)
        self.folder.write_usage(self.usage.summary())

    def _latest_inputs(self) -> Iterator[Any]:
        """Yields the network's inputs of the latest batches once more."""
        start = max(0, self.step * self.config.training.accumulate - SETTLING_BATCHES)
        # Whole batches on each host: all of them have to come to the same statistics.
        for batch in itertools.islice(self.data.batches(start), SETTLING_BATCHES):
            yield network_inputs(self.model, batch.images, batch.second)

    def _record(self, scores: Mapping[str, Score]) -> bool:
        """Adds an epoch to the history; returns whether it is the best."""
        epoch = {
            "step": self.step,
            "loss": math.fsum(self.epoch_losses) / len(self.epoch_losses),
            "learning_rate": float(self.model.optimizer.learning_rate),
            **validation_columns(scores),
        }
        is_best = not epoch["validation_mean_iou"] <= best_mean_iou(self.history)
        self.history.append(epoch)
        self.epoch_losses = []
        logger.info(
            "step %(step)d: loss %(loss).4f, validation loss %(validation_loss).4f, "
            "mean IoU %(validation_mean_iou).4f",
            epoch,
        )
        return is_best

    def _save_last(self) -> None:
        state = {
            "step": self.step,
            "history": self.history,
            "epoch_losses": self.epoch_losses,
            "initial_weights": self.initial_weights,
            **({"teacher": self._teacher_record} if self._teacher_record else {}),
            **provenance.class_record(self.data.heads),
        }
        save_checkpoint(self.folder.last, self._variables(), state)
        self.folder.keep_last(self.step, self.config.training.kept_checkpoints)

    @property
    def _teacher_record(self) -> dict[str, Any] | None:
        return None if self.data.teacher is None else self.data.teacher.record

    def _variables(self) -> dict[str, Any]:
        optimizer = {variable.path: variable for variable in self.model.optimizer.variables}
        return {**model_variables(self.model), **optimizer}

    def _card(self, scores: Mapping[str, Score]) -> dict[str, Any]:
        """What the model card says of the present weights."""
        of_run = (self.config, self.initial_weights)
        return {
            "step": self.step,
            **provenance.class_record(self.data.heads),
            "training": provenance.training_record(
                self.data.datasets,
                *of_run,
                self.step,
                teacher=self._teacher_record,
                unlabelled=[source.record for source in self.data.unlabelled],
            ),
            "scores": provenance.score_records(self.data.datasets, scores, *of_run),
        }


def _check_teacher(checkpoint: Checkpoint, teacher: Mapping[str, Any] | None) -> None:
    """Raises ``CheckpointError`` if a checkpoint was taught by another graph."""
    former = checkpoint.state.get("teacher")
    if former != teacher:
        found, expected = (
            f"{record['graph']} (sha256 {record['sha256'][:12]})" if record else "none"
            for record in (teacher, former)
        )
        raise CheckpointError(
            f"checkpoint {checkpoint.path} was taught by {expected}, loss.teacher is {found} now; "
            "a run goes on with the teacher it began with"
        )


def _check_classes(checkpoint: Checkpoint, heads: Mapping[str, ClassTable]) -> None:
    """Raises ``CheckpointError`` if a checkpoint was trained for other classes."""
    found = checkpoint.state.get("heads") or {ONLY_HEAD: checkpoint.fact("classes")}
    for head, classes in heads.items():
        former = found.get(head, [])
        if former != classes.to_list():
            raise CheckpointError(
                f"checkpoint {checkpoint.path} was trained for the classes "
                f"{', '.join(known['name'] for known in former)}, which the dataset has otherwise "
                f"now: {', '.join(classes.names)}"
            )
