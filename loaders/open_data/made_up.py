"""The example's made-up tariffs and continuity: landed with it, gone with it or before the real.

Belongs here: which they are, taking them out. Not here: the example itself (removal.py), landing.
"""

from pathlib import Path

import psycopg
from psycopg import sql

from loaders.open_data.dataset import Dataset
from loaders.open_data.registry import DATASETS
from loaders.synthetic import open_data_sample

FILES = {
    DATASETS[file.stem]: file
    for file in sorted(Path(open_data_sample.__file__).parent.glob("*.csv"))
}
"""Dataset → its made-up file."""


def forget(conn: psycopg.Connection, dataset: Dataset) -> None:
    """Take a dataset's made-up rows out, and their bookkeeping, in the open transaction."""
    numbers = [
        number
        for (number,) in conn.execute(
            "delete from controle.aberto_arquivo where conjunto = %s and inventado"
            " returning arquivo_id",
            [dataset.id],
        )
    ]
    if numbers:
        table = sql.Identifier("raw", dataset.table)
        query = sql.SQL("delete from {} where arquivo_id = any(%s)").format(table)
        conn.execute(query, [numbers])


def forget_all(conn: psycopg.Connection) -> None:
    """The same of every dataset."""
    if conn.execute("select to_regclass('controle.aberto_arquivo') is not null").fetchone()[0]:
        for dataset in FILES:
            forget(conn, dataset)


def wanting(conn: psycopg.Connection) -> list[Dataset]:
    """The datasets of the example of which nothing has landed, made up or real."""
    there = {
        name for (name,) in conn.execute("select distinct conjunto from controle.aberto_arquivo")
    }
    return [dataset for dataset in FILES if dataset.id not in there]
