# SPDX-License-Identifier: GPL-2.0-only
"""An HTML report made by really checking small specs: a violation, runs without an end, a mistake, hostile texts."""

from __future__ import annotations

import contextlib
import io
import json
import re
from functools import lru_cache
from pathlib import Path

from kvmcheck.cli.main import main
from tests.support.reports import HOSTILE

#: A file may be called so, and a browser must not care.
RACE_FILE = "race <img src=x onerror=alert(2)> & 'q'.kvm"
LOOP_FILE = "loop.kvm"
BROKEN_FILE = "broken.kvm"

_RACE = """\
// SPDX-License-Identifier: GPL-2.0-only
// COMMENT
scalarset Pfn;
spinlock mmu_lock;
shared seq mmu_notifier_seq written under mmu_lock;
shared int 0..3 mmu_notifier_count written under mmu_lock;
shared Pfn? host_pte written under atomic;
shared Pfn? spte guarded by mmu_lock;
void fault() {
    seq mmu_seq;
    Pfn? pfn;
    @snapshot mmu_seq = READ_ONCE(mmu_notifier_seq);
    @lookup   pfn = READ_ONCE(host_pte);
    if (pfn == none) return;
    spin_lock(&mmu_lock);
    @retry if (mmu_notifier_seq != mmu_seq) { cover retry; spin_unlock(&mmu_lock); return; }
    @install spte = pfn;
    cover install;
    spin_unlock(&mmu_lock);
}
void invalidate() {
    @clear  WRITE_ONCE(host_pte, none);
    spin_lock(&mmu_lock);
    mmu_notifier_count++;
    @seq    mmu_notifier_seq++;
    @unmap  spte = none;
    mmu_notifier_count--;
    spin_unlock(&mmu_lock);
    @again  WRITE_ONCE(host_pte, any Pfn);
}
invariant no_stale_spte { spte != none implies (spte == host_pte or exists (invalidate i) : i in @clear..@unmap) }
scenario race "TITLE" {
    Pfn = 2;
    process vcpu[2] { fault(); }
    process host { invalidate(); }
    init { host_pte = any Pfn; }
    check no_stale_spte, no_deadlock;
    cover install, retry;
}
mutant no_retry of race "TITLE" {
    drop fault@retry;
    expect no_stale_spte holds;
}
"""

_LOOP = """\
// SPDX-License-Identifier: GPL-2.0-only
shared bool flag;
void poll() { await (READ_ONCE(flag)); }
live polled { poll completes }
scenario unlucky "one waits, another sets and clears" {
    process waiter { poll(); }
    process other { forever { WRITE_ONCE(flag, true); WRITE_ONCE(flag, false); } }
    check polled;
    expect polled violated;
}
invariant begun { flag }
scenario too_soon "it is false before anything happens" {
    process other { WRITE_ONCE(flag, true); }
    check begun;
    expect begun violated;
}
"""


def written(folder: Path, *names: str, options: tuple[str, ...] = ()) -> Path:
    """The page of a run over the specs of those names (default: all), written to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    texts = {
        RACE_FILE: _RACE.replace("TITLE", quoted).replace("COMMENT", HOSTILE),
        LOOP_FILE: _LOOP,
        BROKEN_FILE: f"// SPDX-License-Identifier: GPL-2.0-only\nshared int 0..3 count // {HOSTILE}\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    page = folder / "report.html"
    chosen = names or tuple(texts)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        main(["--jobs", "1", "--no-cache", "--near-miss", *options, "--html", str(page), *chosen])
    return page


@lru_cache(maxsize=4)
def data_of(page: str) -> dict[str, object]:
    """The data that a page carries for its script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    whole: dict[str, object] = json.loads(found[1])
    return whole
