"""The robot half under the robot's own Python (3.6 or 3.7) and TensorFlow 1.15."""

ROBOT_PATHS = [
    "semseg/errors.py",
    "semseg/classes.py",
    "semseg/files.py",
    "semseg/metrics.py",
    "semseg/resources.py",
    "semseg/command_line.py",
    "semseg/profiles.py",
    "semseg/commands/__init__.py",
    "semseg/commands/benchmark.py",
    "semseg/commands/benchmark_node.py",
    "semseg/commands/build_engine.py",
    "semseg/runtime",
    "semseg/node",
    "semseg/ros",
    "ros_nodes",
]
ROBOT_TESTS = [
    "tests/unit/node",
    "tests/unit/runtime",
    "tests/unit/test_classes.py",
    "tests/unit/test_files.py",
    "tests/unit/test_metrics.py",
    "tests/unit/test_command_line.py",
    "tests/unit/test_profiles.py",
]
COMPILE = "import sys; [compile(open(p).read(), p, 'exec') for p in sys.argv[1:]]"


def test_robot_half_is_python_36(robot_python):
    paths = [robot_python.root / path for path in ROBOT_PATHS]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    assert len(files) > len(paths)
    compiled = robot_python.run("-c", COMPILE, *files)
    assert compiled.returncode == 0, compiled.stderr


def test_ros_half_imports_there(robot_python):
    imported = robot_python.run("tests/robot/import_with_stubs.py", robot_python.root)
    assert imported.returncode == 0, imported.stderr


def test_runtime_passes_its_tests_there(robot_python):
    options = ["-q", "-c", "tests/robot/old_pytest.ini", "--rootdir=."]
    finished = robot_python.run("-m", "pytest", *(options + ROBOT_TESTS))
    assert finished.returncode == 0, finished.stdout[-5000:] + finished.stderr[-2000:]
    assert " passed" in finished.stdout
