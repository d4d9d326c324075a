import subprocess
import sys

import pytest

from semseg.runtime.processor import ONEDNN, instruction_set, prefer_onednn


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("flags : fpu sse4_2 avx avx2 avx512f avx512bw", "AVX-512"),
        ("flags : fpu sse4_2 avx avx2 fma", "AVX2"),
        ("flags : fpu sse4_2", "SSE4.2"),
        ("Features : fp asimd crc32", "NEON"),
    ],
)
def test_the_widest_instructions_are_named(tmp_path, flags, name):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\n{flags}\n")
    assert instruction_set(str(tmp_path / "cpuinfo")) == name


def test_a_machine_that_says_nothing_has_its_architecture(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert instruction_set(str(tmp_path / "missing")) == "riscv64"


@pytest.mark.parametrize(("given", "is_on"), [(None, True), ("1", True), ("0", False)])
def test_the_environment_goes_first(monkeypatch, given, is_on):
    monkeypatch.delenv(ONEDNN, raising=False)
    if given is not None:
        monkeypatch.setenv(ONEDNN, given)
    assert prefer_onednn() is is_on


@pytest.mark.parametrize(
    ("module", "needed"),
    [("semseg.training", "keras"), ("semseg.runtime.engines.tensorflow", "tensorflow")],
)
def test_it_is_on_before_tensorflow_is_imported(module, needed):
    pytest.importorskip(needed, reason="needs " + needed)
    program = f"""
import importlib, os, sys
os.environ.pop("{ONEDNN}", None)
class Noting:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            print("found with", os.environ.get("{ONEDNN}"))
sys.meta_path.insert(0, Noting())
importlib.import_module("{module}")
import tensorflow
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        check=False,
    )
    assert run.stdout.split("\n")[0] == "found with 1", run.stderr
