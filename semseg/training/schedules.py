"""Learning rates as functions of the step."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from semseg.training.config.optimization import ScheduleConfig

Factor = Callable[[Any], Any]
"""Gives the factor of the learning rate at a step (float32 scalar)."""


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises linearly over the warm-up and follows a factor of the step.

    Args:
      learning_rate: the rate where the factor is 1.
      factor: the factor at each step.
      warmup_steps: steps of the warm-up; the first has rate ``1 / warmup_steps`` of the factor's.
      accumulate: batches that make one step; Keras counts batches.
    """

    def __init__(
        self, learning_rate: float, factor: Factor, warmup_steps: int = 0, accumulate: int = 1
    ) -> None:
        self.learning_rate = learning_rate
        self.factor = factor
        self.warmup_steps = warmup_steps
        self.accumulate = accumulate

    def __call__(self, batch: Any) -> Any:
        """Returns the rate of the step that a batch belongs to; the first batch is 0."""
        step = ops.cast(ops.floor_divide(batch, self.accumulate), "float32")
        rate = self.learning_rate * self.factor(step)
        if self.warmup_steps:
            rate = rate * ops.minimum(1.0, (step + 1) / self.warmup_steps)
        return rate


def constant() -> Factor:
    """Returns the factor 1 of every step."""
    return ops.ones_like


def exponential(steps: int, decay_start: int, final_fraction: float) -> Factor:
    """Returns 1 until ``decay_start``, then exponential decay to ``final_fraction`` at the end."""
    length = max(1, steps - decay_start)

    def factor(step: Any) -> Any:
        progress = ops.clip((step - decay_start) / length, 0.0, 1.0)
        return ops.exp(math.log(final_fraction) * progress)

    return factor


def poly(steps: int, power: float) -> Factor:
    """Returns ``(1 - step / steps) ** power``."""
    return lambda step: (1 - ops.clip(step / steps, 0.0, 1.0)) ** power


def cosine(steps: int, final_fraction: float) -> Factor:
    """Returns half a cosine wave from 1 to ``final_fraction``."""

    def factor(step: Any) -> Any:
        wave = 0.5 * (1 + ops.cos(math.pi * ops.clip(step / steps, 0.0, 1.0)))
        return final_fraction + (1 - final_fraction) * wave

    return factor


def step(milestones: Sequence[int], factor: float) -> Factor:
    """Returns ``factor ** n`` after the n-th of the ``milestones``."""

    def power(step: Any) -> Any:
        passed = [ops.cast(step >= milestone, "float32") for milestone in milestones]
        return factor ** sum(passed)

    return power


FACTORS: dict[str, Callable[..., Factor]] = {
    "constant": constant,
    "cosine": cosine,
    "exponential": exponential,
    "poly": poly,
    "step": step,
}


def build_schedule(
    config: ScheduleConfig, learning_rate: float, steps: int, accumulate: int = 1
) -> Schedule:
    """Builds the schedule of an experiment of ``steps`` steps of ``accumulate`` batches."""
    options = config.model_dump(exclude={"name", "warmup_steps"})
    if config.name not in ("constant", "step"):
        options["steps"] = steps
    factor = FACTORS[config.name](**options)
    return Schedule(learning_rate, factor, config.warmup_steps, accumulate)
