#!/usr/bin/env python3
"""Builds the TensorRT engine of a frozen graph on this machine, for engine onnxruntime."""

from semseg import command_line
from semseg.commands.build_engine import main

if __name__ == "__main__":
    command_line.run(main)
