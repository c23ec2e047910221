# SPDX-License-Identifier: GPL-2.0-only
"""docs/reference/schema/kvmcheck-1.json describes the JSON report, every key of it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kvmcheck.cli.main import main
from kvmcheck.render.jsonreport import SCHEMA
from tests.support.reports import HOSTILE, report
from tests.unit.render.machines.test_formats import drawn

ROOT = Path(__file__).parents[4]
PUBLISHED = ROOT / "docs" / "reference" / "schema" / f"kvmcheck-{SCHEMA}.json"


def closed(value: object) -> object:
    """The schema, with no key allowed that it does not name."""
    if isinstance(value, list):
        return [closed(part) for part in value]
    if not isinstance(value, dict):
        return value
    found = {key: closed(part) for key, part in value.items()}
    if "properties" in found and "required" in found:
        found.setdefault("additionalProperties", False)
    return found


@pytest.fixture(scope="module")
def strict() -> jsonschema.Draft202012Validator:
    """The schema as a validator, closed."""
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = closed(schema)
    assert isinstance(found, dict)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("title", ["two threads count", HOSTILE])
def test_a_report_fits_the_schema(
    title: str, tmp_path: Path, strict: jsonschema.Draft202012Validator
) -> None:
    strict.validate(json.loads(drawn("json", report(tmp_path, title))))


def test_a_report_with_statistics_and_timings_fits(
    capsys: pytest.CaptureFixture[str], strict: jsonschema.Draft202012Validator
) -> None:
    spec = str(ROOT / "specs" / "basics" / "06_fault_in_miniature.kvm")
    main(["--format", "json", "--stats=compare", "--timings", "--only", "no_retry", spec])
    whole = json.loads(capsys.readouterr().out)
    strict.validate(whole)

    assert whole["files"][0]["cases"][0]["reductions"]["runs"]


def test_a_key_that_changed_its_meaning_is_noticed(
    tmp_path: Path, strict: jsonschema.Draft202012Validator
) -> None:
    whole = json.loads(drawn("json", report(tmp_path)))
    whole["files"][0]["cases"][0]["outcome"] = "fine"

    assert not strict.is_valid(whole)
