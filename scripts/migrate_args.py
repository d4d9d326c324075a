#!/usr/bin/env python3
"""Turns the args.json of a PARIS-sem-seg run into an experiment file."""

from semseg import command_line
from semseg.commands.migrate_args import main

if __name__ == "__main__":
    command_line.run(main)
