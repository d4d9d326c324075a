"""Which host this is; that several train as one is shown by tests/integration/test_jax.py."""

import pytest

from semseg.errors import ConfigError
from semseg.training.distribution import ADDRESS, ALONE, COUNT, INDEX, Hosts, join


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in (ADDRESS, COUNT, INDEX):
        monkeypatch.delenv(name, raising=False)


def test_one_host_needs_no_flag():
    assert join() == ALONE == Hosts(index=0, count=1, devices=1)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("0", "INDEX/COUNT@ADDRESS:PORT, such as 0/2@10.0.0.1:8476; found '0'"),
        ("0/2@somewhere", "found '0/2@somewhere'"),
        ("2/2@a:1", "--host 2/2@a:1: hosts are numbered from 0"),
        ("0/2@a:1", "several hosts need KERAS_BACKEND=jax, found tensorflow"),
    ],
)
def test_a_flag_that_cannot_be_is_named(flag, message):
    with pytest.raises(ConfigError, match=message):
        join(flag)


def test_half_an_environment_is_named(monkeypatch):
    monkeypatch.setenv(COUNT, "2")
    with pytest.raises(ConfigError, match="says nothing of .*PROCESS_ID and .*JOB_ADDRESSES"):
        join()


def test_a_wrong_environment_is_named(monkeypatch):
    for name, value in ((COUNT, "2"), (INDEX, "two"), (ADDRESS, "a:1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="PROCESS_ID=two.*hosts are numbered from 0"):
        join()


def test_a_batch_that_devices_cannot_share_is_refused():
    hosts = Hosts(index=0, count=2, devices=4)
    hosts.check_batch(8)
    with pytest.raises(ConfigError, match="batch_size is 6, which 4 devices of 2 host"):
        hosts.check_batch(6)


def test_host_0_alone_writes_the_run_folder(tmp_path):
    with Hosts(0, 2, 2).run_folder(tmp_path) as folder:
        assert folder.path == tmp_path
    folder.last.parent.mkdir()
    folder.last.write_bytes(b"weights")
    folder.config.write_bytes(b"name: x")
    with Hosts(1, 2, 2).run_folder(tmp_path) as copy:
        assert copy.path != tmp_path
        assert (copy.last.read_bytes(), copy.config.read_bytes()) == (b"weights", b"name: x")
    assert not copy.path.exists()
