"""ANEEL's catalogue as its ArcGIS Hub tells it: the search API, page by page.

Belongs here: paging, what an answer is, that a reading is whole. Not here: requests
(open_data/client.py), titles (titles.py), what is kept (bookkeeping.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from loaders import environment
from loaders.catalogue.item import Item, Kind
from loaders.errors import SourceFailure
from loaders.open_data.client import Client

HUB = "https://dadosabertos-aneel.opendata.arcgis.com"
CONTENT = "https://www.arcgis.com/sharing/rest/content/items"
PAGE = 100
MOST_PAGES = 500
REMEDY = "Tente mais tarde, ou baixe a base pelo navegador e digite make run BDGD=ARQUIVO"
_LAST_SECOND = 10**11
"""The year 5138 in seconds, 1973 in milliseconds."""
_YEARS = range(1990, 2101)
"""Of a date that a portal may mean; others it writes where it knows none."""
_MOST_BYTES = 2**40
_PERMANENT = frozenset({400, 401, 403, 404, 498, 499})


@dataclass(frozen=True)
class Reading:
    """What a source showed.

    Attributes:
        complete: it showed all that it says it has.
        remark: why not, for a person.
    """

    items: tuple[Item, ...]
    complete: bool = True
    remark: str = ""


def said_error(answer: Any, where: str) -> str:  # noqa: ANN401
    """Why an answer that came as 200 is an error that may pass; nothing: it is none.

    Raises:
        SourceFailure: an error that asking again does not mend.
    """
    error = answer.get("error") if isinstance(answer, dict) else None
    if not error:
        return ""
    code = error.get("code") if isinstance(error, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    said = f"respondeu com um erro ({' '.join(str(x) for x in (code, text) if x)})"
    if code in _PERMANENT:
        raise SourceFailure(f"{where}: {said}; nada mudou")
    return said


def address() -> str:
    """The Hub's: INTEL_CATALOGO_ENDERECO, else ANEEL's."""
    return environment.setting("INTEL_CATALOGO_ENDERECO", HUB).rstrip("/")


def content_of(item_id: str) -> str:
    """Where an item's file is: at ArcGIS, or where a mirror of the Hub keeps it."""
    own = address()
    if own == HUB:
        return f"{CONTENT}/{item_id}/data"
    return f"{own}/sharing/rest/content/items/{item_id}/data"


def read(client: Client) -> Reading:
    """Every File Geodatabase that the Hub lists, each once.

    Raises:
        SourceFailure: it does not answer as it should, or lists nothing.
    """
    url = f"{address()}/api/search/v1/collections/dataset/items"
    found: dict[str, Item] = {}
    said = None
    for matched, features in _pages(client, url):
        said = matched if matched is not None else said
        new = [item for item in map(_item, features) if item]
        for item in new:
            before = found.get(item.item_id)
            if before is None or _stamp(item) >= _stamp(before):
                found[item.item_id] = item
    if not found:
        raise SourceFailure(f"{url}: o catálogo veio vazio; nada mudou. {REMEDY}")
    complete = said is None or said == len(found)
    remark = "" if complete else f"o Hub diz ter {said} itens e mostrou {len(found)}"
    return Reading(tuple(found.values()), complete, remark)


def _pages(client: Client, url: str) -> Iterator[tuple[int | None, list[Any]]]:
    """(how many it says match, features) of each page; pages may overlap, a short one is no end.

    Nor is what it says it has: the last page is one that is shorter than others, or brings nothing.
    """
    start, longest, seen = 1, 0, set()
    for _ in range(MOST_PAGES):
        query = {"type": "File Geodatabase", "limit": PAGE, "startindex": start}
        answer = client.json(url, query, refused=lambda a: said_error(a, url))
        features = answer.get("features") if isinstance(answer, dict) else None
        if not isinstance(features, list):
            raise SourceFailure(f"{url}: resposta de outra forma, sem features; nada mudou")
        matched = answer.get("numberMatched")
        matched = matched if isinstance(matched, int) else None
        yield matched, features
        new = {str(f.get("id")) for f in features if isinstance(f, dict)} - seen
        # From the first that was not seen: what moves while it is read is asked for again.
        start += len(new) or len(features)
        longest = max(longest, len(features))
        more = bool(new) and (len(features) == longest or _has_next(answer))
        if not (features and (more or start <= (matched or 0))):
            return
        seen |= new
    raise SourceFailure(f"{url}: mais de {MOST_PAGES} páginas; nada mudou")


def _has_next(answer: dict[str, Any]) -> bool:
    links = answer.get("links")
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )


def _item(feature: Any) -> Item | None:  # noqa: ANN401
    """None for what has no id: there is nothing that it could be asked by."""
    if not isinstance(feature, dict):
        return None
    said = feature.get("properties")
    properties = said if isinstance(said, dict) else {}
    item_id = printable(feature.get("id") or properties.get("id"))
    if not item_id:
        return None
    title, name = (printable(properties.get(k)) for k in ("title", "name"))
    tags = properties.get("tags")
    size = properties.get("size")
    return Item(
        item_id=item_id,
        source="hub",
        kind=Kind.GEODATABASE,
        title=title or name or item_id,
        url=content_of(item_id),
        modified_at=moment(properties.get("modified")),
        size=plausible_size(size),
        tags=tuple(map(printable, tags)) if isinstance(tags, list) else (),
        names=(name,) if name and name != title else (),
    )


def printable(said: Any) -> str:  # noqa: ANN401
    """A text without what a terminal obeys and PostgreSQL cannot hold."""
    return "".join(c for c in str(said or "") if c.isprintable()).strip()


def plausible_size(said: Any) -> int | None:  # noqa: ANN401
    """Bytes; None where nobody can mean them."""
    return said if isinstance(said, int) and 0 < said < _MOST_BYTES else None


def _stamp(item: Item) -> datetime:
    return item.modified_at or datetime.min.replace(tzinfo=UTC)


def moment(said: Any) -> datetime | None:  # noqa: ANN401
    """Milliseconds since 1970, or seconds, or ISO; None for anything else, or no real date."""
    try:
        if isinstance(said, int | float) and not isinstance(said, bool):
            found = datetime.fromtimestamp(said / 1000 if said > _LAST_SECOND else said, UTC)
        else:
            found = datetime.fromisoformat(str(said).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    if found.year not in _YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
