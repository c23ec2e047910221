# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck replay` on one page: JSON report -> recorded run -> program as it is now -> how far the run fits.

Nothing here prints, and nothing raises for what a user may have written: mistakes come back as diagnostics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.explain.snapshots import Snapshot, snapshot
from kvmcheck.explain.story import Story
from kvmcheck.lang.imports import Unit, load
from kvmcheck.library import model_folder
from kvmcheck.recorded.fitting import fitted, told
from kvmcheck.recorded.traces import Recording
from kvmcheck.semantics.program import Check, Program
from kvmcheck.source.diagnostic import Collector, Diagnostic
from kvmcheck.source.text import nowhere

#: These are not about one run's end: that they are broken can't be seen by taking its steps.
NOT_SEEN = frozenset({Check.NO_DATA_RACE.value, Check.LOCK_ORDER.value})


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded run on the spec as it is now; `story` is None if there are errors.

    `states`: the whole state before and after each step.  `why_not`: why the step behind the story's last does not
    fit.  `seen`: whether the end could be looked at for what was recorded.
    """

    story: Story | None
    states: tuple[Snapshot, ...]
    why_not: str
    seen: bool
    diagnostics: tuple[Diagnostic, ...]

    @property
    def still_breaks(self) -> bool:
        """Whether the whole run fits, and breaks what it broke."""
        return self.story is not None and not self.why_not and self.story.broken is not None


def replay(recording: Recording, path: str) -> Replayed:
    """The run on the spec at a path."""
    collector = Collector()
    try:
        unit = load(Path(path), (model_folder(),), collector)
    except RecursionError:
        collector.error("KVM110", "this is nested too deeply to be read", nowhere(path))
        unit = None
    program = None if unit is None or collector.has_errors else _program(unit, recording, collector)
    if program is None or collector.has_errors:
        return Replayed(None, (), "", False, collector.all())
    found = fitted(program, recording.run, recording.property)
    states = (found.trace.initial, *(step.after for step in found.trace.steps))
    return Replayed(
        told(program, found),
        tuple(snapshot(program, state) for state in states),
        found.why_not,
        not recording.cover and recording.property not in NOT_SEEN and recording.run.loop is None,
        collector.all(),
    )


def _program(unit: Unit, recording: Recording, collector: Collector) -> Program | None:
    """The case, at the sizes of the recording."""
    first = Collector()
    program = elaborate(unit, recording.case, {}, first)
    if program is not None and not first.has_errors:
        changed = _changed(dict(program.sizes), recording.sizes)
        if not changed:
            return program
        return elaborate(unit, recording.case, changed, collector)
    return elaborate(unit, recording.case, dict(recording.sizes), collector)


def _changed(own: Mapping[str, str], recorded: Mapping[str, str]) -> dict[str, str]:
    """The sizes that were others in the recording."""
    return {name: value for name, value in recorded.items() if own.get(name) != value}
