# SPDX-License-Identifier: GPL-2.0-only
"""What a state consists of in the exported text: variables, and a record for each process, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from kvmcheck.export.names import Names
from kvmcheck.export.scalars import FALSE, Cell, Kind, Location, Number, Scalar, Symbol, either, equal
from kvmcheck.export.shapes import Leaf, Shapes
from kvmcheck.semantics.liveness import is_stop
from kvmcheck.semantics.program import (
    Apply,
    Body,
    Choose,
    End,
    Irq,
    Load,
    Local,
    Node,
    Program,
    Set,
    Thread,
    Update,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.program import Process as ProgramProcess
from kvmcheck.semantics.sorts import SetSort, Sort, member_count

#: `irq_disable` may nest so deep; a program that nests deeper leaves the range, which each target reports.
DEEPEST_IRQ = 7

#: The number of the process that stands for `init`, which is nobody's.
INIT = -1


@dataclass(frozen=True, slots=True)
class Field:
    """A scalar of a variable or record: "" if the variable is that scalar itself."""

    name: str
    leaf: Leaf
    may_be_unset: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A variable: an array over positions, of scalars or of records of them."""

    name: str
    spec_name: str
    kind: VariableKind
    dimensions: tuple[Sort, ...]
    fields: tuple[Field, ...]
    initial: tuple[Scalar, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many positions each dimension has."""
        return tuple(member_count(dimension) for dimension in self.dimensions)


@dataclass(frozen=True, slots=True)
class Code:
    """A body: where its threads may stand, and which fields its locals are.

    `locations`: node to name.  `idle`: where a handler is that does not run.  `used`: the locations that a thread
    can be at, once that is known.
    """

    body: Body
    pc: str
    locations: dict[int, str]
    locals: tuple[tuple[Field, ...], ...]
    idle: str = ""
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Proc:
    """A process: the record of each of its threads.  `first`: the number of the first thread."""

    name: str
    number: int
    process: ProgramProcess
    first: int
    threads: tuple[Thread, ...]
    main: Code
    handler: Code | None
    depth: str
    self_symbol: Symbol

    @property
    def size(self) -> int:
        """How many threads it has."""
        return len(self.threads)

    @property
    def me(self) -> Scalar:
        """Which of its threads, in a step."""
        return Number(0) if self.size == 1 else self.self_symbol

    def cell(self, name: str, me: Scalar, kind: Kind = Kind.INT) -> Cell:
        """A field of a thread's record."""
        return Cell(self.name, name, () if self.size == 1 else (me,), kind)

    def at(self, code: Code, me: Scalar) -> Cell:
        """Where a thread is."""
        return self.cell(code.pc, me, Kind.LOCATION)

    def is_at(self, code: Code, me: Scalar, name: str) -> Scalar:
        """Whether a thread is at a location."""
        if code.used and name not in code.used:
            return FALSE
        return equal(self.at(code, me), Location(name))

    def codes(self) -> tuple[Code, ...]:
        """Its bodies."""
        return (self.main,) if self.handler is None else (self.main, self.handler)


@dataclass
class World:
    """Everything that a state has."""

    program: Program
    names: Names
    shapes: Shapes
    stored: list[Stored] = field(default_factory=list)
    procs: list[Proc] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)  # as the spec and as the text names them
    location_types: dict[str, str] = field(default_factory=dict)
    forgetting: dict[str, str] = field(default_factory=dict)

    def variable_cells(self, number: int, indices: tuple[Scalar, ...]) -> tuple[Cell, ...]:
        """The scalars of an element of a variable."""
        found = self.stored[number]
        return tuple(Cell(found.name, part.name, indices, part.leaf.kind) for part in found.fields)

    def local_cells(self, proc: Proc, code: Code, me: Scalar, local: int) -> tuple[Cell, ...]:
        """The scalars of a local of a thread."""
        return tuple(proc.cell(part.name, me, part.leaf.kind) for part in code.locals[local])

    def parameter(self, proc: Proc, me: Scalar, index: int) -> tuple[Scalar, ...]:
        """The scalars of a parameter of a thread."""
        sort = proc.process.parameters[index][1]
        given = [self.shapes.constant(thread.parameters[index], sort) for thread in proc.threads]
        if all(values == (Number(i),) for i, values in enumerate(given)):
            return (me,)
        found = given[-1]
        for number in range(proc.size - 2, -1, -1):
            here = equal(me, Number(number))
            found = tuple(either(here, a, b) for a, b in zip(given[number], found, strict=True))
        return found


def world_of(program: Program, names: Names) -> World:
    """The cells of a program, named."""
    world = World(program, names, Shapes(program))
    for constant in ("none", "NULL"):
        world.constants[constant] = names.take(constant)
    for variable in program.variables:
        shown = "monitor" if variable.name.startswith("after ") else variable.name
        world.stored.append(
            Stored(
                names.take_variable(shown),
                variable.name,
                variable.kind,
                variable.dimensions,
                _fields(names.inner(), "", world.shapes.leaves(variable.sort)),
                world.shapes.constant(variable.initial, variable.sort),
            )
        )
    for number, process in enumerate(program.processes):
        world.procs.append(_proc(world, number, process))
    return world


