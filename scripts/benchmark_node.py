#!/usr/bin/env python3
"""Measures the segmenter node on a ROS master of its own."""

from semseg import command_line
from semseg.commands.benchmark_node import main

if __name__ == "__main__":
    command_line.run(main)
