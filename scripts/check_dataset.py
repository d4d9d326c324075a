#!/usr/bin/env python3
"""Checks that a dataset's files are what its declaration says; exit status 1 if they are not."""

from semseg import command_line
from semseg.commands.check_dataset import main

if __name__ == "__main__":
    command_line.run(main)
