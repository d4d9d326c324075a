"""The robot side: runs frozen graphs on images. No ROS, no Keras, Python 3.6."""
