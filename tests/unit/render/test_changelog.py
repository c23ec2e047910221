# SPDX-License-Identifier: GPL-2.0-only
"""What goes into a changelog stands alone, fits it, and tells a run once however much it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.cli.main import main
from kvmcheck.render.commit import COLUMNS

SPEC = """\
shared bool taken;
shared bool freed;
shared bool lost;
invariant not_taken { not taken }
invariant not_freed { not (taken and freed) }
invariant not_lost { not lost }
scenario s "one run breaks two things, another one a third" {
    init { choose freed where (freed == false); }
    process p { if (any bool) { taken = true; freed = true; } else lost = true; }
    check not_freed, not_taken, not_lost;
    expect not_freed, not_taken, not_lost violated;
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A file with the scenario."""
    path = tmp_path / "two.kvm"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_only_the_diagram_is_on_stdout(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "commit", str(spec)]) == 0
    printed = capsys.readouterr()

    assert "VIOLATED" in printed.err
    assert "as expected" in printed.err
    assert "VIOLATED" not in printed.out
    assert 'one run breaks two things, another one a third"' in " ".join(printed.out.split())


def test_a_run_that_breaks_two_properties_is_drawn_once(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--format", "commit", str(spec)])
    text = capsys.readouterr().out

    assert text.count("CPU0 (p)") == 1
    assert " =>  not_taken does not hold (in row 1)" in text
    assert " =>  not_freed does not hold (in row 2)" in text
    assert text.count("<--") == 2
    assert "Broken in other runs (--only NAME shows one): not_lost." in text


def test_the_index_of_the_large_page_is_told_so_that_it_can_be_pasted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = Path(__file__).parents[3] / "specs" / "first_commit" / "large_page_index.kvm"
    main(["--format", "commit", "--only", "large_page_index", str(spec)])
    text = capsys.readouterr().out

    assert text.isascii()
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert "\t" not in text
    assert text.count("CPU0 (vcpu0)") == 1
    assert "begins with memslots[0] = { .base_gfn = 1," in text
    assert "gfn = 2," in text
    assert "idx = gfn_offset / HPAGE   <--" in text
    assert "idx = 0" in text
    assert "kvm_handle_hva():" in text
    assert "Broken in other runs" not in text
    for name in ("looks_where_it_was_linked", "gone_after_invalidate_page", "no_stale_large_spte"):
        assert f" =>  {name} does not hold" in text
