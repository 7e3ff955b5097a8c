"""What a list takes and gives, as pydantic models made of the data dictionary in the database.

Belongs here: types of columns, parameters, items, pages. Not here: answering.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model
from pydantic_core import PydanticKnownError

from api.database import Column
from api.formats import ATTRIBUTION, Form
from api.listings.catalogue import Listing

MOST = 1000
"""Rows of a page."""
USUAL = 100
INTEGER = 2**31 - 1


_COUNTED = re.compile(r"\s*[-+]?[0-9.]+(e[-+]?[0-9]+)?\s*", re.IGNORECASE)


def _is_written(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and _COUNTED.fullmatch(value)):
        raise ValueError("um instante se escreve, não se conta")
    return value


def _is_counted(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticKnownError("int_type")
    return value


WHOLE = BeforeValidator(_is_counted)
"""A body's int by JSON Schema: 1485.0 is one, "1485" and true are none."""
Day = Annotated[date, BeforeValidator(_is_written)]
Moment = Annotated[datetime, BeforeValidator(_is_written)]
"""As ISO 8601 writes them: pydantic would take a number of seconds too."""
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Integer = Annotated[int, Field(ge=-INTEGER - 1, le=INTEGER)]
_ASKED = {
    "smallint": Integer,
    "integer": Integer,
    "bigint": Annotated[int, Field(ge=-(2**63), le=2**63 - 1)],
    "boolean": bool,
    "date": date,
    "uuid": UUID,
}
_GIVEN = {
    "smallint": int,
    "integer": int,
    "bigint": int,
    "double precision": float,
    "real": float,
    "numeric": float,
    "boolean": bool,
    "date": date,
    "timestamp with time zone": datetime,
    "uuid": UUID,
    "jsonb": dict[str, Any] | list[Any],
    "double precision[]": list[float | None],
    "text[]": list[str],
}
"""PostgreSQL's types → what JSON holds; every other is text."""


class Paging(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid")
    limite: int = Field(USUAL, ge=1, le=MOST, description="Linhas por página.")
    cursor: str | None = Field(
        None,
        max_length=2000,
        pattern="^[A-Za-z0-9_-]+$",
        description="Onde a página começa: o `cursor` da anterior.",
    )
    total: bool = Field(
        False, description="Conta também quantas linhas há ao todo (cabeçalho X-Total e JSON)."
    )
    formato: Form | None = Field(None, description="Em vez do cabeçalho Accept.")


class TablePaging(Paging):
    """What a list without places takes."""

    formato: Literal[Form.JSON, Form.CSV, Form.XLSX, Form.PARQUET] | None = Field(
        None, description="Em vez do cabeçalho Accept."
    )


def parameters(listing: Listing, columns: dict[str, Column]) -> type[BaseModel]:
    """The query parameters of a list: its filters, each repeatable, its order, the paging."""
    fields: dict[str, Any] = {}
    for column in listing.filters:
        kind = _ASKED.get(columns[column].type, Text)
        description = columns[column].description
        fields[listing.parameter(column)] = (
            list[kind],
            Field([], max_length=50, description=f"{description} Repetível."),
        )
    if listing.sorts:
        names = "|".join(listing.sorts)
        order = Annotated[str, StringConstraints(pattern=f"^-?({names})$")]
        text = "Coluna que ordena; com - na frente, do maior ao menor."
        fields["ordem"] = (order | None, Field(None, description=text))
    base = Paging if listing.geometry else TablePaging
    return create_model(f"Pedido_{_name(listing.path)}", __base__=base, **fields)


def page_model(
    path: str, columns: dict[str, Column], made: dict[str, Column], example: dict[str, Any]
) -> type[BaseModel]:
    """A page as JSON; columns that are made may be missing."""
    given = {
        name: (
            _GIVEN.get(column.type, str) | None,
            Field(None, description=column.description)
            if name in made
            else Field(description=column.description),
        )
        for name, column in {**columns, **made}.items()
    }
    item = create_model(f"Item_{_name(path)}", **given)
    shown = {"itens": [example], "cursor": None, "total": 1, "fonte": ATTRIBUTION}
    return create_model(
        f"Pagina_{_name(path)}",
        __config__=ConfigDict(json_schema_extra={"example": shown}),
        itens=(list[item], ...),
        cursor=(str | None, Field(description="O da próxima página; nulo: não há outra.")),
        total=(int | None, Field(None, description="Quantas linhas há ao todo, se se pediu.")),
        fonte=(str, Field(description="A atribuição que acompanha os dados.")),
    )


def _name(path: str) -> str:
    return path.replace("/", "_").replace("-", "_")
