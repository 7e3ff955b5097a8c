"""How a ``_pj`` CSV writes its numbers: column by column, and safra by safra.

Belongs here: what is refused as doubtful. Not here: the shapes of one number (number_text.py).
"""

import re

from loaders.bdgd.columns import Match
from loaders.bdgd.csv_census import Census
from loaders.bdgd.number_text import COMMA, NONE, POINT, Notation, Shapes
from loaders.errors import InvalidInput
from loaders.safra import Safra

_MONTH = re.compile(r"(.+)_(?:0[1-9]|1[0-2])")
COORDINATES = frozenset({"point_x", "point_y"})
"""Degrees have no thousands."""


def of(census: Census, matched: Match, filename: str, thousands: str | None) -> dict[str, Notation]:
    """How each column writes its numbers.

    Raises:
        InvalidInput: a column does not tell and neither does ``milhar``.
    """
    notations = {}
    raw = {source: column for column, source in matched.sources.items()}
    for column, shapes in census.shapes.items():
        said = NONE if raw[column] in COORDINATES else thousands
        if said is None and _told_by_its_series(column, census.shapes):
            said = NONE
        if values := shapes.doubtful(said):
            quoted = " e ".join(map(repr, values)) + (" podem" if values[1:] else " pode")
            point = "." in values[0]
            raise InvalidInput(
                f"{filename}: camada {matched.layer.name}, coluna {column}: {quoted} ser"
                " milhares ou decimais; se são milhares, use --milhar"
                f" {POINT if point else COMMA}, se são decimais, --milhar {NONE}"
            )
        notations[column] = shapes.notation(said)
    return notations


def _told_by_its_series(column: str, shapes: dict[str, Shapes]) -> bool:
    """Whether a month whose only value could be read in two ways stands among months with decimals.

    Two values that both happen to end in three digits are no chance any more: these stay in doubt.
    """
    values = shapes[column].doubtful(None)
    if len(values) != 1 or not (series := _MONTH.fullmatch(column)):
        return False
    mark = "." if "." in values[0] else ","
    months = [
        of_month
        for name, of_month in shapes.items()
        if name != column and (found := _MONTH.fullmatch(name)) and found[1] == series[1]
    ]
    return any(month.settled(mark) for month in months) and not any(
        month.seen.keys() & {"brazilian", "english"} for month in months
    )


def refuse_another(
    census: Census,
    wanted: dict[tuple[str, str], Safra],
    notations: dict[str, Notation],
    filename: str,
) -> None:
    """A safra that groups thousands in a file whose other safras have decimals: files put together.

    Raises:
        InvalidInput: no number of a safra tells, and its groups would be read as decimals.
    """
    for key, safra in wanted.items():
        shapes = census.written.get(key)
        values = shapes.doubtful(None) if shapes else []
        mark = "." if values and "." in values[0] else ","
        group = "point_group" if mark == "." else "comma_group"
        if not values[1:] or not any(
            notations[column].group != mark and (of_file.settled(mark) or group in of_file.seen)
            for column, of_file in census.shapes.items()
        ):
            continue
        raise InvalidInput(
            f"{filename}: na safra {safra.key}, {' e '.join(map(repr, values))} podem ser milhares,"
            " e as outras do arquivo não os agrupam; se são milhares, separe-a num arquivo e use"
            f" --milhar {POINT if mark == '.' else COMMA}, se são decimais, --milhar {NONE}"
        )
