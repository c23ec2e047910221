# SPDX-License-Identifier: GPL-2.0-only
"""The whole page: `as_html`.  Its style and script are files of this package, put into it and named by their hashes.

The content security policy allows these two and nothing else: no request, no other script, whatever a spec says.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from kvmcheck.explain.report import Report
from kvmcheck.render.plain import visible
from kvmcheck.render.webpage.contents import Contents
from kvmcheck.render.webpage.markup import (
    Child,
    Json,
    Markup,
    element,
    hash_source,
    joined,
    json_text,
    verbatim,
)
from kvmcheck.render.webpage.runs import Tables
from kvmcheck.source.text import SourceText

#: The parts of the script, in the order in which they are put together.
SCRIPTS = (
    "elements.js",
    "run.js",
    "schedule.js",
    "source.js",
    "state.js",
    "reasons.js",
    "order.js",
    "page.js",
)
#: Goes up when a key of the data changes its meaning.
DATA = 1
_TAB = 4


def as_html(report: Report, *, version: str, exit_status: int, timings: bool = False) -> str:
    """The report as one HTML file; ends in a newline.  `timings`: with seconds, and so not the same every time."""
    tables = Tables()
    contents = Contents(report, tables, timings)
    sections = contents.sections()
    data: Json = {
        "data": DATA,
        "opens": contents.opens,
        "shared": tables.shared,
        "runs": tables.runs,
        "sources": _sources(tables, report.sources),
    }
    title = f"kvmcheck: {report.outcome.value}"
    if len(report.files) == 1:
        title += f", {report.files[0].path}"
    body = element(
        "body",
        element("a", "To the report", href="#main", class_="skip"),
        element(
            "header", element("h1", title), element("p", _summary(report, version, exit_status), class_="dim")
        ),
        element("main", _report(contents, sections), _viewer(), id="main", tabindex="-1"),
        verbatim("script", json_text(data), type="application/json", id="data"),
        verbatim("script", _script()),
    )
    page = element("html", _head(title), body, lang="en")
    return f"<!DOCTYPE html>\n{page.text}\n"


def _head(title: str) -> Markup:
    policy = (
        f"default-src 'none'; style-src {hash_source(_style())}; script-src {hash_source(_script())}; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="referrer", content="no-referrer"),
        element("title", title),
        verbatim("style", _style()),
    )


def _summary(report: Report, version: str, exit_status: int) -> str:
    cases = len(report.cases)
    said = f"{len(report.files)} {'spec' if len(report.files) == 1 else 'specs'}, "
    said += f"{cases} {'case' if cases == 1 else 'cases'}; exit status {exit_status}; kvmcheck {version}"
    return said


def _report(contents: Contents, sections: Markup) -> Markup:
    return element(
        "div",
        element("noscript", element("p", "Verdicts can be read without scripts; the runs need them.")),
        contents.notes(),
        element("h2", "What was checked"),
        contents.index(),
        sections,
        id="report",
    )


def _viewer() -> Markup:
    """The frame of the run that is open; the script fills it."""
    return element(
        "section",
        element("p", element("a", "All verdicts", href="#report"), class_="on-screen"),
        element("h2", id="run-title", tabindex="-1"),
        element("p", id="run-about", class_="text dim"),
        _controls(),
        element("p", id="spoken", role="status", aria_live="polite", aria_atomic="true"),
        element(
            "div",
            _panel("Schedule", "schedule", class_="tall"),
            element(
                "div",
                _panel("Source", "source", element("ul", id="stack", aria_label="Calls")),
                _panel("State", "state", _everything()),
                class_="side on-screen",
            ),
            _panel("What is broken", "broken"),
            _panel("Why", "why"),
            _panel("What happens before what", "order", class_="wide"),
            class_="panels",
        ),
        id="run",
        aria_labelledby="run-title",
        hidden=True,
    )


def _controls() -> Markup:
    speeds = (("2000", "slow"), ("1000", "1 step a second"), ("400", "fast"))
    options = [element("option", said, value=value, selected=value == "1000") for value, said in speeds]
    keys = "Left and Right: a step; Home and End: the beginning and the end; Space: play and pause."
    return element(
        "div",
        _button("first", "First", "Home"),
        _button("previous", "Back", "ArrowLeft"),
        _button("play", "Play", "Space"),
        _button("next", "Next", "ArrowRight"),
        _button("last", "Last", "End"),
        element("label", "Step ", element("input", type="range", id="slider", min="0", max="0", value="0")),
        element("span", id="count"),
        element("label", "Speed ", element("select", *options, id="speed")),
        element("details", element("summary", "Keys"), keys),
        id="controls",
        role="group",
        aria_label="Steps",
    )


def _button(name: str, said: str, key: str) -> Markup:
    return element("button", said, type="button", id=name, aria_keyshortcuts=key)


def _everything() -> Markup:
    box = element("input", type="checkbox", id="everything")
    return element("label", box, " also what never changes in this run")


def _panel(name: str, key: str, *before: Child, class_: str = "") -> Markup:
    heading = element("h3", name, id=f"{key}-name")
    # A box that scrolls must be reachable with the keyboard.
    box = element("div", id=key, class_="box", tabindex="0", role="region", aria_labelledby=f"{key}-name")
    return element("div", heading, joined(before), box, class_=f"panel {class_}".rstrip())


def _sources(tables: Tables, sources: tuple[SourceText, ...]) -> list[Json]:
    """The texts that runs refer to, safe to show; None where a text is not at hand."""
    texts = {source.path: source.text for source in sources}
    found: list[Json] = []
    for path in tables.paths:
        text = texts.get(path)
        lines = (
            None
            if text is None
            else [visible(line.rstrip("\r").expandtabs(_TAB)) for line in text.split("\n")]
        )
        found.append({"path": visible(path), "text": None if lines is None else "\n".join(lines)})
    return found


@lru_cache(maxsize=1)
def _style() -> str:
    return _resource("page.css")


@lru_cache(maxsize=1)
def _script() -> str:
    """The script, in a scope of its own."""
    parts = "\n".join(_resource(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _resource(name: str) -> str:
    return files("kvmcheck.render.webpage").joinpath(name).read_text(encoding="utf-8")
