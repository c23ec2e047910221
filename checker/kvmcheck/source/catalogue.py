# SPDX-License-Identifier: GPL-2.0-only
"""The codes of all diagnostics: the only list.

A code never changes its meaning and is never used again.  0xx input, 1xx syntax, 2xx names, 3xx
types, 4xx the program as a whole, 5xx scenarios and mutants, 9xx a bug of ours.  Each has a page
docs/reference/errors/KVMnnn.md that `kvmcheck explain KVMnnn` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Entry:
    """A code, the short name of its page, and what it says in general."""

    code: str
    slug: str
    title: str


_ENTRIES = (
    # ---- 0xx: files and folders
    Entry("KVM001", "not-found", "there is no such file"),
    Entry("KVM002", "unreadable", "the file can't be read"),
    Entry("KVM003", "too-large", "the file is too large"),
    Entry("KVM004", "not-utf8", "the file is not UTF-8"),
    Entry("KVM005", "nul-byte", "the file holds a NUL byte"),
    Entry("KVM006", "folder", "a folder stands where a file is expected"),
    Entry("KVM010", "no-module", "a module is used that is not there"),
    Entry("KVM011", "module-cycle", "modules use each other in a circle"),
    Entry("KVM012", "outside", "a module leads out of the folders that are searched"),
    Entry("KVM013", "module-name", "a module's `module` line and its file's name differ"),
    Entry("KVM014", "too-many-modules", "there are too many modules"),
    # ---- 1xx: syntax
    Entry("KVM100", "syntax", "something stands where something else is expected"),
    Entry("KVM101", "missing-semicolon", "a `;` is missing"),
    Entry("KVM102", "missing-brace", "a `}` is missing"),
    Entry("KVM103", "character", "a character is not one of the language"),
    Entry("KVM104", "string-end", "a string has no end, or a backslash that means nothing"),
    Entry("KVM105", "comment-end", "a comment has no end"),
    Entry("KVM106", "store-or-compare", "`=` stands where values are compared, or `==` where one is stored"),
    Entry("KVM107", "colon-equals", "`:=` is not a sign of the language"),
    Entry("KVM108", "elif", "`else if` is written in two words"),
    Entry("KVM109", "goto-nowhere", "a `goto` does not say where to"),
    Entry("KVM110", "too-deep", "something is nested too deeply"),
    Entry("KVM111", "number", "a number is written in a way that is not known"),
    Entry("KVM112", "bare-declaration", "a variable is neither `shared` nor `ghost`"),
    Entry("KVM113", "no-effect", "a statement does nothing"),
    Entry("KVM114", "guard", "a guard is not made of locks"),
    Entry("KVM115", "field-dimension", "a field's dimension has a name"),
    Entry("KVM116", "two-names", "a declaration has several names"),
    Entry("KVM117", "keyword", "a keyword stands where a name is expected"),
    Entry("KVM118", "language-version", "the file is written in another version of the language"),
    Entry("KVM119", "not-a-place", "something is changed that is not a place"),
    Entry("KVM120", "not-a-call", "`at @…` or `in @…` does not follow the name of a call"),
    Entry("KVM121", "foreign-word", "a word or sign of another language"),
    Entry("KVM122", "cast", "there are no casts"),
    # ---- 2xx: names
    # ---- 3xx: types
    Entry("KVM321", "seq-order", "a seq is compared with `<`, `<=`, `>` or `>=`"),
    # ---- 4xx: the program as a whole; 450 to 469 are edits
    Entry("KVM450", "edit-function", "an edit names a function that is not there"),
    Entry("KVM451", "edit-label", "an edit names a label that its function does not have"),
    Entry("KVM452", "label-twice", "a label stands twice in one function"),
    Entry("KVM453", "edit-nothing", "an edit changes nothing"),
    Entry("KVM454", "edit-declaration", "an edit takes away a declaration that is still used"),
    Entry("KVM455", "edit-place", "an edit can't be made at this place"),
    Entry("KVM456", "edit-lock", "a lock can't be replaced there, or not by this function"),
    # ---- 5xx: scenarios and mutants
    # ---- 9xx: bugs of ours
    Entry("KVM900", "our-bug", "kvmcheck contradicts itself: this is a bug in kvmcheck"),
)

#: Every code, in order.
CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.code: entry for entry in _ENTRIES})
