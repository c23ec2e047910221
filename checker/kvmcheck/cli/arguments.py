# SPDX-License-Identifier: GPL-2.0-only
"""What may stand on the command line.  Imports nothing heavy: `--help` must answer at once."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from kvmcheck.cli.exits import EXIT_MEANING

#: The verbs that are built, with what each does; `check` is meant where none is named.
VERBS = {
    "check": "check the scenarios and mutants of specs (the default)",
    "export": "write a scenario for another checker: Promela, Murphi, TLA+",
    "graph": "draw what orders the steps of a run, or the states of a scenario",
    "explain": "explain a diagnostic, e.g. `kvmcheck explain KVM201`",
    "fmt": "lay out .kvm files in the one way",
    "prove": "prove a spec for any number of steps, with z3",
    "recheck": "check a proof's certificate with another solver",
    "replay": "run a trace of a JSON report again, step by step, on the spec as it is now",
    "lsp": "answer an editor: mistakes as you type, definitions, names (needs kvmcheck[lsp])",
    "mutate": "try every small edit of the model: which of them does nobody notice?",
    "new": "write a first spec that holds, and a sibling that fails",
}

#: Verbs, options and formats that are planned: they say so instead of being taken for a file name or a typo.
PLANNED_VERBS = (
    "litmus", "conform", "diff", "stats", "reach",
)  # fmt: skip
PLANNED_OPTIONS = ("--cluster", "--svg", "--seed")
#: What `--report` writes to files.
REPORTS = ("json", "junit", "sarif", "github", "gitlab", "ktap", "markdown", "itf", "html")
FORMATS = ("text", "commit", *REPORTS)
#: What `graph` writes.
PICTURES = ("dot", "graphml", "mermaid", "svg", "png")
GRAPHS = ("trace", "states")
FOLDS = ("none", "location", "lock")
REDUCTIONS = ("seq", "dead", "symmetry", "merge")
STATISTICS = ("tell", "compare")
#: What a scenario can be exported to.
TARGETS = ("promela", "murphi", "tla")


class BadArguments(Exception):
    """The command line can't be understood; its text says why in one line."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A limit on memory: a part of the machine's, or a number of bytes."""

    fraction: float | None
    bytes: int | None


#: What a search may use when nobody says otherwise: far below where the machine begins to swap.
DEFAULT_MEMORY = Memory(0.8, None)
ENGINES = ("auto", "python", "native")
#: How `prove` goes about it.
METHODS = ("auto", "bmc", "induction", "spacer")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage dump."""

    def error(self, message: str) -> NoReturn:
        raise BadArguments(message)


