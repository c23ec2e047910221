# SPDX-License-Identifier: GPL-2.0-only
"""Edits are made as if by hand: the edited text parses to the edited tree."""

from __future__ import annotations

import pytest

from kvmcheck.lang.edits import apply_edits
from kvmcheck.source.diagnostic import Collector, Diagnostic
from tests.support.syntax import edits, functions_of

FAULT = """
int fault(int gfn) {
    seq snap;
    @snapshot snap = notifier_seq;
    @lookup pfn = lookup(gfn);
    @lock spin_lock(&mmu_lock);
    @retry if (snap != notifier_seq) { @out spin_unlock(&mmu_lock); return 0; }
    @install { @inner spte = pfn; }
    spin_unlock(&mmu_lock);
    return 1;
}
void other() { @only x = 1; if (x == 1) @nested x = 2; }
"""


def edited(change: str, text: str = FAULT) -> tuple[Diagnostic, ...] | dict[str, object]:
    """The functions after a change, or what is said against it."""
    collector = Collector()
    after = apply_edits(functions_of(text), edits(change), collector)
    return collector.all() or dict(after)


def refusal(change: str, text: str = FAULT) -> Diagnostic:
    """The one diagnostic about a change."""
    collector = Collector()
    before = functions_of(text)
    after = apply_edits(before, edits(change), collector)
    (only,) = collector.all()
    assert after == before
    return only


