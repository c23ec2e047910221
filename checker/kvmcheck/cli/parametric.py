# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck prove --parametric`: what is told of a proof for every size, and its certificate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from kvmcheck import __version__
from kvmcheck.cli.arguments import BadArguments
from kvmcheck.cli.proofrun import ProofRun
from kvmcheck.explain.report import CaseReport
from kvmcheck.parametric import Parametric, certificate, prove_for_every_size
from kvmcheck.pipeline import Case, LoadedFile
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import visible, wrapped
from kvmcheck.render.text import told


@dataclass(slots=True)
class ParametricRun(ProofRun):
    """A run over files; `folder`: where certificates go, if anywhere."""

    folder: str = ""
    proofs: dict[str, Parametric] = field(default_factory=dict)

    def prove(self, file: LoadedFile, case: Case) -> CaseReport:
        """What is known of a case for every size."""
        found = prove_for_every_size(file, case, self.request)
        self.proofs[case.name] = found
        return found.report

    def behind(self, file: LoadedFile, case: Case) -> None:
        """What is told behind the verdicts: what was discharged, what was not, and where the certificate is."""
        found = self.proofs.get(case.name)
        if found is None or self.listener.silent or self.listener.terse:
            return
        for line in lines_of(found, self.listener.paint):
            print(line)
        made = certificate(file, case, self.request, found, __version__) if self.folder else None
        if made is None:
            return
        folder = Path(self.folder) / case.name
        try:
            many = made.write(folder)
        except OSError as error:
            raise BadArguments(f"--certificate: {error}") from error
        print(f"  {many} obligations are in {visible(str(folder))}: kvmcheck recheck {visible(str(folder))}")


def lines_of(found: Parametric, paint: Paint) -> list[str]:
    """What there is to say of a proof beside its verdicts."""
    lines: list[str] = []
    if found.obligations:
        written, mechanical = found.clauses
        shown = (
            0 if found.discharged is None else sum(a.shown_from is not None for a in found.discharged.answers)
        )
        lines += _indented(
            f"{shown} of {found.obligations} obligations are shown, from {written} clauses that are written "
            f"and {mechanical} that the code implies",
            paint,
        )
    # Where there is something to show, the solver did not go round.
    puzzled = found.failed and not found.refuted and found.failed[0].story is None
    for circle in found.circles if puzzled else ():
        around = " to ".join(sort.rstrip(".") for sort in circle.sorts)
        lines += _indented(
            f"warning: {circle.clause} leads from {around}: a solver may go round without end", paint
        )
    for failed in found.failed:
        lines += _indented(f"not shown: {failed.name}", paint)
    for failed in found.failed:
        if failed.story is not None:
            lines += ["", *_indented(f"a counterexample to induction: {failed.name}", paint)]
            lines += told(replace(failed.story, why=None), paint)
    return lines


def _indented(text: str, paint: Paint) -> list[str]:
    return [
        "  " + line for line in wrapped(visible(text, ascii_only=not paint.unicode), paint.columns - 2, 2)
    ]
