# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report as a reader has it: in a browser, from a file, with keys alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, Open, Opened
from tests.support.reports import HOSTILE

#: A browser takes its time; and it leaves an event loop behind, which other tests of the process would stumble over.
pytestmark = pytest.mark.slow

#: The run that breaks no_stale_spte, the one without an end, and one of no steps.
BROKEN, LOOP, AT_ONCE = "#run-2", "#run-4", "#run-5"
STEPS = 14

#: How much lighter the one colour of an element is than what it stands on (WCAG 2.1, relative luminance).
CONTRAST = """(place) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((n) => n / 255)
      .map((n) => (n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(place);
  let under = element;
  while (getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
  const one = light(getComputedStyle(element).color) + 0.05;
  const other = light(getComputedStyle(under).backgroundColor) + 0.05;
  return Math.max(one, other) / Math.min(one, other);
}"""


def assert_nothing_was_asked_for(found: Opened, report: Path) -> None:
    """Nothing but the file itself, and nothing to complain about."""
    assert {url.partition("#")[0] for url in found.requests} == {report.as_uri()}
    assert found.complaints == []


def test_keys_step_to_the_violation(opened: Open, report: Path) -> None:
    found = opened()
    found.page.get_by_role("link", name="the run: 14 steps").last.focus()
    found.press("Enter")
    expect(found.page.locator("#count")).to_have_text(f"0 of {STEPS}", timeout=PATIENCE)
    found.press(*["ArrowRight"] * STEPS)

    assert found.count == f"{STEPS} of {STEPS}"
    assert found.text("tr.now .broken") == "\u21d2 no_stale_spte does not hold"
    assert "Broken: no_stale_spte does not hold" in found.text("#spoken")
    assert found.text("#broken-name") == "What is broken"
    assert_nothing_was_asked_for(found, report)


def test_the_lit_line_of_the_source_follows_the_step(opened: Open) -> None:
    found = opened(BROKEN)
    lines: list[str] = []
    for _ in range(3):
        found.press("ArrowRight")
        lines.append(found.text("#source li.lit").strip())
    found.press("End")
    lines.append(found.text("#source li.lit").strip())

    assert lines == [
        "@snapshot mmu_seq = READ_ONCE(mmu_notifier_seq);",
        "@lookup   pfn = READ_ONCE(host_pte);",
        "@clear  WRITE_ONCE(host_pte, none);",
        "@install spte = pfn;",
    ]
    assert found.page.locator("#source li.lit").count() == 1


def test_home_end_left_and_the_address_agree(opened: Open) -> None:
    found = opened(BROKEN)
    found.press("End", "ArrowLeft")
    assert (found.count, found.page.url.rpartition("#")[2]) == (f"13 of {STEPS}", "run-2-step-13")
    found.press("Home", "ArrowLeft")
    assert found.count == f"0 of {STEPS}"


def test_a_step_can_be_linked_to(opened: Open) -> None:
    assert opened(f"{BROKEN}-step-7").count == f"7 of {STEPS}"


def test_space_plays_and_pauses(opened: Open) -> None:
    found = opened(BROKEN)
    found.page.locator("#speed").select_option("400")
    found.page.locator("#run-title").focus()
    found.press("Space")
    assert found.text("#play") == "Pause"
    expect(found.page.locator("#count")).to_have_text(re.compile("^2 "), timeout=PATIENCE)
    found.press("Space")

    assert found.text("#play") == "Play"


def test_the_state_marks_what_the_step_changed(opened: Open) -> None:
    found = opened(f"{BROKEN}-step-3")
    changed = found.page.locator("#state tr.changed")

    assert [row.partition("\t")[0] for row in changed.all_inner_texts()] == ["host_pte", "host at"]
    assert found.text("#state tr.changed mark") == "none"
    assert found.text("#state tr.changed del") == "pfn0"


def test_locks_are_bars_and_counters_tracks(opened: Open) -> None:
    found = opened(BROKEN)
    heads = found.page.locator("#schedule thead th").all_inner_texts()
    held = found.page.locator("#schedule .holds").evaluate_all("bars => bars.map((bar) => bar.title)")

    assert heads == ["#", "mmu_lock", "mmu_notifier_seq", "mmu_notifier_count", "vcpu#0", "host"]
    assert held == ["mmu_lock: host"] * 8 + ["mmu_lock: vcpu#0"] * 2
    assert found.page.locator("#schedule td.track.changed").all_inner_texts() == ["1", "1", "0"]


def test_a_run_without_an_end_goes_round(opened: Open) -> None:
    found = opened(LOOP)
    repeated = found.page.locator("#schedule tr.again th").all_inner_texts()
    found.press("End", "ArrowRight")

    assert len(repeated) >= 2
    assert found.text("#schedule tr.now th") == repeated[0]
    rules = found.page.locator("#schedule tr.loop").all_inner_texts()
    assert rules == [
        "From here on for ever:",
        f"Steps {repeated[0]} to {repeated[-1]} again, and so on for ever.",
    ]


def test_the_panel_of_reasons_leads_to_the_steps(opened: Open) -> None:
    found = opened(BROKEN)
    found.page.get_by_role("button", name=re.compile(r"clear \(host, step 3\)")).click()
    assert found.count == f"3 of {STEPS}"
    found.page.locator("#broken li button").first.click()
    assert found.count == f"{STEPS} of {STEPS}"
    assert found.page.locator("#order g.arrow.needed").count() == 2


