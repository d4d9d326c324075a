"""What the node costs and how old its labels are, measured through ROS.

The speed of engines alone is measured by ``runtime.benchmark``.
"""
