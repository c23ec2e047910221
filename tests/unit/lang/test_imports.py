# SPDX-License-Identifier: GPL-2.0-only
"""A spec is read with every module it uses, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.lang.imports import MAX_MODULES, Unit, load
from kvmcheck.source.diagnostic import Collector, Diagnostic
from kvmcheck.source.text import MAX_BYTES


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def loaded(folder: Path, entry: str = "spec.kvm") -> tuple[Unit | None, tuple[Diagnostic, ...]]:
    """A spec of the folder, with folder/model searched too, and what is said about it."""
    collector = Collector()
    unit = load(folder / entry, (folder / "model",), collector)
    assert (unit is None) == collector.has_errors
    return unit, collector.all()


def refusal(folder: Path, entry: str = "spec.kvm") -> Diagnostic:
    """The one diagnostic about a spec that can't be loaded."""
    unit, (only,) = loaded(folder, entry)
    assert unit is None
    return only


def test_modules_come_after_those_that_they_use(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "spec.kvm": "use b; use a;",
            "model/a.kvm": "module a; use kernel.c;",
            "model/b.kvm": "module b; use a; use kernel.c;",
            "model/kernel/c.kvm": "module kernel.c;",
        },
    )
    unit, _ = loaded(tmp_path)

    assert unit is not None
    assert list(unit.modules) == [("kernel", "c"), ("a",), ("b",)]
    assert unit.entry.module is None
    assert unit.modules["kernel", "c"].module == ("kernel", "c")


def test_the_folder_of_the_spec_comes_first(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use a;", "a.kvm": "module a; type Near;", "model/a.kvm": "module a;"})
    unit, _ = loaded(tmp_path)

    assert unit is not None
    assert len(unit.modules["a",].items) == 1


def test_a_circle_of_modules_is_drawn(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "spec.kvm": "use a;",
            "a.kvm": "module a; use b;",
            "b.kvm": "module b; use c;",
            "c.kvm": "module c; use b;",
        },
    )
    found = refusal(tmp_path)

    assert found.code == "KVM011"
    assert "b -> c -> b" in found.message


def test_a_module_that_uses_itself_is_a_circle(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use a;", "a.kvm": "module a; use a;"})

    assert "a -> a" in refusal(tmp_path).message


def test_a_module_that_is_not_there_has_a_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use kernel.srcu_;", "model/kernel/srcu.kvm": "module kernel.srcu;"})
    found = refusal(tmp_path)

    assert (found.code, found.help) == ("KVM010", "write `use kernel.srcu;`")
    assert found.primary.span.text == "use kernel.srcu_;"


def test_a_module_that_is_nowhere_says_where_it_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use nothing;", "model/a.kvm": "module a;"})
    found = refusal(tmp_path)

    assert found.code == "KVM010"
    assert "nothing.kvm" in found.help
    assert "model/" in found.help


def test_several_missing_modules_are_told_in_one_run(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use one;\nuse two;\nuse a;", "a.kvm": "module a; use three;"})
    _, found = loaded(tmp_path)

    assert [d.code for d in found] == ["KVM010"] * 3


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"in/spec.kvm": "use secret;", "out/secret.kvm": "module secret;"})
    (tmp_path / "in" / "secret.kvm").symlink_to(tmp_path / "out" / "secret.kvm")

    assert refusal(tmp_path / "in").code == "KVM012"


def test_a_linked_folder_is_no_way_out(tmp_path: Path) -> None:
    write(tmp_path, {"in/spec.kvm": "use sub.secret;", "out/secret.kvm": "module sub.secret;"})
    (tmp_path / "in" / "sub").symlink_to(tmp_path / "out")

    assert refusal(tmp_path / "in").code == "KVM012"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use a;"})
    (tmp_path / "a.kvm").symlink_to(tmp_path / "b.kvm")
    (tmp_path / "b.kvm").symlink_to(tmp_path / "a.kvm")

    assert refusal(tmp_path).code in ("KVM002", "KVM012")


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use a;", "deep/real.kvm": "module a;"})
    (tmp_path / "a.kvm").symlink_to(tmp_path / "deep" / "real.kvm")

    assert loaded(tmp_path)[0] is not None


@pytest.mark.parametrize(
    ("first_line", "says"),
    [("module b;", "the module `b`"), ("", "no `module` line"), ("module x.a;", "the module `x.a`")],
)
def test_a_module_is_called_like_its_file(tmp_path: Path, first_line: str, says: str) -> None:
    write(tmp_path, {"spec.kvm": "use a;", "a.kvm": f"{first_line} type T;"})
    found = refusal(tmp_path)

    assert found.code == "KVM013"
    assert says in found.message
    assert "`module a;`" in found.help


def test_the_file_that_is_checked_is_called_like_its_module(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"spec.kvm": "module other;", "mine.kvm": "module mine;", "sub/mine.kvm": "module sub.mine;"},
    )

    assert refusal(tmp_path).code == "KVM013"
    assert loaded(tmp_path, "mine.kvm")[0] is not None
    assert loaded(tmp_path, "sub/mine.kvm")[0] is not None


def test_a_mistake_in_a_module_is_told_there(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use a;\nuse b;", "a.kvm": "module a;\nint x", "b.kvm": "module b;\nx = 1;"})
    _, found = loaded(tmp_path)

    assert {Path(d.primary.span.source.path).name for d in found} == {"a.kvm", "b.kvm"}


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"large.kvm": " " * (MAX_BYTES + 1), "spec.kvm": "use folder;"})
    (tmp_path / "folder.kvm").mkdir()
    (tmp_path / "latin.kvm").write_bytes(b"// \xe9t\xe9\n")
    (tmp_path / "nul.kvm").write_bytes(b"use a;\0")

    assert refusal(tmp_path, "missing.kvm").code == "KVM001"
    assert refusal(tmp_path, "large.kvm").code == "KVM003"
    assert refusal(tmp_path, "latin.kvm").code == "KVM004"
    assert "byte 3 is 0xe9" in refusal(tmp_path, "latin.kvm").message
    assert refusal(tmp_path, "nul.kvm").code == "KVM005"
    assert refusal(tmp_path, "folder.kvm").code == "KVM006"
    assert refusal(tmp_path, "spec.kvm").code == "KVM006"
    assert refusal(tmp_path, "latin.kvm/x.kvm").code in ("KVM001", "KVM002")


def test_a_file_of_a_similar_name_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"fault.kvm": ""})

    assert refusal(tmp_path, "falt.kvm").help.endswith("fault.kvm")


def test_a_device_is_not_read(tmp_path: Path) -> None:
    collector = Collector()

    assert load(Path("/dev/zero"), (tmp_path,), collector) is None
    assert [found.code for found in collector.all()] == ["KVM002"]


def test_a_module_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": f"use {'x' * 5000};"})

    assert refusal(tmp_path).code == "KVM010"


def test_there_is_a_limit_to_modules(tmp_path: Path) -> None:
    chain = {f"m{n}.kvm": f"module m{n}; use m{n + 1};" for n in range(MAX_MODULES + 1)}
    write(tmp_path, {"spec.kvm": "use m0;", **chain})

    assert refusal(tmp_path).code == "KVM014"


def test_a_module_that_is_used_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"spec.kvm": "use a as x; use a as y;", "a.kvm": "module a;"})
    unit, _ = loaded(tmp_path)

    assert unit is not None
    assert list(unit.modules) == [("a",)]
