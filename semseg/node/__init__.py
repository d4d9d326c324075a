"""The node without its middleware: which frame is next, which model labels it, what is counted.

No ROS here: ``semseg.ros`` adapts it. Nothing here would change for another middleware.
"""
