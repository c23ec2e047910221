# SPDX-License-Identifier: GPL-2.0-only
"""What a user gets: the wheel's contents, and the command from a folder that is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """The environment without what would lead Python back to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command, run in a folder, whatever its exit status."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    target = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def held(wheel: Path) -> frozenset[str]:
    """The names in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh virtual environment that holds the wheel and sees our dependencies."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    command = (
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "install",
        "--no-deps",
        "--no-index",
        wheel,
    )
    done = run(sys.executable, *command, cwd=folder)
    assert done.returncode == 0, done.stderr
    # The dependencies come last on the path.  The editable install's .pth file there is not read, since
    # .pth files count in site folders only.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin"


def test_the_wheel_holds_every_module_of_the_package(held: frozenset[str]) -> None:
    modules = {
        str(path.relative_to(ROOT / "checker"))
        for path in (ROOT / "checker" / "kvmcheck").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert modules <= held
    assert "kvmcheck/py.typed" in held


@pytest.mark.parametrize(
    ("folder", "suffix", "inside"),
    [
        ("model", ".kvm", "kvmcheck/_library/model"),
        ("specs", ".kvm", "kvmcheck/_library/specs"),
        ("docs/reference/errors", ".md", "kvmcheck/_library/errors"),
    ],
)
def test_the_wheel_holds_the_library(held: frozenset[str], folder: str, suffix: str, inside: str) -> None:
    expected = {f"{inside}/{path.relative_to(ROOT / folder)}" for path in (ROOT / folder).rglob(f"*{suffix}")}

    assert expected
    assert expected <= held


def test_the_wheel_holds_nothing_else(held: frozenset[str]) -> None:
    allowed = (".py", ".typed", ".lark", ".json", ".kvm", ".md", ".c", ".h", ".js", ".css", ".html")
    strangers = {name for name in held if ".dist-info/" not in name and not name.endswith(allowed)}

    assert strangers == set()
    assert {name.split("/")[0].split("-")[0] for name in held} == {"kvmcheck"}


def test_the_wheel_declares_its_command_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.rpartition("/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        commands = archive.read(texts["entry_points.txt"]).decode()
        metadata = archive.read(texts["METADATA"]).decode()

    assert "kvmcheck = kvmcheck.cli.main:main" in commands
    assert "License-Expression: GPL-2.0-only" in metadata
    assert "LICENSE" in texts


def test_the_installed_package_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import kvmcheck; print(kvmcheck.__file__)", cwd=tmp_path)

    assert Path(where.stdout.strip()).is_relative_to(installed.parent), where.stderr


def test_the_module_is_the_command_too(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "python", "-m", "kvmcheck", "--version", cwd=tmp_path)

    assert done.stdout == run(installed / "kvmcheck", "--version", cwd=tmp_path).stdout
    assert done.stdout.startswith("kvmcheck 0.")


def test_the_installed_command_checks_a_spec_from_another_folder(installed: Path, tmp_path: Path) -> None:
    spec = tmp_path / "mine.kvm"
    shipped = min((ROOT / "specs" / "basics").glob("*.kvm"))
    spec.write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")

    done = run(installed / "kvmcheck", "mine.kvm", cwd=tmp_path)

    assert "HOLDS" in done.stdout, done.stderr
    assert done.returncode == 0


def test_the_installed_command_finds_the_models_that_it_ships(installed: Path, tmp_path: Path) -> None:
    shipped = ROOT / "specs" / "races" / "fault_vs_reclaim.kvm"
    (tmp_path / "mine.kvm").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")

    done = run(
        installed / "kvmcheck", "--only", "fault_vs_reclaim", "--states", "100", "mine.kvm",
        cwd=tmp_path,
    )  # fmt: skip

    # A hundred states are not enough for a verdict, but it got as far as looking for one.
    assert "UNKNOWN" in done.stdout, done.stderr
    assert done.returncode == 3


def test_the_installed_command_explains_a_code(installed: Path, tmp_path: Path) -> None:
    page = min((ROOT / "docs" / "reference" / "errors").glob("KVM*.md"))

    done = run(installed / "kvmcheck", "explain", page.stem, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "What it means" in done.stdout