def check_parser() -> argparse.ArgumentParser:
    """The options of `check`."""
    parser = _parser("kvmcheck [check]", "Check specs of KVM's page-fault and MMU-notifier code.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a .kvm file, or a folder of them")
    which = parser.add_argument_group("what to check")
    which.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="this scenario, mutant or property (repeatable)",
    )
    which.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="another size or parameter, e.g. --set Vcpu=3 (repeatable)",
    )
    which.add_argument(
        "--changed-since",
        default="",
        metavar="REV",
        help="only specs that, or a module of which, differ from that Git commit",
    )
    which.add_argument(
        "--baseline", default="", metavar="FILE", help="failures that are known, with reasons (TOML)"
    )
    limits = parser.add_argument_group("limits (a limit that is reached makes the verdict UNKNOWN)")
    limits.add_argument(
        "--states",
        type=_count,
        default=None,
        metavar="N",
        help="at most N states (default 5,000,000 in Python, 100,000,000 natively)",
    )
    limits.add_argument(
        "--depth", type=_count, default=None, metavar="N", help="at most N steps from the start"
    )
    limits.add_argument(
        "--seconds", type=_seconds, default=None, metavar="S", help="at most S seconds a case"
    )
    limits.add_argument(
        "--memory",
        type=_memory,
        default=DEFAULT_MEMORY,
        metavar="SIZE",
        help="at most SIZE, e.g. 4G or 50%% (default 80%% of the machine's)",
    )
    limits.add_argument(
        "--jobs",
        type=_jobs,
        default=None,
        metavar="N",
        help="processes, each with one case (default: one a CPU when there are many cases)",
    )
    limits.add_argument(
        "--no-cache",
        action="store_true",
        help="check everything anew; the environment's KVMCHECK_NO_CACHE=1 does too",
    )
    limits.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        metavar="WHICH",
        help="python, native (compiled from C), or auto: native for what is large (default)",
    )
    limits.add_argument(
        "--threads", type=_threads, default=1, metavar="N", help="N threads in a native search (default 1)"
    )
    limits.add_argument(
        "--compact",
        action="store_true",
        help="keep hashes in place of states: more of them fit, and nothing HOLDS then (native)",
    )
    limits.add_argument(
        "--no-reduce",
        action="append",
        nargs="?",
        const=",".join(REDUCTIONS),
        default=[],
        metavar="WHICH",
        help="without reductions: seq, dead, symmetry, merge, or (no WHICH) all",
    )
    shown = parser.add_argument_group("what to print")
    shown.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        metavar="FORMAT",
        help="text, commit (a diagram for a changelog), or what --report knows",
    )
    shown.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help=f"also write a report to FILE (- is stdout): {', '.join(REPORTS)} (repeatable)",
    )
    shown.add_argument(
        "--html",
        default="",
        metavar="FILE",
        help="a page to step through the runs; short for --report html=FILE",
    )
    shown.add_argument("--unfold", action="store_true", help="in commit diagrams: a row for every step")
    shown.add_argument(
        "--trace-all",
        type=_count,
        default=1,
        metavar="N",
        help="up to N traces for each property that breaks",
    )
    shown.add_argument(
        "--why",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the orderings that each trace needs (default: of one file, and of what is not as expected)",
    )
    shown.add_argument(
        "--near-miss",
        action="store_true",
        help="behind the trace of each mutant: how the unmodified model is saved in the same schedule",
    )
    shown.add_argument(
        "--explain-with",
        action="append",
        default=[],
        metavar="EXPR",
        help="tell the value of EXPR, written as in a property, at each step that changes it (repeatable)",
    )
    shown.add_argument("--no-trace", action="store_true", help="verdicts only")
    shown.add_argument(
        "--quiet", "-q", action="store_true", help="only what is not as expected, and the summary"
    )
    shown.add_argument(
        "--terse", action="store_true", help="one line for each diagnostic and verdict, for editors"
    )
    shown.add_argument(
        "--stats",
        nargs="?",
        type=_statistics,
        metavar="compare",
        help="what the reductions did; =compare: also with each of them alone, and without",
    )
    shown.add_argument("--timings", action="store_true", help="how long each case took")
    shown.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="how far the search is, on stderr (default: on a terminal)",
    )
    shown.add_argument(
        "--no-color", "--no-colour", action="store_true", help="no colour (NO_COLOR does the same)"
    )
    shown.add_argument("--debug", action="store_true", help="a traceback for internal errors")
    shown.add_argument("--version", action="store_true", help="print the version and end")
    verbs = "\n".join(f"  {verb:<9}{text}" for verb, text in VERBS.items())
    statuses = "\n".join(f"  {number}  {text}" for number, text in EXIT_MEANING)
    planned = textwrap.fill(f"planned, not built yet: {', '.join(PLANNED_VERBS)}", 78, subsequent_indent="  ")
    exits = f"exit status (of several, the first in the order 4, 2, 1, 3, 0):\n{statuses}"
    parser.epilog = f"verbs:\n{verbs}\n\n{planned}\n\n{exits}"
    return parser


def explain_parser() -> argparse.ArgumentParser:
    """The options of `explain`."""
    parser = _parser("kvmcheck explain", "Explain a diagnostic: what it means, why, and how to mend it.")
    parser.add_argument("code", metavar="CODE", help="as printed, e.g. KVM201")
    return parser


def fmt_parser() -> argparse.ArgumentParser:
    """The options of `fmt`."""
    parser = _parser("kvmcheck fmt", "Lay out .kvm files in the one way; without files, stdin to stdout.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a .kvm file, or a folder of them")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if something would change"
    )
    parser.add_argument("--terse", action="store_true", help="one line for each diagnostic, for editors")
    parser.add_argument("--no-color", "--no-colour", action="store_true", help="no colour")
    return parser


def lsp_parser() -> argparse.ArgumentParser:
    """The options of `lsp`."""
    parser = _parser("kvmcheck lsp", "A language server for editors, over stdin and stdout.")
    parser.add_argument("--stdio", action="store_true", help="what editors say; there is no other way")
    return parser


def recheck_parser() -> argparse.ArgumentParser:
    """The options of `recheck`."""
    parser = _parser(
        "kvmcheck recheck",
        "Check a certificate: every obligation is made anew from the spec, compared, and given to another solver.",
    )
    parser.add_argument(
        "folder", metavar="DIR", help="what `kvmcheck prove --parametric --certificate` wrote"
    )
    parser.add_argument(
        "spec",
        nargs="?",
        default="",
        metavar="SPEC",
        help="the spec (default: where the certificate says it was)",
    )
    return parser


