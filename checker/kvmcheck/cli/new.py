# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck new NAME`: a first spec that holds, and a sibling that fails, to start from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kvmcheck.cli.arguments import BadArguments, new_parser, parsed
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.render.plain import visible

_SPEC = """\
// SPDX-License-Identifier: GPL-2.0-only
//
// {what}
// Check it:  kvmcheck {path}

scalarset Gfn;                                  // guest frames: names only, never ordered
scalarset Pfn;                                  // host frames

spinlock mmu_lock;
shared seq  mmu_notifier_seq  written under mmu_lock;
shared Pfn? pte[Gfn];                           // what the host maps; `none`: nothing
shared Pfn? spte[Gfn]         guarded by mmu_lock;  // what the guest's shadow page table maps

// A guest access finds no spte: look the page up without the lock, then install it under the lock.
void page_fault(Gfn gfn)
{{
    seq mmu_seq;
    Pfn? pfn;

    @snapshot mmu_seq = READ_ONCE(mmu_notifier_seq);
    @lookup   pfn = READ_ONCE(pte[gfn]);
    if (pfn == none)
        return;
    spin_lock(&mmu_lock);
{retry}    @install  spte[gfn] = pfn;
    cover installed;
    spin_unlock(&mmu_lock);
{out}}}

// The host takes a page away, and tells KVM before the page is used for anything else.
void invalidate(Gfn gfn)
{{
    @clear    WRITE_ONCE(pte[gfn], none);
    spin_lock(&mmu_lock);
    @count    mmu_notifier_seq++;
    @zap      spte[gfn] = none;
    spin_unlock(&mmu_lock);
}}

// Once the invalidation of a frame has returned, no spte maps what the host no longer maps.
invariant no_stale_spte {{
    forall (Gfn g) : after return invalidate(g) : spte[g] == none
}}

scenario {name} "{title}" {{
    Gfn = 1;
    Pfn = 1;

    init {{ for (Gfn g) {{ choose pte[g] where (pte[g] != none); }} }}

    process vcpu[2] {{ page_fault(any Gfn); }}
    process host    {{ invalidate(any Gfn); }}

    check no_stale_spte;
    check no_deadlock, no_data_race;
    cover installed;{expect}
}}
{mutant}"""

_RETRY = """\
    @retry    if (mmu_seq != mmu_notifier_seq) goto out_unlock;
"""
_OUT = """\
    return;

out_unlock:
    spin_unlock(&mmu_lock);
"""
_MUTANT = """
// A model that can't be wrong is worth nothing: without the retry check it must fail.
mutant no_retry of {name} "the retry check is dropped" {{
    drop page_fault@retry;
    expect no_stale_spte violated;
}}
"""


def new(argv: Sequence[str]) -> int:
    """The exit status; both files are written, or neither."""
    arguments = parsed(new_parser(), argv)
    given = Path(str(arguments.name).removesuffix(".kvm"))
    name = given.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise BadArguments(f"`{name}` is no name for a spec: letters, digits and _ only, a letter first")
    good, broken = given.with_name(f"{name}.kvm"), given.with_name(f"{name}_broken.kvm")
    for path in (good, broken):
        if path.exists():
            raise BadArguments(f"{path} exists already, and is left as it is")
    try:
        for path, text in ((good, _good(name, good)), (broken, _broken(f"{name}_broken", broken))):
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise BadArguments(f"{error.filename}: {error.strerror}") from None
    print(visible(f"{good} holds, and so it should: kvmcheck {good}"))
    print(visible(f"{broken} lacks one line, and fails: kvmcheck {broken}"))
    return exit_status(Outcome.AS_EXPECTED)


def _good(name: str, path: Path) -> str:
    return _SPEC.format(
        what="A guest page fault races with the host, which takes the page away.",
        path=path,
        name=name,
        title="a fault races with the invalidation of its page",
        retry=_RETRY,
        out=_OUT,
        expect="",
        mutant=_MUTANT.format(name=name),
    )


def _broken(name: str, path: Path) -> str:
    return _SPEC.format(
        what="The same without the retry check: this one fails.  Which line is missing?",
        path=path,
        name=name,
        title="a fault races with the invalidation of its page, and nobody looks again",
        retry="",
        out="",
        expect="",
        mutant="",
    )
