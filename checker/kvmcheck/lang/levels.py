# SPDX-License-Identifier: GPL-2.0-only
"""How deep each statement and declaration of a file stands, for whoever lays it out."""

from __future__ import annotations

from typing import assert_never

from kvmcheck.lang import syntax as s


class Levels:
    """Where statements, declarations and their like begin, and at which level of indentation."""

    def __init__(self, file: s.File) -> None:
        self._text = file.span.source.text
        #: Offset of the first character -> level.
        self.begins: dict[int, int] = {}
        #: Offset of the statement behind an `else` -> level of its `if`.
        self.otherwise: dict[int, int] = {}
        #: Offset of the condition of a `do … while` -> level of its `do`.
        self.do_conditions: dict[int, int] = {}
        #: Offset of a C label -> level of the statements around it.
        self.labels: dict[int, int] = {}
        #: Offsets of the `@` of labelled statements.
        self.marked: set[int] = set()
        for item in file.items:
            self._item(item)

    def _item(self, item: s.Item) -> None:
        self.begins[item.span.start] = 0
        match item:
            case s.FunctionDecl(body=body):
                self._block(body, 0)
            case s.StructDecl(fields=parts) | s.ObjectDecl(fields=parts):
                self._all(parts)
            case s.UnionDecl(arms=arms):
                self._all(arms)
            case s.EnumDecl(constants=constants):
                self._all(constants)
            case s.UseDecl(edits=edits):
                self._edits(edits)
            case s.ScenarioDecl(items=items):
                self._all(items)
                for line in items:
                    self._scenario_item(line)
            case s.MutantDecl(edits=edits, expects=expects):
                self._edits(edits)
                self._all(expects)
            case (
                s.SortDecl()
                | s.TypedefDecl()
                | s.VarDecl()
                | s.ParamDecl()
                | s.InvariantDecl()
                | s.StepDecl()
                | s.LiveDecl()
                | s.CoverDecl()
            ):
                pass
            case _:
                assert_never(item)

    def _all(self, parts: tuple[s.FieldDecl | s.ArmDecl | s.Name | s.Edit | s.ScenarioItem, ...]) -> None:
        for part in parts:
            self.begins[part.span.start] = 1

    def _edits(self, edits: tuple[s.Edit, ...]) -> None:
        self._all(edits)
        for edit in edits:
            if isinstance(edit, s.Replace | s.Insert):
                self._block(edit.body, 1)

    def _scenario_item(self, item: s.ScenarioItem) -> None:
        if isinstance(item, s.ProcessDecl | s.Init):
            self._block(item.body, 1)
        if isinstance(item, s.ProcessDecl) and item.interrupt is not None:
            self._block(item.interrupt.body, 1)

    def _block(self, block: s.Block, level: int) -> None:
        for statement in block.body:
            self._statement(statement, level + 1)

    def _inner(self, statement: s.Stmt, level: int) -> None:
        """A statement that is a part of another: deeper only on a line of its own."""
        own_line = not self._text[: statement.span.start].rpartition("\n")[2].strip()
        deeper = own_line and not isinstance(statement, s.Block)
        self._statement(statement, level + 1 if deeper else level)

    def _statement(self, statement: s.Stmt, level: int) -> None:
        self.begins[statement.span.start] = level
        match statement:
            case s.Block():
                self._block(statement, level)
            case s.If(then=then, otherwise=otherwise):
                self._inner(then, level)
                if otherwise is not None:
                    self.otherwise[otherwise.span.start] = level
                    self._inner(otherwise, level)
            case s.While(body=body) | s.For(body=body) | s.ForEach(body=body):
                self._inner(body, level)
            case s.Forever(body=body) | s.Repeat(body=body) | s.GhostStmt(body=body):
                self._inner(body, level)
            case s.DoWhile(body=body, condition=condition):
                self._inner(body, level)
                self.do_conditions[condition.span.start] = level
            case s.Labelled(body=body):
                self.marked.add(statement.span.start)
                self._statement(body, level)
            case s.Atomic(body=body):
                self._block(body, level)
            case s.Switch(cases=cases):
                for case in cases:
                    self.begins[case.span.start] = level
                    for inner in case.body:
                        self._statement(inner, level + 1)
            case s.CLabel():
                # As in the kernel, at the left edge, to be found.
                self.begins[statement.span.start] = 0
                self.labels[statement.span.start] = level
            case (
                s.LocalDecl()
                | s.Assign()
                | s.ExprStmt()
                | s.Goto()
                | s.Return()
                | s.Break()
                | s.Continue()
                | s.Await()
                | s.Choose()
                | s.Assert()
                | s.CoverStmt()
                | s.Empty()
            ):
                pass
            case _:
                assert_never(statement)
