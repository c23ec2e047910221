# SPDX-License-Identifier: GPL-2.0-only
"""An editor for tests: it starts `kvmcheck lsp` and talks to it over stdio, as any editor does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

#: Longer than this no answer takes, on a busy machine too.
_PATIENCE = 30.0


class Editor:
    """A client with one folder."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._published: dict[str, list[types.Diagnostic]] = {}
        self._news = asyncio.Event()

        def publish(params: types.PublishDiagnosticsParams) -> None:
            self._published[params.uri] = list(params.diagnostics)
            self._news.set()

        client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(publish)

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def open(self, name: str, text: str | None = None) -> None:
        """Open a file: as it is on the disk, or as it is in the editor only."""
        self.texts[name] = text if text is not None else (self.folder / name).read_text(encoding="utf-8")
        item = types.TextDocumentItem(self.uri(name), "kvm", 1, self.texts[name])
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, name: str, text: str) -> None:
        """Change the text without saving it."""
        self.texts[name] = text
        self._published.pop(self.uri(name), None)
        document = types.VersionedTextDocumentIdentifier(2, self.uri(name))
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def complaints(self, name: str, *, any: bool = False) -> list[types.Diagnostic]:
        """What the server next says of a file (or has said since it was changed); `any`: once there is anything."""
        async with asyncio.timeout(_PATIENCE):
            while (found := self._published.get(self.uri(name))) is None or (any and not found):
                self._news.clear()
                await self._news.wait()
        return found

    def at(self, name: str, marked: str) -> types.Position:
        """The place of the `|` in a piece of the text, which is there without it; in UTF-16 units."""
        before, _, behind = marked.partition("|")
        text = self.texts[name]
        assert text.count(before + behind) == 1, marked
        line, column = text[: text.index(before + behind) + len(before)].rsplit("\n", 1)
        return types.Position(line.count("\n") + 1, len(column.encode("utf-16-le")) // 2)

    def marked(self, name: str, span: types.Range) -> str:
        """The text that a range holds."""
        lines = self.texts[name].split("\n")
        assert span.start.line == span.end.line
        units = lines[span.start.line].encode("utf-16-le")
        return units[2 * span.start.character : 2 * span.end.character].decode("utf-16-le")

    async def hover(self, name: str, marked: str) -> str:
        params = types.HoverParams(self.document(name), self.at(name, marked))
        found = await self.client.text_document_hover_async(params)
        assert found is not None and isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def definition(self, name: str, marked: str) -> types.Location:
        params = types.DefinitionParams(self.document(name), self.at(name, marked))
        found = await self.client.text_document_definition_async(params)
        assert isinstance(found, types.Location)
        return found

    async def rename(self, name: str, marked: str, new: str) -> dict[str, str]:
        """The texts of all files after the rename."""
        params = types.RenameParams(self.document(name), self.at(name, marked), new)
        found = await self.client.text_document_rename_async(params)
        assert found is not None and found.changes is not None
        after = {}
        for uri, edits in found.changes.items():
            file = uri.rsplit("/", 1)[1]
            after[file] = _applied((self.folder / file).read_text(encoding="utf-8"), list(edits))
        return after


def _applied(text: str, edits: list[types.TextEdit]) -> str:
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda edit: (edit.range.start.line, edit.range.start.character))[::-1]:
        units = lines[edit.range.start.line].encode("utf-16-le")
        head, tail = units[: 2 * edit.range.start.character], units[2 * edit.range.end.character :]
        lines[edit.range.start.line] = head.decode("utf-16-le") + edit.new_text + tail.decode("utf-16-le")
    return "\n".join(lines)


@asynccontextmanager
async def _started(folder: Path, markdown: bool) -> AsyncIterator[Editor]:
    client = LanguageClient("editor", "1")
    await client.start_io(sys.executable, "-m", "kvmcheck", "lsp")
    formats = [types.MarkupKind.Markdown] if markdown else [types.MarkupKind.PlainText]
    hover = types.HoverClientCapabilities(content_format=formats)
    can = types.ClientCapabilities(text_document=types.TextDocumentClientCapabilities(hover=hover))
    where = [types.WorkspaceFolder(folder.as_uri(), folder.name)]
    try:
        await client.initialize_async(types.InitializeParams(capabilities=can, workspace_folders=where))
        client.initialized(types.InitializedParams())
        yield Editor(client, folder)
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]  # of pygls


def edit(folder: Path, session: Callable[[Editor], Awaitable[None]], *, markdown: bool = False) -> None:
    """Start an editor in a folder, and let it do something."""

    async def run() -> None:
        async with asyncio.timeout(2 * _PATIENCE), _started(folder, markdown) as editor:
            await session(editor)

    asyncio.run(run())
