#!/usr/bin/env python3
"""Trains a network by an experiment file."""

import sys

from semseg import command_line


def main():
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
    args = parser.parse_args()
    if not (args.workdir or args.fake_input):
        parser.error("--workdir is missing")

    from semseg.training import distribution, fake_input, learning_data, trainer
    from semseg.training.config.experiment import load_config, parse_roots

    hosts = distribution.join(args.host)
    overfit = [f"training.overfit={args.overfit}"] if args.overfit else []
    experiment = load_config(args.config, [*args.set, *overfit])
    if args.fake_input:
        for name, value in fake_input.measure_steps(experiment, args.fake_input).items():
            print(f"{name}: {value}")
        return command_line.DONE
    roots = parse_roots(args.root, experiment.data.names)
    if not args.no_check:
        learning_data.check_data(experiment.data, roots)
    resume = trainer.Resume.of_flags(required=args.resume, if_there=args.auto_resume)
    outcome = trainer.train(experiment, roots, args.workdir, resume, args.init_weights, hosts=hosts)
    if not outcome.finished:
        sys.stderr.write(f"stopped at step {outcome.step}; continue with --resume\n")
        return command_line.INTERRUPTED
    print(f"{outcome.text()}, in {args.workdir}")
    return command_line.DONE if outcome.passed else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
