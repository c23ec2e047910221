# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck recheck` on one page: the spec again, every obligation again, the same text, another solver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kvmcheck.parametric import digest, proof_of
from kvmcheck.pipeline import load_file
from kvmcheck.prove.parametric.certificate import BadCertificate, Claim, Entry, file_name, script_in
from kvmcheck.prove.parametric.obligations import Obligation, Proof
from kvmcheck.prove.parametric.second_opinion import opinions
from kvmcheck.source.diagnostic import Collector


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What came out: `wrong`, what is not as the spec says; `open`, the obligations that the solver does not show.

    `bad_input`: the spec itself can't be read.  `properties`: what is proved, as the spec has it.
    """

    properties: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    bad_input: bool = False


def rechecked(folder: Path, claim: Claim, entries: tuple[Entry, ...], spec: str) -> Rechecked:
    """A certificate against a spec."""
    file = load_file(spec)
    if file.unit is None:
        return Rechecked(wrong=(f"{spec} can't be read: see `kvmcheck {spec}`",), bad_input=True)
    if digest(file.unit) != claim.digest:
        return Rechecked(wrong=(f"{spec}, or a module of it, is not what the certificate was made of",))
    collector = Collector()
    made = proof_of(file.unit, claim.case, dict(claim.settings), collector)
    if made is None:
        said = tuple(diagnostic.message for diagnostic in collector.all())
        return Rechecked(wrong=said or (f"{spec} has no case `{claim.case}`",), bad_input=True)
    _, proof = made
    properties = tuple(clause.name for clause in proof.claims)
    if properties != claim.properties:
        return Rechecked(wrong=("the certificate is for other properties than the spec's",))
    try:
        scripts = _scripts(folder, entries, proof, tuple(proof.obligations()))
    except BadCertificate as error:
        return Rechecked(wrong=(str(error),))
    shown = {opinion.position for opinion in opinions(scripts) if opinion.said == "unsat"}
    left = tuple(entry.name for position, entry in enumerate(entries) if position not in shown)
    return Rechecked(properties, (), left)


def _scripts(
    folder: Path, entries: tuple[Entry, ...], proof: Proof, todo: tuple[Obligation, ...]
) -> tuple[str, ...]:
    """Every script, made anew; `BadCertificate` at the first that is not what lies in the folder."""
    if len(entries) != len(todo):
        raise BadCertificate(f"the certificate has {len(entries)} obligations, and the spec {len(todo)}")
    scripts: list[str] = []
    for position, (entry, obligation) in enumerate(zip(entries, todo, strict=True)):
        if entry.name != obligation.name or entry.file != file_name(position, obligation.name):
            raise BadCertificate(f"`{entry.name}` stands where the spec has `{obligation.name}`")
        script = proof.query(obligation, entry.help)
        if script_in(folder, entry) != script:
            raise BadCertificate(f"`{entry.file}` is not what the spec says")
        scripts.append(script)
    return tuple(scripts)
