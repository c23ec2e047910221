# SPDX-License-Identifier: GPL-2.0-only
"""Skeletons from kernel C, read by tree-sitter.  What it can't make sense of is refused, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import tree_sitter_c
from tree_sitter import Language, Node, Parser

from tests.support.skeleton.patch import Line, Piece, UnreadablePatch
from tests.support.skeleton.vocabulary import COUNTERS, LOCKING, TRANSPARENT, Event, Part, Skeleton

PARSER = Parser(Language(tree_sitter_c.language()))

#: Comments, strings and characters: braces in them are text.
QUOTED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.DOTALL)


def skeletons(shown: Sequence[Piece]) -> list[Skeleton]:
    """The skeleton of each function, from the pieces of it that are shown, in their order."""
    functions = frozenset(piece.function for piece in shown)
    found = []
    for (name, file), group in groupby(shown, key=lambda piece: (piece.function, piece.file)):
        own = list(group)
        parts = tuple(Part(piece.lines[0].number, tuple(_drawn(piece, functions))) for piece in own)
        found.append(Skeleton(name, file, own[0].begins, own[-1].ends, parts))
    return found


def _drawn(piece: Piece, functions: frozenset[str]) -> Iterator[Event]:
    """The events of a piece.  What is open at its edges is closed, so that it can be parsed as a function."""
    text = "\n".join(line.text for line in piece.lines)
    before, after = ("", "") if piece.begins and piece.ends else _closed(text, piece)
    tree = PARSER.parse((before + text + after).encode())
    first = before.count("\n")
    if tree.root_node.has_error:
        at = piece.lines[min(max(_error_row(tree.root_node) - first, 0), len(piece.lines) - 1)]
        raise UnreadablePatch(f"{piece.function}, line {at.number}: can't be read as C: {at.text.strip()}")
    return Drawing(piece.lines, first, functions).events(tree.root_node)


def _closed(text: str, piece: Piece) -> tuple[str, str]:
    """What to put in front of a piece and behind it, so that it is a whole function."""
    depth = lowest = 0
    for brace in re.findall(r"[{}]", QUOTED.sub("", text)):
        depth += 1 if brace == "{" else -1
        lowest = min(lowest, depth)
    if piece.begins:
        return "", "\n" + "}" * depth
    return "void f(void)\n" + "{" * max(-lowest, 1) + "\n", "\n" + "}" * (depth + max(-lowest, 1))


def _error_row(root: Node) -> int:
    """The row of the first node that tree-sitter had to make up or skip."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            return node.start_point[0]
        waiting.extend(reversed([child for child in node.children if child.has_error]))
    return root.start_point[0]


class Drawing:
    """Events of a parsed piece.  `first`: the row at which its own lines begin."""

    def __init__(self, lines: tuple[Line, ...], first: int, functions: frozenset[str]) -> None:
        self._lines = lines
        self._first = first
        self._functions = functions

    def events(self, node: Node) -> Iterator[Event]:
        """The events of a node and everything below it, in the order in which C does them."""
        match node.type:
            case "comment" | "parameter_list" | "sizeof_expression" | "type_descriptor":
                return
            case "call_expression":
                yield from self._call(node)
            case "assignment_expression":
                yield from self._assignment(node)
            case "update_expression":
                place = _child(node, "argument")
                yield from self._place(place)
                yield from self._access(place, "read", "write")
            case "pointer_expression" if node.children[0].type == "&":
                yield from self._place(_child(node, "argument"))
            case "identifier" | "field_identifier":
                yield from self._name(node)
            case "goto_statement":
                yield self._event(node, f"goto {_text(_child(node, 'label'))}")
            case "labeled_statement":
                yield self._event(node, f"label {_text(_child(node, 'label'))}")
                yield from self._all(node.named_children[1:])
            case "return_statement":
                yield from self._all(node.named_children)
                literal = [_text(c) for c in node.named_children if c.type == "number_literal"]
                yield self._event(node, " ".join(["return", *literal]))
            case "break_statement" | "continue_statement":
                yield self._event(node, node.type.removesuffix("_statement"))
            case "while_statement":
                yield from self._loop(node, (), ("condition", "body"))
            case "do_statement":
                yield from self._loop(node, (), ("body", "condition"))
            case "for_statement":
                yield from self._loop(node, ("initializer",), ("condition", "body", "update"))
            case "function_definition":
                yield from self.events(_child(node, "body"))
            case _:
                yield from self._all(node.named_children)

    def _all(self, nodes: Sequence[Node]) -> Iterator[Event]:
        for node in nodes:
            yield from self.events(node)

    def _loop(self, node: Node, before: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[Event]:
        for name in before:
            yield from self._field(node, name)
        yield self._event(node, "loop")
        for name in inside:
            yield from self._field(node, name)
        yield self._event(node, "end loop")

    def _field(self, node: Node, name: str) -> Iterator[Event]:
        child = node.child_by_field_name(name)
        if child is not None:
            yield from self.events(child)

    def _call(self, node: Node) -> Iterator[Event]:
        arguments = _child(node, "arguments").named_children
        name = _last_name(_child(node, "function"))
        if name in LOCKING:
            yield self._event(node, f"{name} {_last_name(arguments[0])}")
            return
        for argument in arguments:
            if argument.type == "identifier" and _text(argument) in self._functions:
                yield self._event(argument, f"pass {_text(argument)}")
            else:
                yield from self.events(argument)
        if name not in TRANSPARENT:
            yield self._event(node, f"call {name}")

    def _assignment(self, node: Node) -> Iterator[Event]:
        place = _child(node, "left")
        yield from self.events(_child(node, "right"))
        yield from self._place(place)
        plain = _text(_child(node, "operator")) == "="
        yield from self._access(place, *(("write",) if plain else ("read", "write")))

    def _place(self, place: Node) -> Iterator[Event]:
        """What is done on the way to a place: its indexes and pointers, not the place itself."""
        if place.type != "identifier":
            yield from self._all([c for c in place.named_children if c.type != "field_identifier"])

    def _access(self, place: Node, *ways: str) -> Iterator[Event]:
        if place.type in ("identifier", "field_expression") and _last_name(place) in COUNTERS:
            for way in ways:
                yield self._event(place, f"{way} {_last_name(place)}")

    def _name(self, node: Node) -> Iterator[Event]:
        if _text(node) in COUNTERS:
            yield self._event(node, f"read {_text(node)}")

    def _event(self, node: Node, text: str) -> Event:
        row = node.start_point[0] - self._first
        return Event(text, 0 <= row < len(self._lines) and self._lines[row].added)


def _child(node: Node, name: str) -> Node:
    child = node.child_by_field_name(name)
    assert child is not None, (node.type, name)
    return child


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def _last_name(node: Node) -> str:
    """`mmu_lock` of `&vcpu->kvm->mmu_lock`."""
    *_, last = re.finditer(r"\w+", _text(node))
    return last[0]
