"""Which cells of a table readers do not see: small ones, and what a total would give away.

Belongs here: LEADS §8 for any table of cells. Not here: the rollups that readers.py works out from
the units themselves.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tests.golden.expected import total


class Cell(NamedTuple):
    """Units, natural persons among them; energy of all and of the greatest; the same of persons."""

    units: int
    persons: int
    kwh: float | None
    greatest: float | None
    persons_kwh: float | None
    greatest_person: float | None


Key = tuple
"""What names a cell: codes and texts, none of them where a unit has none."""


def cell_of(units: Iterable[tuple[bool, float | None]]) -> Cell:
    """Of units, each a person or not, with its energy."""
    units = list(units)
    energies = [kwh for _, kwh in units if kwh is not None]
    of_persons = [kwh for person, kwh in units if person and kwh is not None]
    return Cell(
        len(units),
        sum(person for person, _ in units),
        *(total(energies), max(energies, default=None)),
        *(total(of_persons), max(of_persons, default=None)),
    )


def small(cell: Cell) -> bool:
    """A cell that would say something of one person, legal persons' units being known."""
    pairs = (cell.greatest, cell.kwh), (cell.greatest_person, cell.persons_kwh)
    most = any(None not in pair and pair[0] > 0.8 * pair[1] for pair in pairs)
    return cell.persons > 0 and (cell.persons < 5 or most)


def together(cells: Iterable[Cell]) -> Cell:
    """Several as one."""
    units, persons, kwh, greatest, persons_kwh, greatest_person = zip(*cells, strict=True)

    def most(of: tuple) -> float | None:
        return max((g for g in of if g is not None), default=None)

    return Cell(
        *(sum(units), sum(persons)),
        *(total(list(kwh)), most(greatest)),
        *(total(list(persons_kwh)), most(greatest_person)),
    )


def in_order(key: object) -> tuple:
    """By code or text, what has none last."""
    parts = key if isinstance(key, tuple) else (key,)
    return tuple((part is None, "" if part is None else part) for part in parts)


def hidden(cells: Mapping[Key, Cell], must: set) -> set:
    """The cells that a total must not show.

    Those that must be hidden; and while what is left of the total is small, the next smallest
    with persons.
    """
    if not must:
        return set()
    having = [k for k, cell in cells.items() if cell.persons or k in must]
    order = sorted(having, key=lambda k: (k not in must, cells[k].units, in_order(k)))
    gone = order[: len(must)]
    for key in order[len(must) :]:
        if not small(together(cells[k] for k in gone)):
            break
        gone.append(key)
    return set(gone)


def along(
    cells: Mapping[Key, Cell],
    totals: Iterable[Callable[[Key], object]],
    *,
    must: set | None = None,
) -> set[Key]:
    """Hidden along one total after the other; the later know what the earlier hid.

    ``totals`` tell of a cell's key which total it is part of. ``must``: those that are hidden
    whatever their size, the small ones unless told otherwise.
    """
    gone = {k for k, cell in cells.items() if small(cell)} if must is None else must
    for total_of in totals:
        parts: dict[object, dict[Key, Cell]] = defaultdict(dict)
        for key, cell in cells.items():
            parts[total_of(key)][key] = cell
        gone = {k for part in parts.values() for k in hidden(part, gone & part.keys())}
    return gone
