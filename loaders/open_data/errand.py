"""One dataset brought in: from a file that a person has, or all that its source has that is new.

Belongs here: what the command line and Dagster both do. Not here: what they say of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg

from loaders.bdgd import zip_archive
from loaders.errors import LoadError
from loaders.open_data import sources
from loaders.open_data.client import Client
from loaders.open_data.dataset import Dataset
from loaders.open_data.landing import Delivery, Result, date_of, land


@dataclass(frozen=True)
class Errand:
    """What is asked for.

    Attributes:
        file: that a person downloaded; None: ask the source.
        since: of a source with a file a year, the first year; None: the last one.
        force: land what is there already, or a much shorter file.
        address: of the source, in the place of the declared one.
        dry_run: say what would happen, change nothing.
    """

    file: Path | None = None
    since: int | None = None
    force: bool = False
    address: str | None = None
    dry_run: bool = False


def run(
    conn: psycopg.Connection, dataset: Dataset, errand: Errand, client: Client | None = None
) -> Iterator[Result | LoadError]:
    """Land each file; what became of it, or why it was refused: the next is tried.

    Raises:
        SourceFailure: the source does not answer as it should; what came before it has landed.
    """
    if errand.file is not None:
        yield _land(conn, dataset, Delivery(errand.file, errand.file.name), errand)
        return
    if errand.address and dataset.origin:
        origin = replace(dataset.origin, base=errand.address.rstrip("/"))
        dataset = replace(dataset, origin=origin)
    today = date.today()  # noqa: DTZ011
    with zip_archive.temporary_folder() as folder:
        for delivery in sources.fetch(
            dataset,
            client or Client(),
            folder,
            years=range(errand.since or today.year - 1, today.year + 1),
            known=lambda url: None if errand.force else date_of(conn, dataset, url),
        ):
            yield _land(conn, dataset, delivery, errand)


def _land(
    conn: psycopg.Connection, dataset: Dataset, delivery: Delivery, errand: Errand
) -> Result | LoadError:
    try:
        return land(conn, dataset, delivery, force=errand.force, dry_run=errand.dry_run)
    except LoadError as error:
        return error
