#!/usr/bin/env python3
"""Evaluates a model on a ROS 1 or ROS 2 bag: without ROS, or (--live) as a running node."""

from semseg import command_line
from semseg.commands.evaluate_bag import main

if __name__ == "__main__":
    command_line.run(main)
