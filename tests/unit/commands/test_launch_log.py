"""The last line of each node that died, in what roslaunch prints."""

from semseg.commands.launch_log import last_words, went_on_alone

NODES = """
NODES
  /
    evaluator (semseg/evaluator_node.py)
    player (rosbag/play)
    segmenter (semseg/segmenter_node.py)

"""
TRACEBACK = """Traceback (most recent call last):
  File "/ws/devel/lib/semseg/{script}", line 15, in <module>
    exec(compile(fh.read(), python_script, 'exec'), context)
  File "/ws/src/semseg/semseg/ros/{name}.py", line 10, in <module>
    from diagnostic_msgs.msg import DiagnosticArray
ModuleNotFoundError: No module named 'diagnostic_msgs'
"""
DIED = """\x1b[31m[{name}-3] process has died [pid 7, exit code {code}, cmd /ws/x __name:={name}].
log file: {log}/{name}-3*.log\x1b[0m
"""
REQUIRED = """\x1b[31m==========REQUIRED process [{name}-3] has died!
process has died [pid 7, exit code {code}, cmd /ws/x __name:={name}].
log file: {log}/{name}-3*.log
Initiating shutdown!
==========\x1b[0m
"""


def died(name, log, code=1, text=DIED):
    return text.format(name=name, log=log, code=code)


def test_exceptions_are_those_of_the_nodes_whose_scripts_raised_them(tmp_path):
    text = NODES + TRACEBACK.format(script="evaluator_node.py", name="evaluator")
    text += TRACEBACK.format(script="segmenter_node.py", name="node").replace("diagnostic", "std")
    # roslaunch ends with the first: nobody says that the segmenter died too.
    assert last_words(text + died("evaluator", tmp_path, text=REQUIRED)) == [
        "evaluator: ModuleNotFoundError: No module named 'diagnostic_msgs'",
        "segmenter: ModuleNotFoundError: No module named 'std_msgs'",
    ]


def test_fatal_lines_are_found_in_the_nodes_own_logs_and_else_before_their_end(tmp_path):
    text = NODES + "[FATAL] [1.5]: Error opening file: x.bag\x1b[0m\n" + died("player", tmp_path)
    text += "[FATAL] [1.6]: cannot read the model\n" + died("segmenter", tmp_path, 2, REQUIRED)
    critical = "[rosout][CRITICAL] 2020-01-01 10:20:30,290: cannot read the model"
    (tmp_path / "segmenter-3.log").write_text("[rospy.core][INFO] x y: z\n" + critical + "\n")
    (tmp_path / "player-3-stdout.log").write_text("Opening x.bag\n")
    assert last_words(text) == [
        "player: Error opening file: x.bag", "segmenter: cannot read the model"
    ]  # fmt: skip


def test_a_node_without_words_is_named_by_its_output_or_its_exit_code(tmp_path):
    (tmp_path / "player-3-stdout.log").write_text("Opening x.bag\nno space left\n\n")
    text = NODES + died("player", tmp_path) + died("segmenter", tmp_path, -11)
    assert last_words(text) == ["player: no space left", "segmenter: exit code -11"]


def test_nodes_that_were_ended_have_not_died():
    ended = "[evaluator-4] killing on exit\n[player-3] process has finished cleanly\n"
    assert last_words(NODES + ended) == []


def test_roslaunch_goes_on_without_nodes_that_are_not_required(tmp_path):
    assert went_on_alone(NODES + died("player", tmp_path))
    assert not went_on_alone(NODES + died("evaluator", tmp_path, text=REQUIRED))
    assert not went_on_alone(NODES + died("rviz", tmp_path))
    assert went_on_alone(NODES + died("rviz", tmp_path) + died("player", tmp_path))
    assert not went_on_alone("[player-3] process has finished cleanly\n")
