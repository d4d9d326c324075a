#!/usr/bin/env python3
"""Labels images, a video or a camera: files of the same names and sizes, a video, a window."""

from semseg import command_line
from semseg.commands.predict import main

if __name__ == "__main__":
    command_line.run(main)
