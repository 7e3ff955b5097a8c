"""The tables that open data land in, from the declarations.

Belongs here: DDL. Not here: rows (landing.py), their bookkeeping (schema.sql).
"""

from loaders.open_data.dataset import Dataset
from loaders.open_data.registry import DATASETS

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
    return tables + _GRANT.format(names)


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
