#!/usr/bin/env python3
"""Trains a network by an experiment file."""

import sys

from semseg import command_line


def main():
    parser = command_line.parser(
        __doc__,
        "scripts/train.py --config config/experiments/town_reduced.yaml --workdir runs/town",
    )
    parser.add_argument("--config", required=True, help="experiment file (YAML)")
    parser.add_argument("--root", action="append", default=[], metavar="[NAME=]DIR",
                        help="folder of the dataset (of dataset NAME)")  # fmt: skip
    parser.add_argument("--workdir", required=True, help="run folder, made if missing")
    parser.add_argument("--resume", action="store_true", help="continue the run in --workdir")
    parser.add_argument("--init-weights", metavar="FILE",
                        help="checkpoint (.npz) whose fitting weights to start from")  # fmt: skip
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
                        help="replaces a value of the experiment file")  # fmt: skip
    args = parser.parse_args()

    from semseg.training import config, trainer
    from semseg.training.data_config import parse_roots

    experiment = config.load_config(args.config, args.set)
    roots = parse_roots(args.root, experiment.data.names)
    outcome = trainer.train(experiment, roots, args.workdir, args.resume, args.init_weights)
    if not outcome.finished:
        sys.stderr.write(f"stopped at step {outcome.step}; continue with --resume\n")
        return command_line.INTERRUPTED
    print(f"best validation mean IoU {outcome.best_mean_iou:.4f} in {args.workdir}")
    return command_line.BAD_VERDICT if outcome.skipped else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
