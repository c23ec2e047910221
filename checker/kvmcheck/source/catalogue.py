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
    Entry("KVM007", "no-specs", "a folder holds no .kvm file"),
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
    Entry(
        "KVM201", "unknown-name", "a name is not declared, or is not the kind of thing that must stand there"
    ),
    Entry("KVM202", "declared-twice", "a name is declared twice in one place"),
    Entry("KVM203", "name-clash", "a name comes in from two modules"),
    Entry("KVM205", "not-callable", "something is called, or passed to be called, that is no function"),
    Entry("KVM206", "unknown-field", "a struct, word, union or live call has no such field"),
    Entry("KVM207", "unknown-label", "a function has no such label"),
    Entry("KVM208", "unknown-property", "a property or cover is named that is not there"),
    Entry("KVM209", "not-a-value", "a name stands for a type, function or module where a value is needed"),
    # ---- 3xx: types
    Entry("KVM301", "type-mismatch", "a value of one type stands where another is needed"),
    Entry("KVM302", "argument-count", "a call has the wrong number of arguments"),
    Entry("KVM303", "operator-type", "an operator does not fit its operands"),
    Entry("KVM304", "not-assignable", "something is assigned to, or updated, that can't be"),
    Entry("KVM305", "array-index", "an array is not indexed, or indexed by the wrong thing"),
    Entry("KVM306", "braces", "it is not known what a brace literal stands for"),
    Entry("KVM307", "none-or-null", "`none` or `NULL` stands where there is always a value"),
    Entry("KVM308", "struct-literal", "a literal does not fit its type"),
    Entry("KVM309", "not-finite", "members are asked for of a type that has no list of them"),
    Entry("KVM310", "constant", "a number that must be known beforehand is not, or makes no sense"),
    Entry("KVM311", "address", "the address is taken of something that has none"),
    Entry("KVM312", "union-arm", "a tagged word is made with no arm, several, or the wrong value"),
    Entry("KVM313", "switch-exhaustive", "a `switch` leaves out a case"),
    Entry("KVM314", "unknown-method", "a value has no such method"),
    Entry("KVM320", "identity-order", "identities are ordered or counted with"),
    Entry("KVM321", "seq-order", "a seq is compared with `<`, `<=`, `>` or `>=`"),
    Entry("KVM322", "seq-increment", "a seq is changed other than by one increment of the shared one"),
    # ---- 4xx: the program as a whole; 450 to 469 are edits
    Entry("KVM401", "recursion", "a function calls itself"),
    Entry("KVM402", "goto-target", "a `goto` leads nowhere, or inlined calls grow too large"),
    Entry("KVM403", "jump", "a `break`, `continue` or `return` has nothing to leave"),
    Entry("KVM404", "ghost", "ghost and real state are mixed"),
    Entry("KVM405", "atomic", "an atomic block is not one step"),
    Entry("KVM406", "await-several", "an `await` tests several unguarded places in one step"),
    Entry("KVM407", "not-pure", "something that only looks would change or choose something"),
    Entry("KVM408", "no-return", "a path through a pure function returns nothing"),
    Entry("KVM410", "no-initial-value", "a variable has no initial value, and its type no default"),
    Entry("KVM411", "init-only", "something stands outside `init` that belongs there"),
    Entry("KVM412", "unordered-reads", "two racy reads in one expression, which C leaves unordered"),
    Entry("KVM413", "never-reached", "a statement is never reached"),
    Entry("KVM450", "edit-function", "an edit names a function that is not there"),
    Entry("KVM451", "edit-label", "an edit names a label that its function does not have"),
    Entry("KVM452", "label-twice", "a label stands twice in one function"),
    Entry("KVM453", "edit-nothing", "an edit changes nothing"),
    Entry("KVM454", "edit-declaration", "an edit takes away a declaration that is still used"),
    Entry("KVM455", "edit-place", "an edit can't be made at this place"),
    Entry("KVM456", "edit-lock", "a lock can't be replaced there, or not by this function"),
    # ---- 5xx: scenarios and mutants
    Entry("KVM501", "size-missing", "the scenario does not say how large something is"),
    Entry("KVM502", "unknown-setting", "a setting names nothing of the model, or not so"),
    Entry("KVM504", "unknown-case", "a scenario or mutant is named that is not there"),
    Entry("KVM505", "set-twice", "a scenario sets something twice"),
    Entry("KVM506", "no-initial-state", "what `init` assumes can't all be true"),
    Entry("KVM507", "any-size", "`any` stands for a size"),
    Entry("KVM508", "memory-model", "a memory model is not supported yet"),
    Entry("KVM509", "liveness", "a liveness property can't be about this function"),
    Entry("KVM510", "process-index", "a process is indexed by something without members"),
    Entry("KVM511", "setting-value", "a setting's value does not make sense"),
    Entry("KVM512", "no-process", "a scenario has no process"),
    Entry("KVM513", "unused-setting", "a scenario sets what nothing in it depends on"),
    Entry("KVM520", "not-carried", "an export's target can't say what the program does"),
    Entry("KVM521", "left-out", "a property or check is left out of an export"),
    Entry("KVM522", "which-scenario", "it is not said which scenario to export"),
    Entry("KVM540", "mutant-expects-nothing", "a mutant does not say what it breaks"),
    Entry("KVM542", "only-nothing", "`--only` names nothing that is there"),
    Entry("KVM543", "nothing-to-check", "a file declares no scenario"),
    Entry("KVM545", "no-compiler", "a large search went on in Python for want of a C compiler"),
    Entry("KVM546", "stale-baseline", "a known failure of a baseline is one no longer"),
    Entry("KVM550", "not-for-every-size", "a parametric proof does not carry something of the program"),
    Entry("KVM551", "not-in-formulas", "a proof can't carry something of the program"),
    # ---- 9xx: bugs of ours
    Entry("KVM900", "our-bug", "kvmcheck contradicts itself: this is a bug in kvmcheck"),
)

#: Every code, in order.
CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.code: entry for entry in _ENTRIES})
