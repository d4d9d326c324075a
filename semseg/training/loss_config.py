"""The loss section of an experiment."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from semseg.data.strict_yaml import StrictModel
from semseg.training.sections import Positive, one_of

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
