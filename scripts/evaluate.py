#!/usr/bin/env python3
"""Scores a model on a labelled dataset split, at the resolution of the truth."""

from semseg import command_line
from semseg.commands.evaluate import main

if __name__ == "__main__":
    command_line.run(main)
