# SPDX-License-Identifier: GPL-2.0-only
"""A scenario or mutant of a unit to a program: the whole elaboration, in order."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from kvmcheck.elaborate.bodies import lower_body
from kvmcheck.elaborate.coercion import Typed, constant
from kvmcheck.elaborate.lives import live_of
from kvmcheck.elaborate.places import Named, ValuePlace
from kvmcheck.elaborate.properties import cover_of, property_of
from kvmcheck.elaborate.requests import Requests, statements
from kvmcheck.elaborate.scopes import (
    ConstantSymbol,
    FunctionSymbol,
    Instances,
    ModuleSymbol,
    ObjectSymbol,
    ParamSymbol,
    PropertySymbol,
    Scope,
    SortSymbol,
    Symbol,
    unknown_name,
)
from kvmcheck.elaborate.unreachable import warn_unreachable
from kvmcheck.elaborate.unused import check_unused
from kvmcheck.elaborate.world import Size, World
from kvmcheck.lang import syntax
from kvmcheck.lang.edits import apply_edits
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.replacing import with_modules_replaced
from kvmcheck.semantics.program import (
    CHOSEN_CHECKS,
    Body,
    Check,
    Const,
    Cover,
    Live,
    LiveCall,
    Param,
    Process,
    Program,
    Property,
    Thread,
)
from kvmcheck.semantics.sorts import IdSort, IntSort, SeqSort, Sort, ThreadSort, Value, members, show
from kvmcheck.source.diagnostic import Collector, Label
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span, nowhere

#: More threads than this are a typing mistake, not a scenario.
MAX_THREADS = 32


def elaborate(
    unit: Unit,
    case: str,
    settings: Mapping[str, str],
    collector: Collector,
    *,
    also: Mapping[str, Span] | None = None,
) -> Program | None:
    """The program of one scenario or mutant of the unit's entry file, by name.

    `settings` override the scenario's sizes and parameters (`Vcpu` to "3").  `also`: properties that are claimed
    besides those that the scenario names, each with where it is asked for.  None after errors, which are in the
    collector.
    """
    chain = _chain(unit.entry, case, collector)
    if chain is None:
        return None
    scenario, mutants = chain
    elaboration = _Elaboration(unit, scenario, mutants, settings, collector, also or {})
    return None if collector.has_errors else elaboration.program()


def _chain(
    entry: syntax.File, case: str, collector: Collector
) -> tuple[syntax.ScenarioDecl, tuple[syntax.MutantDecl, ...]] | None:
    """The scenario of a case, and the mutants on the way to it, the nearest to the scenario first."""
    cases = {
        item.name.text: item
        for item in entry.items
        if isinstance(item, syntax.ScenarioDecl | syntax.MutantDecl)
    }
    mutants: list[syntax.MutantDecl] = []
    seen: set[str] = set()
    found = cases.get(case)
    if found is None:
        collector.error("KVM504", f"there is no scenario or mutant `{case}`", entry.span)
        return None
    while isinstance(found, syntax.MutantDecl):
        if found.name.text in seen:
            collector.error("KVM504", f"mutant `{case}` is based on itself", found.base.span)
            return None
        seen.add(found.name.text)
        mutants.insert(0, found)
        base = cases.get(found.base.text)
        if base is None:
            near = nearest(found.base.text, cases)
            collector.error(
                "KVM504",
                f"`{found.base.text}` is not a scenario or mutant of this file",
                found.base.span,
                help=f"did you mean `{near}`?" if near else "",
            )
            return None
        found = base
    return found, tuple(mutants)


class _Elaboration:
    """One scenario with its edits; the steps of `program` are in the order in which they need each other."""

    def __init__(
        self,
        unit: Unit,
        scenario: syntax.ScenarioDecl,
        mutants: tuple[syntax.MutantDecl, ...],
        settings: Mapping[str, str],
        collector: Collector,
        also: Mapping[str, Span],
    ) -> None:
        self.also = also
        self.unit = unit = with_modules_replaced(unit, mutants, collector)
        self.scenario = scenario
        self.mutants = mutants
        self.settings = settings
        self.collector = collector
        self.instances = Instances(unit.modules, collector)
        self.scope = self.instances.of(unit.entry)
        self.requests = Requests()
        self.functions: dict[str, syntax.FunctionDecl] = {}

    def program(self) -> Program | None:
        """The program; None after errors."""
        self.functions = self._functions()
        sizes = self._sizes()
        for item in self.scenario.items:
            if isinstance(item, syntax.Memory) and item.model.text != "sc":
                self.collector.error(
                    "KVM508",
                    f"memory model `{item.model.text}` is not supported yet",
                    item.span,
                    help="`memory sc;` is",
                )
        declared = [i for i in self.scenario.items if isinstance(i, syntax.ProcessDecl)]
        distinct = {
            self._declared_name(i.type.path)[-1]: tuple(n.text for n in i.names)
            for i in self.scenario.items
            if isinstance(i, syntax.Distinct) and isinstance(i.type, syntax.NamedType)
        }
        world = World(
            self.collector,
            sizes,
            distinct,
            ThreadSort(0, ()),
            self._seq_wrap(),
            self.scenario.name.span,
        )
        self._declare_distinct(world)
        threads, parameters = self._threads(world, declared)
        world.threads = ThreadSort(len(threads), tuple(t.name for t in threads))
        if not declared:
            self.collector.error(
                "KVM512", "this scenario has no process: nothing runs", self.scenario.name.span
            )
        properties, checks, covers, lives = self._claims(world)
        calls: list[LiveCall] = []
        processes = tuple(
            self._process(world, position, item, parameters[position], calls)
            for position, item in enumerate(declared)
        )
        init = self._init(world)
        self._known_settings(world)
        if not self.mutants:
            self._warn(world, declared)
            check_unused(self.unit.entry, self.scope, world, self.functions, self.collector)
        if self.collector.has_errors:
            return None
        homes = tuple(v for v in sorted(world.seq_homes) if isinstance(world.variables[v].sort, SeqSort))
        compared = world.seq_compared or any(v not in homes for v in world.seq_partners)
        last = self.mutants[-1] if self.mutants else self.scenario
        return Program(
            last.name.text,
            last.title,
            tuple(world.variables),
            tuple(world.pools),
            {target: tuple(roots) for target, roots in world.roots.items()},
            processes,
            threads,
            init,
            properties,
            checks,
            covers,
            tuple(calls),
            homes,
            compared,
            self._shown_sizes(world),
            {name: declaration.name.span for name, declaration in self.functions.items()},
            last.name.span,
            lives,
        )

    # ---- functions and edits

    def _functions(self) -> dict[str, syntax.FunctionDecl]:
        """Every function of every instance by qualified name, with all edits made."""
        found: dict[str, syntax.FunctionDecl] = {}
        for symbol in _functions_of(self.scope, set()):
            found[symbol.qualified] = symbol.declaration
        for scope, edits in self.instances.variants:
            self._edit(found, scope, edits)
        for mutant in self.mutants:
            self._edit(found, self.scope, mutant.edits)
        return found

    def _edit(
        self,
        functions: dict[str, syntax.FunctionDecl],
        scope: Scope,
        edits: tuple[syntax.Edit, ...],
    ) -> None:
        edits = tuple(e for e in edits if not isinstance(e, syntax.SetParam | syntax.ReplaceModule))
        if not edits:
            return
        visible = _visible_functions(scope)
        before = {name: functions[symbol.qualified] for name, symbol in visible.items()}
        after = apply_edits(before, edits, self.collector)
        for name, declaration in after.items():
            if name in visible:
                functions[visible[name].qualified] = declaration

    # ---- sizes

    def _sizes(self) -> dict[str, Size]:
        sizes: dict[str, Size] = {}
        constants = World(self.collector, {}, {}, ThreadSort(0, ()), None, self.scenario.name.span)
        for item in self.scenario.items:
            if not isinstance(item, syntax.Setting):
                continue
            name = ".".join(self._declared_name(item.name))
            value = None
            if item.value is not None:
                value = self._setting_value(constants, item.value)
            if name in sizes:
                self.collector.error(
                    "KVM505",
                    f"`{name}` is set twice",
                    item.span,
                    secondary=(Label(sizes[name].span, "first here"),),
                )
            sizes[name] = Size(value, item.kind, item.span, ".".join(item.name))
        for mutant in self.mutants:
            for edit in mutant.edits:
                if isinstance(edit, syntax.SetParam):
                    self._set_parameter(constants, sizes, edit)
        for name, text in self.settings.items():
            name = ".".join(self._declared_name(tuple(name.split("."))))
            before = sizes.get(name)
            written = nowhere(f"--set {name}={text}")
            number = {"true": 1, "false": 0}.get(text)
            if number is None:
                try:
                    number = int(text)
                except ValueError:
                    self.collector.error(
                        "KVM511", f"`{text}` is not a number", written, help="write `--set Vcpu=3`"
                    )
                    continue
            sizes[name] = (
                Size(number, None, written)
                if before is None
                else Size(number, before.kind, written, before.written)
            )
        return sizes

    def _declared_name(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The name that a size was declared by, where a typedef has given it another."""
        symbol = self.scope.find(path)
        if isinstance(symbol, SortSymbol | ObjectSymbol):
            return (*path[:-1], symbol.declaration.name.text)
        return path

    def _setting_value(self, constants: World, expr: syntax.Expr) -> int:
        typed = constants.constant(expr, self.scope)
        value = constant(typed.expr)
        if not isinstance(value, int):
            self.collector.error("KVM511", "a number or truth value must stand here", expr.span)
            return 1
        return value

    def _set_parameter(self, constants: World, sizes: dict[str, Size], edit: syntax.SetParam) -> None:
        (name,) = self._declared_name((edit.name.text,))
        symbol = self.scope.names.get(name)
        kinds = (ParamSymbol, SortSymbol, ObjectSymbol)
        if name not in sizes and not isinstance(symbol, kinds):
            unknown_name(self.collector, name, edit.name.span, self.scope, kinds, "a parameter or size")
            return
        value = self._setting_value(constants, edit.value)
        before = sizes.get(name)
        unchanged = before is not None and before.value == value
        if before is None and isinstance(symbol, ParamSymbol) and symbol.declaration.default is not None:
            unchanged = self._setting_value(constants, symbol.declaration.default) == value
        if unchanged:
            self.collector.error(
                "KVM453", f"this edit changes nothing: `{name}` is {value} already", edit.span
            )
        sizes[name] = (
            Size(value, None, edit.span)
            if before is None
            else Size(value, before.kind, edit.span, before.written)
        )

    def _known_settings(self, world: World) -> None:
        """Settings that nothing of the scenario asked for are misspelt, or of something unused."""
        known = self._known_names()
        for name, size in world.sizes.items():
            if name in known or name in world.used_sizes:
                continue
            near = nearest(name, known)
            self.collector.error(
                "KVM502",
                f"`{name}` is not a size or parameter of this model",
                size.span,
                help=f"did you mean `{near}`?" if near else "",
            )

    def _known_names(self) -> set[str]:
        """What a scenario may set."""
        return {
            ".".join(path)
            for path, symbol in _all_names(self.scope, ())
            if isinstance(symbol, SortSymbol | ParamSymbol | ObjectSymbol)
        }

    def _warn(self, world: World, declared: list[syntax.ProcessDecl]) -> None:
        """Warn of settings that change nothing, and of statements that are never reached."""
        known = set() if self.collector.has_errors else self._known_names()
        for name, size in world.sizes.items():
            if name in known and name not in world.used_sizes and name not in self.settings:
                self.collector.warn(
                    "KVM513",
                    f"nothing in this scenario depends on `{name}`",
                    size.span,
                    help="leave it out",
                )
        for item in (*self.unit.entry.items, *declared):
            match item:
                case syntax.FunctionDecl(body=body):
                    warn_unreachable(body, self.collector)
                case syntax.ProcessDecl(body=body, interrupt=interrupt):
                    warn_unreachable(body, self.collector)
                    if interrupt is not None:
                        warn_unreachable(interrupt.body, self.collector)
                case _:
                    pass

    def _shown_sizes(self, world: World) -> tuple[tuple[str, str], ...]:
        shown = []
        for name, size in world.sizes.items():
            if name in world.used_sizes:
                written = "any" if size.value is None else str(size.value)
                symbol = self.scope.find(tuple(name.split(".")))
                is_bool = isinstance(symbol, ParamSymbol) and isinstance(
                    symbol.declaration.type, syntax.BoolType
                )
                if is_bool and size.value is not None:
                    written = "true" if size.value else "false"
                shown.append((size.written or name, written))
        return tuple(shown)

    def _seq_wrap(self) -> int | None:
        wraps = [i for i in self.scenario.items if isinstance(i, syntax.SeqWrap)]
        if not wraps:
            return None
        constants = World(self.collector, {}, {}, ThreadSort(0, ()), None, self.scenario.name.span)
        modulus = constants.number(wraps[-1].modulus, self.scope)
        if modulus < 2:
            self.collector.error("KVM511", "`seq wrap` needs at least 2", wraps[-1].span)
            return 2
        return modulus

    def _declare_distinct(self, world: World) -> None:
        for item in self.scenario.items:
            if isinstance(item, syntax.Distinct):
                sort = world.value_sort(item.type, self.scope)
                if not isinstance(sort, IdSort):
                    self.collector.error(
                        "KVM309", "`distinct` names members of a scalarset or index", item.span
                    )
                    continue
                if len(item.names) > sort.size:
                    self.collector.error("KVM511", f"there are only {sort.size} `{sort.name}`", item.span)
                    continue
                for position, name in enumerate(item.names):
                    symbol = ConstantSymbol(Const(position, sort), sort, name.span)
                    self.scope.declare(name, symbol, self.collector)

    # ---- threads and processes

    def _threads(
        self, world: World, declared: list[syntax.ProcessDecl]
    ) -> tuple[tuple[Thread, ...], list[tuple[tuple[str, Sort], ...]]]:
        threads: list[Thread] = []
        parameters: list[tuple[tuple[str, Sort], ...]] = []
        names: dict[str, Span] = {}
        for position, item in enumerate(declared):
            name = item.name.text
            if name in names:
                self.collector.error(
                    "KVM202",
                    f"process `{name}` is declared twice",
                    item.name.span,
                    secondary=(Label(names[name], "first here"),),
                )
            names[name] = item.name.span
            own = tuple((p.name.text, world.value_sort(p.type, self.scope)) for p in item.parameters)
            parameters.append(own)
            if item.count is not None:
                count = world.number(item.count, self.scope)
                threads += [Thread(f"{name}#{i}", position, ()) for i in range(count)]
                continue
            try:
                for values in product(*(tuple(members(sort)) for _, sort in own)):
                    threads.append(Thread(name + _suffix(own, values), position, values))
            except ValueError:
                if not self.collector.has_errors:
                    self.collector.error(
                        "KVM510", "a process is indexed by scalarsets and indexes", item.name.span
                    )
            if len(threads) > MAX_THREADS:
                self.collector.error("KVM511", f"more than {MAX_THREADS} threads", item.name.span)
                break
        return tuple(threads), parameters

    def _process(
        self,
        world: World,
        position: int,
        item: syntax.ProcessDecl,
        parameters: tuple[tuple[str, Sort], ...],
        calls: list[LiveCall],
    ) -> Process:
        names: dict[str, Named] = {
            name: ValuePlace(Typed(Param(index, sort), sort)) for index, (name, sort) in enumerate(parameters)
        }

        def lowered(block: syntax.Block, condition: syntax.Expr | None) -> Body:
            made = lower_body(
                world,
                self.scope,
                names,
                block,
                self.functions,
                self.requests,
                span=block.span,
                wait_for=condition,
                process=position,
            )
            calls.extend(made.calls)
            return made.body

        body = lowered(item.body, None)
        handler = None
        if item.interrupt is not None:
            handler = lowered(item.interrupt.body, item.interrupt.condition)
        return Process(item.name.text, parameters, body, handler, item.hardware, item.daemon, item.name.span)

    def _init(self, world: World) -> Body | None:
        blocks = [i for i in self.scenario.items if isinstance(i, syntax.Init)]
        chosen = tuple(world.chosen.values())
        if not blocks and not chosen:
            return None
        span = blocks[0].span if blocks else self.scenario.name.span
        whole = syntax.Block(tuple(s for b in blocks for s in b.body.body), span)
        made = lower_body(
            world,
            self.scope,
            {},
            whole,
            self.functions,
            Requests(),
            span=span,
            init=True,
            chosen=chosen,
        )
        return made.body

    # ---- what is claimed

    def _claims(
        self, world: World
    ) -> tuple[tuple[Property, ...], tuple[Check, ...], tuple[Cover, ...], tuple[Live, ...]]:
        wanted: dict[str, syntax.Name] = {}
        goals: dict[str, syntax.Name] = {}
        for item in self.scenario.items:
            match item:
                case syntax.Check(names=names) | syntax.Expect(properties=names):
                    for name in names:
                        wanted.setdefault(name.text, name)
                case syntax.CoverList(names=names):
                    for name in names:
                        goals.setdefault(name.text, name)
                case _:
                    pass
        for mutant in self.mutants:
            for expect in mutant.expects:
                for name in expect.properties:
                    wanted.setdefault(name.text, name)
        for text, span in self.also.items():
            wanted.setdefault(text, syntax.Name(text, span))
        builtin = {check.value: check for check in Check}
        properties: list[Property] = []
        checks: list[Check] = []
        lives: list[Live] = []
        for text, name in wanted.items():
            if text in builtin:
                if builtin[text] in CHOSEN_CHECKS:
                    checks.append(builtin[text])
                continue
            symbol = self.scope.names.get(text)
            if not isinstance(symbol, PropertySymbol):
                known = [n for n, s in self.scope.names.items() if isinstance(s, PropertySymbol)]
                near = nearest(text, [*known, *builtin])
                self.collector.error(
                    "KVM208",
                    f"`{text}` is not a property",
                    name.span,
                    label="not declared",
                    help=f"did you mean `{near}`?" if near else "",
                )
                continue
            world.lowered.add(text)
            if isinstance(symbol.declaration, syntax.LiveDecl):
                live = live_of(symbol, symbol.declaration, world, self.requests, self.functions)
                lives += [] if live is None else [live]
                continue
            made = property_of(symbol, world, self.requests, self.functions)
            if made is not None:
                properties.append(made)
        covers: list[Cover] = []
        stated = self._stated_covers()
        for text, name in goals.items():
            symbol = self.scope.names.get(text)
            cover = None
            if isinstance(symbol, PropertySymbol):
                world.lowered.add(text)
                cover = cover_of(symbol, world, self.requests, self.functions)
            elif text in stated:
                cover = Cover(text, None, stated[text])
            if cover is None and self.mutants:
                continue  # an edit took it away: covers are asked of the unmutated scenario
            if cover is None:
                predicates = [
                    n
                    for n, s in self.scope.names.items()
                    if isinstance(s, PropertySymbol) and isinstance(s.declaration, syntax.CoverDecl)
                ]
                near = nearest(text, [*stated, *predicates])
                self.collector.error(
                    "KVM208",
                    f"no `cover {text};` stands anywhere in the model",
                    name.span,
                    help=f"did you mean `{near}`?" if near else "",
                )
                continue
            covers.append(cover)
        return tuple(properties), tuple(checks), tuple(covers), tuple(lives)

    def _stated_covers(self) -> dict[str, Span]:
        found: dict[str, Span] = {}
        bodies: list[syntax.Stmt] = [f.body for f in self.functions.values()]
        for item in self.scenario.items:
            if isinstance(item, syntax.ProcessDecl):
                bodies.append(item.body)
                if item.interrupt is not None:
                    bodies.append(item.interrupt.body)
        for body in bodies:
            for stmt in statements(body):
                if isinstance(stmt, syntax.CoverStmt):
                    found.setdefault(stmt.name.text, stmt.span)
        return found


