"""The tables that open data land in, from the declarations.

Belongs here: DDL. Not here: rows (landing.py).
"""

from loaders.open_data.dataset import Dataset
from loaders.open_data.registry import DATASETS

BOOKKEEPING = """
create table if not exists controle.aberto_arquivo (
    arquivo_id bigint generated always as identity primary key,
    conjunto text not null,
    arquivo text not null,
    url text,
    sha256 text not null,
    last_modified text,
    anos jsonb not null default '{}',
    linhas bigint not null,
    rejeitadas bigint not null,
    aterrissado_em timestamptz not null default clock_timestamp(),
    inventado boolean not null default false,
    observacoes text
);
create index if not exists aberto_arquivo_conjunto_idx
    on controle.aberto_arquivo (conjunto, arquivo_id desc);
"""
"""``anos`` is year → landed rows; "" where the dataset is replaced whole."""

_GRANT = """
do $$
begin
    if to_regrole('intel_dbt') is not null then
        grant select on {} to intel_dbt;
    end if;
end
$$;
"""


def ddl() -> str:
    """Every statement, idempotent; a declaration that gained a column adds it."""
    tables = "".join(_table(dataset) for dataset in DATASETS.values())
    names = ", ".join(f"raw.{dataset.table}" for dataset in DATASETS.values())
    return BOOKKEEPING + tables + _GRANT.format(names)


def _table(dataset: Dataset) -> str:
    columns = [f"{column.raw} text" for column in dataset.columns]
    if dataset.by_year:
        columns.append("ano_arquivo smallint")
    added = ",\n    ".join(f"add column if not exists {column}" for column in columns)
    return (
        f"create table if not exists raw.{dataset.table} (\n"
        "    arquivo_id bigint not null,\n    linha bigint not null\n);\n"
        f"alter table raw.{dataset.table}\n    {added};\n"
    )
