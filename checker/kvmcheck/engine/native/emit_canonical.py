# SPDX-License-Identifier: GPL-2.0-only
"""One state for all that count as the same: seqs as classes, and the representative under symmetry, in C.

The representative is another one than `engine.symmetry` would choose, and need not be the same: points get hashes for
names, refined by where they occur until nothing changes; their order is the permutation.  What stays equal is tried
out, and the smallest state wins.  Nothing that a name is made of depends on how points are numbered.
"""

from __future__ import annotations

from itertools import product
from zlib import crc32

from kvmcheck.engine.native.coding import Coding, Unsupported, width_of
from kvmcheck.engine.native.emit_values import Values, core, is_compound, member_register
from kvmcheck.engine.permuting import Actions, Point, Seat
from kvmcheck.engine.symmetry import Symmetry
from kvmcheck.semantics.pointers import is_seq
from kvmcheck.semantics.sorts import (
    IdSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    WordSort,
)


def canonical_seqs(coding: Coding, values: Values) -> list[str]:
    """The function that replaces the numbers of seqs by classes (semantics.md, 4)."""
    layout = coding.layout
    if not layout.abstracts:
        return ["static inline void canonical_seqs(cell *s) { (void)s; }"]
    copies = [
        slot
        for slot, sort in enumerate(layout.sorts)
        if slot not in layout.homes and is_seq(sort) and coding.cells[slot].nodes is None
    ]
    stride = coding.stride
    collapsed = not layout.program.seq_compared
    compounds = coding.compounds_with_seqs
    lines: list[str] = []
    if len(layout.homes) == 1 and collapsed and not compounds:
        home = layout.homes[0]
        lines += ["static inline void canonical_seqs(cell *s)", "{", f"cell newest = s[{home}];"]
        for slot in copies:
            test = f"if (s[{slot}] != {coding.cells[slot].count}) " if coding.cells[slot].unset else ""
            lines.append(f"{test}s[{slot}] = s[{slot}] != newest;")
        return [*lines, f"s[{home}] = 0;", "}"]
    lines += [
        f"#define CLASSES {coding.seq_count + len(layout.homes) + 2}",
        f"typedef struct {{ int count; V value[CLASSES], as[CLASSES], following[{len(layout.homes) + 1}]; }} Classes;",
        "static inline V class_of(Classes *k, V x)",
        "{",
        "for (int i = 0; i < k->count; i++) if (k->value[i] == x) return k->as[i];",
        f"V home = floor_mod(x, {stride});",
    ]
    if stride > 1:
        lines.append(f"if (home == {stride - 1}) return x;")
    lines += [
        f'if (k->count >= {coding.seq_count + len(layout.homes) + 2}) give_up("too many seqs");',
        "k->value[k->count] = x;",
        f"return k->as[k->count++] = k->following[home]{'' if collapsed else '++'} * {stride} + home;",
        "}",
    ]
    values_before = len(values.lines)
    body = ["static void canonical_seqs(cell *s)", "{", "Classes classes = { 0 }, *k = &classes;"]
    body.append(f"for (int i = 0; i <= {len(layout.homes)}; i++) k->following[i] = 1;")
    for number, slot in enumerate(layout.homes):
        body.append(f"k->value[k->count] = s[{slot}]; k->as[k->count++] = {number if stride > 1 else 0};")
    for slot in copies:
        test = f"if (s[{slot}] != {coding.cells[slot].count}) " if coding.cells[slot].unset else ""
        body.append(f"{test}s[{slot}] = (cell)class_of(k, s[{slot}]);")
    for slot in compounds:
        cell = coding.cells[slot]
        old = values.load(cell.sort, f"s[{slot}]", local=cell.unset)
        body.append(f"s[{slot}] = {values.keep(cell.sort, values.reseq(cell.sort, old), local=cell.unset)};")
    for number, slot in enumerate(layout.homes):
        body.append(f"s[{slot}] = {number if stride > 1 else 0};")
    # The functions that were needed now call class_of, which stands before them.
    written = values.lines[values_before:]
    del values.lines[values_before:]
    return [*lines, *written, *body, "}"]


