# SPDX-License-Identifier: GPL-2.0-only
"""A proof on disk: one SMT-LIB script per obligation, to each of which the answer must be `unsat`, and a manifest.

Nothing in the folder is believed: whoever checks it makes every script anew from the spec, and compares.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.prove.parametric.obligations import Help, Obligation, Proof

MANIFEST = "manifest.json"
FORMAT = 1
#: A longer script is none of ours.
_LONGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Claim:
    """What a certificate is for.

    `spec`: the file, as it was named; `digest`: of it and its modules; `case`: the scenario; `settings`: what was set
    besides; `properties`: what is proved; `sizes`: of which sizes; `axioms`: what is assumed; `tool`, `solver`: who
    wrote it, and who showed it first.
    """

    spec: str
    digest: str
    case: str
    settings: tuple[tuple[str, str], ...]
    properties: tuple[str, ...]
    sizes: str
    axioms: tuple[str, ...]
    tool: str
    solver: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One obligation of a certificate: its file, its name, and from which clauses it is shown."""

    file: str
    name: str
    help: Help
    digest: str


class BadCertificate(Exception):
    """What is in the folder is not a certificate."""


def digest_of(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_name(position: int, name: str) -> str:
    """The file of an obligation: its number, and its name as far as file names go."""
    return f"{position:04}-{re.sub(r'[^A-Za-z0-9_]+', '-', name).strip('-')[:80]}.smt2"


def entries(proof: Proof, shown: tuple[tuple[Obligation, Help], ...]) -> Iterator[tuple[Entry, str]]:
    """The entry and the script of every obligation."""
    for position, (obligation, help_) in enumerate(shown):
        script = proof.query(obligation, help_)
        name = file_name(position, obligation.name)
        yield Entry(name, obligation.name, help_, digest_of(script)), script


def write(folder: Path, claim: Claim, proof: Proof, shown: tuple[tuple[Obligation, Help], ...]) -> int:
    """Write a certificate; returns how many obligations it has.  `OSError` if that can't be done."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("[0-9][0-9][0-9][0-9]-*.smt2"):
        old.unlink()
    listed: list[dict[str, str]] = []
    for entry, script in entries(proof, shown):
        (folder / entry.file).write_text(script, encoding="utf-8")
        listed.append(
            {"file": entry.file, "name": entry.name, "from": entry.help.value, "sha256": entry.digest}
        )
    manifest = {
        "format": FORMAT,
        "claim": {
            "spec": claim.spec,
            "sha256": claim.digest,
            "case": claim.case,
            "settings": dict(claim.settings),
            "properties": list(claim.properties),
            "sizes": claim.sizes,
            "axioms": list(claim.axioms),
        },
        "tool": claim.tool,
        "solver": claim.solver,
        "obligations": listed,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return len(listed)


def read(folder: Path) -> tuple[Claim, tuple[Entry, ...]]:
    """The claim and the entries of a certificate; `BadCertificate` if it is none."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCertificate(f"{folder / MANIFEST} can't be read: {error}") from error
    try:
        if found["format"] != FORMAT:
            raise BadCertificate(f"format {found['format']!r} is not known, only {FORMAT}")
        claim = found["claim"]
        made = Claim(
            spec=str(claim["spec"]),
            digest=str(claim["sha256"]),
            case=str(claim["case"]),
            settings=tuple((str(k), str(v)) for k, v in claim["settings"].items()),
            properties=tuple(str(p) for p in claim["properties"]),
            sizes=str(claim["sizes"]),
            axioms=tuple(str(a) for a in claim["axioms"]),
            tool=str(found["tool"]),
            solver=str(found["solver"]),
        )
        listed = tuple(
            Entry(str(e["file"]), str(e["name"]), Help(e["from"]), str(e["sha256"]))
            for e in found["obligations"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadCertificate(f"{MANIFEST} is not as it should be: {error}") from error
    return made, listed


def script_in(folder: Path, entry: Entry) -> str:
    """The script of an entry as it is on disk; `BadCertificate` if there is none, or it lies elsewhere."""
    if not re.fullmatch(r"[0-9]{4}-[A-Za-z0-9_-]*\.smt2", entry.file):
        raise BadCertificate(f"`{entry.file}` is not the name of an obligation's file")
    path = folder / entry.file
    try:
        if path.is_symlink() or path.stat().st_size > _LONGEST:
            raise BadCertificate(f"`{entry.file}` is not an obligation's file")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadCertificate(f"`{entry.file}` can't be read: {error}") from error
