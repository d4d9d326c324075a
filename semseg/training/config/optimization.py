"""The sections of an experiment on its optimization: loss, optimizer, schedule."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from semseg.data.declarations.strict_yaml import StrictModel
from semseg.training.config.sections import Count, Positive, Share, one_of

NotNegative = Annotated[float, Field(ge=0)]
ShareAboveZero = Annotated[float, Field(gt=0, le=1)]


class TeacherConfig(StrictModel):
    """A frozen graph whose probabilities are learnt too, see ``semseg.training.teacher``.

    Attributes:
      graph: path of the ``.pb`` file.
      head: which head of a graph with several; None takes its default.
      temperature: by which both networks' logits are divided, above 0; 1 takes the probabilities
        as they are, 2 makes improbable classes count for more.
      weight: weight of this loss; that of the labels is 1.
    """

    graph: str
    head: str | None = None
    temperature: Positive = 2.0
    weight: Positive = 1.0


def _graph_alone(value: Any) -> Any:
    return {"graph": value} if isinstance(value, str) else value


class AnyLossConfig(StrictModel):
    """What all losses have.

    Attributes:
      name: which loss.
      class_weights: one weight per class, or the rule that computes them from the training
        labels: ``enet`` or ``median_frequency``; None weighs all classes alike.
      auxiliary_weight: weight of each auxiliary output's loss, of networks that have some; 0.4
        is that of PSPNet, section 3.
      teacher: a frozen graph that says what the pixels are, labelled or not: its path, or a
        section; None learns from labels alone.
    """

    name: str
    class_weights: tuple[Positive, ...] | Literal["enet", "median_frequency"] | None = None
    auxiliary_weight: NotNegative = 0.4
    teacher: Annotated[TeacherConfig | None, BeforeValidator(_graph_alone)] = None


class CrossEntropyConfig(AnyLossConfig):
    """Mean cross-entropy over the pixels that have a class."""

    name: Literal["cross_entropy"]


class BootstrappedConfig(AnyLossConfig):
    """Cross-entropy of the worst pixels of each image alone.

    Attributes:
      fraction: share of an image's pixels that count, above 0 to 1.
    """

    name: Literal["bootstrapped_cross_entropy"]
    fraction: ShareAboveZero = 0.25


class OhemConfig(AnyLossConfig):
    """Cross-entropy of the pixels whose true class is improbable, and of the worst ones.

    Attributes:
      threshold: probability of the true class below which a pixel counts, above 0 to 1.
      min_fraction: share of an image's pixels that count at least, above 0 to 1.
    """

    name: Literal["ohem_cross_entropy"]
    threshold: ShareAboveZero = 0.7
    min_fraction: ShareAboveZero = 0.125


class FocalConfig(AnyLossConfig):
    """Cross-entropy that counts less the more probable the true class is.

    Attributes:
      gamma: how much less: the factor is ``(1 - probability) ** gamma``.
    """

    name: Literal["focal"]
    gamma: NotNegative = 2.0


class RegionLossConfig(AnyLossConfig):
    """What losses of overlaps have.

    Attributes:
      cross_entropy: weight of cross-entropy that is added.
    """

    cross_entropy: NotNegative = 0.0


class DiceConfig(RegionLossConfig):
    """One minus the soft Dice coefficient, averaged over the classes of the batch."""

    name: Literal["dice"]


class LovaszConfig(RegionLossConfig):
    """The Lovasz extension of one minus IoU, averaged over the classes of the batch."""

    name: Literal["lovasz"]


LossConfig: TypeAlias = one_of(  # type: ignore[valid-type]
    "loss",
    {
        "bootstrapped_cross_entropy": BootstrappedConfig,
        "cross_entropy": CrossEntropyConfig,
        "dice": DiceConfig,
        "focal": FocalConfig,
        "lovasz": LovaszConfig,
        "ohem_cross_entropy": OhemConfig,
    },
)


class OptimizerConfig(StrictModel):
    """How gradients become steps.

    Attributes:
      name: ``adam``, ``adamw`` or ``sgd`` (Nesterov momentum).
      learning_rate: rate before the schedule's factor.
      momentum: of ``sgd``; None takes 0.9.
      weight_decay: decoupled weight decay per step and rate, for ``adamw`` and ``sgd``.
      clip_norm: largest norm of the whole gradient; None does not clip.
      average: momentum of the exponential moving average of the weights that is validated,
        kept as best and frozen, such as 0.999; None takes the weights themselves.
    """

    name: Literal["adam", "adamw", "sgd"]
    learning_rate: Positive
    momentum: Share | None = None
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_norm: Positive | None = None
    average: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _use_every_option(self) -> "OptimizerConfig":
        if self.momentum is not None and self.name != "sgd":
            raise ValueError(f"momentum belongs to sgd, not to {self.name}")
        if self.weight_decay and self.name == "adam":
            raise ValueError("adam has no weight_decay; adamw and sgd have")
        return self


class WarmedScheduleConfig(StrictModel):
    """What all schedules have.

    Attributes:
      name: which schedule.
      warmup_steps: steps over which the rate rises linearly to the schedule's.
    """

    name: str
    warmup_steps: Annotated[int, Field(ge=0)] = 0


class ConstantConfig(WarmedScheduleConfig):
    """A rate that stays."""

    name: Literal["constant"]


class ExponentialConfig(WarmedScheduleConfig):
    """PARIS-sem-seg's schedule: constant until ``decay_start``, then exponential decay.

    Attributes:
      decay_start: step at which the decay begins.
      final_fraction: share of the rate that is left at the last step.
    """

    name: Literal["exponential"]
    decay_start: Annotated[int, Field(ge=0)]
    final_fraction: Annotated[float, Field(gt=0, le=1)]


class PolyConfig(WarmedScheduleConfig):
    """``(1 - step / steps) ** power``."""

    name: Literal["poly"]
    power: Positive = 0.9


class CosineConfig(WarmedScheduleConfig):
    """Half a cosine wave, from 1 to ``final_fraction``."""

    name: Literal["cosine"]
    final_fraction: Share = 0.0


class StepConfig(WarmedScheduleConfig):
    """A rate that falls at given steps and stays between them.

    Attributes:
      milestones: steps at which the rate is multiplied by ``factor``, ascending.
      factor: what is left of the rate at each of them.
    """

    name: Literal["step"]
    milestones: tuple[Count, ...] = Field(min_length=1)
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _ascend(self) -> "StepConfig":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones ascend, found {list(self.milestones)}")
        return self


ScheduleConfig: TypeAlias = one_of(  # type: ignore[valid-type]
    "schedule",
    {
        "constant": ConstantConfig,
        "cosine": CosineConfig,
        "exponential": ExponentialConfig,
        "poly": PolyConfig,
        "step": StepConfig,
    },
)


class FineTuningConfig(StrictModel):
    """What a run takes over from weights that were learnt elsewhere, and how far it moves them.

    Attributes:
      init_weights: what ``--init-weights`` takes: a file, or an encoder of ``pretrained``. The
        flag goes first.
      frozen: patterns of layers (``encoder_stem*``, ``encoder_block[0-4]_*``) whose weights stay;
        their batch norm is as at inference, and no gradient is computed through them.
      frozen_until: the step from which on all layers learn; None keeps them frozen.
      rates: factor on learning rate and weight decay of the layers that a pattern matches, such
        as ``{"encoder_*": 0.25}``; the first that matches a layer counts.
    """

    init_weights: str | None = None
    frozen: tuple[str, ...] = ()
    frozen_until: Count | None = None
    rates: Mapping[str, Annotated[float, Field(gt=0)]] = {}

    @model_validator(mode="after")
    def _freeze_something(self) -> "FineTuningConfig":
        if self.frozen_until is not None and not self.frozen:
            raise ValueError("frozen_until needs 'frozen', patterns of the layers to freeze")
        return self


class TrainingConfig(StrictModel):
    """How long, how much at once, and what is repeatable.

    Attributes:
      steps: optimizer steps of the whole run.
      epoch_steps: steps from one validation and checkpoint to the next; None takes one epoch of
        the data, as many samples as all datasets have together.
      batch_size: crops per batch.
      accumulate: batches whose mean gradient is one step, for batches that do not fit in memory.
      precision: of the computation; weights stay float32. ``float16`` scales the loss so that
        small gradients are not lost.
      patience: epochs without a better validation mIoU that end the run early; None never does.
      kept_checkpoints: number of the latest checkpoints that are kept.
      seed: of weights, order, augmentation and dropout.
      deterministic: equal runs give equal weights bit for bit; costs some speed.
      threads: threads that read and augment.
      overfit: learn that many training samples by heart, without augmentation, and score on
        them: a network and its data that are sound reach 100 % of the pixels.
    """

    steps: Count
    epoch_steps: Count | None = None
    batch_size: Count
    accumulate: Count = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    patience: Count | None = None
    kept_checkpoints: Count = 1
    seed: int = 0
    deterministic: bool = False
    threads: Count = 2
    overfit: Count | None = None
