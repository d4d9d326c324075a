import errno
import os

import keras
import numpy as np
import pytest

from semseg.errors import CheckpointError
from semseg.networks import fast_scnn
from semseg.training.records.checkpoints import (
    initialize,
    load_checkpoint,
    model_variables,
    restore,
    save_checkpoint,
)


@pytest.fixture
def variables():
    return {"a/kernel": keras.Variable(np.ones((2, 3))), "a/bias": keras.Variable(np.zeros(3))}


def test_what_was_saved_comes_back(tmp_path, variables):
    path = tmp_path / "last.npz"
    save_checkpoint(path, variables, {"history": [0.1]})
    for variable in variables.values():
        variable.assign(variable + 7)
    checkpoint = load_checkpoint(path)
    restore(checkpoint, variables)
    np.testing.assert_array_equal(variables["a/kernel"], np.ones((2, 3)))
    assert checkpoint.state == {"history": [0.1]}
    assert os.listdir(tmp_path) == ["last.npz"]


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_full_disk_leaves_the_former_checkpoint(tmp_path, variables, monkeypatch, failing):
    path = tmp_path / "last.npz"
    save_checkpoint(path, variables, {"step": 1})
    former = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if failing == "write":
        (tmp_path / "last.npz.partial").symlink_to("/dev/full")
    else:
        monkeypatch.setattr("semseg.files.os.fsync", full)
    with pytest.raises(CheckpointError, match=r"No space left on device; the former one is kept"):
        save_checkpoint(path, variables, {"step": 2})
    assert path.read_bytes() == former
    assert os.listdir(tmp_path) == ["last.npz"]


def test_a_save_that_is_interrupted_leaves_the_former_checkpoint_alone(
    tmp_path, variables, monkeypatch
):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    save_checkpoint(tmp_path / "last.npz", variables, {"step": 1})
    monkeypatch.setattr("semseg.files.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "last.npz", variables, {"step": 2})
    assert os.listdir(tmp_path) == ["last.npz"]
    assert load_checkpoint(tmp_path / "last.npz").state == {"step": 1}


def test_a_missing_folder_is_named(tmp_path, variables):
    with pytest.raises(CheckpointError, match="gone/last.npz: cannot.*No such file.*no former one"):
        save_checkpoint(tmp_path / "gone" / "last.npz", variables, {})


def test_a_truncated_file_is_damaged_not_a_traceback(tmp_path, variables):
    path = tmp_path / "last.npz"
    save_checkpoint(path, variables, {})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckpointError, match="last.npz is damaged"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="no checkpoint .*none.npz"):
        load_checkpoint(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: np.savez(path, kernel=np.ones(3)), "is no checkpoint of a run"),
        (lambda path: np.savez(path, state=np.array("[1]")), "is damaged"),
        (lambda path: np.savez(path, state=np.ones(3)), "is damaged"),
        (lambda path: np.save(path.open("wb"), np.ones(3)), "is damaged"),
        (lambda path: path.write_bytes(b""), "is damaged"),
    ],
    ids=["foreign arrays", "foreign state", "no text", "one array", "empty"],
)
def test_a_file_of_something_else_is_named(tmp_path, write, message):
    write(tmp_path / "last.npz")
    with pytest.raises(CheckpointError, match=f"last.npz {message}"):
        load_checkpoint(tmp_path / "last.npz")


def test_a_fact_that_is_not_there_is_named(tmp_path, variables):
    save_checkpoint(tmp_path / "last.npz", variables, {"step": 3})
    checkpoint = load_checkpoint(tmp_path / "last.npz")
    assert checkpoint.fact("step") == 3
    with pytest.raises(CheckpointError, match=r"last.npz has no 'history', found step; another"):
        checkpoint.fact("history")


def test_another_network_is_refused_before_anything_changes(tmp_path, variables):
    path = tmp_path / "last.npz"
    save_checkpoint(path, variables, {})
    kernel = keras.Variable(np.zeros((2, 3)))
    other = {"a/kernel": kernel, "a/bias": keras.Variable(np.zeros(4))}
    with pytest.raises(CheckpointError, match=r"shape \(3,\) for a/bias, expected shape \(4,\)"):
        restore(load_checkpoint(path), other)
    assert not np.any(kernel)


def test_initialize_copies_what_fits_and_lists_the_rest(tmp_path, variables):
    path = tmp_path / "best.npz"
    save_checkpoint(path, variables, {})
    other = {
        "a/kernel": keras.Variable(np.zeros((2, 3))),
        "a/bias": keras.Variable(np.zeros(4)),
        "b/bias": keras.Variable(np.zeros(1)),
    }
    assert initialize(load_checkpoint(path), other) == [
        "a/bias: shape (4,) here, shape (3,) in the file",
        "b/bias: shape (1,) here, none in the file",
    ]
    np.testing.assert_array_equal(other["a/kernel"], np.ones((2, 3)))
    with pytest.raises(CheckpointError, match="no weight that fits"):
        initialize(load_checkpoint(path), {"c": keras.Variable(np.zeros(1))})


def test_variable_names_are_the_same_for_every_model_of_a_process():
    first, second = (fast_scnn(2, width=0.1) for _ in range(2))
    names = list(model_variables(first))
    assert names == list(model_variables(second))
    assert len(names) == len(first.variables)
    assert [name for name in names if "seed" in name] == ["dropout/seed_generator_state"]
