# SPDX-License-Identifier: GPL-2.0-only
"""`--stats`: what the reductions did with a case, section by section, and what each of them is worth."""

from __future__ import annotations

from kvmcheck.explain.reductions import Measure, Reduced, ToldCut, ToldSection
from kvmcheck.explain.story import Account, Spot
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import padded, visible, width, wrapped

#: Columns of the numbers of a comparison.
_COLUMNS = (12, 13, 9, 8)


def reduction_lines(reduced: Reduced, account: Account, paint: Paint) -> list[str]:
    """All there is to say of the reductions."""
    on = ", ".join(reduced.on) or "none"
    head = (
        f"reductions: {on}; {account.states:,} states, {account.transitions:,} transitions "
        f"in {account.seconds:.2f} s"
    )
    lines = _lines(head, 2, paint, "bold")
    lines += _lines(f"seq       {reduced.seq}", 4, paint, hanging=10)
    lines += _symmetry(reduced, paint)
    lines += _merging(reduced, paint)
    if reduced.measures:
        lines += ["", *_table(reduced.measures, paint)]
    return lines


def _symmetry(reduced: Reduced, paint: Paint) -> list[str]:
    if "symmetry" not in reduced.on:
        return _lines("symmetry  off", 4, paint)
    exchanged = ", ".join(f"{name} ({size})" for name, size in reduced.exchanged)
    lines = _lines(f"symmetry  exchanged: {exchanged or 'nothing'}", 4, paint, hanging=10)
    for kept in reduced.kept:
        lines += _placed(f"not {kept.name}: {kept.reason}", kept.spot, 14, paint)
    return lines


def _merging(reduced: Reduced, paint: Paint) -> list[str]:
    if "merge" not in reduced.on:
        return _lines("merge     off", 4, paint)
    if not reduced.sections:
        return _lines("merge     no lock is ever taken", 4, paint)
    lines = _lines("merge     section by section, from taking a lock to dropping it", 4, paint, hanging=10)
    for section in reduced.sections:
        lines += _section(section, paint)
    return lines


def _section(section: ToldSection, paint: Paint) -> list[str]:
    where = f"{section.function} ({section.process})" if section.function else section.process
    lines = [""]
    lines += _placed(f"{where}: {section.statement}", section.spot, 4, paint, "bold")
    if not section.cuts:
        text = f"at most {_operations(section.operations)}, one step"
    else:
        text = f"at most {_operations(section.operations)}; the first step has at most {section.first}"
    lines += _lines(text, 6, paint)
    for cut in section.cuts:
        lines += _cut(cut, paint)
    return lines


def _cut(cut: ToldCut, paint: Paint) -> list[str]:
    lines = _placed(f"cut before {cut.statement}", cut.spot, 6, paint)
    lines += _lines(f"{cut.reason}; {_operations(cut.operations)} in this step", 10, paint, "dim")
    if cut.behind:
        lines += _placed(f"and behind {cut.behind}", cut.behind_spot, 8, paint)
        lines += _lines(cut.behind_reason, 10, paint, "dim")
    return lines


def _operations(number: int) -> str:
    return "1 operation" if number == 1 else f"{number} operations"


def _table(measures: tuple[Measure, ...], paint: Paint) -> list[str]:
    """A row for each run; the ratio is to the run with the fewest reductions that saw everything."""
    whole = next((m for m in measures if m.complete), None)
    rows = [("reductions", "states", "transitions", "seconds", "ratio")]
    for measure in measures:
        more = "" if measure.complete else "+"
        ratio = f"{whole.states / measure.states:.1f}" if whole and measure.complete else ""
        rows.append(
            (
                ", ".join(measure.on) or "none",
                f"{measure.states:,}{more}",
                f"{measure.transitions:,}{more}",
                f"{measure.seconds:.2f}",
                ratio,
            )
        )
    first = max(len(row[0]) for row in rows)
    lines = []
    for name, *numbers in rows:
        text = padded(name, first) + "".join(
            number.rjust(column) for number, column in zip(numbers, _COLUMNS, strict=True)
        )
        lines += _lines(text, 4, paint) if width(text) > paint.columns - 4 else ["    " + text.rstrip()]
    if any(not measure.complete for measure in measures):
        lines += _lines("+: not all there are, a limit ended the search", 4, paint, "dim")
    return lines


def _placed(text: str, spot: Spot, indent: int, paint: Paint, style: str = "") -> list[str]:
    """A text with its place at the right, on a line of its own where both do not fit."""
    lines = _lines(text, indent, paint, style)
    place = visible(spot.text, ascii_only=not paint.unicode)
    if not place:
        return lines
    last = indent + width(wrapped(_clean(text, paint), paint.columns - indent)[-1])
    gap = paint.columns - last - width(place)
    if gap >= 2:
        lines[-1] += " " * gap + paint(place, "dim")
    else:
        lines.append(" " * max(0, paint.columns - width(place)) + paint(place, "dim"))
    return lines


def _lines(text: str, indent: int, paint: Paint, style: str = "", hanging: int = 2) -> list[str]:
    found = wrapped(_clean(text, paint), paint.columns - indent, hanging)
    return [" " * indent + (paint(line, style) if style else line) for line in found]


def _clean(text: str, paint: Paint) -> str:
    return visible(text, ascii_only=not paint.unicode)