def test_a_near_miss_is_a_run_of_its_own(opened: Open) -> None:
    found = opened(BROKEN)
    found.page.get_by_role("link", name="How the unmodified model goes on").click()
    title = re.compile("^How the unmodified model keeps no_stale_spte")
    expect(found.page.locator("#run-title")).to_have_text(title, timeout=PATIENCE)
    found.press("End")

    assert found.text("#broken") == "no_stale_spte does not break."
    assert found.complaints == []


def test_a_run_of_no_steps_says_what_it_breaks(opened: Open) -> None:
    found = opened(AT_ONCE)
    found.press("End", "ArrowRight", "Space")

    assert found.text("#run-title") == "begun: broken in the initial state"
    assert "Broken: begun does not hold" in found.text("#spoken")
    assert found.complaints == []


def test_links_of_the_index_lead_to_the_cases(opened: Open) -> None:
    found = opened()
    links = found.page.locator("table.index a")
    assert links.count() == 7
    for number in range(links.count()):
        links.nth(number).click()
        target = found.page.url.rpartition("#")[2]
        assert found.page.locator(f"#{target}").is_visible()
        assert found.page.locator(f"#{target}").evaluate("e => e.getBoundingClientRect().top < innerHeight")


def test_the_way_back_leads_to_where_it_began(opened: Open) -> None:
    found = opened()
    found.page.locator(f"a[href='{BROKEN}']").click()
    found.page.get_by_role("link", name="All verdicts").click()

    expect(found.page.locator("#run")).to_be_hidden(timeout=PATIENCE)
    assert found.page.evaluate("document.activeElement.getAttribute('href')") == BROKEN


def test_everything_has_a_name_for_a_screen_reader(opened: Open) -> None:
    page = opened(BROKEN).page
    for name in ("First", "Back", "Play", "Next", "Last"):
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.get_by_role("slider", name="Step").count() == 1
    assert page.get_by_role("combobox", name="Speed").count() == 1
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"
    for name in ("Schedule", "State", "What is broken", "Why", "What happens before what"):
        assert page.get_by_role("region", name=name, exact=True).count() == 1
    assert page.get_by_role("img", name=re.compile("What happens before what: 14 steps")).count() == 1
    nameless = "b => b.filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label'))).length"
    assert page.locator("button, a").evaluate_all(nameless) == 0


def test_the_tab_key_reaches_all_that_can_be_done(opened: Open) -> None:
    found = opened(BROKEN)
    seen: list[str] = []
    while "order" not in seen and len(seen) < 60:
        found.press("Tab")
        seen.append(found.page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    order = [
        "first",
        "previous",
        "play",
        "next",
        "last",
        "slider",
        "speed",
        "schedule",
        "source",
        "everything",
    ]
    order += ["state", "broken", "why", "order"]

    assert [name for name in seen if name in order] == order


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(opened: Open, scheme: Literal["light", "dark"]) -> None:
    found = opened(f"{BROKEN}-step-14", scheme)
    places = [
        "body",
        "tr.now .statement",
        "tr.now .broken",
        ".dim",
        "#source li.lit code",
        "#state mark",
        "#next",
    ]
    places += ["a", "#schedule thead th.lane-0", "#schedule thead th.lane-1", "#state del"]
    worst = {place: found.page.evaluate(CONTRAST, place) for place in places}

    assert {place: ratio for place, ratio in worst.items() if ratio < 4.5} == {}
    back = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") is (scheme == "light")


def test_on_paper_there_is_the_whole_schedule_and_nothing_to_press(opened: Open) -> None:
    page = opened(BROKEN, "dark").page
    page.emulate_media(media="print")

    assert not page.locator("#controls").is_visible()
    style = page.locator("#schedule").evaluate(
        "e => [getComputedStyle(e).maxHeight, getComputedStyle(e).overflowY]"
    )
    assert style == ["none", "visible"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_the_page_ends_where_its_last_panel_does(opened: Open) -> None:
    page = opened(f"{BROKEN}-step-14").page
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    end = page.locator("#run").evaluate("run => run.getBoundingClientRect().bottom + window.scrollY")

    assert page.evaluate("document.documentElement.scrollHeight") < end + 100


@pytest.mark.parametrize("place", ["", BROKEN])
def test_a_narrow_window_does_not_scroll_sideways(opened: Open, place: str) -> None:
    page = opened(place, width=400).page

    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_hostile_names_are_text(opened: Open, report: Path) -> None:
    found = opened(BROKEN)
    found.press("End")

    assert HOSTILE.partition("\u202e")[0] in found.text("#run-about")
    assert HOSTILE.partition("\u202e")[0] in found.text("#source li:nth-child(2)")
    assert found.page.locator("img, iframe, object, form").count() == 0
    assert found.page.locator("script").count() == 2
    assert_nothing_was_asked_for(found, report)


def test_the_policy_stops_a_script_that_is_not_the_pages(opened: Open) -> None:
    found = opened()
    found.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          const image = document.createElement("img");
          image.src = "http://127.0.0.1:9/x.png";
          document.body.append(image);
        }"""
    )
    found.page.wait_for_timeout(100)

    assert found.page.evaluate("window.ran === undefined")
    assert found.refused == ["http://127.0.0.1:9/x.png: csp"]
    assert len(found.complaints) == 2  # the browser says that it refused both
