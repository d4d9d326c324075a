#!/usr/bin/env python3
"""Writes a dataset downscaled, or frames of the town, as a folder with its own declaration."""

from semseg import command_line
from semseg.commands.prepare_dataset import main

if __name__ == "__main__":
    command_line.run(main)
