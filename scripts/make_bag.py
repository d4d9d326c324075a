#!/usr/bin/env python3
"""Writes a ROS 1 bag of a dataset, a drive through the town, images or a video; needs no ROS."""

from semseg import command_line
from semseg.commands.make_bag import main

if __name__ == "__main__":
    command_line.run(main)