def mutate_parser() -> argparse.ArgumentParser:
    """The options of `mutate`."""
    parser = _parser(
        "kvmcheck mutate", "Try every single edit of the functions that a scenario runs: who notices which?"
    )
    parser.add_argument("path", metavar="SPEC", help="a .kvm file")
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="this scenario (default: the only scenario)"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="FUNCTION", help="edits of this function (repeatable)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="another size or parameter, e.g. --set Vcpu=1 (repeatable)",
    )
    parser.add_argument(
        "--states", type=_count, default=None, metavar="N", help="at most N states an edit (default 200,000)"
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=None, metavar="S", help="at most S seconds an edit (default 20)"
    )
    parser.add_argument(
        "--jobs", type=_jobs, default=None, metavar="N", help="processes (default: one a CPU)"
    )
    parser.add_argument(
        "--show",
        type=_count,
        action="append",
        default=[],
        metavar="N",
        help="edit N alone, as a mutant to paste, with its trace (repeatable)",
    )
    parser.add_argument("--all", action="store_true", help="a line for each edit, killed ones too")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", metavar="FORMAT", help="text or json"
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="how far it is, on stderr (default: on a terminal)",
    )
    parser.add_argument("--no-color", "--no-colour", action="store_true", help="no colour")
    return parser


def new_parser() -> argparse.ArgumentParser:
    """The options of `new`."""
    parser = _parser(
        "kvmcheck new", "Write NAME.kvm, a spec that holds, and NAME_broken.kvm, one that fails."
    )
    parser.add_argument(
        "name", metavar="NAME", help="letters, digits and _; may stand in a folder, e.g. specs/mine"
    )
    return parser


def replay_parser() -> argparse.ArgumentParser:
    """The options of `replay`."""
    parser = _parser(
        "kvmcheck replay", "Run a recorded trace again on the spec as it is now; with keys on a terminal."
    )
    parser.add_argument("report", metavar="FILE", help="what `kvmcheck --format json` printed")
    parser.add_argument("--case", default="", metavar="NAME", help="a trace of this scenario or mutant")
    parser.add_argument(
        "--property",
        default="",
        metavar="NAME",
        help="a trace of this property or cover (default: the first)",
    )
    parser.add_argument(
        "--spec", default="", metavar="SPEC", help="on this spec (default: the one that the report is of)"
    )
    parser.add_argument("--print", action="store_true", help="print all steps, on a terminal too")
    parser.add_argument("--no-color", "--no-colour", action="store_true", help="no colour")
    return parser


def export_parser() -> argparse.ArgumentParser:
    """The options of `export`."""
    parser = _parser("kvmcheck export", "Write a scenario as the input of another checker: SPIN, Rumur, TLC.")
    parser.add_argument("path", metavar="SPEC", help="a .kvm file")
    parser.add_argument(
        "--to", choices=TARGETS, required=True, metavar="TARGET", help="promela, murphi or tla"
    )
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="this scenario or mutant (default: the only scenario)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="another size or parameter, e.g. --set Vcpu=3 (repeatable)",
    )
    parser.add_argument(
        "--seq-wrap",
        type=_count,
        default=None,
        metavar="N",
        help="every seq is a counter modulo N: Promela and Murphi know no number without end",
    )
    parser.add_argument("--output", "-o", default="", metavar="FILE", help="write to FILE (default: stdout)")
    parser.add_argument("--terse", action="store_true", help="one line for each diagnostic, for editors")
    parser.add_argument("--no-color", "--no-colour", action="store_true", help="no colour")
    return parser


def prove_parser() -> argparse.ArgumentParser:
    """The options of `prove`."""
    parser = _parser("kvmcheck prove", "Prove or refute what specs claim, for any number of steps, with z3.")
    parser.add_argument("paths", nargs="+", metavar="SPEC", help="a .kvm file, or a folder of them")
    which = parser.add_argument_group("what to prove")
    which.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="this scenario, mutant or property (repeatable)",
    )
    which.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="another size or parameter, e.g. --set Vcpu=3 (repeatable)",
    )
    which.add_argument(
        "--parametric", action="store_true", help="for every number of vcpus, frames and pages at once"
    )
    how = parser.add_argument_group("how (a limit that is reached makes the verdict UNKNOWN)")
    how.add_argument(
        "--method",
        choices=METHODS,
        default="auto",
        metavar="WHICH",
        help="bmc (all runs of N steps), induction, spacer, or auto: one after the other (default)",
    )
    how.add_argument(
        "--depth", type=_count, default=None, metavar="N", help="unroll at most N steps (default 100)"
    )
    how.add_argument(
        "--seconds", type=_seconds, default=60.0, metavar="S", help="at most S seconds a case (default 60)"
    )
    how.add_argument(
        "--memory", type=_memory, default=None, metavar="SIZE", help="at most SIZE for each solver, e.g. 4G"
    )
    how.add_argument(
        "--no-merge", action="store_true", help="a step is one operation, as in `check --no-reduce=merge`"
    )
    how.add_argument(
        "--seq-wrap",
        type=_count,
        default=None,
        metavar="N",
        help="every seq is a counter modulo N, bits and all",
    )
    how.add_argument(
        "--certificate",
        default="",
        metavar="DIR",
        help="write what was proved to DIR, for `kvmcheck recheck`",
    )
    shown = parser.add_argument_group("what to print")
    shown.add_argument(
        "--format", choices=("text", "json"), default="text", metavar="FORMAT", help="text or json"
    )
    shown.add_argument("--no-trace", action="store_true", help="verdicts only")
    shown.add_argument("--timings", action="store_true", help="how long each case took")
    shown.add_argument("--terse", action="store_true", help="one line for each verdict, for editors")
    shown.add_argument("--no-color", "--no-colour", action="store_true", help="no colour")
    shown.add_argument("--debug", action="store_true", help="a traceback for internal errors")
    return parser