def _fields(names: Names, stem: str, leaves: tuple[Leaf, ...], *, unset: bool = False) -> tuple[Field, ...]:
    if len(leaves) == 1 and not leaves[0].path:
        return (Field(names.take_variable(stem) if stem else "", leaves[0], unset),)
    return tuple(Field(names.take_variable(f"{stem}.{leaf.path}".strip(".")), leaf, unset) for leaf in leaves)


def _proc(world: World, number: int, process: ProgramProcess) -> Proc:
    program, names = world.program, world.names
    mine = [at for at, thread in enumerate(program.threads) if thread.process == number]
    assert mine == list(range(mine[0], mine[0] + len(mine))) if mine else True
    name = names.take_variable(process.name, f"{process.name}_thread")
    fields = names.inner()
    main = _code(world, name, process.body, fields.take("pc"), fields, "")
    handler = None
    if process.interrupt is not None:
        handler = _code(world, name, process.interrupt, fields.take("handler_pc"), fields, "handler_")
    bodies = [process.body] + ([] if process.interrupt is None else [process.interrupt])
    nests = any(isinstance(node.operation, Irq) for body in bodies for node in body.nodes)
    threads = tuple(program.threads[at] for at in mine)
    ordered = len(process.parameters) == 1 and [t.parameters for t in threads] == [
        (i,) for i in range(len(threads))
    ]
    shown = process.parameters[0][0] if ordered else f"{process.name}_nr"
    symbol = Symbol(names.take_variable(shown, f"this_{shown}"), Kind.INT, 0, max(len(mine) - 1, 0))
    first = mine[0] if mine else 0
    depth = fields.take("irq_depth") if nests else ""
    return Proc(name, number, process, first, threads, main, handler, depth, symbol)


def _code(world: World, process: str, body: Body, pc: str, fields: Names, prefix: str) -> Code:
    names = world.names
    idle = names.take(f"{process}_{prefix}idle") if prefix else ""
    locations: dict[int, str] = {}
    for number in sorted(_reachable(body)):
        node = body.nodes[number]
        if number == 0 or is_stop(node.operation):
            locations[number] = names.take(f"{process}_{prefix}{_place_name(body, number, node)}")
    wanted = [_local_name(world, body, local) for local in range(len(body.locals))]
    locals_ = []
    for local, (short, long) in enumerate(wanted):
        leaves = world.shapes.leaves(body.locals[local].sort)
        stem = prefix + (short if [s for s, _ in wanted].count(short) == 1 else long)
        scalar = len(leaves) == 1 and not leaves[0].path
        stem = fields.take_variable(stem) if scalar else fields.safe(stem)
        inner = (Field(stem, leaves[0], True),) if scalar else _fields(fields, stem, leaves, unset=True)
        locals_.append(inner)
    return Code(body, pc, locations, tuple(locals_), idle)


def _reachable(body: Body) -> set[int]:
    seen, waiting = {0}, [0]
    while waiting:
        for successor in body.nodes[waiting.pop()].successors:
            if successor not in seen:
                seen.add(successor)
                waiting.append(successor)
    return seen


def _place_name(body: Body, number: int, node: Node) -> str:
    if isinstance(node.operation, End):
        return "end"
    function = body.frames[node.frame].function
    if node.labels and node.labels[-1].startswith(f"{function}@"):
        return node.labels[-1].replace("@", "_")
    if number == 0:
        return "start"
    return f"{function}_{node.span.line}" if function else f"line_{node.span.line}"


def _local_name(world: World, body: Body, local: int) -> tuple[str, str]:
    """A local's name, and a longer one; a hidden local is named by what it holds."""
    found = body.locals[local]
    function = body.frames[found.frame].function
    short = found.name if found.name and not found.hidden else _hidden_name(world, body, local)
    return short, f"{function}_{short}" if function else short


def _hidden_name(world: World, body: Body, local: int) -> str:
    """What a local holds that has no name in the spec."""
    counts = False
    for node in body.nodes:
        match node.operation:
            case Load(target=target, place=VariablePlace(variable=number)) if target == local:
                return f"{world.program.variables[number].name}_read"
            case Update(target=target, place=VariablePlace(variable=number)) if target == local:
                return f"{world.program.variables[number].name}_old"
            case Choose(target=target) if target == local:
                return "chosen"
            case Set(target=target, value=Apply(arguments=(Local(local=source), *_))) if (
                target == local == source
            ):
                counts = True
            case _:
                pass
    if isinstance(body.locals[local].sort, SetSort):
        return "members_left"
    return "rounds" if counts else "result"


def init_proc(world: World, body: Body) -> tuple[Proc, Code]:
    """A process that runs `init`; its locals are no part of any state."""
    name = world.names.take("init_block")
    code = _code(world, name, body, "pc", world.names.inner(), "")
    nobody = ProgramProcess("init", (), body, None, hardware=False, daemon=False, span=world.program.span)
    symbol = Symbol(name, Kind.INT, 0, 0)
    return Proc(name, INIT, nobody, 0, (Thread("init", 0, ()),), code, None, "", symbol), code
