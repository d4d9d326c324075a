#!/usr/bin/env python3
"""Plays a bag of the synthetic town through the node and compares its labels with the truth."""

from semseg import command_line
from semseg.commands.demo import main

if __name__ == "__main__":
    command_line.run(main)
