#!/usr/bin/env python3
"""Draws a contact sheet of a dataset; with --augment, of each augmentation and whole batches."""

from semseg import command_line
from semseg.commands.show_dataset import main

if __name__ == "__main__":
    command_line.run(main)
