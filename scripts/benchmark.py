#!/usr/bin/env python3
"""Compares frozen graphs and engines: speed, load time, memory, agreement of labels."""

from semseg import command_line
from semseg.commands.benchmark import main

if __name__ == "__main__":
    command_line.run(main)
