# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue of diagnostics, its pages and their examples belong together.

A page has four sections.  The `kvm` blocks of *Broken* give the page's code; those of *Fixed* give no error at all.
A block `kvm file NAME` is a file beside the spec; the block without a name is the spec.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kvmcheck.pipeline import Options, check
from kvmcheck.source.catalogue import CATALOGUE
from kvmcheck.source.diagnostic import Diagnostic, Severity
from tests.support.markdown import fenced, sections

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference" / "errors"
SECTIONS = ["What it means", "Why it is an error", "Broken", "Fixed"]

#: What no text can show, and why.  Its page says the same in place of an example.
WITHOUT_EXAMPLE: dict[str, str] = {
    "KVM001": "it is about the command line, not about a text",
    "KVM002": "it is about the file's permissions",
    "KVM003": "the example would be a megabyte long",
    "KVM004": "a page can't hold what is no text",
    "KVM005": "a page can't hold a NUL byte",
    "KVM006": "it is about folders",
    "KVM007": "it is about folders",
    "KVM012": "it needs a link out of the folder",
    "KVM014": "it would need too many files",
    "KVM520": "it is about `kvmcheck export`, and the spec itself is right",
    "KVM521": "it is about `kvmcheck export`, and the spec itself is right",
    "KVM522": "it is about the command line, not about a text",
    "KVM542": "it is about the command line, not about a text",
    "KVM545": "it is about the machine, not about a text",
    "KVM546": "it is about the baseline, not about a text",
    "KVM551": "it is about `kvmcheck prove`, and the spec itself is right",
    "KVM550": "it is about `kvmcheck prove --parametric`, and the spec itself is right",
    "KVM900": "it would be a bug of kvmcheck",
}


def diagnosed(folder: Path, section: str, page: Path) -> tuple[Diagnostic, ...]:
    """What is said of the example in a section of a page."""
    spec = folder / "example.kvm"
    for block in fenced(page, section):
        if block.info[:1] == ("kvm",):
            target = folder / block.info[2] if block.info[1:2] == ("file",) else spec
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
    assert spec.exists(), f"{page.name}: an example is missing"
    report = check(spec, Options(states=2_000))
    return (*report.diagnostics, *(found for case in report.cases for found in case.diagnostics))


def page_of(code: str) -> Path:
    """Where the page of a code is."""
    return PAGES / f"{code}.md"


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert sorted(CATALOGUE) == sorted(path.stem for path in PAGES.glob("*.md"))


def test_codes_are_three_digits_and_in_order() -> None:
    assert all(re.fullmatch(r"KVM\d{3}", code) for code in CATALOGUE)
    assert list(CATALOGUE) == sorted(CATALOGUE)


def test_the_codes_of_the_catalogue_are_those_that_are_reported() -> None:
    package = ROOT / "checker" / "kvmcheck"
    used = {
        code
        for path in package.rglob("*.py")
        if path.name not in ("catalogue.py", "arguments.py")  # --help names a code as an example
        for code in re.findall(r"KVM\d{3}", path.read_text(encoding="utf-8"))
    }

    assert used - set(CATALOGUE) == set()
    assert set(CATALOGUE) - used == set()


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_page_has_its_four_sections(code: str) -> None:
    text = page_of(code).read_text(encoding="utf-8")

    assert text.split("\n")[0] == f"# {code}: {CATALOGUE[code].title}"
    assert list(sections(text)) == SECTIONS
    assert all(part.strip() for part in sections(text).values())


@pytest.mark.parametrize("code", sorted(set(CATALOGUE) - set(WITHOUT_EXAMPLE)))
def test_the_broken_example_gives_the_code(code: str, tmp_path: Path) -> None:
    page = page_of(code)
    found = diagnosed(tmp_path, sections(page.read_text(encoding="utf-8"))["Broken"], page)

    errors = [diagnostic for diagnostic in found if diagnostic.severity is Severity.ERROR]
    assert {diagnostic.code for diagnostic in errors or found} == {code}


@pytest.mark.parametrize("code", sorted(set(CATALOGUE) - set(WITHOUT_EXAMPLE)))
def test_the_fixed_example_has_no_error(code: str, tmp_path: Path) -> None:
    page = page_of(code)
    found = diagnosed(tmp_path, sections(page.read_text(encoding="utf-8"))["Fixed"], page)

    assert [d for d in found if d.code == code or d.severity is Severity.ERROR] == []


@pytest.mark.parametrize("code", sorted(WITHOUT_EXAMPLE))
def test_a_page_without_an_example_says_why(code: str) -> None:
    shown = sections(page_of(code).read_text(encoding="utf-8"))["Broken"]

    assert shown.strip() == f"Not shown by an example: {WITHOUT_EXAMPLE[code]}."
