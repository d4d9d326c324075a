#!/usr/bin/env python3
"""Trains a network by an experiment file."""

from semseg import command_line
from semseg.commands.train import main

if __name__ == "__main__":
    command_line.run(main)
