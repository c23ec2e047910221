# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck lsp`: the questions of the Language Server Protocol, each with what answers it."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from kvmcheck.lang.layout import format_source
from kvmcheck.lsp.checking import Checking
from kvmcheck.lsp.completing import completions
from kvmcheck.lsp.describing import described
from kvmcheck.lsp.outline import outline
from kvmcheck.lsp.places import Cursor, Places
from kvmcheck.lsp.renaming import Refused, may_be_renamed, references, renamed
from kvmcheck.lsp.session import Session, path_of
from kvmcheck.source.diagnostic import BadInput
from kvmcheck.source.text import SourceText

#: The protocol's code for a request that was understood, and can't be done.
_REQUEST_FAILED = -32803


class Server(LanguageServer):
    """One editor's session."""

    def __init__(self, version: str) -> None:
        # Whole texts: a spec is small, and an editor's idea of where a character is can't drift from ours.
        super().__init__("kvmcheck", version, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.session = Session()
        self.checking = Checking(self._publish, self._failed)

    @property
    def places(self) -> Places:
        """The session in the columns that both sides agreed on."""
        encoding = self.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16
        return Places(self.session, encoding)

    def cursor(self, document: types.TextDocumentIdentifier, position: types.Position) -> Cursor | None:
        """The name that is asked about."""
        return self.places.cursor(path_of(document.uri), position)

    def look(self, first: Path | None = None, delay: float | None = None) -> None:
        """Look for mistakes in what is open."""
        if delay is None:
            self.checking.soon(self.places, first)
        else:
            self.checking.soon(self.places, first, delay)

    def _publish(self, path: Path, found: list[types.Diagnostic]) -> None:
        params = types.PublishDiagnosticsParams(self.session.uri(path), found)
        self.text_document_publish_diagnostics(params)

    def _failed(self, what: str) -> None:
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, f"KVM900: {what}"))


def made_server(version: str) -> Server:
    """The server with all that it can do; `start_io` runs it."""
    server = Server(version)
    _documents(server)
    _questions(server)
    _changes(server)
    return server


def _documents(server: Server) -> None:
    """What the editor tells."""

    @server.feature(types.INITIALIZED)
    def _initialized(_: types.InitializedParams) -> None:
        for folder in server.workspace.folders.values():
            server.session.folders.append(path_of(folder.uri))
        if not server.session.folders and server.workspace.root_uri:
            server.session.folders.append(path_of(server.workspace.root_uri))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _opened(params: types.DidOpenTextDocumentParams) -> None:
        path = server.session.put(params.text_document.uri, params.text_document.text)
        server.look(path, delay=0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _changed(params: types.DidChangeTextDocumentParams) -> None:
        if params.content_changes:
            path = server.session.put(params.text_document.uri, params.content_changes[-1].text)
            server.look(path)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _closed(params: types.DidCloseTextDocumentParams) -> None:
        server.checking.forget(server.session.drop(params.text_document.uri))
        server.look()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def _saved(params: types.DidSaveTextDocumentParams) -> None:
        server.session.changed_on_disk()
        server.look(path_of(params.text_document.uri))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _watched(_: types.DidChangeWatchedFilesParams) -> None:
        server.session.changed_on_disk()
        server.look()


def _questions(server: Server) -> None:
    """What changes nothing."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def _hover(params: types.HoverParams) -> types.Hover | None:
        cursor = server.cursor(params.text_document, params.position)
        if cursor is None:
            return None
        known = server.client_capabilities.text_document
        formats = known.hover.content_format if known is not None and known.hover is not None else None
        markdown = types.MarkupKind.Markdown in (formats or ())
        return types.Hover(described(cursor.occurrence.target, markdown=markdown), cursor.range)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def _definition(params: types.DefinitionParams) -> types.Location | None:
        cursor = server.cursor(params.text_document, params.position)
        return server.places.location(cursor.occurrence.target.declared) if cursor is not None else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def _references(params: types.ReferenceParams) -> list[types.Location]:
        cursor = server.cursor(params.text_document, params.position)
        if cursor is None:
            return []
        return references(cursor, server.places, declaration=params.context.include_declaration)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _outline(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        analysis = server.session.last_good(path_of(params.text_document.uri))
        return outline(analysis.unit.entry, server.places) if analysis.unit is not None else []

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["@"]))
    def _completion(params: types.CompletionParams) -> list[types.CompletionItem]:
        path = path_of(params.text_document.uri)
        return completions(server.session, path, server.places.offset(path, params.position))


def _changes(server: Server) -> None:
    """What gives the editor something to change."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def _prepare(params: types.PrepareRenameParams) -> types.Range | None:
        cursor = server.cursor(params.text_document, params.position)
        if cursor is None:
            return None
        try:
            may_be_renamed(cursor, server.session)
        except Refused as error:
            raise JsonRpcException(message=str(error), code=_REQUEST_FAILED) from None
        return cursor.range

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def _rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        cursor = server.cursor(params.text_document, params.position)
        if cursor is None:
            return None
        try:
            return renamed(cursor, params.new_name, server.places)
        except Refused as error:
            raise JsonRpcException(message=str(error), code=_REQUEST_FAILED) from None

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def _format(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        path = path_of(params.text_document.uri)
        text = server.session.text(path) or ""
        try:
            laid_out = format_source(SourceText(str(path), text))
        except BadInput:  # what is wrong is among the diagnostics
            return []
        return [types.TextEdit(server.places.lines(text).whole, laid_out)] if laid_out != text else []
