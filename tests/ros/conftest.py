"""These are rostests: catkin runs them on a roscore (tools/run_rostests), pytest does not."""

collect_ignore_glob = ["*_test.py"]
