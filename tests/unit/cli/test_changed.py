# SPDX-License-Identifier: GPL-2.0-only
"""`--changed-since REV` checks what a commit may have broken, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmcheck.cli.main import main

MODULE = "module {name};\n{uses}\nshared int 0..3 {name}_count;\n"
SPEC = """\
{uses}
shared int 0..1 x;
invariant fine {{ x == 0 or x == 1 }}
scenario {name} "one thread" {{ process t {{ x = 1; }} check fine; }}
"""
Checked = Callable[..., list[str]]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


def git(folder: Path, *arguments: str) -> None:
    """Runs Git."""
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def put(path: Path, text: str) -> None:
    """Writes a file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository: `alone` uses nothing, `direct` uses low, `through` uses high, which uses low."""
    specs = tmp_path / "specs"
    put(specs / "low.kvm", MODULE.format(name="low", uses=""))
    put(specs / "high.kvm", MODULE.format(name="high", uses="use low;"))
    put(specs / "swap.kvm", MODULE.format(name="swap", uses=""))
    put(specs / "alone.kvm", SPEC.format(name="alone", uses=""))
    put(specs / "direct.kvm", SPEC.format(name="direct", uses="use low;"))
    put(specs / "through.kvm", SPEC.format(name="through", uses="use high;"))
    mutant = 'mutant m of replaces "" { replace module low with swap; expect fine holds; }\n'
    put(specs / "replaces.kvm", SPEC.format(name="replaces", uses="use low;") + mutant)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return specs


@pytest.fixture
def checked(tree: Path, capsys: pytest.CaptureFixture[str]) -> Checked:
    """The names of the files that are checked since a revision."""

    def run(revision: str = "HEAD", status: int = 0) -> list[str]:
        assert main(["--format", "json", "--jobs", "1", "--changed-since", revision, str(tree)]) == status
        whole = json.loads(capsys.readouterr().out)
        return [Path(file["path"]).stem for file in whole["files"] if file["cases"] or file["diagnostics"]]

    return run


def test_nothing_has_changed(tree: Path, checked: Checked, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked() == []
    main(["--changed-since", "HEAD", str(tree)])

    assert "7 of 7 specs have not changed since HEAD" in capsys.readouterr().out


def test_a_changed_module_brings_all_that_use_it(tree: Path, checked: Checked) -> None:
    put(tree / "low.kvm", MODULE.format(name="low", uses="// changed"))

    assert checked() == ["direct", "replaces", "through"]


def test_a_committed_change_counts_too(tree: Path, checked: Checked) -> None:
    put(tree / "high.kvm", MODULE.format(name="high", uses="use low; // changed"))
    git(tree, "commit", "-q", "-a", "-m", "second")

    assert checked("HEAD~1") == ["through"]
    assert checked("HEAD") == []


def test_a_module_that_only_a_mutant_puts_in_counts(tree: Path, checked: Checked) -> None:
    put(tree / "swap.kvm", MODULE.format(name="swap", uses="// changed"))

    assert checked() == ["replaces"]


def test_a_new_spec_is_checked(tree: Path, checked: Checked) -> None:
    put(tree / "fresh.kvm", SPEC.format(name="fresh", uses=""))

    assert checked() == ["fresh"]


def test_an_ignored_file_is_checked(tree: Path, checked: Checked) -> None:
    put(tree / ".gitignore", "fresh.kvm\n")
    put(tree / "fresh.kvm", SPEC.format(name="fresh", uses=""))

    assert checked() == ["fresh"]


def test_a_module_in_front_of_another_one_counts_when_it_comes_and_when_it_goes(
    tree: Path, checked: Checked
) -> None:
    """`mmu_lock` is one of the shipped modules; a file of that name beside the spec takes its place."""
    put(tree / "locks.kvm", SPEC.format(name="locks", uses="use mmu_lock;"))
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "uses a shipped module")
    assert checked() == []
    put(tree / "mmu_lock.kvm", "module mmu_lock;\n")
    assert checked() == ["locks"]
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "has one of its own")
    assert checked() == []
    (tree / "mmu_lock.kvm").unlink()

    assert checked() == ["locks"]


def test_a_linked_module_counts(tree: Path, checked: Checked) -> None:
    put(tree / "real.kvm", MODULE.format(name="linked", uses=""))
    (tree / "linked.kvm").symlink_to("real.kvm")
    put(tree / "links.kvm", SPEC.format(name="links", uses="use linked;"))
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "a link")
    put(tree / "real.kvm", MODULE.format(name="linked", uses="// changed"))

    assert checked(status=2) == ["links", "real"]  # `real` has another name than its module: always told


def test_a_spec_with_an_error_is_always_told(tree: Path, checked: Checked) -> None:
    put(tree / "wrong.kvm", "shared int\n")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "wrong")

    assert checked(status=2) == ["wrong"]


@pytest.mark.parametrize("revision", ["no_such", "--output=x", "HEAD:specs", "a b"])
def test_a_revision_that_is_none_is_one_line(
    revision: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--changed-since={revision}", str(tree)]) == 2
    said = capsys.readouterr().err

    assert said.count("\n") == 1
    assert "no commit" in said
    assert not (tree.parent / "x").exists()


def test_outside_a_repository_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    put(tmp_path / "a.kvm", SPEC.format(name="a", uses=""))

    assert main(["--changed-since", "HEAD", str(tmp_path)]) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_without_git_it_says_so(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert main(["--changed-since", "HEAD", str(tree)]) == 2
    assert "there is no `git`" in capsys.readouterr().err
