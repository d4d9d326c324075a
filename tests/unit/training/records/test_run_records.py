import json
import struct

import cv2
import numpy as np
import pytest
import yaml
from tensorboardX.proto.event_pb2 import Event

from semseg.errors import CheckpointError, ConfigError
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import Resume, RunFolder
from semseg.training.records.tensorboard import Board


def _events(folder):
    """Reads an event file: records of length, its checksum, content, its checksum."""
    (path,) = folder.iterdir()
    content, events = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        events.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return events


def _pictures(events):
    """Step and tag -> picture, RGB."""
    return {
        (event.step, value.tag): cv2.imdecode(
            np.frombuffer(value.image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR
        )[..., ::-1]
        for event in events
        for value in event.summary.value
        if value.HasField("image")
    }


def test_a_run_shows_the_same_images_and_keeps_the_last_checkpoints(run, tmp_path):
    """With batches larger than either split."""
    run(training={"steps": 5, "epoch_steps": 2, "batch_size": 8, "kept_checkpoints": 2})
    folder = RunFolder(tmp_path / "run")
    checkpoints = sorted(path.name for path in folder.last.parent.iterdir())
    assert checkpoints == ["best.npz", "last.npz", "step_00000004.npz", "step_00000005.npz"]
    assert load_checkpoint(folder.last.with_name("step_00000004.npz")).state["step"] == 4
    usage = json.loads(folder.usage.read_text())
    assert usage["timed_steps"] == 2 and 50 < usage["peak_memory_mib"] < 100_000
    events = _events(folder.tensorboard)
    pictures = _pictures(events)
    name = "validation_images/tiny/{}"
    assert set(pictures) == {(step, name.format(i)) for step in (2, 4, 5) for i in (0, 1, 2)}
    images = np.load(folder.images)
    for (_, tag), picture in pictures.items():
        image, truth, prediction = np.split(picture, 3, axis=1)
        np.testing.assert_array_equal(image, images[int(tag[-1])])
        assert not truth[0].any()  # Void, which the test's images have in their first row.
        assert {tuple(color) for color in truth[1:].reshape(-1, 3)} <= {
            (200, 40, 40),
            (40, 200, 40),
            (40, 40, 200),
        }
        assert prediction[0].any()
    scalars = {value.tag for event in events for value in event.summary.value}
    assert {"loss", "learning_rate", "validation_mean_iou", "iou/tiny/road"} <= scalars


def test_a_run_without_progress_ends_early_and_stays_ended(run):
    sections = {
        "optimizer": {"name": "sgd", "learning_rate": 1e-12},
        "training": {"steps": 20, "epoch_steps": 1, "patience": 2},
    }
    outcome = run(resume=Resume.IF_THERE, **sections)
    assert outcome.finished and outcome.step == 3
    assert run(resume=Resume.IF_THERE, **sections).step == 3


def test_there_must_be_a_run_to_resume(run):
    with pytest.raises(ConfigError, match="holds no run to resume.*say --auto-resume"):
        run(resume=Resume.REQUIRED)


def test_resume_is_what_the_flags_say():
    assert Resume.of_flags(required=False, if_there=False) is Resume.NEVER
    assert Resume.of_flags(required=True, if_there=False) is Resume.REQUIRED
    assert Resume.of_flags(required=True, if_there=True) is Resume.IF_THERE


def test_a_class_table_that_contradicts_the_head_is_refused(run, tiny_dataset, tmp_path):
    declaration = tmp_path / "tiny.yaml"
    declaration.write_text(tiny_dataset.read_text())
    data = {"data": {"dataset": str(declaration)}, "training": {"steps": 1, "epoch_steps": 1}}
    run(root=tiny_dataset.parent, **data)
    changed = yaml.safe_load(declaration.read_text())
    changed["classes"][1]["name"] = "street"
    declaration.write_text(yaml.safe_dump(changed))
    with pytest.raises(CheckpointError, match=r"sky, road, car.* now: sky, street, car"):
        run(root=tiny_dataset.parent, resume=Resume.REQUIRED, **data)


def test_a_full_disk_is_seen_by_the_run_itself(tmp_path, monkeypatch):
    message = "cannot write into .*: No space left on device"
    with pytest.raises(CheckpointError, match=message), Board(tmp_path, start=0) as board:
        monkeypatch.setattr("tensorboardX.record_writer.os.fsync", _no_space)
        board.add(1, {"loss": 1.0}, {})


def _no_space(descriptor):
    raise OSError(28, "No space left on device")