def graph_parser() -> argparse.ArgumentParser:
    """The options of `graph`."""
    parser = _parser("kvmcheck graph", "Draw the happens-before graph of a run, or the states of a scenario.")
    parser.add_argument("path", metavar="SPEC", help="a .kvm file")
    parser.add_argument(
        "--of", choices=GRAPHS, default="trace", metavar="WHAT", help="trace (default) or states"
    )
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="this scenario or mutant (default: the only scenario)"
    )
    parser.add_argument(
        "--property",
        default="",
        metavar="NAME",
        help="a trace of this property or cover (default: the first that has one)",
    )
    parser.add_argument(
        "--to",
        choices=PICTURES,
        default="",
        metavar="FORM",
        help=f"{', '.join(PICTURES)} (default: as the file's name ends, else dot)",
    )
    parser.add_argument(
        "--fold",
        choices=FOLDS,
        default="none",
        metavar="BY",
        help="location or lock: take what happens at one place, or under one lock, for one node",
    )
    parser.add_argument(
        "--most", type=_count, default=None, metavar="N", help="refuse a graph of more than N nodes"
    )
    parser.add_argument(
        "--states", type=_count, default=None, metavar="N", help="look for the trace in at most N states"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="another size or parameter, e.g. --set Vcpu=3 (repeatable)",
    )
    parser.add_argument("--output", "-o", default="", metavar="FILE", help="write to FILE (default: stdout)")
    parser.add_argument("--terse", action="store_true", help="one line for each diagnostic, for editors")
    parser.add_argument("--no-color", "--no-colour", action="store_true", help="no colour")
    return parser


def parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; raises `BadArguments`."""
    for argument in argv:
        name = argument.partition("=")[0]
        if name in PLANNED_OPTIONS:
            raise BadArguments(f"{name} is not supported yet")
    # What follows these with a blank between is a path.
    bare = {"--no-reduce": f"--no-reduce={','.join(REDUCTIONS)}", "--stats": f"--stats={STATISTICS[0]}"}
    return parser.parse_args([bare.get(argument, argument) for argument in argv])


def settings(pairs: Sequence[str]) -> dict[str, str]:
    """`--set NAME=VALUE` pairs; raises `BadArguments`."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise BadArguments(f"--set {pair}: write NAME=VALUE, e.g. --set Vcpu=3")
        if name in found:
            raise BadArguments(f"--set {name} is given twice")
        found[name] = value
    return found


def reductions_off(given: Sequence[str]) -> frozenset[str]:
    """The reductions that every `--no-reduce` names; raises `BadArguments`."""
    names = frozenset(part.strip() for text in given for part in text.split(",") if part.strip())
    for name in sorted(names - set(REDUCTIONS)):
        raise BadArguments(f"--no-reduce: no reduction is called `{name}`; there are {', '.join(REDUCTIONS)}")
    return names


def _parser(program: str, description: str) -> argparse.ArgumentParser:
    return _Parser(
        prog=program,
        description=description,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _statistics(text: str) -> str:
    if text not in STATISTICS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of them; write --stats or --stats=compare")
    return text


def _count(text: str) -> int:
    try:
        number = int(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is negative")
    return number


def _jobs(text: str) -> int:
    number = _count(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one process is needed")
    return number


def _threads(text: str) -> int:
    number = _count(text)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError("there may be 1 to 256 threads")
    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def _memory(text: str) -> Memory:
    number, unit = text.rstrip("%KMGTkmgtiB"), text[len(text.rstrip("%KMGTkmgtiB")) :]
    factor = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}.get(
        unit.upper().rstrip("B").rstrip("I")
    )
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if unit == "%" and 0 < amount <= 100:
        return Memory(amount / 100, None)
    if factor is None or not 0 < amount < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 4G, 500M or 50%")
    return Memory(None, int(amount * factor))
