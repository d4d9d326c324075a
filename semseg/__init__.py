"""Semantic segmentation of road scenes: from labelled street images to label images on ROS topics.

This module imports nothing of the package on purpose: in a catkin devel space it is executed
whenever anything below ``semseg`` (so also the generated ``semseg.msg``) is imported.
"""

# The generated messages are in another folder of the same name, catkin's devel space. Its own
# __init__ finds this one; this line finds it when a checkout precedes it on the path.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
