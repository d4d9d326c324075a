#!/usr/bin/env python3
"""Plays the synthetic town, whose labels are compared with the truth, and a real street."""

from semseg import command_line
from semseg.commands.demo import main

if __name__ == "__main__":
    command_line.run(main)
