"""Semantic segmentation of road scenes: from labelled street images to label images on ROS topics.

This module imports nothing on purpose: in a catkin devel space it is executed whenever
anything below ``semseg`` (so also the generated ``semseg.msg``) is imported.
"""
