"""An experiment's YAML file: its sections, checked, and the flags of older programs as one.

What the options do is in the modules that take them.
"""