def _suffix(parameters: tuple[tuple[str, Sort], ...], values: tuple[Value, ...]) -> str:
    """What tells the instances of a process apart: `0`, `0.1`, or the members' own names."""
    parts = []
    for (_, sort), value in zip(parameters, values, strict=True):
        if (isinstance(sort, IdSort) and isinstance(value, int) and value >= len(sort.names)) or isinstance(
            sort, IntSort
        ):
            parts.append(str(value))
        else:
            parts.append(f"[{show(value, sort)}]")
    return ".".join(parts)


def _functions_of(scope: Scope, seen: set[int]) -> list[FunctionSymbol]:
    """Every function that can be reached from a scope, each once."""
    found: list[FunctionSymbol] = []
    if id(scope) in seen:
        return found
    seen.add(id(scope))
    for symbol in scope.names.values():
        if isinstance(symbol, FunctionSymbol):
            found.append(symbol)
            found += _functions_of(symbol.scope, seen)
        elif isinstance(symbol, ModuleSymbol):
            found += _functions_of(symbol.scope, seen)
    return found


def _visible_functions(scope: Scope) -> dict[str, FunctionSymbol]:
    """The functions that edits can name from here: by name, or `t.name`."""
    return {
        ".".join(path): symbol for path, symbol in _all_names(scope, ()) if isinstance(symbol, FunctionSymbol)
    }


def _all_names(scope: Scope, prefix: tuple[str, ...]) -> list[tuple[tuple[str, ...], Symbol]]:
    found: list[tuple[tuple[str, ...], Symbol]] = []
    for name, symbol in scope.names.items():
        path = (*prefix, name)
        found.append((path, symbol))
        if isinstance(symbol, ModuleSymbol) and len(path) < 8:
            found += _all_names(symbol.scope, path)
    return found
