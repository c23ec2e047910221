# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck mutate`: which edits there are, what becomes of each, and that each can be pasted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvmcheck.cli.main import main
from kvmcheck.mutating import Fate, Mutation, Verdicts, Wanted
from kvmcheck.pipeline import check

SPEC = """\
// SPDX-License-Identifier: GPL-2.0-only
rwlock lock;
shared int 0..3 users guarded by lock.write;
shared bool flag;

void enter() {
    write_lock(&lock);
    @count users++;  BUG_ON(users == 0);
    write_unlock(&lock);
}

void look() {
    int 0..3 seen = 0;

    seen = 1;
    seen = 1;
    if (READ_ONCE(flag))
        WRITE_ONCE(flag, false);
    smp_mb();
}

void unused() { flag = true; }

invariant counted { users <= 2 }

scenario two "two threads" {
    process a[2] { enter(); look(); }
    check counted, no_deadlock, no_data_race;
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.kvm"
    path.write_text(SPEC, encoding="utf-8")
    return path


def fates(mutation: Mutation) -> dict[str, Verdicts]:
    return {edit.edit: mutation.verdicts(number) for number, edit in enumerate(mutation.edits, 1)}


def test_each_kind_of_edit_is_tried_on_what_runs_and_on_nothing_else(spec: Path) -> None:
    mutation = Mutation(Wanted(str(spec)))
    edits = [edit.edit for edit in mutation.edits]

    assert mutation.functions == ("enter", "look")
    assert mutation.base.fate is Fate.SURVIVED
    for expected in (
        "drop enter@count;",
        "drop enter@line7;",
        "replace lock enter@line7 with read_lock;",
        "move enter@count before enter@line7;",
        "drop look@line17;",
        "replace look@line17 with { if (!(READ_ONCE(flag)))\n        WRITE_ONCE(flag, false); }",
        "replace look@line17 with { if (flag)\n        WRITE_ONCE(flag, false); }",
        "replace look@line17 with { WRITE_ONCE(flag, false); }",
        "replace look@line18 with { flag = false; }",
        "move look@line16 before look@line15;",
    ):
        assert expected in edits, expected


def test_edits_are_killed_survive_or_are_equivalent_by_proof(spec: Path) -> None:
    found = fates(Mutation(Wanted(str(spec))))

    killed = found["drop enter@line7;"]
    assert killed.fate is Fate.KILLED and killed.steps is not None
    assert found["replace lock enter@line7 with read_lock;"].by == "no_unguarded_access"
    assert found["drop enter@count;"].by == "no_assertion_failure"
    assert found["move look@line16 before look@line15;"] == Verdicts(
        Fate.EQUIVALENT, "the program is the same"
    )
    assert found["drop look@line16;"].fate is Fate.EQUIVALENT
    assert found["drop look@line15;"].fate is Fate.EQUIVALENT
    assert found["drop look@line17;"].fate is Fate.SURVIVED
    assert Fate.UNKNOWN not in {verdicts.fate for verdicts in found.values()}


def test_an_edit_that_makes_no_sense_is_invalid(spec: Path) -> None:
    spec.write_text(
        SPEC.replace("int 0..3 seen = 0;\n\n    seen = 1;", "flag = false;\n    int 0..3 seen = 0;")
    )
    moved = [
        v for edit, v in fates(Mutation(Wanted(str(spec), only=("look",)))).items() if edit.startswith("move")
    ]

    assert any(v.fate is Fate.INVALID and v.by.startswith("KVM") for v in moved)


def test_a_limit_is_not_a_survivor(spec: Path) -> None:
    mutation = Mutation(Wanted(str(spec), only=("look",), states=2))

    assert mutation.base.fate is Fate.UNKNOWN
    assert fates(mutation)["drop look@line17;"].fate is Fate.UNKNOWN


def test_the_text_of_an_edit_with_a_label_can_be_pasted_and_does_the_same(spec: Path) -> None:
    mutation = Mutation(Wanted(str(spec)))
    number = next(n for n, edit in enumerate(mutation.edits, 1) if edit.edit == "drop enter@count;")
    pasted = mutation.text(number).replace("@count;", "@count;\n    expect no_assertion_failure violated;")
    spec.write_text(SPEC + pasted, encoding="utf-8")

    assert pasted.startswith(f"mutant mutant_{number} of two ")
    assert [case.judgement.outcome.value for case in check(spec).cases] == ["as expected"] * 2


def test_what_lacks_a_label_says_so(spec: Path) -> None:
    mutation = Mutation(Wanted(str(spec)))
    number = next(n for n, edit in enumerate(mutation.edits, 1) if edit.edit == "drop enter@line7;")

    assert mutation.text(number).startswith(f"// needs `@line7` before the statement at {spec}:7\nmutant ")


def test_several_processes_tell_the_same_in_the_same_order(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mutate", str(spec), "--jobs", "1", "--format", "json"]) == 1
    alone = capsys.readouterr().out
    assert main(["mutate", str(spec), "--jobs", "2", "--format", "json"]) == 1
    assert capsys.readouterr().out == alone
    report = json.loads(alone)
    assert [edit["number"] for edit in report["edits"]] == list(range(1, len(report["edits"]) + 1))
    assert sum(report["summary"].values()) == len(report["edits"])
    assert report["summary"]["survived"] == sum(edit["fate"] == "survived" for edit in report["edits"])


def test_one_edit_is_shown_with_its_trace(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", str(spec), "--show", "1", "--no-color"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("// needs `@line7`") and "// killed: " in shown and "VIOLATED" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "entr"], "did you mean enter?"),
        (["--only", "unused"], "two runs no such function"),
        (["--show", "99"], "there are edits 1 to"),
        (["--scenario", "three"], "no scenario or mutant is called `three`"),
    ],
)
def test_what_is_not_there_is_said(
    spec: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["mutate", str(spec), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_scenario_that_is_not_as_expected_is_not_mutated(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(SPEC.replace("users <= 2", "users <= 1"), encoding="utf-8")

    assert main(["mutate", str(spec)]) == 1
    assert "two is not as expected itself: counted" in capsys.readouterr().err
