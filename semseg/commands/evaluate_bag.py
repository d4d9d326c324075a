"""Evaluates a model on a ROS 1 or ROS 2 bag: without ROS, or (--live) as a running node.

With a label topic: the scores. Without: how steady the labels are, class shares, confidence and
latency over time, and with --other-model where two models agree.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from semseg.commands import delivery, flags
from semseg.commands.bag_options import BagOptions, parse
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


def main() -> int:
    """Runs the command line."""
    options = parse(__doc__ or "")
    if options.live:
        from semseg.commands.evaluate_live import evaluate_live

        return evaluate_live(options)
    found = score_bag(options)
    report = found.report._replace(extra=found.to_json())
    print("\n".join(found.lines()))
    return delivery.deliver(report, options.delivery, found.sections)


def score_bag(options: BagOptions) -> BagReport:
    """Evaluates a bag without ROS.

    Raises:
      SemsegError: what the options name cannot be used.
    """
    options.check()
    if options.max_latency is not None:
        raise ConfigError("--max-latency is that of a running node; it needs --live")
    with ExitStack() as stack:
        output = _output(options)
        topics = (options.image_topic, options.label_topic)
        frames = frames_from_bag(options.bag, *topics, every=output.copy if output else None)
        paired_by = "stamp" if frames.clock.is_stamp else "time of recording"
        segmenter = stack.enter_context(flags.load_segmenter(options.segmenter))
        other = _load_other(options, stack)
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
            source=f"{' '.join(options.bag)} {options.image_topic}",
            min_mean_iou=options.delivery.min_miou,
            save=_each(watchers),
        )
        report = report._replace(model=describe_model(segmenter))
        return BagReport(
            report,
            consistency,
            agreement,
            describe_model(other) if other else {},
            paired_by if options.label_topic else None,
            frames.warnings,
        )


def _output(options: BagOptions) -> BagOutput | None:
    if not options.output:
        return None
    return BagOutput(Path(options.output), options.bag, options.force)


def _load_other(options: BagOptions, stack: ExitStack) -> Segmenter | None:
    if not options.other_model:
        return None
    path = flags.graph_path(options.other_model)
    return stack.enter_context(Segmenter.load(path, engine=options.segmenter.engine))


def _of_labels(watch: Callable[[Frame, np.ndarray], None]) -> Watcher:
    return lambda frame, result: watch(frame, result.labels)


def _each(watchers: list[Watcher]) -> Watcher:
    def watch(frame: Frame, result: Segmentation) -> None:
        for watcher in watchers:
            watcher(frame, result)

    return watch
