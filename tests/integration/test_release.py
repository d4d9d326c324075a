"""tools/release, in a checkout of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGELOG = """# Changelog

## Forthcoming

- Labels are right.

## 0.1.0 (2026-01-02)

- First version.
"""
GIT = ["git", "-c", "user.name=Tester", "-c", "user.email=tester@example.org"]


@pytest.fixture
def checkout(tmp_path):
    """A repository with a version, a changelog and the tool, all committed on main."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "release", tmp_path / "tools")
    (tmp_path / "package.xml").write_text("<package><version>0.2.0</version></package>")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "Tester")
    git(tmp_path, "config", "user.email", "tester@example.org")
    commit(tmp_path)
    git(tmp_path, "tag", "0.1.0")
    return tmp_path


def git(folder, *arguments):
    return subprocess.run(
        [*GIT, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Change")


def release(folder):
    command = [sys.executable, str(folder / "tools" / "release"), "--date", "2026-03-04"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_release_is_a_section_a_commit_and_a_tag(checkout):
    run = release(checkout)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "tagged 0.2.0; publish it with: git push origin main 0.2.0\n"
    expected = CHANGELOG.replace("## Forthcoming\n", "## Forthcoming\n\n## 0.2.0 (2026-03-04)\n", 1)
    assert (checkout / "CHANGELOG.md").read_text() == expected
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "log", "-1", "--format=%s") == "Release 0.2.0\n"
    assert git(checkout, "rev-parse", "0.2.0^{commit}") == git(checkout, "rev-parse", "HEAD")
    assert "- Labels are right." in git(checkout, "tag", "-l", "--format=%(contents)", "0.2.0")
    assert "First version" not in git(checkout, "tag", "-l", "--format=%(contents)", "0.2.0")


def _dirty(folder):
    (folder / "new.txt").write_text("")


def _branch(folder):
    git(folder, "checkout", "-q", "-b", "work")


def _same_version(folder):
    (folder / "package.xml").write_text("<package><version>0.1.0</version></package>")
    commit(folder)


def _no_version(folder):
    (folder / "package.xml").write_text("<package><version>soon</version></package>")
    commit(folder)


def _nothing_new(folder):
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## Forthcoming\n\n## 0.1.0\n\n- First.\n")
    commit(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_dirty, "1 files are not committed, such as new.txt"),
        (_branch, "on branch 'work'; releases are made on main"),
        (_same_version, "package.xml has version 0.1.0, and 0.1.0 is released; raise it first"),
        (_no_version, "package.xml has version 'soon', expected MAJOR.MINOR.PATCH"),
        (_nothing_new, "CHANGELOG.md says nothing under 'Forthcoming'"),
    ],
)
def test_what_stands_against_a_release_is_said_and_nothing_changes(checkout, spoil, message):
    spoil(checkout)
    before = git(checkout, "rev-parse", "HEAD"), (checkout / "CHANGELOG.md").read_text()
    run = release(checkout)
    assert run.returncode == 2
    assert run.stderr.startswith("error: ")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert before == (git(checkout, "rev-parse", "HEAD"), (checkout / "CHANGELOG.md").read_text())
    assert git(checkout, "tag") == "0.1.0\n"
