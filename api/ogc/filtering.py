"""What may be asked of a collection: known parameters, and a CQL2 filter of its own columns.

Belongs here: what is let through. Not here: how a filter becomes SQL (tipg, cql2). They write any
name of a function into the statement as it comes: one could set this connection's role, or sleep.
"""

from typing import Annotated, Any

from cql2 import Expr
from fastapi import Query, Request

from api import problems
from api.leads.filters import corners

PARAMETERS = frozenset(
    {"f", "limit", "offset", "ids", "bbox", "bbox-only", "datetime", "properties", "sortby"}
    | {"filter", "filter-lang", "geom-column", "datetime-column", "simplify"}
)
"""Of OGC API – Features, and tipg's own, besides a collection's columns."""
LONGEST, DEEPEST = 4000, 40
OPERATIONS = frozenset(
    {"and", "or", "not", "between", "in", "isNull", "like", "casei", "+", "-", "*", "/"}
    | {"=", "<>", "<", "<=", ">", ">="}
    | {f"s_{kind}" for kind in ("intersects", "within", "contains", "disjoint", "equals")}
)
_KINDS = ("Point", "LineString", "Polygon")
_SHAPES = frozenset({f"{many}{kind}" for many in ("", "Multi") for kind in _KINDS})


def refusal(detail: str) -> problems.Refusal:
    """A filter that is none."""
    return problems.Refusal(problems.INVALID, detail)


def refuse_unknown(request: Request) -> None:
    """Refuse what tipg would pass over: a filter with a slip of the pen finds everything.

    Raises:
        Refusal: a parameter that is none, a form that is not served, NUL in an address.
    """
    if "\0" in request.url.path or any("\0" in text for text in request.query_params.values()):
        raise refusal("um endereço não tem NUL")
    form = request.query_params.get("f")
    if form not in (None, "json", "geojson", "schemajson"):
        raise refusal("f é json ou geojson")
    found = request.app.state.collection_catalog["collections"]
    collection = found.get(request.path_params.get("collectionId"))
    columns = {c.name for c in collection.table_columns} if collection else set()
    unknown = request.query_params.keys() - PARAMETERS - columns
    if collection and unknown:
        raise refusal(f"não se conhece: {', '.join(sorted(unknown))}")
    named = {n for n in request.query_params.get("properties", "").split(",") if n}
    if collection and named - columns:
        raise refusal("properties nomeia uma coluna que a coleção não tem")


def read(
    request: Request,
    text: Annotated[str | None, Query(alias="filter", max_length=LONGEST)] = None,
    language: Annotated[
        str | None, Query(alias="filter-lang", pattern="^cql2-(text|json)$")
    ] = None,
) -> Expr | None:
    """The filter of a request, once all of it is known to be harmless.

    Raises:
        Refusal: it is no CQL2, too deep, or says something that is not on the list.
    """
    if text is None:
        return None
    if text.count("(") + text.count("[") + text.lower().count("not") > 10 * DEEPEST:
        raise refusal("o filtro é fundo demais")
    try:
        tree = Expr(text).to_json()
    except Exception:  # cql2 raises nothing narrower
        raise refusal("o filtro não é CQL2") from None
    found = request.app.state.collection_catalog["collections"]
    collection = found.get(request.path_params.get("collectionId"))
    columns = {c.name for c in collection.table_columns} if collection else set()
    _judge(tree, columns, 0)
    return Expr(tree)


def box(
    text: Annotated[str | None, Query(alias="bbox", max_length=200)] = None,
) -> list[float] | None:
    """West, south, east, north of a request, degrees; of six numbers the heights do not count.

    Raises:
        Refusal: it is no such box.
    """
    if text is None:
        return None
    parts = text.split(",")
    try:
        return list(corners(",".join(parts[:2] + parts[3:5] if len(parts) == 6 else parts)))
    except ValueError:
        raise refusal("bbox é oeste,sul,leste,norte, em graus") from None


def _judge(node: Any, columns: set[str], depth: int) -> None:  # noqa: ANN401 - JSON
    if depth > DEEPEST:
        raise refusal("o filtro é fundo demais")
    if isinstance(node, list):
        for part in node:
            _judge(part, columns, depth + 1)
    elif isinstance(node, dict) and "op" in node:
        if node["op"] not in OPERATIONS:
            raise refusal(f"o filtro só usa: {' '.join(sorted(OPERATIONS))}")
        _judge(node["args"], columns, depth + 1)
    elif isinstance(node, dict) and "property" in node:
        if node["property"] not in columns:
            raise refusal("o filtro nomeia uma coluna que a coleção não tem")
    elif isinstance(node, dict) and not _is_value(node):
        raise refusal("o filtro tem algo que aqui não se usa")


def _is_value(node: dict[str, Any]) -> bool:
    """A shape, a box, a day, an instant."""
    return node.get("type") in _SHAPES or node.keys() <= {"bbox", "date", "timestamp"}
