#!/usr/bin/env python3
"""Freezes the best checkpoint of a run into one file for the robot, and converts it."""

from semseg import command_line
from semseg.commands.freeze import main

if __name__ == "__main__":
    command_line.run(main)
