# SPDX-License-Identifier: GPL-2.0-only
"""Proofs for every size: what holds is shown, what does not is not, and certificates are believed by nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvmcheck.cli.main import main
from kvmcheck.parametric import Parametric, certificate, proof_of, prove_for_every_size
from kvmcheck.pipeline import Options, load_file
from kvmcheck.prove.method import Limits, Method
from kvmcheck.prove.parametric.obligations import Help
from kvmcheck.proving import Request
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector

SNAPSHOT = """
scalarset Cpu;
spinlock l;
shared int 0..9 inside guarded by l;
shared seq s written under l;
void work(Cpu c) {
    seq old = data_race(s);
    spin_lock(&l);
    @check if (s == old)
        @add inside = inside + 1;
    spin_unlock(&l);
    spin_lock(&l);
    @leave if (inside > 0)
        inside = 0;
    @bump s++;
    spin_unlock(&l);
}
CLAUSE
invariant small { inside <= BOUND }
scenario snapshot "who has the newest number may enter" {
    Cpu = 2;
    process cpu[Cpu c] { forever { work(c); } }
    check small;
}
"""

LOCKED = """
scalarset Cpu;
spinlock l;
shared Cpu? owner guarded by l;
void enter(Cpu c) {
    spin_lock(&l);
    @take  owner = c;
    @use   lockdep_assert_held(&l);
    @leave owner = none;
    spin_unlock(&l);
}
CLAUSES
invariant free_when_unlocked unless held(l) { owner == none }
scenario locked "the owner is the holder" {
    Cpu = 2;
    process cpu[Cpu c] { forever { enter(c); } }
    check free_when_unlocked;
}
"""
OWNED = (
    "inductive invariant owned { owner == none or exists (enter e) : e in @take..@leave and owner == e.c }"
)


def proved(tmp_path: Path, text: str) -> Parametric:
    """What is proved of the first case of a text."""
    spec = tmp_path / "spec.kvm"
    spec.write_text(text)
    file = load_file(str(spec))
    assert file.unit is not None, [d.message for d in file.diagnostics]
    request = Request(Options(), Method.AUTO, Limits(None, 60.0, None))
    return prove_for_every_size(file, file.cases[0], request)


def verdicts(found: Parametric) -> dict[str, Verdict]:
    """The verdict of each claim."""
    assert found.report.account is not None
    return {finding.property: finding.verdict for finding in found.report.account.findings}


def test_what_holds_at_every_size_is_shown(tmp_path: Path) -> None:
    found = proved(tmp_path, LOCKED.replace("CLAUSES", OWNED))

    assert verdicts(found) == {"free_when_unlocked": Verdict.HOLDS}
    assert found.report.account is not None
    assert found.report.account.looked == "any number of steps"
    assert found.report.account.sized == "every number of Cpu"


READY = """
scalarset Cpu;
shared bool ready;
shared bool used;
void setup() { ready = true; @use used = true; }
CLAUSE
inductive invariant used_is_ready { used implies ready }
invariant fine { used implies ready }
scenario setups "what is used is ready" {
    Cpu = 2;
    process cpu[Cpu c] { setup(); }
    check fine;
}
"""


def test_an_obligation_that_fails_is_named_and_told(tmp_path: Path) -> None:
    found = proved(tmp_path, READY.replace("CLAUSE", ""))

    assert verdicts(found) == {"fine": Verdict.UNKNOWN}
    assert [failed.name for failed in found.failed] == ["setup@use preserves used_is_ready"]
    story = found.failed[0].story
    assert story is not None
    assert [row.innermost.function for row in story.rows] == ["setup"]


def test_the_clause_that_the_counterexample_asks_for_mends_it(tmp_path: Path) -> None:
    clause = "inductive invariant ready_first { forall (setup f) : f at @use implies ready }"

    assert verdicts(proved(tmp_path, READY.replace("CLAUSE", clause))) == {"fine": Verdict.HOLDS}


def test_a_wrong_clause_is_refuted_by_a_run_before_any_proof(tmp_path: Path) -> None:
    found = proved(tmp_path, LOCKED.replace("CLAUSES", "inductive invariant never { owner == none }"))

    assert verdicts(found)["never"] is Verdict.VIOLATED
    assert found.obligations == 0


def test_a_claim_that_fails_at_larger_sizes_only_is_not_shown(tmp_path: Path) -> None:
    # At the sizes that the explorer looks at, no more than two are inside at once.
    text = SNAPSHOT.replace("CLAUSE", "").replace("BOUND", "2")

    assert verdicts(proved(tmp_path, text))["small"] is not Verdict.HOLDS


INDEX = """
index Slot;
shared bool used[Slot];
void use(Slot s) { used[s] = true; }
invariant fine { true }
scenario slots "an index" { Slot = 2; process p { use(any Slot); } check fine; }
"""
INIT = """
shared bool used;
void use() { used = true; }
invariant fine { true }
scenario begun "not from the defaults" { init { used = true; } process p { use(); } check fine; }
"""
NUMBERED = """
shared bool used[3];
void use() { used[1] = true; }
invariant fine { true }
scenario numbered "an array" { process p { use(); } check fine; }
"""
STEP = """
shared bool used;
void use() { used = true; }
step fine { old(used) implies used }
scenario stepping "two states" { process p { use(); } check fine; }
"""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (INDEX, "`Slot`, an index with arithmetic"),
        (INIT, "an `init` block, or a parameter that is `any`"),
        (NUMBERED, "`used`, an array indexed by numbers"),
        (STEP, "`fine`, a property of steps"),
    ],
)
def test_what_is_not_carried_is_named(tmp_path: Path, text: str, named: str) -> None:
    found = proved(tmp_path, text)

    assert [(d.code, d.message) for d in found.report.diagnostics] == [
        ("KVM550", f"a parametric proof does not carry {named}")
    ]


def certified(tmp_path: Path) -> Path:
    """A certificate of a small spec."""
    spec = tmp_path / "spec.kvm"
    spec.write_text(LOCKED.replace("CLAUSES", OWNED))
    assert main(["prove", "--parametric", "--certificate", str(tmp_path / "proof"), str(spec)]) == 0
    return tmp_path / "proof" / "locked"


def test_a_certificate_is_rechecked_by_another_solver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = certified(tmp_path)
    capsys.readouterr()

    assert main(["recheck", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "HOLDS     free_when_unlocked" in said
    assert "shown by cvc5" in said


def test_an_obligation_that_somebody_has_made_easier_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = certified(tmp_path)
    file = sorted(folder.glob("*.smt2"))[3]
    file.write_text(file.read_text().replace("(check-sat)", "(assert false)\n(check-sat)"))

    assert main(["recheck", str(folder)]) == 1
    assert "is not what the spec says" in capsys.readouterr().out


def test_an_obligation_that_is_left_out_is_noticed(tmp_path: Path) -> None:
    folder = certified(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["obligations"][-1]
    (folder / "manifest.json").write_text(json.dumps(manifest))

    assert main(["recheck", str(folder)]) == 1


def test_a_certificate_of_another_spec_is_noticed(tmp_path: Path) -> None:
    folder = certified(tmp_path)
    spec = tmp_path / "spec.kvm"
    spec.write_text(spec.read_text().replace("owner = c;", "owner = none;"))

    assert main(["recheck", str(folder)]) == 1


def test_a_manifest_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    folder = certified(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["obligations"][0]["file"] = "../../secret"
    (folder / "manifest.json").write_text(json.dumps(manifest))

    assert main(["recheck", str(folder)]) == 1


@pytest.mark.slow
def test_the_protocol_of_2008_is_proved_for_every_size() -> None:
    file = load_file("specs/proofs/protocol_2008.kvm")
    case = file.cases[0]
    request = Request(Options(), Method.AUTO, Limits(None, 600.0, None))
    found = prove_for_every_size(file, case, request)

    assert set(verdicts(found).values()) == {Verdict.HOLDS}
    assert certificate(file, case, request, found, "test") is not None


@pytest.mark.parametrize("help_", list(Help))
def test_obligations_are_the_same_text_each_time(tmp_path: Path, help_: Help) -> None:
    spec = tmp_path / "spec.kvm"
    spec.write_text(LOCKED.replace("CLAUSES", OWNED))
    file = load_file(str(spec))
    assert file.unit is not None
    texts = []
    for _ in range(2):
        made = proof_of(file.unit, "locked", {}, Collector())
        assert made is not None
        _, proof = made
        texts.append([proof.query(o, help_) for o in proof.obligations()])

    assert texts[0] == texts[1]


def test_a_clause_that_leads_round_is_told(tmp_path: Path) -> None:
    text = """
scalarset Cpu;
scalarset Page;
shared Page? uses[Cpu];
shared bool free[Page] = true;
void take(Cpu c, Page p) { atomic { if (free[p] && uses[c] == none) { free[p] = false; uses[c] = p; } } }
inductive invariant somebody_uses_it { forall (Page p) : free[p] or exists (Cpu c) : uses[c] == p }
invariant fine { forall (Page p) : free[p] or exists (Cpu c) : uses[c] == p }
scenario pages "who uses what" { Cpu = 2; Page = 2; process cpu[Cpu c] { take(c, any Page); } check fine; }
"""
    found = proved(tmp_path, text)

    assert verdicts(found) == {"fine": Verdict.HOLDS}
    assert [(c.clause, c.sorts) for c in found.circles] == [("somebody_uses_it", ("Page.", "Cpu.", "Page."))]


def test_a_claim_that_never_had_a_chance_to_fail_is_told(tmp_path: Path) -> None:
    text = """
shared bool used;
void use() { used = true; }
invariant fine { (used and not used) implies used }
scenario idle "nothing to see" { process p { use(); } check fine; }
"""
    found = proved(tmp_path, text)

    assert found.report.account is not None
    assert found.report.account.findings[0].vacuous
