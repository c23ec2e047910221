# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report as text: what it carries, and that nothing in a spec becomes a part of the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kvmcheck.cli.main import main
from kvmcheck.render.webpage.markup import element, json_text, verbatim
from kvmcheck.render.webpage.page import SCRIPTS
from tests.support.pages import LOOP_FILE, RACE_FILE, data_of, written
from tests.support.reports import HOSTILE

FOLDER = Path(__file__).parents[3] / "checker" / "kvmcheck" / "render" / "webpage"
#: What a page of ours is made of; an element of another kind came out of a spec.
ELEMENTS = frozenset(
    {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "header",
        "h1",
        "h2",
        "h3",
        "p",
        "main",
        "div",
        "noscript",
    }
    | {
        "table",
        "caption",
        "thead",
        "tr",
        "th",
        "tbody",
        "td",
        "section",
        "ul",
        "li",
        "span",
        "pre",
        "details",
    }
    | {"summary", "button", "label", "input", "select", "option", "script"}
)


class Reader(HTMLParser):
    """Every start tag with its attributes, and the text outside of styles and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("page")).read_text(encoding="utf-8")


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, keys too."""
    match value:
        case str():
            yield value
        case list():
            for part in value:
                yield from strings(part)
        case dict():
            for key, part in value.items():
                yield key
                yield from strings(part)
        case _:
            pass


def table(data: dict[str, object]) -> list[str]:
    """What the runs of a page share."""
    found = data["shared"]
    assert isinstance(found, list)
    return found


def shared(data: dict[str, object], number: int) -> list[str]:
    """A list of texts that runs share."""
    found: object = table(data)[number]
    assert isinstance(found, list)
    return found


def test_nothing_in_a_spec_becomes_an_element(page: str) -> None:
    found = Reader(page)

    assert {tag for tag, _ in found.tags} <= ELEMENTS
    assert [attributes for tag, attributes in found.tags if tag == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
    ]
    assert not [key for _, attributes in found.tags for key in attributes if key.startswith("on")]


def test_hostile_titles_and_names_are_there_as_text(page: str) -> None:
    found = Reader(page)

    assert HOSTILE.partition("\u202e")[0] in found.text
    assert RACE_FILE in found.text


def test_no_control_character_or_turning_mark_is_in_the_page(page: str) -> None:
    data = "\n".join(strings(data_of(page)))

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", page + data)
    assert "\\u202e" in data  # it says that one was there


def test_data_can_not_end_its_element() -> None:
    text = json_text({"</script><!--": "\u2028\u2029&", "lone": "\ud800"})

    assert re.search("[<>&\u2028\u2029]", text) is None
    assert text.isascii()
    assert json.loads(text) == {"</script><!--": "\u2028\u2029&", "lone": "\ud800"}


def test_attributes_are_quoted() -> None:
    assert element("a", "x", title="\"'<>&").text == '<a title="&quot;&#x27;&lt;&gt;&amp;">x</a>'


@pytest.mark.parametrize("content", ["a</script>", "a</SCRIPT >", "<!-- a"])
def test_a_script_that_ends_itself_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="ends itself"):
        verbatim("script", content)


def test_the_policy_allows_the_pages_own_style_and_script_alone(page: str) -> None:
    def named(content: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = next(
        a["content"] for t, a in Reader(page).tags if a.get("http-equiv") == "Content-Security-Policy"
    )

    assert style and script
    assert policy == (
        f"default-src 'none'; style-src {named(style[1])}; script-src {named(script[1])}; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_refers_to_nothing_outside(page: str) -> None:
    found = Reader(page)
    links = [a.get("href") for _, a in found.tags if "href" in a]

    assert links
    assert all(link and link.startswith("#") for link in links)
    assert not [tag for tag, a in found.tags if "src" in a]


def test_every_link_of_the_index_has_its_target(page: str) -> None:
    found = Reader(page)
    ids = {a["id"] for _, a in found.tags if "id" in a}
    runs = data_of(page)["runs"]
    assert isinstance(runs, list)
    ids |= {f"run-{number}" for number in range(len(runs))}

    assert {a["href"] for _, a in found.tags if "href" in a} <= {f"#{name}" for name in ids}


def test_scripts_put_text_in_as_text() -> None:
    """Whatever could read HTML or run text stands in no script."""
    for name in SCRIPTS:
        script = (FOLDER / name).read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "Function(",
            "fetch(",
            "XMLHttp",
        ):
            assert word not in script, f"{name} has {word}"


def test_there_are_no_scripts_beside_those_that_are_put_in() -> None:
    assert sorted(SCRIPTS) == sorted(path.name for path in FOLDER.glob("*.js"))


def test_a_run_has_whole_states_orderings_and_the_text_of_its_spec(page: str) -> None:
    data = data_of(page)
    runs = data["runs"]
    assert isinstance(runs, list)
    run = next(run for run in runs if run["broken"])

    assert run["lanes"] == ["vcpu#0", "host"]
    names = shared(data, run["names"])
    assert [names[track] for track in run["tracks"]] == ["mmu_notifier_seq", "mmu_notifier_count"]
    assert run["rows"][-1]["breaks"]
    assert [ordering["need"] for ordering in run["order"]] == ["needed", "needed"]
    assert [bool(other["order"]) for other in runs] == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]  # of covers too
    sources = data["sources"]
    assert isinstance(sources, list)
    assert [source["path"] for source in sources] == [RACE_FILE, LOOP_FILE]
    assert "@install spte = pfn;" in sources[0]["text"]


def test_the_states_follow_from_the_first_one(page: str) -> None:
    data = data_of(page)
    runs = data["runs"]
    assert isinstance(runs, list)
    run = next(run for run in runs if run["broken"])
    names = shared(data, run["names"])
    state = dict(zip(names, shared(data, run["initial"]), strict=True))
    for row in run["rows"]:
        state |= {names[index]: table(data)[number] for index, number in row.get("set", [])}

    assert (state["spte"], state["host_pte"], state["mmu_notifier_seq"]) == ("pfn0", "none", "1")


def test_a_run_without_an_end_says_where_it_begins_again(page: str) -> None:
    runs = data_of(page)["runs"]
    assert isinstance(runs, list)

    assert [run["loop"] is not None for run in runs] == [False, False, False, False, True, False]
    assert runs[4]["loop"] < len(runs[4]["rows"])


def test_a_page_on_one_spec_opens_with_what_breaks(tmp_path: Path) -> None:
    page = written(tmp_path, RACE_FILE).read_text(encoding="utf-8")
    data = data_of(page)
    runs = data["runs"]
    assert isinstance(runs, list)
    assert isinstance(data["opens"], int)

    assert runs[data["opens"]]["name"] == "no_stale_spte"


def test_there_is_no_time_in_it_unless_somebody_asks(tmp_path: Path) -> None:
    first = written(tmp_path, LOOP_FILE).read_text(encoding="utf-8")
    again = written(tmp_path, LOOP_FILE).read_text(encoding="utf-8")
    timed = written(tmp_path, LOOP_FILE, options=("--timings",)).read_text(encoding="utf-8")

    assert first == again
    assert "Time" not in Reader(first).text
    assert re.search(r"\d\.\d\d s", Reader(timed).text)


def test_what_an_earlier_run_found_is_shown_with_its_text_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(tmp_path, LOOP_FILE).read_text(encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KVMCHECK_NO_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        main(["--jobs", "1", "--near-miss", "--quiet", "--html", "again.html", LOOP_FILE])

    assert (tmp_path / "again.html").read_text(encoding="utf-8") == first
