"""Builds the parts of a run that its configuration names: network, losses, optimizer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import keras
import numpy as np

from semseg.classes import ClassTable
from semseg.data import Sample
from semseg.data.check.class_statistics import PixelCounts
from semseg.errors import ConfigError
from semseg.networks import NETWORKS
from semseg.networks.heads import NumClasses
from semseg.runtime.graph.frozen_graph import DISPARITY, RIGHT
from semseg.training.config.experiment import ExperimentConfig, LossConfig, NetworkConfig
from semseg.training.config.optimization import OptimizerConfig
from semseg.training.fine_tuning import rate_factors, with_rates
from semseg.training.inputs import second_input
from semseg.training.losses import LOSSES
from semseg.training.losses.outputs import HeadLoss, output_losses
from semseg.training.schedules import build_schedule

WEIGHED_SAMPLES = 500
"""Samples whose labels are counted for class weights, spread over the split."""
OPTIMIZER_NAME = "optimizer"  # Keras would number it by process, and its variables with it.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
"""Keras's policy of each precision: in all of them variables are float32."""


def build_network(
    config: NetworkConfig, num_classes: NumClasses, second: str | None = None
) -> keras.Model:
    """Builds the network of an experiment.

    Args:
      config: its name and options.
      num_classes: number of classes, or that of each head by the head's name.
      second: ``data.second`` of the experiment.

    Raises:
      ConfigError: the options contradict each other, or the network cannot see what
        ``second`` says.
    """
    options = config.model_dump(exclude={"name"})
    channels = {"channels": 4} if second == DISPARITY else {}
    try:
        model = NETWORKS[config.name](num_classes, **options, **channels)
    except ValueError as error:
        raise ConfigError(f"network '{config.name}': {error}")
    seen = second_input(model)
    if seen != second:
        raise ConfigError(
            f"data.second is {second or 'null'}, but network '{config.name}' sees "
            + (f"'{seen}'; set data.second: {seen}" if seen else f"no '{RIGHT}' image")
        )
    return model


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Context in which networks are built that compute in a precision of ``POLICIES``."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[name])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def compile_model(
    model: keras.Model,
    config: ExperimentConfig,
    heads: Mapping[str, ClassTable],
    samples: Mapping[str, Sequence[Sample]],
) -> None:
    """Gives a network its losses and its optimizer, whose variables are made.

    Args:
      model: the network.
      config: the experiment.
      heads: the classes of each head.
      samples: training samples of each head, which class weights are computed from.
    """
    losses = {
        head: build_loss(config.loss, samples[head], classes) for head, classes in heads.items()
    }
    if len(losses) > 1:
        losses = {head: HeadLoss(loss) for head, loss in losses.items()}
    optimizer = build_optimizer(config, rate_factors(model, config.fine_tuning.rates))
    # Built for frozen layers too: a checkpoint has the same variables before and after they learn.
    optimizer.build(model.trainable_variables)
    loss, weights = next(iter(losses.values())), None
    if isinstance(model.output, dict):
        sections = (config.loss.auxiliary_weight, config.loss.teacher)
        loss, weights = output_losses(losses, model.output, *sections)
    # Without XLA: its convolutions on processors are three times slower than oneDNN's.
    jit_compile = False if keras.backend.backend() == "tensorflow" else "auto"
    model.compile(optimizer, loss, loss_weights=weights, jit_compile=jit_compile)


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
    options = config.model_dump(exclude={"name", "auxiliary_weight", "teacher"})
    weights = options.pop("class_weights")
    if isinstance(weights, str):
        if not samples:
            raise ConfigError(
                f"loss.class_weights: '{weights}' counts training labels, and there are none; "
                "give a number for each class, or null"
            )
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


def build_optimizer(
    config: ExperimentConfig, factors: Sequence[float] = ()
) -> keras.optimizers.Optimizer:
    """Builds the optimizer of an experiment, schedule, accumulation and loss scaling included.

    Args:
      config: the experiment.
      factors: on the rate of each trainable variable, see ``fine_tuning.rate_factors``.
    """
    section, training = config.optimizer, config.training
    average, accumulate = section.average, training.accumulate
    options = {
        "learning_rate": build_schedule(
            config.schedule, section.learning_rate, training.steps, accumulate
        ),
        "global_clipnorm": section.clip_norm,
        "use_ema": average is not None,
        # Keras averages after each batch, though weights move once in a step.
        "ema_momentum": (average or 0.99) ** (1 / accumulate),
        "gradient_accumulation_steps": accumulate if accumulate > 1 else None,
        "name": OPTIMIZER_NAME,
    }
    optimizer = _of_kind(section, options, factors)
    # Decay shrinks kernels; on scales and shifts it does no good.
    optimizer.exclude_from_weight_decay(var_names=["^gamma$", "^beta$", "^bias$"])
    if training.precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale")
    return optimizer


def _of_kind(
    section: OptimizerConfig, options: dict, factors: Sequence[float]
) -> keras.optimizers.Optimizer:
    if section.name == "adam":
        return with_rates(keras.optimizers.Adam, factors)(**options)
    if section.name == "adamw":
        kind = with_rates(keras.optimizers.AdamW, factors)
        return kind(weight_decay=section.weight_decay, **options)
    momentum = 0.9 if section.momentum is None else section.momentum
    return with_rates(keras.optimizers.SGD, factors)(
        momentum=momentum,
        nesterov=momentum > 0,
        weight_decay=section.weight_decay or None,
        **options,
    )
