# SPDX-License-Identifier: GPL-2.0-only
"""`python -m tests.support.skeleton PATCH`, `… --differences`: see the package's docstring."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.skeleton.compare import differences, modelled, read_facts, read_table, shown
from tests.support.skeleton.facts import as_toml
from tests.support.skeleton.kernel_c import skeletons
from tests.support.skeleton.patch import pieces


def facts_of(patch: str) -> str:
    """The text of patch_facts.toml for a patch."""
    return as_toml(skeletons(list(pieces(patch, read_table().hunks))))


def differences_now() -> str:
    """The `differs` of each function as the table should list them."""
    facts = read_facts()
    by_name = {skeleton.function: skeleton for skeleton in facts}
    lines = []
    for counterpart in read_table().counterparts:
        lines.append(f"# {counterpart.function} ({counterpart.module})")
        try:
            model = modelled(counterpart, facts)
        except LookupError as missing:
            lines.append(f"#   {missing}")
            continue
        for found in differences(shown(by_name[counterpart.function]), model):
            row = {"at": found.at, "patch": list(found.patch), "model": list(found.model), "because": []}
            inside = ", ".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in row.items())
            lines.append(f"    {{ {inside} }},")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--differences"]:
        sys.stdout.write(differences_now())
    else:
        sys.stdout.write(facts_of(Path(sys.argv[1]).read_text(encoding="utf-8")))
