"""The folder of a training run: what it holds and how its text files and plots are written."""

import csv
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from semseg.errors import CheckpointError, ConfigError
from semseg.files import write_file
from semseg.training.config.experiment import ExperimentConfig, load_config


class Resume(Enum):
    """What is done about a run that may be in the folder already."""

    NEVER = "never"
    """It is not touched: an error."""
    REQUIRED = "required"
    """It is continued, and must be there."""
    IF_THERE = "if there"
    """It is continued, or a new one begins: what a supervisor wants that starts jobs again."""

    @classmethod
    def of_flags(cls, *, required: bool, if_there: bool) -> "Resume":
        """Returns what ``--resume`` and ``--auto-resume`` mean; the latter asks for less."""
        if if_there:
            return cls.IF_THERE
        return cls.REQUIRED if required else cls.NEVER


class RunFolder:
    """Paths and records of one run.

    Args:
      path: the folder; made when the run begins.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.best = self.path / "checkpoints" / "best.npz"
        self.last = self.path / "checkpoints" / "last.npz"
        self.log = self.path / "log.csv"
        self.usage = self.path / "usage.json"
        self.curves = self.path / "curves.png"
        self.images = self.path / "validation_images.npy"
        self.seconds = self.path / "validation_seconds.npy"
        self.tensorboard = self.path / "tensorboard"

    def is_continued(self, config: ExperimentConfig, resume: Resume) -> bool:
        """Looks for a run in the folder; writes nothing.

        Args:
          config: the configuration of the run to come.
          resume: what is done about a run that is already there.

        Returns:
          Whether there is a run to be continued.

        Raises:
          ConfigError: there is a run already and it is not to be continued, or it has another
            configuration, or there is none to be continued.
        """
        holds_run = self.last.exists()
        if holds_run and resume is Resume.NEVER:
            raise ConfigError(
                f"{self.path} holds a run already; continue it with --resume, or name "
                "another --workdir"
            )
        if not holds_run and resume is Resume.REQUIRED:
            raise ConfigError(
                f"{self.path} holds no run to resume: there is no {self.last}; begin one without "
                "--resume, or say --auto-resume"
            )
        if holds_run:
            self._check_config(config)
        return holds_run

    def begin(self, config: ExperimentConfig) -> None:
        """Makes the folder and writes the configuration.

        Raises:
          CheckpointError: the folder cannot be written.
        """
        try:
            self.last.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"cannot make the run folder {self.path}: {error.strerror}")
        write_file(self.config, config.to_yaml().encode())

    def keep_last(self, step: int, count: int) -> None:
        """Keeps the last checkpoint under its step, with the ones before it: ``count`` in all."""
        if count == 1:
            return
        kept = self.last.with_name(f"step_{step:08d}.npz")
        kept.unlink(missing_ok=True)
        try:
            os.link(self.last, kept)  # One file with two names: no second copy on the disk.
        except OSError:
            shutil.copyfile(self.last, kept)
        for old in sorted(self.last.parent.glob("step_*.npz"))[:-count]:
            old.unlink()

    def write_images(self, images: np.ndarray, seconds: np.ndarray | None = None) -> None:
        """Keeps a few validation images; freezing is checked on them.

        Args:
          images: uint8 [n, H, W, 3] at the network's size.
          seconds: for a network with a second input: right images, uint8 [n, H, W, 3], or
            disparities, float32 [n, H, W, 1].
        """
        write_file(self.images, _npy(images))
        if seconds is not None:
            write_file(self.seconds, _npy(seconds))

    def read_images(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns what ``write_images`` kept: images and second images, None without."""
        seconds = np.load(self.seconds) if self.seconds.exists() else None
        return np.load(self.images), seconds

    def write_usage(self, usage: Mapping[str, Any]) -> None:
        """Writes what the run takes of the machine."""
        write_file(self.usage, json.dumps(usage, indent=2).encode() + b"\n")

    def write_history(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Writes ``log.csv`` and ``curves.png`` anew from all epochs so far."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        write_file(self.log, text.getvalue().encode())
        write_file(self.curves, _curves(history))

    def _check_config(self, config: ExperimentConfig) -> None:
        former = load_config(self.config)
        changed = _differences(former.model_dump(), config.model_dump())
        if changed:
            raise ConfigError(
                f"--resume continues a run as it began, but {self.config} differs: "
                + ", ".join(changed)
            )


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _differences(former: Any, current: Any, key: str = "") -> list[str]:
    if isinstance(former, dict) and isinstance(current, dict):
        names = sorted({*former, *current})
        return [
            text
            for name in names
            for text in _differences(former.get(name), current.get(name), f"{key}.{name}")
        ]
    return [] if former == current else [f"{key[1:]} was {former}, is {current}"]


def _curves(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Plots losses and validation mean IoU over the steps; returns a PNG."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    steps = [epoch["step"] for epoch in history]
    for column, label in (("loss", "training"), ("validation_loss", "validation")):
        losses.plot(steps, [epoch[column] for epoch in history], ".-", label=label)
    for column in history[0]:
        if column.startswith("validation_mean_iou"):
            label = column.partition("/")[2] or "mean IoU"
            scores.plot(steps, [epoch[column] for epoch in history], ".-", label=label)
    losses.set(xlabel="step", ylabel="loss", yscale="log")
    losses.yaxis.set_major_formatter("{x:g}")
    losses.yaxis.set_minor_locator(LogLocator(subs=(1.5, 2, 3, 5, 7)))
    losses.yaxis.set_minor_formatter("{x:g}")
    scores.set(xlabel="step", ylabel="validation mean IoU", ylim=(0, 1))
    for axes in (losses, scores):
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
        axes.grid(alpha=0.3, which="both")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