def by_hand(*changes: tuple[str, str], text: str = FAULT) -> dict[str, object]:
    """The functions of the text after these replacements."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return dict(functions_of(text))


SNAPSHOT = "    @snapshot snap = notifier_seq;\n"
LOOKUP = "    @lookup pfn = lookup(gfn);\n"
RETRY = "@retry if (snap != notifier_seq) { @out spin_unlock(&mmu_lock); return 0; }"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("drop fault@retry;", by_hand((RETRY, "@retry ;"))),
        ("drop other@nested;", by_hand(("@nested x = 2;", "@nested ;"))),
        ("move fault@snapshot after fault@lookup;", by_hand((SNAPSHOT + LOOKUP, LOOKUP + SNAPSHOT))),
        ("move fault@lookup before fault@snapshot;", by_hand((SNAPSHOT + LOOKUP, LOOKUP + SNAPSHOT))),
        ("swap fault@snapshot with fault@lookup;", by_hand((SNAPSHOT + LOOKUP, LOOKUP + SNAPSHOT))),
        ("swap fault@lookup with fault@snapshot;", by_hand((SNAPSHOT + LOOKUP, LOOKUP + SNAPSHOT))),
        (
            "swap fault@lookup with other@only;",
            by_hand((LOOKUP, "@only x = 1;"), ("{ @only x = 1;", "{" + LOOKUP)),
        ),
        (
            "move fault@inner before fault@entry;",
            by_hand(("@inner spte = pfn;", ""), ("seq snap;", "@inner spte = pfn; seq snap;")),
        ),
        (
            "move other@nested before other@return;",
            by_hand(("if (x == 1) @nested x = 2;", "if (x == 1) ; @nested x = 2;")),
        ),
        ("replace fault@install with { a(); b(); }", by_hand(("{ @inner spte = pfn; }", "{ a(); b(); }"))),
        ("insert { a(); } before fault@lock;", by_hand(("@lock", "{ a(); } @lock"))),
        ("insert { a(); } after fault@lock;", by_hand(("@retry", "{ a(); } @retry"))),
        ("insert { a(); } after other@nested;", by_hand(("@nested x = 2;", "{ @nested x = 2; { a(); } }"))),
        ("insert { a(); } after fault@entry;", by_hand(("seq snap;", "{ a(); } seq snap;"))),
        (
            "insert { a(); } before fault@return;",
            by_hand(("return 0;", "{ a(); } return 0;"), ("return 1;", "{ a(); } return 1;")),
        ),
        ("insert { a(); } before other@return;", by_hand(("@nested x = 2;", "@nested x = 2; { a(); }"))),
        (
            "replace lock fault@lock with read_lock;",
            by_hand(
                ("spin_lock(&mmu_lock)", "read_lock(&mmu_lock)"),
                ("@out spin_unlock(&mmu_lock)", "@out read_unlock(&mmu_lock)"),
                ("    spin_unlock(&mmu_lock)", "    read_unlock(&mmu_lock)"),
            ),
        ),
        (
            "drop fault@retry; move fault@retry after fault@install;",
            by_hand((RETRY, ""), ("{ @inner spte = pfn; }", "{ @inner spte = pfn; } @retry ;")),
        ),
        ("set early = true; drop other@only;", by_hand(("@only x = 1;", "@only ;"))),
    ],
)
def test_an_edit_does_what_a_hand_would(change: str, expected: dict[str, object]) -> None:
    assert edited(change) == expected


def test_only_unlocks_of_the_same_lock_are_replaced() -> None:
    text = "void f() { @a down_write(&s); up_write(&t); up_write(&s); down_write(&s.x); up_write(&s.x); }"
    expected = text.replace("down_write(&s)", "down_read(&s)").replace("up_write(&s)", "up_read(&s)")

    assert edited("replace lock f@a with down_read;", text) == dict(functions_of(expected))


@pytest.mark.parametrize(
    ("change", "code", "mend"),
    [
        ("drop fualt@retry;", "KVM450", "write `fault@retry`"),
        ("drop @retry;", "KVM450", "write `F@A`"),
        ("drop nothing_like_it@retry;", "KVM450", ""),
        ("drop fault@retyr;", "KVM451", "write `fault@retry`"),
        ("move fault@retry after fault@instal;", "KVM451", "write `fault@install`"),
        ("drop fault@return;", "KVM455", "insert { … } before fault@return;`"),
        ("insert { } after fault@return;", "KVM455", "write `before fault@return`"),
        ("move fault@install after fault@inner;", "KVM455", ""),
        ("swap fault@inner with fault@install;", "KVM455", ""),
        ("move fault@lock after fault@lock;", "KVM455", ""),
        ("move fault@lock before fault@return;", "KVM455", "move it to a label"),
        ("replace lock fault@lookup with read_lock;", "KVM456", ""),
        ("replace lock fault@lock with raed_lock;", "KVM456", "write `read_lock`"),
        ("move fault@lookup after fault@snapshot;", "KVM453", ""),
        ("replace lock fault@lock with spin_lock;", "KVM453", ""),
        ("swap fault@lock with fault@lock;", "KVM455", ""),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(change: str, code: str, mend: str) -> None:
    found = refusal(change)

    assert found.code == code
    assert found.help.endswith(mend)
    assert bool(found.help) == bool(mend)
    assert found.primary.span.source.path == "test.kvm"


def test_a_declaration_that_is_used_later_stays() -> None:
    text = "void f() { @a seq snap = s; @b x = 1; if (snap != s) x = 2; }"

    for change in ("drop f@a;", "move f@a after f@b;", "swap f@a with f@b;", "replace f@a with { }"):
        assert refusal(change, text).code == "KVM454"


def test_a_declaration_that_nobody_uses_may_go() -> None:
    text = "void f() { @a seq snap = s; @b x = 1; }"

    assert edited("drop f@a;", text) == dict(functions_of("void f() { @a ; @b x = 1; }"))


def test_a_label_that_stands_twice_is_no_place() -> None:
    found = refusal("drop f@a;", "void f() { @a x = 1; @a x = 2; }")

    assert found.code == "KVM452"
    assert [label.span.column for label in found.secondary] == [23, 13]


def test_one_bad_edit_does_not_hide_the_next() -> None:
    collector = Collector()
    apply_edits(functions_of(FAULT), edits("drop fault@x; drop nix@y; drop fault@retry;"), collector)

    assert [found.code for found in collector.all()] == ["KVM451", "KVM450"]