class Canonical:
    """The C text of `represent`, for the atoms of a symmetry (or none)."""

    def __init__(self, coding: Coding, values: Values, symmetry: Symmetry | None) -> None:
        self.coding, self.values = coding, values
        self.layout = coding.layout
        self.actions: Actions | None = None if symmetry is None else symmetry.actions
        self.lines: list[str] = []
        self._shapes: dict[Sort, str] = {}
        self._occurs: dict[Sort, str] = {}
        self._tables: dict[object, tuple[str, tuple[int, ...]]] = {}

    def generate(self) -> list[str]:
        """The function `represent`, and what it needs."""
        if self.actions is None:
            return [
                "static inline void represent(W *w, const cell *s, uint64_t *key) { (void)w; pack(s, key); }",
                "static void setup(void) { }",
            ]
        atoms = self.actions.atoms
        if len(self.layout.program.threads) > 60 or any(atom.size > 60 for atom in atoms):
            raise Unsupported("more than 60 things that may be exchanged")
        most = max(atom.size for atom in atoms)
        self.lines += [
            f"#define ATOMS {len(atoms)}",
            f"#define MOST_POINTS {most}",
            f"static const int sizes[ATOMS] = {{ {', '.join(str(atom.size) for atom in atoms)} }};",
            f"#define THREADS {len(self.layout.program.threads)}",
            f"#define HOMES {len(self.layout.homes) + 1}",
            "typedef struct { uint8_t a[ATOMS][MOST_POINTS], th[THREADS], home[HOMES]; } Perm;",
            "typedef struct { uint64_t a[ATOMS][MOST_POINTS], th[THREADS]; } Points;",
        ]
        self.lines.append(MEMBERS)
        self._complete()
        self._apply()
        self._refine()
        self.lines.append(SEARCH)
        return self.lines

    def _drain(self) -> None:
        """Put the functions on values that were asked for before what calls them."""
        self.lines += self.values.lines
        self.values.lines.clear()

    # ------------------------------------------------------------------ permutations

    def _image(self, kind: str, seat: Seat, everyone: list[Seat], names: list[int]) -> str:
        """Where something goes: a look-up by the points of its seat."""
        assert self.actions is not None
        if not seat.points:
            return str(names[everyone.index(seat)])
        atoms = tuple(atom for atom, _ in seat.points)
        key = (kind, seat.fixed, atoms)
        if key not in self._tables:
            found = {s.points: name for s, name in zip(everyone, names, strict=True) if s.fixed == seat.fixed}
            sizes = [self.actions.atoms[atom].size for atom in atoms]
            cells = [
                str(found.get(tuple(zip(atoms, points, strict=True)), 0))
                for points in product(*(range(size) for size in sizes))
            ]
            name = f"T{len(self._tables)}"
            self.lines.append(f"static const uint16_t {name}[] = {{ {', '.join(cells)} }};")
            strides = []
            each = 1
            for size in reversed(sizes):
                strides.append(each)
                each *= size
            self._tables[key] = name, tuple(reversed(strides))
        name, radix = self._tables[key]
        index = " + ".join(
            f"p->a[{atom}][{point}]" + (f" * {stride}" if stride > 1 else "")
            for (atom, point), stride in zip(seat.points, radix, strict=True)
        )
        return f"{name}[{index}]"

    def _complete(self) -> None:
        """What a permutation of points does to threads and homes."""
        assert self.actions is not None
        seats = self.actions.thread_seats
        body = ["static void complete(Perm *p)", "{"]
        for thread, seat in enumerate(seats):
            body.append(
                f"p->th[{thread}] = (uint8_t){self._image('thread', seat, seats, list(range(len(seats))))};"
            )
        if self.coding.stride > 1:
            homes = [self.actions.seats[slot] for slot in self.layout.homes]
            for number, seat in enumerate(homes):
                body.append(
                    f"p->home[{number}] = (uint8_t){self._image('home', seat, homes, list(range(len(homes))))};"
                )
        self.lines += [*body, "}"]

    def _apply(self) -> None:
        """The state after a permutation."""
        assert self.actions is not None
        actions, values = self.actions, self.values
        seats = actions.seats
        slots = list(range(len(seats)))
        body = ["static void apply(const Perm *p, const cell *s, cell *o)", "{"]
        starts = self.layout.base
        sizes = [self.layout.processes[t.process].size for t in self.layout.program.threads]
        whose = {
            slot: thread
            for thread, (start, size) in enumerate(zip(starts, sizes, strict=True))
            for slot in range(start, start + size)
        }
        self.lines.append(f"static const uint16_t bases[] = {{ {', '.join(map(str, starts)) or '0'} }};")
        for slot, cell in enumerate(self.coding.cells):
            thread = whose.get(slot)
            if thread is not None:
                to = f"bases[p->th[{thread}]] + {slot - starts[thread]}"
            else:
                to = self._image("slot", seats[slot], seats, slots)
            text = f"s[{slot}]"
            if cell.nodes is None and cell.fixed is None and actions.touches(cell.sort):
                old = values.load(cell.sort, text, local=cell.unset)
                text = values.keep(
                    cell.sort, values.moved(cell.sort, self._moved_leaf, old), local=cell.unset
                )
            elif cell.fixed is not None:
                # A home stays what every home is: its own number.
                to = str(slot)
            body.append(f"o[{to}] = {text};")
        if self.layout.abstracts and self.layout.program.seq_compared:
            body.append("canonical_seqs(o);")
        self._drain()
        self.lines += [*body, "}"]

    def _moved_leaf(self, sort: Sort, x: str) -> str | None:
        assert self.actions is not None
        if not self.actions.touches(sort):
            return None
        match sort:
            case IdSort() | ObjectPointerSort():
                return self._moved_member(sort, x)
            case ThreadSort():
                return f"(V)p->th[{x}]"
            case LockSort(flavour=flavour) if not flavour.shared:
                return f"(V)p->th[{x}]"
            case LockSort():
                free = self.coding.thread_count
                width = width_of(free + 1)
                mask = (1 << width) - 1
                return (
                    f"({{ V m = ({x} & {mask}) == {free} ? {free} : p->th[{x} & {mask}]; "
                    f"for (uint64_t left = (uint64_t){x} >> {width}; left; left &= left - 1) "
                    f"m |= (V)1 << p->th[__builtin_ctzll(left)] << {width}; m; }})"
                )
            case SetSort(element=element):
                member = member_register(element, "i")
                # `mapped` writes a function for a compound element; members of sets are none.
                image = self._member_image(element, "c")
                position = _position("d", element)
                return (
                    f"({{ V m = 0; for (uint64_t left = (uint64_t){x}; left; left &= left - 1) "
                    f"{{ V i = __builtin_ctzll(left); V c = {member}; V d = {image}; m |= bit({position}); }} m; }})"
                )
            case PlacePointerSort(target=target):
                root, *parts = self.coding.pointer_parts(target)
                cases: list[str] = []
                for number, declared in enumerate(self.layout.program.roots[target]):
                    variable = self.layout.program.variables[next(iter(declared.components.values()))]
                    lines = [f"case {number}:"]
                    for part, dimension, _ in zip(parts, variable.dimensions, declared.objects, strict=False):
                        if self.actions.touches(dimension):
                            mark = self.values.get(part, x)
                            moved = self._position_image(dimension, f"({mark} >> 1)")
                            lines.append(
                                f"m = {self.values.put(part, 'm', f'(2 * {moved} + ({mark} & 1))')};"
                            )
                    cases.append(" ".join([*lines, "break;"]))
                return f"({{ V m = {x}; switch ({self.values.get(root, x)}) {{ {' '.join(cases)} }} m; }})"
            case _ if is_seq(sort):
                stride = self.coding.stride
                return (
                    f"({{ V h = floor_mod({x}, {stride}); h == {stride - 1} ? {x} : {x} - h + p->home[h]; }})"
                )
            case _:
                raise Unsupported(f"exchanging members in a {type(sort).__name__}")

    def _position_image(self, dimension: Sort, position: str) -> str:
        """The image of an index."""
        if isinstance(dimension, ThreadSort):
            return f"(V)p->th[{position}]"
        return self._moved_member(dimension, position)

    def _moved_member(self, sort: Sort, x: str) -> str:
        assert self.actions is not None
        (number,) = self.actions.touches(sort)
        atom = self.actions.atoms[number]
        return f"move_member({x}, p->a[{number}], {atom.first}, {atom.size})"

    def _member_image(self, element: Sort, c: str) -> str:
        match element:
            case OptionalSort(inner=inner):
                return f"({c} == NONE ? NONE : {self._member_image(inner, c)})"
            case ThreadSort():
                return f"(V)p->th[{c}]"
            case _:
                return self._moved_member(element, c)

    # ------------------------------------------------------------------ names of points

    def _shape(self, sort: Sort, x: str) -> str:
        """A value as a hash in which points are their names."""
        assert self.actions is not None
        if not self.actions.needs_shape(sort):
            return f"((uint64_t)({x}))"
        if sort not in self._shapes:
            name = f"shape_{len(self._shapes)}"
            self._shapes[sort] = name
            body = self._shape_body(sort)
            self._drain()
            self.lines += [
                f"static inline uint64_t {name}(V x, const Points *n)",
                "{",
                "(void)n;",
                "if (x == NONE || x == UNSET) return (uint64_t)x;",
                *body,
                "}",
            ]
        return f"{self._shapes[sort]}({x}, n)"

    def _shape_body(self, sort: Sort) -> list[str]:
        assert self.actions is not None
        values, coding = self.values, self.coding
        match sort:
            case IdSort() | ObjectPointerSort():
                return [f"return {self._member_name(sort, 'x')};"]
            case ThreadSort():
                return ["return n->th[x];"]
            case LockSort(flavour=flavour) if not flavour.shared:
                return ["return n->th[x];"]
            case LockSort():
                free = coding.thread_count
                width = width_of(free + 1)
                mask = (1 << width) - 1
                return [
                    f"uint64_t h = (x & {mask}) == {free} ? 0 : blend(n->th[x & {mask}] + 1);",
                    f"for (uint64_t left = (uint64_t)x >> {width}; left; left &= left - 1)",
                    "h += blend(n->th[__builtin_ctzll(left)] + 2);",
                    "return h;",
                ]
            case OptionalSort(inner=inner):
                return [f"return {self._shape(inner, 'x')};"]
            case SetSort(element=element):
                return [
                    "uint64_t h = 0;",
                    "for (uint64_t left = (uint64_t)x; left; left &= left - 1)",
                    f"{{ V i = __builtin_ctzll(left); V c = {member_register(element, 'i')};",
                    f"h += blend({self._shape(element, 'c')} + 3); }}",
                    "return h;",
                ]
            case WordSort():
                lines = ["uint64_t h = 5;"]
                for part in coding.parts(sort):
                    lines.append(f"h = blend(h + {self._shape(part.sort, values.get(part, 'x'))});")
                return [*lines, "return h;"]
            case ListSort():
                length, *places = coding.parts(sort)
                lines = [f"V count = {values.get(length, 'x')}; uint64_t h = blend((uint64_t)count);"]
                for nth, part in enumerate(places):
                    lines.append(
                        f"if (count > {nth}) h = blend(h + {self._shape(part.sort, values.get(part, 'x'))});"
                    )
                return [*lines, "return h;"]
            case UnionSort(arms=arms):
                tag = (1 << coding.tag_width(sort)) - 1
                lines = [f"V arm = x & {tag}; uint64_t h = blend((uint64_t)arm + 7);"]
                for arm, (_, held) in enumerate(arms):
                    if held is not None:
                        part = values.union_part(sort, arm)
                        lines.append(
                            f"if (arm == {arm}) h = blend(h + {self._shape(held, values.get(part, 'x'))});"
                        )
                return [*lines, "return h;"]
            case PlacePointerSort(target=target):
                root, *parts = coding.pointer_parts(target)
                lines = [f"V root = {values.get(root, 'x')}; uint64_t h = blend((uint64_t)root + 11);"]
                for number, declared in enumerate(self.layout.program.roots[target]):
                    variable = self.layout.program.variables[next(iter(declared.components.values()))]
                    lines.append(f"if (root == {number}) {{")
                    for part, dimension, _ in zip(parts, variable.dimensions, declared.objects, strict=False):
                        mark = values.get(part, "x")
                        at = f"({mark} >> 1)"
                        inner_name = (
                            self._shape(dimension, at)
                            if self.actions.touches(dimension)
                            else f"(uint64_t){at}"
                        )
                        lines.append(f"h = blend(h + {inner_name} + 13 * (uint64_t)({mark} & 1));")
                    lines.append("}")
                return [*lines, "return h;"]
            case _ if is_seq(sort):
                stride = coding.stride
                renumbers = self.layout.abstracts and self.layout.program.seq_compared
                lines = [f"V home = floor_mod(x, {stride}), count = (x - home) / {stride}; (void)home;"]
                if renumbers:
                    lines.append("if (count > 1) count = 1;")
                if stride == 1:
                    return [*lines, "return (uint64_t)count;"]
                lines.append(f"uint64_t h = blend((uint64_t)count + 17); if (home == {stride - 1}) return h;")
                lines.append("switch (home) {")
                for number, slot in enumerate(self.layout.homes):
                    seat = self.actions.seats[slot]
                    lines.append(f"case {number}: h = blend(h + {self._seat(seat)}); break;")
                return [*lines, "}", "return h;"]
            case _:
                raise Unsupported(f"names in a {type(sort).__name__}")

    def _seat(self, seat: Seat) -> str:
        """A seat as a hash: what is fixed, and the names of its points."""
        text = f"UINT64_C({_fixed(seat.fixed)})"
        for atom, point in seat.points:
            text = f"blend({text} + n->a[{atom}][{point}])"
        return text

    def _member_name(self, sort: Sort, x: str) -> str:
        assert self.actions is not None
        (number,) = self.actions.touches(sort)
        atom = self.actions.atoms[number]
        return f"member_name({x}, n->a[{number}], {atom.first}, {atom.size})"

    def _occur(self, sort: Sort, x: str, role: str) -> str:
        """Statements that tell the points in a value how and where they occur."""
        assert self.actions is not None
        if not self.actions.touches(sort):
            return ""
        if sort not in self._occurs:
            name = f"occur_{len(self._occurs)}"
            self._occurs[sort] = name
            body = self._occur_body(sort)
            self._drain()
            self.lines += [
                f"static inline void {name}(V x, uint64_t h, Points *to)",
                "{",
                "if (x == NONE || x == UNSET) return;",
                *body,
                "}",
            ]
        return f"{self._occurs[sort]}({x}, {role}, to);"

    def _tell(self, points: tuple[Point, ...], role: str) -> str:
        return " ".join(
            f"to->a[{atom}][{point}] += blend({role} + {nth + 1});"
            for nth, (atom, point) in enumerate(points)
        )

    def _tell_thread(self, which: str, role: str) -> str:
        assert self.actions is not None
        cases = " ".join(
            f"case {thread}: {self._tell(seat.points, role)} break;"
            for thread, seat in enumerate(self.actions.thread_seats)
            if seat.points
        )
        return f"switch ({which}) {{ {cases} }}"

    def _occur_body(self, sort: Sort) -> list[str]:
        assert self.actions is not None
        values, coding = self.values, self.coding
        match sort:
            case IdSort() | ObjectPointerSort():
                (number,) = self.actions.touches(sort)
                atom = self.actions.atoms[number]
                return [
                    f"V i = (x < 0 ? ~x : x) - {atom.first};",
                    f"if (i >= 0 && i < {atom.size}) to->a[{number}][i] += blend(h + 101);",
                ]
            case ThreadSort():
                return [self._tell_thread("x", "(h + 103)")]
            case LockSort(flavour=flavour) if not flavour.shared:
                return [self._tell_thread("x", "(h + 103)")]
            case LockSort():
                width = width_of(coding.thread_count + 1)
                return [
                    self._tell_thread(f"x & {(1 << width) - 1}", "(h + 105)"),
                    f"for (uint64_t left = (uint64_t)x >> {width}; left; left &= left - 1)",
                    self._tell_thread("__builtin_ctzll(left)", "(h + 107)"),
                ]
            case OptionalSort(inner=inner):
                return [self._occur(inner, "x", "h")]
            case SetSort(element=element):
                return [
                    "for (uint64_t left = (uint64_t)x; left; left &= left - 1)",
                    f"{{ V i = __builtin_ctzll(left); V c = {member_register(element, 'i')};",
                    f"{self._occur(element, 'c', 'h')} }}",
                ]
            case WordSort():
                return [
                    self._occur(part.sort, values.get(part, "x"), f"h + {211 + nth}")
                    for nth, part in enumerate(coding.parts(sort))
                ]
            case ListSort():
                length, *places = coding.parts(sort)
                return [
                    f"V count = {values.get(length, 'x')}; (void)count;",
                    *(
                        f"if (count > {nth}) {{ {self._occur(part.sort, values.get(part, 'x'), f'h + {307 + nth}')} }}"
                        for nth, part in enumerate(places)
                    ),
                ]
            case UnionSort(arms=arms):
                tag = (1 << coding.tag_width(sort)) - 1
                return [
                    f"if ((x & {tag}) == {arm}) "
                    f"{{ {self._occur(held, values.get(values.union_part(sort, arm), 'x'), 'h')} }}"
                    for arm, (_, held) in enumerate(arms)
                    if held is not None
                ]
            case PlacePointerSort(target=target):
                root, *parts = coding.pointer_parts(target)
                lines: list[str] = [f"V root = {values.get(root, 'x')};"]
                for number, declared in enumerate(self.layout.program.roots[target]):
                    variable = self.layout.program.variables[next(iter(declared.components.values()))]
                    lines.append(f"if (root == {number}) {{")
                    for nth, (part, dimension, _) in enumerate(
                        zip(parts, variable.dimensions, declared.objects, strict=False)
                    ):
                        if self.actions.touches(dimension):
                            at = f"({values.get(part, 'x')} >> 1)"
                            lines.append(self._occur(dimension, at, f"h + {401 + nth}"))
                    lines.append("}")
                return lines
            case _:  # the points of a seq's home: they are told apart by the home's own seat
                return ["(void)h; (void)to;"]

    def _refine(self) -> None:
        """What the state says of each point: once, without names, and in each round with the names of the others."""
        assert self.actions is not None
        once: list[str] = []
        body: list[str] = []
        for thread, seat in enumerate(self.actions.thread_seats):
            body.append(f"n->th[{thread}] = {self._seat(seat)};")
        for slot, (cell, seat) in enumerate(zip(self.coding.cells, self.actions.seats, strict=True)):
            if cell.fixed is not None:
                continue
            value = cell.nodes is None
            touched = value and bool(self.actions.touches(cell.sort))
            if not seat.points and not touched:
                continue
            if not (value and self.actions.needs_shape(cell.sort)):
                if len(seat.points) == 1:
                    # Nobody else has a part in it.
                    ((atom, point),) = seat.points
                    once.append(
                        f"to->a[{atom}][{point}] += UINT64_C({_fixed(seat.fixed)}) * (uint64_t)(s[{slot}] + 1);"
                    )
                else:
                    shape = f"(uint64_t)s[{slot}]"
                    body.append(
                        f"{{ uint64_t h = blend({self._seat(seat)} + {shape}); {self._tell(seat.points, 'h')} }}"
                    )
                continue
            x = self.values.load(cell.sort, f"s[{slot}]", local=cell.unset)
            shape = self._shape(cell.sort, "x")
            occurs = self._occur(cell.sort, "x", "h") if touched else ""
            if (
                len(seat.points) <= 1
                and not is_compound(cell.sort)
                and not isinstance(core(cell.sort), SetSort)
            ):
                own = "".join(
                    f"to->a[{atom}][{point}] += UINT64_C({_fixed(seat.fixed)}) * {shape};"
                    for atom, point in seat.points
                )
                body.append(f"{{ V x = {x}; {own} uint64_t h = {self._seat(seat)}; {occurs} (void)h; }}")
                continue
            told = self._tell(seat.points, "h")
            body.append(f"{{ V x = {x}; uint64_t h = blend({self._seat(seat)} + {shape}); {told} {occurs} }}")
        self._drain()
        self.lines += [
            "static void names_once(const cell *s, Points *to)",
            "{",
            *once,
            "}",
            "static void names(const cell *s, Points *n, Points *to)",
            "{",
            *body,
            "}",
        ]


