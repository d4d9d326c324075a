"""Training on several devices and several hosts: each takes its share of every batch.

Keras distributes with JAX alone. All devices of a host that JAX sees are used; the weights are
the same everywhere, and a step gives what one device would give with the whole batch.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from semseg.errors import ConfigError
from semseg.training.records.run_folder import RunFolder

ADDRESS, COUNT, INDEX = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
"""Keras's environment variables; of the addresses JAX needs that of host 0 alone."""
_FLAG = re.compile(r"(?P<index>\d+)/(?P<count>\d+)@(?P<address>\S+:\d+)")


@dataclass(frozen=True)
class Hosts:
    """The hosts of a run, and which of them this process is.

    Attributes:
      index: number of this host, from 0.
      count: number of hosts.
      devices: number of devices of all hosts.
    """

    index: int = 0
    count: int = 1
    devices: int = 1

    def check_batch(self, batch_size: int) -> None:
        """Raises ``ConfigError`` if a batch cannot be shared evenly by the devices."""
        if batch_size % self.devices:
            raise ConfigError(
                f"training.batch_size is {batch_size}, which {self.devices} devices of "
                f"{self.count} host(s) cannot share evenly; give a multiple of {self.devices}"
            )

    def any(self, flag: bool) -> bool:
        """Says whether a flag is set on any host; all of them have to ask at once."""
        if self.count == 1:
            return flag
        from jax.experimental.multihost_utils import process_allgather

        return bool(np.any(process_allgather(np.array(flag))))

    @contextmanager
    def run_folder(self, workdir: str | Path) -> Iterator[RunFolder]:
        """Gives host 0 the run folder, and the others a copy of what it begins with.

        What these write is thrown away: the run folder has one writer.

        Args:
          workdir: the run folder, in a file system that all hosts see.

        Yields:
          The folder that this host writes into.
        """
        folder = RunFolder(workdir)
        if self.index == 0:
            yield folder
            return
        with tempfile.TemporaryDirectory(prefix="semseg_host_") as scratch:
            copy = RunFolder(scratch)
            if folder.last.exists():
                copy.last.parent.mkdir()
                shutil.copyfile(folder.last, copy.last)
                shutil.copyfile(folder.config, copy.config)
            yield copy


ALONE = Hosts()


def join(flag: str | None = None) -> Hosts:
    """Joins the other hosts of a run, if there are any, and takes all devices into use.

    Has to come before anything that computes.

    Args:
      flag: ``INDEX/COUNT@ADDRESS:PORT`` of this host, the number of hosts and host 0's address;
        None takes Keras's environment variables, and one host if they are not set.

    Returns:
      The hosts.

    Raises:
      ConfigError: the flag or the variables cannot be, the backend is not JAX, or the hosts did
        not meet.
    """
    options = _of_flag(flag) if flag else _of_environment()
    if keras.backend.backend() != "jax":
        if options:
            raise ConfigError(
                f"several hosts need KERAS_BACKEND=jax, found {keras.backend.backend()}"
            )
        return ALONE
    if options:
        _meet(*options)
    devices = len(keras.distribution.list_devices())
    if devices > 1:
        # Not sharded by Keras: a host reads its own share of a batch.
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(auto_shard_dataset=False)
        )
    index, count, _ = options or (0, 1, None)
    return Hosts(index, count, devices)


def _of_flag(flag: str) -> tuple[int, int, str]:
    match = _FLAG.fullmatch(flag)
    if match is None:
        raise ConfigError(
            f"a host is INDEX/COUNT@ADDRESS:PORT, such as 0/2@10.0.0.1:8476; found '{flag}'"
        )
    return _checked(match["index"], match["count"], match["address"], f"--host {flag}")


def _of_environment() -> tuple[int, int, str] | None:
    names = (INDEX, COUNT, ADDRESS)
    found = [os.environ.get(name) for name in names]
    if not any(found):
        return None
    missing = [name for name, value in zip(names, found, strict=True) if not value]
    if missing:
        raise ConfigError(f"the environment says nothing of {' and '.join(missing)}")
    index, count, address = (str(value) for value in found)
    return _checked(index, count, address, f"{INDEX}={index}, {COUNT}={count}")


def _checked(index: str, count: str, address: str, source: str) -> tuple[int, int, str]:
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise ConfigError(f"{source}: hosts are numbered from 0 to their count less one")
    return int(index), int(count), address


def _meet(index: int, count: int, address: str) -> None:
    try:
        keras.distribution.initialize(address, count, index)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"host {index} of {count} did not meet the others at {address}: {reason}")
