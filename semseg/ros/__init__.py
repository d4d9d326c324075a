"""The ROS side of the robot half: camera topics in, label topics out.

``node`` is the whole; it is given its segmenter, so it runs with any object that has
``.classes`` and ``.segment(image)``.
"""
