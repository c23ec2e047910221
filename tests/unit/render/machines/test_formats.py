# SPDX-License-Identifier: GPL-2.0-only
"""Every machine format is what its readers accept, says UNKNOWN aloud, and shows hostile names as text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import itf_py
import jsonschema
import pytest
import xmlschema
from markdown_it import MarkdownIt
from pydantic import BaseModel
from sarif_pydantic import Sarif

from kvmcheck.cli.outputs import rendered
from kvmcheck.explain.outcomes import gravest
from kvmcheck.explain.report import Report
from kvmcheck.pipeline import Options, check
from tests.support.ktap import everything, parse
from tests.support.reports import HOSTILE, SPEC, report

ROOT = Path(__file__).parents[4]
SCHEMAS = ROOT / "tests" / "support" / "schemas"
#: What obeys or hides: no report may have these as they are.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def drawn(name: str, found: Report) -> str:
    """The report in that format."""
    text = rendered(name, found, exit_status=1, timings=False)
    assert text is not None
    return text


def schema(path: Path) -> dict[str, object]:
    """A JSON schema."""
    loaded: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(params=["two threads count", HOSTILE], ids=["plain", "hostile"])
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Report:
    """A report with one ending of each kind; under names that mean no harm, and under such as do."""
    return report(tmp_path, str(request.param))


@pytest.fixture
def undecided(tmp_path: Path) -> Report:
    """A report in which a limit was reached."""
    return report(tmp_path, states=2, broken=False)


@pytest.mark.parametrize("name", ["junit", "sarif", "github", "gitlab", "ktap", "markdown", "json"])
def test_nothing_in_a_report_is_obeyed_and_it_is_the_same_every_time(name: str, found: Report) -> None:
    text = drawn(name, found)

    assert OBEYED.search(text) is None
    assert text == drawn(name, found)
    assert text.endswith("\n")


def test_junit_is_valid(found: Report) -> None:
    text = drawn("junit", found)
    xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd")).validate(text)
    root = ElementTree.fromstring(text)

    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("9", "3", "1")
    failure = root.find(".//failure")
    assert failure is not None
    assert "count = 1 (since step 3)" in (failure.text or "")


def test_junit_calls_an_unknown_an_error(undecided: Report) -> None:
    root = ElementTree.fromstring(drawn("junit", undecided))

    assert [element.get("type") for element in root.iter("error")][:1] == ["UNKNOWN"]
    assert list(root.iter("skipped")) == []


def test_sarif_is_valid(found: Report) -> None:
    whole = json.loads(drawn("sarif", found))
    jsonschema.validate(whole, schema(SCHEMAS / "sarif-2.1.0.json"))
    log = Sarif.model_validate(whole)
    rules = [rule.id for rule in log.runs[0].tool.driver.rules or []]

    assert isinstance(log, BaseModel)
    for result in log.runs[0].results or []:
        assert rules[result.rule_index or 0] == result.rule_id


def test_sarif_has_a_flow_for_each_thread_in_one_order(found: Report) -> None:
    results = json.loads(drawn("sarif", found))["runs"][0]["results"]
    flows = results[0]["codeFlows"][0]["threadFlows"]
    order = [step["executionOrder"] for flow in flows for step in flow["locations"]]

    assert [flow["id"] for flow in flows] == ["thread#0", "thread#1"]
    assert sorted(order) == list(range(1, len(order) + 1))
    assert results[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 9


def test_sarif_fingerprints_outlive_new_lines(tmp_path: Path) -> None:
    path = tmp_path / "race.kvm"
    prints = []
    for text in (SPEC, "\n\n// moved down\n" + SPEC):
        path.write_text(text, encoding="utf-8")
        file = check(path)
        results = json.loads(drawn("sarif", Report((file,), file.outcome, ())))["runs"][0]["results"]
        prints.append([result["partialFingerprints"] for result in results])

    assert prints[0] == prints[1]
    assert len({json.dumps(p) for p in prints[0]}) == len(prints[0])


def test_sarif_calls_an_unknown_an_error(undecided: Report) -> None:
    results = json.loads(drawn("sarif", undecided))["runs"][0]["results"]

    assert {(result["kind"], result["level"]) for result in results} == {("fail", "error")}
    assert "kvmcheck.unknown" in {result["ruleId"] for result in results}


def test_an_annotation_is_one_command_a_line(found: Report) -> None:
    for line in drawn("github", found).splitlines():
        command = re.fullmatch(
            r"::(error|warning|notice) file=([^,:]+),line=\d+,col=\d+,title=([^,:]+)::(.+)", line
        )
        assert command is not None, line
        assert re.sub("%(25|0A|0D|3A|2C)", "", command[0]).count("%") == 0


def test_annotations_call_an_unknown_an_error(undecided: Report) -> None:
    lines = drawn("github", undecided).splitlines()

    assert lines
    assert all(line.startswith("::error ") for line in lines)


def test_gitlab_is_valid(found: Report, undecided: Report) -> None:
    for each in (found, undecided):
        whole = json.loads(drawn("gitlab", each))
        jsonschema.validate(whole, schema(SCHEMAS / "gitlab-code-quality.json"))
        assert len({finding["fingerprint"] for finding in whole}) == len(whole) > 0
    assert "major" in {finding["severity"] for finding in whole}


def test_ktap_can_be_parsed(found: Report) -> None:
    tests = parse(drawn("ktap", found))
    directives = [(test.passed, test.directive) for test in everything(tests)]

    assert [len(test.inside) for test in tests] == [8, 1]
    assert not any(test.passed for test in tests)
    assert directives.count((False, "ERROR")) == 2
    assert directives.count((False, "")) == 4


def test_ktap_says_what_did_not_finish(undecided: Report) -> None:
    tests = list(everything(parse(drawn("ktap", undecided))))

    assert (False, "TIMEOUT") in [(test.passed, test.directive) for test in tests]
    assert all(not test.passed for test in tests if test.directive in ("TIMEOUT", "ERROR"))


@pytest.mark.parametrize(
    "text", ["KTAP version 1\n1..2\nok 1 a\n", "KTAP version 1\n1..1\nok 2 a\n", "ok 1 a\n"]
)
def test_the_parser_of_ktap_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"planned|result line|version line"):
        parse(text)


def test_the_summary_shows_hostile_names_as_text(found: Report) -> None:
    text = drawn("markdown", found)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {inner.type for token in tokens for inner in (token, *(token.children or ()))}

    assert not kinds & {"html_block", "html_inline", "link_open", "image", "strong_open", "em_open"}
    assert "3 failed" in text


def test_a_hostile_file_name_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a,b:c%0A::error::x]]><b>|`#\u202e\x1b .kvm"
    path.write_text(SPEC, encoding="utf-8")
    file = check(path)
    found = Report((file,), file.outcome, ())
    for name in ("junit", "sarif", "github", "gitlab", "ktap", "markdown", "json"):
        assert OBEYED.search(drawn(name, found)) is None, name
    xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd")).validate(drawn("junit", found))
    jsonschema.validate(json.loads(drawn("sarif", found)), schema(SCHEMAS / "sarif-2.1.0.json"))

    assert all(line.count("::") == 2 for line in drawn("github", found).splitlines())
    assert len(parse(drawn("ktap", found))) == 1


def test_itf_is_a_trace_of_whole_states(tmp_path: Path) -> None:
    (tmp_path / "race.kvm").write_text(SPEC, encoding="utf-8")
    file = check(tmp_path / "race.kvm", Options(snapshots=True))
    found = Report((file,), gravest([file.outcome]), ())
    trace = itf_py.trace_from_json(json.loads(drawn("itf", found)))

    assert len(trace.states) == 5
    assert set(trace.vars) == set(trace.states[0].values)
    assert [state.values["count"] for state in trace.states] == [0, 0, 0, 1, 1]
    assert trace.states[3].meta["thread"] == "thread#0"


def test_itf_without_a_trace_is_nothing() -> None:
    assert rendered("itf", Report((), gravest([]), ()), exit_status=3, timings=False) is None