def _fixed(fixed: object) -> str:
    text = repr(fixed)
    return str(crc32(text.encode()) << 32 | crc32((text + "'").encode()) | 1)


def _position(d: str, element: Sort) -> str:
    """The position of a member in a set's mask; atoms have no lowest number but 0."""
    if isinstance(element, OptionalSort):
        return f"({d} == NONE ? 0 : 1 + {_position(d, element.inner)})"
    return d


MEMBERS = r"""
static inline V move_member(V x, const uint8_t *to, V first, V size)
{
    if (x == NONE)
        return x;
    V i = (x < 0 ? ~x : x) - first;
    if (i < 0 || i >= size)
        return x;
    return x < 0 ? ~(first + to[i]) : first + to[i];
}

static inline uint64_t member_name(V x, const uint64_t *names, V first, V size)
{
    V i = (x < 0 ? ~x : x) - first;
    uint64_t name = i < 0 || i >= size ? (uint64_t)x + 23 : names[i];
    return x < 0 ? mix(name + 29) : name;
}
"""

SEARCH = r"""
static inline void keep_order(const Points *n, Perm *p)
{
    for (int a = 0; a < ATOMS; a++)
        for (int i = 0; i < sizes[a]; i++) {
            int before = 0;
            for (int j = 0; j < sizes[a]; j++)
                before += n->a[a][j] < n->a[a][i];
            p->a[a][i] = (uint8_t)before;
        }
    complete(p);
}

/* How many different names there are. */
static inline int told_apart(const Points *n)
{
    int different = 0;
    for (int a = 0; a < ATOMS; a++)
        for (int i = 0; i < sizes[a]; i++) {
            int same = 0;
            for (int j = 0; j < i && !same; j++)
                same = n->a[a][j] == n->a[a][i];
            different += !same;
        }
    return different;
}

#define ALL_POINTS (int)(sizeof_points())
static inline int sizeof_points(void)
{
    int sum = 0;
    for (int a = 0; a < ATOMS; a++)
        sum += sizes[a];
    return sum;
}

static int refine(const cell *s, const Points *start, Points *n)
{
    int known = told_apart(n);
    for (;;) {
        Points to = *start;
        names(s, n, &to);
        for (int a = 0; a < ATOMS; a++)
            for (int i = 0; i < sizes[a]; i++)
                n->a[a][i] = mix(n->a[a][i] + 31 * to.a[a][i]);
        int now = told_apart(n);
        if (now == ALL_POINTS || now == known)
            return now == ALL_POINTS;
        known = now;
    }
}

/* Of all ways to tell equal points apart, the one that leads to the smallest state. */
static void smallest(const cell *s, const Points *start, const Points *n, uint64_t *best, int *any)
{
    int atom = -1;
    uint64_t name = 0;
    for (int a = 0; a < ATOMS && atom < 0; a++)
        for (int i = 0; i < sizes[a]; i++)
            for (int j = 0; j < i; j++)
                if (n->a[a][i] == n->a[a][j] && (atom < 0 || n->a[a][i] < name)) {
                    atom = a;
                    name = n->a[a][i];
                }
    if (atom < 0) {
        Perm p;
        cell moved[NS];
        uint64_t key[WORDS];
        keep_order(n, &p);
        apply(&p, s, moved);
        pack(moved, key);
        int less = !*any;
        for (int i = 0; !less && i < WORDS; i++)
            if (key[i] != best[i]) {
                less = key[i] < best[i];
                break;
            }
        if (less)
            memcpy(best, key, sizeof key);
        *any = 1;
        return;
    }
    int chosen[MOST_POINTS], count = 0;
    for (int i = 0; i < sizes[atom]; i++) {
        if (n->a[atom][i] != name)
            continue;
        int same = 0;
        for (int c = 0; c < count && !same; c++) {
            /* If exchanging two of them changes nothing, one of them will do. */
            Perm p;
            cell moved[NS];
            for (int a = 0; a < ATOMS; a++)
                for (int j = 0; j < sizes[a]; j++)
                    p.a[a][j] = (uint8_t)j;
            p.a[atom][i] = (uint8_t)chosen[c];
            p.a[atom][chosen[c]] = (uint8_t)i;
            complete(&p);
            apply(&p, s, moved);
            same = memcmp(moved, s, sizeof moved) == 0;
        }
        if (same)
            continue;
        chosen[count++] = i;
        Points further = *n;
        further.a[atom][i] = mix(further.a[atom][i] + 1);
        refine(s, start, &further);
        smallest(s, start, &further, best, any);
    }
}

static void represent(W *w, const cell *s, uint64_t *key)
{
    uint64_t plain[WORDS];
    pack(s, plain);
    uint64_t at = 0;
    for (int i = 0; i < WORDS; i++)
        at = (at ^ plain[i]) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t *held = w->memory + (at >> (64 - MEMORY)) * 2 * WORDS;
    /* No state is packed as zeros alone and then looked up: an empty entry would say so of itself too. */
    if (same_key(held, plain) && held[WORDS] | held[2 * WORDS - 1] | plain[0]) {
        memcpy(key, held + WORDS, sizeof plain);
        return;
    }
    Points n, start = { 0 };
    names_once(s, &start);
    for (int a = 0; a < ATOMS; a++)
        for (int i = 0; i < sizes[a]; i++)
            n.a[a][i] = (uint64_t)a;
    if (refine(s, &start, &n)) {
        Perm p;
        cell moved[NS];
        keep_order(&n, &p);
        apply(&p, s, moved);
        pack(moved, key);
    } else {
        int any = 0;
        smallest(s, &start, &n, key, &any);
    }
    memcpy(held, plain, sizeof plain);
    memcpy(held + WORDS, key, sizeof plain);
}

static void setup(void) { }
"""
