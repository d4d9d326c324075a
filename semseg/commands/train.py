"""Trains a network by an experiment file."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from semseg import command_line


class Options(NamedTuple):
    """What is trained, on what, and where it is kept.

    Attributes:
      config: experiment file.
      root: folders of datasets, ``[NAME=]DIR``.
      workdir: run folder; None for fake input alone.
      resume: continue the run there.
      auto_resume: continue it or begin it.
      init_weights: weights to start from, a file or the name of an encoder.
      set: replaced values of the experiment, ``SECTION.KEY=VALUE``.
      overfit: overfit so many samples; None trains on all.
      fake_input: time so many steps on random crops.
      host: this host of several, ``INDEX/COUNT@ADDRESS:PORT``.
      no_check: do not check the data.
    """

    config: str
    root: Sequence[str]
    workdir: str | None
    resume: bool
    auto_resume: bool
    init_weights: str | None
    set: Sequence[str]
    overfit: int | None
    fake_input: int | None
    host: str | None
    no_check: bool


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(
        __doc__,
        "scripts/train.py --config config/experiments/town_reduced.yaml --workdir runs/town",
    )
    add, count = parser.add_argument, command_line.positive(int)
    add("--config", required=True, help="experiment file (YAML)")
    add("--root", action="append", default=[], metavar="[NAME=]DIR",
        help="folder of the dataset (of dataset NAME)")  # fmt: skip
    add("--workdir", help="run folder, made if missing")
    add("--resume", action="store_true", help="continue the run in --workdir")
    add("--auto-resume", action="store_true", help="continue the run in --workdir, or begin it")
    add("--init-weights", metavar="FILE|NAME",
        help="weights to start from where they fit: .npz of a run, .keras or .h5, or "
        "efficientnet_lite0, 1, 2")  # fmt: skip
    add("--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
        help="replaces a value of the experiment file")  # fmt: skip
    add("--overfit", type=count, metavar="N",
        help="learn N samples by heart; status 1 unless all their pixels get right")  # fmt: skip
    add("--fake-input", type=count, nargs="?", const=50, metavar="STEPS",
        help="time steps on random crops; reads no data, writes nothing")  # fmt: skip
    add("--host", metavar="INDEX/COUNT@ADDRESS:PORT",
        help="this host of several, and where host 0 is (needs KERAS_BACKEND=jax)")  # fmt: skip
    add("--no-check", action="store_true", help="train on data that was not checked")
    options = command_line.options(parser, Options)
    if not (options.workdir or options.fake_input):
        parser.error("--workdir is missing")

    from semseg.training import distribution, fake_input, learning_data, trainer
    from semseg.training.config.experiment import load_config, parse_roots

    hosts = distribution.join(options.host)
    overfit = [f"training.overfit={options.overfit}"] if options.overfit else []
    experiment = load_config(options.config, [*options.set, *overfit])
    if options.fake_input:
        for name, value in fake_input.measure_steps(experiment, options.fake_input).items():
            print(f"{name}: {value}")
        return command_line.DONE
    roots = parse_roots(options.root, experiment.data.names)
    if not options.no_check:
        learning_data.check_data(experiment.data, roots)
    resume = trainer.Resume.of_flags(required=options.resume, if_there=options.auto_resume)
    workdir, start = options.workdir or "", options.init_weights
    outcome = trainer.train(experiment, roots, workdir, resume, start, hosts=hosts)
    if not outcome.finished:
        sys.stderr.write(f"stopped at step {outcome.step}; continue with --resume\n")
        return command_line.INTERRUPTED
    print(f"{outcome.text()}, in {workdir}")
    return command_line.DONE if outcome.passed else command_line.BAD_VERDICT
