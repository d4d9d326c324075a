"""Builds the parts of a run that its configuration names: network, loss, optimizer."""

from collections.abc import Sequence

import keras
import numpy as np

from semseg.classes import ClassTable
from semseg.data import Sample
from semseg.data.statistics import PixelCounts
from semseg.errors import ConfigError
from semseg.networks import NETWORKS
from semseg.training.config import ExperimentConfig, LossConfig, NetworkConfig
from semseg.training.losses import LOSSES
from semseg.training.optimization_config import OptimizerConfig
from semseg.training.schedules import build_schedule

WEIGHED_SAMPLES = 500
"""Samples whose labels are counted for class weights, spread over the split."""
OPTIMIZER_NAME = "optimizer"  # Keras would number it by process, and its variables with it.


def build_network(config: NetworkConfig, num_classes: int) -> keras.Model:
    """Builds the network of an experiment with ``num_classes`` classes."""
    return NETWORKS[config.name](num_classes, **config.model_dump(exclude={"name"}))


def build_loss(
    config: LossConfig, samples: Sequence[Sample], classes: ClassTable
) -> keras.losses.Loss:
    """Builds the loss of one head of an experiment.

    Args:
      config: the loss.
      samples: training samples, whose labels are counted if the weights are to be computed.
      classes: the classes.

    Raises:
      ConfigError: the number of given weights is not that of the classes.
    """
    options = config.model_dump(exclude={"name", "auxiliary_weight"})
    weights = options.pop("class_weights")
    if isinstance(weights, str):
        counts = PixelCounts(classes.num_classes)
        for index in np.unique(np.linspace(0, len(samples) - 1, WEIGHED_SAMPLES).astype(int)):
            counts.add(samples[index].read_labels())
        weights = [float(weight) for weight in counts.class_weights(weights)]
    if weights is not None and len(weights) != classes.num_classes:
        raise ConfigError(
            f"loss.class_weights has {len(weights)} weights, the dataset has "
            f"{classes.num_classes} classes: {', '.join(classes.names)}"
        )
    return LOSSES[config.name](class_weights=weights, **options)


def build_optimizer(config: ExperimentConfig) -> keras.optimizers.Optimizer:
    """Builds the optimizer of an experiment, its schedule included."""
    section = config.optimizer
    options = {
        "learning_rate": build_schedule(
            config.schedule, section.learning_rate, config.training.steps
        ),
        "global_clipnorm": section.clip_norm,
        "use_ema": section.average is not None,
        "ema_momentum": section.average or 0.99,
        "name": OPTIMIZER_NAME,
    }
    optimizer = _of_kind(section, options)
    # Decay shrinks kernels; on scales and shifts it does no good.
    optimizer.exclude_from_weight_decay(var_names=["^gamma$", "^beta$", "^bias$"])
    return optimizer


def _of_kind(section: OptimizerConfig, options: dict) -> keras.optimizers.Optimizer:
    if section.name == "adam":
        return keras.optimizers.Adam(**options)
    if section.name == "adamw":
        return keras.optimizers.AdamW(weight_decay=section.weight_decay, **options)
    momentum = 0.9 if section.momentum is None else section.momentum
    return keras.optimizers.SGD(
        momentum=momentum,
        nesterov=momentum > 0,
        weight_decay=section.weight_decay or None,
        **options,
    )
