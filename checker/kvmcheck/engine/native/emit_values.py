# SPDX-License-Identifier: GPL-2.0-only
"""The C functions that each sort needs: from cell to register and back, and what changes the parts of a value."""

from __future__ import annotations

from collections.abc import Callable

from kvmcheck.engine.native.coding import Coding, Part, Unsupported, width_of
from kvmcheck.semantics.pointers import contains, index_pools, is_seq
from kvmcheck.semantics.sorts import (
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    WordSort,
)

#: What becomes of a register that is no compound; None: nothing.
Leaf = Callable[[Sort, str], str | None]


def core(sort: Sort) -> Sort:
    """The sort without `none`."""
    while isinstance(sort, OptionalSort):
        sort = sort.inner
    return sort


def is_compound(sort: Sort) -> bool:
    """Whether a register of it is made of parts."""
    return isinstance(core(sort), (WordSort, UnionSort, ListSort))


class Values:
    """Functions over the registers of sorts, written when first asked for; `lines` are theirs."""

    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        self.lines: list[str] = []
        self._names: dict[tuple[str, Sort], str] = {}
        self._targets: dict[Sort, int] = {}

    def _function(self, kind: str, sort: Sort, body: Callable[[], list[str]], extra: str = "") -> str:
        name = self._names.get((kind, sort))
        if name is None:
            name = self._names[kind, sort] = f"{kind}_{len(self._names)}"
            written = body()
            self.lines += [
                f"static inline V {name}(V x{extra})",
                "{",
                *(f"    {line}" for line in written),
                "}",
            ]
        return name

    # ------------------------------------------------------------------ cells and parts

    def plain(self, sort: Sort) -> bool:
        """Whether a part of this sort is the register itself."""
        match sort:
            case IntSort(low=low):
                return low == 0
            case OptionalSort() | ObjectPointerSort() | PlacePointerSort():
                return False
            case LockSort(flavour=flavour):
                return flavour.shared
            case SeqSort():
                return self.coding.bias == 0 or not is_seq(sort)
            case _:
                return True

    def dec(self, sort: Sort, text: str) -> str:
        """The register of a code."""
        if self.plain(sort):
            return f"((V)({text}))"
        coding = self.coding

        def body() -> list[str]:
            last = coding.count(sort) - 1
            match sort:
                case IntSort(low=low):
                    return [f"return x + ({low});"]
                case SeqSort():
                    return [f"return x - {coding.bias};"]
                case OptionalSort(inner=inner):
                    return [f"return x == {last} ? NONE : {self.dec(inner, 'x')};"]
                case ObjectPointerSort(size=size):
                    stale = f"x >= {size} ? ~(x - {size}) : " if coding.frees else ""
                    return [f"return x == {last} ? NONE : {stale}x;"]
                case _:
                    return [f"return x == {last} ? NONE : x;"]

        return f"{self._function('dec', sort, body)}({text})"

    def enc(self, sort: Sort, text: str) -> str:
        """The code of a register; a number outside its sort ends the native search."""
        coding = self.coding

        def body() -> list[str]:
            count = coding.count(sort)
            match sort:
                case IntSort(low=low):
                    return [f"return checked(x - ({low}), {count});"]
                case OptionalSort(inner=inner):
                    return [f"return x == NONE ? {count - 1} : {self.enc(inner, 'x')};"]
                case ObjectPointerSort(size=size):
                    stale = f"x < 0 ? checked(~x, {size}) + {size} : " if coding.frees else ""
                    return [f"return x == NONE ? {count - 1} : {stale}checked(x, {size});"]
                case LockSort(flavour=flavour) if flavour.shared:
                    return [f"return checked(x, {count});"]
                case PlacePointerSort() | LockSort():
                    return [f"return x == NONE ? {count - 1} : checked(x, {count - 1});"]
                case _ if is_seq(sort):
                    return [f"return checked(x + {coding.bias}, {count});"]
                case _:
                    return [f"return checked(x, {count});"]

        return f"{self._function('enc', sort, body)}({text})"

    def load(self, sort: Sort, text: str, *, local: bool = False) -> str:
        """The register of a cell."""
        if is_seq(sort):
            return self._unset(sort, text, text) if local else f"((V)({text}))"
        return self._unset(sort, text, self.dec(sort, "x")) if local else self.dec(sort, text)

    def _unset(self, sort: Sort, text: str, _: str) -> str:
        count = self.coding.count(sort, inside=False)

        def body() -> list[str]:
            return [f"return x == {count} ? UNSET : {'x' if is_seq(sort) else self.dec(sort, 'x')};"]

        return f"{self._function('local', sort, body)}({text})"

    def keep(self, sort: Sort, text: str, *, local: bool = False) -> str:
        """The cell of a register."""
        count = self.coding.count(sort, inside=False)
        # The classes of seqs may be negative until the step is done; their numbers stay what they are.
        number = "in_cell({})" if self.coding.layout.abstracts else f"checked({{}}, {count})"
        if is_seq(sort) and not local:
            return f"(cell){number.format(text)}"

        def body() -> list[str]:
            inner = number.format("x") if is_seq(sort) else self.enc(sort, "x")
            return [f"return x == UNSET ? {count} : {inner};"]

        if local:
            return f"(cell){self._function('keep', sort, body)}({text})"
        return f"(cell){self.enc(sort, text)}"

    # ------------------------------------------------------------------ parts

    def get(self, part: Part, text: str) -> str:
        """The register of a part of a compound."""
        return self.dec(part.sort, f"(({text}) >> {part.shift} & {(1 << part.width) - 1})")

    def put(self, part: Part, whole: str, text: str) -> str:
        """The compound with a part replaced."""
        mask = (1 << part.width) - 1 << part.shift
        return f"((({whole}) & ~(V){mask}) | ({self.enc(part.sort, text)} << {part.shift}))"

    def union_part(self, sort: UnionSort, arm: int) -> Part:
        """The value of an arm."""
        held = sort.arms[arm][1]
        assert held is not None
        return Part(held, self.coding.tag_width(sort), width_of(self.coding.count(held)))

    # ------------------------------------------------------------------ every part of a value

    def mapped(self, kind: str, sort: Sort, leaf: Leaf, text: str, extra: str = "", given: str = "") -> str:
        """The value with its parts changed as `leaf` says; `kind` names the change, `extra` its C parameters."""
        if not self._changes(sort, leaf):
            return text
        own = (
            f", {extra.split()[-1].lstrip('*')}" if extra else ""
        )  # the parameter, by its name in the function

        def part_of(part: Part, whole: str = "x") -> str:
            got = self.get(part, whole)
            return self.put(part, "r", self.mapped(kind, part.sort, leaf, got, extra, own))

        def body() -> list[str]:
            lines = ["if (x == NONE || x == UNSET) return x;"]
            match sort:
                case OptionalSort(inner=inner):
                    return [*lines, f"return {self.mapped(kind, inner, leaf, 'x', extra, own)};"]
                case WordSort():
                    lines.append("V r = x;")
                    for part in self.coding.parts(sort):
                        if self._changes(part.sort, leaf):
                            lines.append(f"r = {part_of(part)};")
                    return [*lines, "return r;"]
                case ListSort():
                    length, *places = self.coding.parts(sort)
                    lines += ["V r = x;", f"V n = {self.get(length, 'x')};"]
                    lines += [f"if (n > {nth}) r = {part_of(part)};" for nth, part in enumerate(places)]
                    return [*lines, "return r;"]
                case UnionSort(arms=arms):
                    tag = (1 << self.coding.tag_width(sort)) - 1
                    lines.append("V r = x;")
                    for arm, (_, held) in enumerate(arms):
                        if held is not None and self._changes(held, leaf):
                            part = self.union_part(sort, arm)
                            lines.append(f"if ((x & {tag}) == {arm}) r = {part_of(part)};")
                    return [*lines, "return r;"]
                case _:
                    changed = leaf(sort, "x")
                    assert changed is not None
                    return [*lines, f"return {changed};"]

        return f"{self._function(kind, sort, body, extra)}({text}{given})"

    def _changes(self, sort: Sort, leaf: Leaf) -> bool:
        match sort:
            case OptionalSort(inner=inner):
                return self._changes(inner, leaf)
            case WordSort(fields=fields):
                return any(self._changes(part, leaf) for _, part, _ in fields)
            case UnionSort(arms=arms):
                return any(arm is not None and self._changes(arm, leaf) for _, arm in arms)
            case ListSort(element=element):
                return self._changes(element, leaf)
            case _:
                return leaf(sort, "x") is not None

    def bare(self, sort: Sort, text: str) -> str:
        """The value without stale marks: what comparing sees."""
        if not self.coding.frees:
            return text

        def leaf(part: Sort, x: str) -> str | None:
            match part:
                case ObjectPointerSort():
                    return f"({x} < 0 ? ~{x} : {x})"
                case PlacePointerSort(target=target):
                    _, *indices = self.coding.pointer_parts(target)
                    mask = sum(1 << index.shift for index in indices)
                    return f"({x} & ~(V){mask})"
                case _:
                    return None

        return self.mapped("bare", sort, leaf, text)

    def staled(self, sort: Sort, pool: int, text: str, freed: str) -> str:
        """The value after an object of the pool was freed."""
        program = self.coding.program
        name = program.pools[pool].name

        def leaf(part: Sort, x: str) -> str | None:
            match part:
                case ObjectPointerSort(object=pointed) if pointed == name:
                    return f"({x} == freed ? ~freed : {x})"
                case PlacePointerSort(target=target):
                    root, *indices = self.coding.pointer_parts(target)
                    cases: list[str] = []
                    for number, declared in enumerate(program.roots[target]):
                        for nth, index_pool in enumerate(index_pools(declared, program.variables)):
                            if index_pool == name:
                                mask, shift = (1 << indices[nth].width) - 1, indices[nth].shift
                                cases.append(
                                    f"({self.get(root, x)} == {number} && ({x} >> {shift} & {mask}) == 2 * freed"
                                    f" ? (V)1 << {shift} : 0)"
                                )
                    return f"({x} | {' | '.join(cases)})" if cases else None
                case _:
                    return None

        return self.mapped(f"stale{pool}", sort, leaf, text, ", V freed", f", {freed}")

    def reseq(self, sort: Sort, text: str) -> str:
        """The value with the numbers of its seqs as classes; `k` is the table of classes."""

        def leaf(part: Sort, x: str) -> str | None:
            return f"class_of(k, {x})" if is_seq(part) else None

        return self.mapped("reseq", sort, leaf, text, ", Classes *k", ", k")

    def homes_differ(self, sort: Sort, left: str, right: str) -> str:
        """Whether two values hold seqs of different homes at the same place."""
        stride = self.coding.stride
        match sort:
            case OptionalSort(inner=inner):
                return f"({left} != NONE && {right} != NONE && {self.homes_differ(inner, left, right)})"
            case SeqSort():
                return f"(floor_mod({left}, {stride}) != floor_mod({right}, {stride}))"
            case WordSort():
                tests = [
                    self.homes_differ(part.sort, self.get(part, left), self.get(part, right))
                    for part in self.coding.parts(sort)
                    if contains(part.sort, is_seq)
                ]
                return "(" + " || ".join(tests) + ")"
            case _:
                raise Unsupported("seqs of several homes in lists or unions that are compared")

    def converted(self, text: str, source: Sort, target: Sort) -> str:
        """A register of one sort as one of another: only compounds differ."""
        a, b = core(source), core(target)
        if a == b or not (is_compound(a) and is_compound(b)):
            return text

        def move(part_a: Part, part_b: Part, x: str, r: str) -> str:
            got = self.converted(self.get(part_a, x), part_a.sort, part_b.sort)
            return self.put(part_b, r, got)

        def body() -> list[str]:
            lines = ["if (x == NONE || x == UNSET) return x;", "V r = 0;"]
            match a, b:
                case (WordSort(), WordSort()) if len(a.fields) == len(b.fields):
                    pairs = zip(self.coding.parts(a), self.coding.parts(b), strict=True)
                    lines += [f"r = {move(one, other, 'x', 'r')};" for one, other in pairs]
                case (ListSort(), ListSort()):
                    length, *places = self.coding.parts(a)
                    new_length, *new_places = self.coding.parts(b)
                    lines.append(f"V n = {self.get(length, 'x')};")
                    lines.append(f"r = {self.put(new_length, 'r', 'n')};")
                    for nth, (one, other) in enumerate(zip(places, new_places, strict=False)):
                        lines.append(f"if (n > {nth}) r = {move(one, other, 'x', 'r')};")
                case _:
                    raise Unsupported("a value of one compound sort where another is wanted")
            return [*lines, "return r;"]

        kind = f"as{self._targets.setdefault(b, len(self._targets))}_"
        return f"{self._function(kind, a, body)}({text})"

    # ------------------------------------------------------------------ permutations

    def moved(self, sort: Sort, leaf: Leaf, text: str) -> str:
        """The value after a permutation `p`."""
        return self.mapped("move", sort, leaf, text, ", const Perm *p", ", p")


def set_positions(element: Sort, coding: Coding) -> int:
    """How many members a set's mask has room for."""
    return coding.set_size(element)


def member_register(element: Sort, position: str) -> str:
    """The member at a position of a set's mask, as a register."""
    match element:
        case OptionalSort(inner=inner):
            return f"({position} == 0 ? NONE : {member_register(inner, f'({position} - 1)')})"
        case IntSort(low=low):
            return f"((V)({position}) + ({low}))"
        case _:
            return f"((V)({position}))"


def is_thread(sort: Sort) -> bool:
    """Whether it is the sort of threads."""
    return isinstance(sort, ThreadSort)


def element_of(sort: Sort) -> Sort:
    """The sort of a set's members."""
    assert isinstance(sort, SetSort)
    return sort.element
