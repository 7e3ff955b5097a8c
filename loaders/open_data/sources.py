"""What a dataset's source has that is not here yet, fetched to disk.

Belongs here: CKAN's package and datastore, plain addresses. Not here: HTTP (client.py), landing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from loaders.errors import SourceFailure
from loaders.open_data import reshaping
from loaders.open_data.client import Client
from loaders.open_data.dataset import Dataset, Origin
from loaders.open_data.landing import Delivery

_PAGE = 10_000
_FORMATS = {"csv", "zip", "txt", "gz", "json", ""}


@dataclass(frozen=True)
class Remote:
    """A file of a source, with the date that the portal gives it."""

    name: str
    url: str
    last_modified: str | None = None


Known = Callable[[str], str | None]
"""Address → the date of what landed from it last."""


def fetch(
    dataset: Dataset, client: Client, folder: Path, *, years: range, known: Known
) -> Iterator[Delivery]:
    """Each file that the source has and that changed, on disk.

    Args:
        dataset: with an origin.
        client: asks.
        folder: where files go; each is gone when the next is asked for.
        years: of a source with a file a year, those to ask for.
        known: what landed before.

    Raises:
        SourceFailure: the source does not answer as it should.
    """
    origin = dataset.origin
    if origin is None:
        raise SourceFailure(
            f"{dataset.id} só vem por arquivo: baixe-o por {dataset.page} e use --arquivo"
        )
    if origin.way == "datastore":
        yield _datastore(dataset, origin, client, folder)
        return
    for remote in remotes(dataset, origin, client, years):
        # The portal's own date where it says one; else the server's, asked with the file.
        since = known(remote.url)
        if remote.last_modified and remote.last_modified == since:
            continue
        asked = None if remote.last_modified else since
        target = folder / re.sub(r"[^\w.-]", "_", remote.name)
        got = client.download(remote.url, target, most_bytes=dataset.most_bytes, since=asked)
        if got is not None:
            date = remote.last_modified or got.last_modified
            yield Delivery(got.path, remote.name, remote.url, date)
            target.unlink(missing_ok=True)


def remotes(dataset: Dataset, origin: Origin, client: Client, years: range) -> list[Remote]:
    """The files that the source has of these years, oldest first."""
    if origin.way == "url":
        if "{ano}" not in origin.base:
            return [Remote(f"{dataset.id}.json", origin.base)]
        return [Remote(f"{dataset.id}_{y}", origin.base.replace("{ano}", str(y))) for y in years]
    address = f"{origin.base}/api/3/action/package_show"
    listed = resources(client.json(address, {"id": origin.package}), address)
    found = [r for r in listed if r.get("url") and _wanted(r, origin)]
    recent = [r for r in found if _newest_year(r) is None or _newest_year(r) >= years.start]
    if not found:
        raise SourceFailure(
            f"{address}: o portal já não tem os arquivos de {dataset.id}; nada mudou: baixe por"
            f" {dataset.page} e use --arquivo"
        )
    return [
        Remote(_said_name(r), str(r["url"]), r.get("last_modified"))
        for r in sorted(recent, key=lambda r: _newest_year(r) or 0)
    ]


def resources(answer: Any, address: str) -> list[dict[str, Any]]:  # noqa: ANN401
    """What a package of CKAN's has.

    Raises:
        SourceFailure: the answer is an error, or of another form.
    """
    listed = _result(answer, address).get("resources")
    if not isinstance(listed, list):
        raise SourceFailure(f"{address}: resposta de outra forma; nada mudou")
    return [resource for resource in listed if isinstance(resource, dict)]


def _result(answer: Any, address: str) -> dict[str, Any]:  # noqa: ANN401
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict) or not answer.get("success"):
        raise SourceFailure(f"{address}: o portal respondeu com um erro; nada mudou")
    return result


def _wanted(resource: dict[str, Any], origin: Origin) -> bool:
    if origin.resources:
        return resource.get("id") in origin.resources
    if str(resource.get("format", "")).lower() not in _FORMATS:
        return False
    said = f"{resource.get('name', '')} {_file_name(str(resource['url']))}"
    return re.search(origin.choose, said, re.IGNORECASE) is not None


def _newest_year(resource: dict[str, Any]) -> int | None:
    """The last year in a resource's name; a file that goes on (2024+) has no last one."""
    said = f"{resource.get('name', '')} {_file_name(str(resource['url']))}"
    if re.search(r"20\d\d\s*\+", said):
        return None
    years = re.findall(r"(?<!\d)20\d\d(?!\d)", said)
    return max(map(int, years), default=None)


def _said_name(resource: dict[str, Any]) -> str:
    """The file's name, or the resource's where the address ends in none (``…/content``)."""
    name = _file_name(str(resource["url"]))
    return name if "." in name else str(resource.get("name") or name)


def _file_name(url: str) -> str:
    return unquote(Path(urlsplit(url).path).name) or "arquivo"


def _datastore(dataset: Dataset, origin: Origin, client: Client, folder: Path) -> Delivery:
    """A small resource page by page, as one CSV."""
    (resource,) = origin.resources
    address = f"{origin.base}/api/3/action/datastore_search"
    target = folder / f"{dataset.id}.csv"
    reshaping.write(target, _pages(client, address, resource))
    return Delivery(target, target.name, f"{address}?resource_id={resource}")


def _pages(client: Client, address: str, resource: str) -> Iterator[dict[str, Any]]:
    got, total = 0, None
    while total is None or got < total:
        asked = {"resource_id": resource, "limit": _PAGE, "offset": got, "sort": "_id"}
        result = _result(client.json(address, asked), address)
        records, said = result.get("records"), result.get("total")
        if not isinstance(records, list) or not isinstance(said, int):
            raise SourceFailure(f"{address}: resposta de outra forma; nada mudou")
        if total is not None and said != total:
            raise SourceFailure(f"{address}: os dados mudaram no meio da leitura; repita")
        total = said
        short = got + len(records) < total and len(records) < min(_PAGE, total)
        if not records or short:
            raise SourceFailure(
                f"{address}: a página a partir da linha {got} veio com {len(records)} linhas de"
                f" {total}; nada mudou, repita mais tarde"
            )
        got += len(records)
        for record in records:
            yield {column: value for column, value in record.items() if column != "_id"}
