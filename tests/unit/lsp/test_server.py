# SPDX-License-Identifier: GPL-2.0-only
"""What an editor gets from `kvmcheck lsp`, over stdio."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from kvmcheck.cli.main import main
from tests.unit.lsp.editor import Editor, edit

MODULE = """\
// SPDX-License-Identifier: GPL-2.0-only
module cell;
scalarset Vcpu;
word struct Cell { bool full; }

spinlock lock;
// Whether somebody is inside: é𝄞 | <b>.
shared Cell cell guarded by lock;

// Put something in.
void put(Vcpu v)
    from "virt/kvm/kvm_main.c" at "v2.6.27"
{
    spin_lock(&lock);
    @store cell.full = true;
    spin_unlock(&lock);
}

invariant never_empty { forall (put p) : not p at @store or cell.full implies cell.full }
"""

SPEC = """\
// SPDX-License-Identifier: GPL-2.0-only
use cell;

scenario two "two vcpus" {
    Vcpu = 2;

    process vcpu[Vcpu v] { /* 𝄞𝄞 */ put(v); }

    check never_empty;
}

mutant dropped of two "nothing is put" {
    drop put@store;
    expect never_empty violated;
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cell.kvm").write_text(MODULE, encoding="utf-8")
    (tmp_path / "spec.kvm").write_text(SPEC, encoding="utf-8")
    return tmp_path


def test_mistakes_are_told_while_one_types_and_go_when_they_are_mended(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        assert await editor.complaints("spec.kvm") == []
        editor.type("spec.kvm", SPEC.replace("put(v)", "putt(v)"))
        [said] = await editor.complaints("spec.kvm")
        assert said.code == "KVM201" and editor.marked("spec.kvm", said.range) == "putt"
        assert "did you mean `put`?" in said.message
        editor.type("spec.kvm", SPEC.replace("check never_empty;", "check never_empty"))
        [said] = await editor.complaints("spec.kvm")
        assert said.code == "KVM101"
        editor.type("spec.kvm", SPEC)
        assert await editor.complaints("spec.kvm") == []

    edit(folder, session)


def test_the_unsaved_text_of_a_module_counts(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        editor.open("cell.kvm")
        editor.type("cell.kvm", MODULE.replace("void put(Vcpu v)", "void put_in(Vcpu v)"))
        assert {said.code for said in await editor.complaints("spec.kvm", any=True)} >= {"KVM201"}

    edit(folder, session)


def test_a_mistake_in_a_mutant_alone_is_told(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm", SPEC.replace("put@store", "put@stores"))
        [said] = await editor.complaints("spec.kvm")
        assert said.code == "KVM451" and editor.marked("spec.kvm", said.range) == "put@stores"

    edit(folder, session)


def test_a_definition_is_found_in_another_file(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        editor.texts["cell.kvm"] = MODULE
        for place, name in (
            ("/ pu|t(v)", "put"),
            ("drop put@st|ore", "store"),
            ("drop pu|t@", "put"),
            ("check never_|empty", "never_empty"),
            ("use ce|ll", "cell"),
            ("[Vc|pu v]", "Vcpu"),
        ):
            found = await editor.definition("spec.kvm", place)
            assert found.uri == editor.uri("cell.kvm")
            assert editor.marked("cell.kvm", found.range) == name
        found = await editor.definition("spec.kvm", "of tw|o")
        assert found.uri == editor.uri("spec.kvm") and found.range.start.line == 3

    edit(folder, session)


def test_hover_tells_type_guard_kernel_source_and_the_comment_above(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("cell.kvm")
        variable = await editor.hover("cell.kvm", "@store ce|ll")
        assert "shared Cell cell guarded by lock" in variable and "Whether somebody is inside" in variable
        function = await editor.hover("cell.kvm", "void pu|t(")
        assert "void put(Vcpu v)" in function and "spin_lock" not in function
        assert (
            "models put() of virt/kvm/kvm_main.c at v2.6.27" in function and "Put something in." in function
        )
        assert "bool full" in await editor.hover("cell.kvm", "@store cell.fu|ll")
        assert "put p" in await editor.hover("cell.kvm", "not |p at")

    edit(folder, session)


def test_what_an_author_wrote_is_no_markdown(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("cell.kvm")
        shown = await editor.hover("cell.kvm", "@store ce|ll")
        assert shown.startswith("```kvm\nshared Cell cell") and "\\| \\<b\\>" in shown and "<b>" not in shown

    edit(folder, session, markdown=True)


def test_positions_are_counted_in_utf_16(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        found = await editor.definition("spec.kvm", "*/ put(|v)")
        assert editor.marked("spec.kvm", found.range) == "v"
        after = await editor.rename("spec.kvm", "*/ put(|v)", "who")
        assert after["spec.kvm"] == SPEC.replace("Vcpu v", "Vcpu who").replace("put(v)", "put(who)")

    edit(folder, session)


def test_a_rename_goes_through_all_files(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        after = await editor.rename("spec.kvm", "/ pu|t(v)", "fill")
        assert after["spec.kvm"] == SPEC.replace(" put(v)", " fill(v)").replace("put@", "fill@")
        assert after["cell.kvm"] == MODULE.replace("void put", "void fill").replace("(put p)", "(fill p)")
        after = await editor.rename("spec.kvm", "drop put@st|ore", "write")
        assert after["cell.kvm"] == MODULE.replace("@store", "@write")
        assert after["spec.kvm"] == SPEC.replace("@store", "@write")

    edit(folder, session)


def test_an_unsafe_rename_is_refused_with_the_reason(folder: Path) -> None:
    refused = [
        ("/ pu|t(v)", "lock", "means something else"),  # hides another name
        ("/ pu|t(v)", "spin_lock", "means something else"),  # a built-in function that is used
        ("/ pu|t(v)", "if", "is not a name"),
        ("/ pu|t(v)", "a b", "is not a name"),
        ("use ce|ll", "box", "a module is named by its file"),
    ]

    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        for place, new, why in refused:
            with pytest.raises(JsonRpcException, match=why):
                await editor.rename("spec.kvm", place, new)

    edit(folder, session)


def test_a_rename_is_refused_while_another_file_that_may_use_the_name_has_errors(folder: Path) -> None:
    (folder / "other.kvm").write_text("use cell;\nscenario x { put", encoding="utf-8")

    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        with pytest.raises(JsonRpcException, match=r"other\.kvm may use `put`"):
            await editor.rename("spec.kvm", "/ pu|t(v)", "fill")

    edit(folder, session)


def test_references_are_found_in_files_that_are_not_open(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("cell.kvm")
        params = types.ReferenceParams(
            types.ReferenceContext(include_declaration=False),
            editor.document("cell.kvm"),
            editor.at("cell.kvm", "void pu|t("),
        )
        found = await editor.client.text_document_references_async(params) or []
        assert [(location.uri, location.range.start.line) for location in found] == [
            (editor.uri("cell.kvm"), 18),
            (editor.uri("spec.kvm"), 6),
            (editor.uri("spec.kvm"), 12),
        ]

    edit(folder, session)


def test_the_outline_has_labels_fields_and_processes(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        for name, expected in (
            (
                "cell.kvm",
                {"Vcpu": [], "Cell": ["full"], "lock": [], "cell": [], "put": ["store"], "never_empty": []},
            ),
            ("spec.kvm", {"use cell": [], "two": ["vcpu"], "dropped": []}),
        ):
            editor.open(name)
            params = types.DocumentSymbolParams(editor.document(name))
            found = await editor.client.text_document_document_symbol_async(params) or []
            shown = {
                symbol.name: [inner.name for inner in symbol.children or []]
                for symbol in found
                if isinstance(symbol, types.DocumentSymbol)
            }
            assert shown == expected

    edit(folder, session)


def test_a_file_is_laid_out_and_a_broken_one_is_left_alone(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm", SPEC.replace("    drop", "  drop"))
        params = types.DocumentFormattingParams(
            editor.document("spec.kvm"), types.FormattingOptions(tab_size=4, insert_spaces=True)
        )
        [found] = await editor.client.text_document_formatting_async(params) or []
        assert found.new_text == SPEC
        editor.type("spec.kvm", SPEC + "}")
        assert not await editor.client.text_document_formatting_async(params)

    edit(folder, session)


def test_labels_are_offered_behind_an_at_sign_and_names_elsewhere(folder: Path) -> None:
    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        editor.type("spec.kvm", SPEC.replace("drop put@store", "drop put@"))

        async def offered(place: str) -> set[str]:
            params = types.CompletionParams(editor.document("spec.kvm"), editor.at("spec.kvm", place))
            found = await editor.client.text_document_completion_async(params)
            assert isinstance(found, list | tuple)
            return {item.label for item in found}

        assert await offered("drop put@|;") == {"store", "entry", "return"}
        assert {"put", "cell", "never_empty", "forever", "v"} <= await offered("/ put(|v)")

    edit(folder, session)


def test_broken_texts_are_answered_and_do_not_end_the_server(folder: Path) -> None:
    broken = [
        "",
        "\0",
        "/*",
        "use",
        "@",
        "use cell;\nscenario",
        "((((" * 3000,
        SPEC[:200],
        "\u2028\r\r\n@é\U0001f600 'x",
    ]

    async def session(editor: Editor) -> None:
        editor.open("spec.kvm")
        for text in broken:
            editor.type("spec.kvm", text)
            document, start = editor.document("spec.kvm"), types.Position(0, 3)
            far = types.Position(900, 900)
            for position in (start, far):
                await editor.client.text_document_hover_async(types.HoverParams(document, position))
                await editor.client.text_document_definition_async(types.DefinitionParams(document, position))
                await editor.client.text_document_completion_async(types.CompletionParams(document, position))
            await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        editor.type("spec.kvm", SPEC)
        assert await editor.complaints("spec.kvm") == []

    edit(folder, session)


def test_without_pygls_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pygls", "lsprotocol")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("kvmcheck.lsp.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "lsprotocol", None)

    assert main(["lsp"]) == 2
    assert capsys.readouterr().err.startswith("kvmcheck: error: lsp needs pygls: pip install 'kvmcheck[lsp]'")
