# SPDX-License-Identifier: GPL-2.0-only
"""Reports made by really checking small specs: one of each kind of ending, and one with hostile names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kvmcheck.explain.outcomes import gravest
from kvmcheck.explain.report import FileReport, Report
from kvmcheck.pipeline import Options, check

#: In a title, these must stay text in every format.
HOSTILE = (
    "<script>alert(1)</script> ]]> & \"quoted\" 'q' | `tick` ``` [link](http://x.example) \\u202e"
    "\u202e\u200f\x1b[31m %0A ::error::no ::set-output name=a::b **bold** {0} # not a directive"
)

SPEC = """\
shared int 0..7 count;
ghost int 0..7 done;
void up() {
    int 0..7 x;
    x = READ_ONCE(count);
    @store WRITE_ONCE(count, x + 1);
    ghost done++;
}
invariant none_lost { done < 2 or count == done }
invariant few { count < 5 }
cover both { done == 2 }
cover never { done == 7 }
scenario race "TITLE" {
    process thread[2] { up(); }
    check none_lost, few, no_deadlock;
    cover both, never;
}
scenario fine "one thread alone" {
    process thread[1] { up(); }
    check none_lost;
}
mutant survivor of fine "nothing that matters changes" {
    insert { done_nothing(); } before up@store;
    expect none_lost violated;
}
mutant killed of fine "the store is dropped, and nobody counts to two" {
    drop up@store;
    expect none_lost holds;
}
void done_nothing() { cover passed; }
"""


@lru_cache(maxsize=8)
def report(
    folder: Path, title: str = "two threads count", states: int | None = None, broken: bool = True
) -> Report:
    """A run over a spec with that title, and (`broken`) over a second one that can't be read."""
    path = folder / "race.kvm"
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    path.write_text(SPEC.replace("TITLE", quoted), encoding="utf-8")
    files: list[FileReport] = [check(path, Options(states=states))]
    if broken:
        other = folder / "broken.kvm"
        other.write_text("shared int 0..3 count\n", encoding="utf-8")
        files.append(check(other))
    return Report(tuple(files), gravest(file.outcome for file in files), ())
