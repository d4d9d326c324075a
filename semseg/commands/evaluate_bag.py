"""What ``scripts/evaluate_bag.py`` does without ROS: a model, or two, on the images of a bag."""

from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from semseg.commands import delivery, flags
from semseg.errors import ConfigError
from semseg.evaluation.frames.bag_frames import frames_from_bag
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.loop import evaluate
from semseg.evaluation.outputs.bag_output import BagOutput
from semseg.evaluation.report.report import describe_model
from semseg.evaluation.unlabelled.agreement import Agreement
from semseg.evaluation.unlabelled.bag_report import BagReport
from semseg.evaluation.unlabelled.consistency import TemporalConsistency
from semseg.runtime import Segmentation, Segmenter

Watcher = Callable[[Frame, Segmentation], None]


def score_bag(arguments: Namespace) -> BagReport:
    """Evaluates a bag as the flags of ``scripts/evaluate_bag.py`` say.

    Raises:
      SemsegError: what the flags name cannot be used.
    """
    delivery.check_bag_flags(arguments)
    if arguments.max_latency is not None:
        raise ConfigError("--max-latency is that of a running node; it needs --live")
    with ExitStack() as stack:
        output = _output(arguments)
        topics = (arguments.image_topic, arguments.label_topic)
        frames = frames_from_bag(arguments.bag, *topics, every=output.copy if output else None)
        segmenter = stack.enter_context(flags.load_segmenter(arguments))
        other = _load_other(arguments, stack)
        consistency = TemporalConsistency(segmenter.classes)
        agreement = Agreement(segmenter.classes, other) if other else None
        watchers = [_of_labels(consistency.add)]
        if agreement is not None:
            watchers.append(_of_labels(agreement.add))
        if output is not None:
            name = Path(segmenter.graph.path).name
            output.describe(segmenter.classes, name, segmenter.digest)
            watchers.append(stack.enter_context(output).add)
        report = evaluate(
            segmenter,
            frames,
            source=f"{arguments.bag} {arguments.image_topic}",
            min_mean_iou=arguments.min_miou,
            save=_each(watchers),
        )
        report = report._replace(model=describe_model(segmenter))
        return BagReport(report, consistency, agreement, describe_model(other) if other else {})


def _output(arguments: Namespace) -> BagOutput | None:
    if not arguments.output:
        return None
    new, old = Path(arguments.output), Path(arguments.bag)
    return BagOutput(new, old, arguments.image_topic, arguments.force)


def _load_other(arguments: Namespace, stack: ExitStack) -> Segmenter | None:
    if not arguments.other_model:
        return None
    path = flags.graph_path(arguments.other_model)
    return stack.enter_context(Segmenter.load(path, engine=arguments.engine))


def _of_labels(watch: Callable[[Frame, np.ndarray], None]) -> Watcher:
    return lambda frame, result: watch(frame, result.labels)


def _each(watchers: list[Watcher]) -> Watcher:
    def watch(frame: Frame, result: Segmentation) -> None:
        for watcher in watchers:
            watcher(frame, result)

    return watch
