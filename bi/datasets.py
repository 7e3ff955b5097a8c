"""Superset's datasets, made from dbt's words: one per entry of dashboards/datasets.yaml.

Belongs here: what an entry becomes. Not here: dbt's words (marts.py), what charts take (falls.py).
An entry without ``join`` is a mart as it is. ``join`` brings columns of others; where it lists
``columns``, a row of each ``by`` (a distributor's name of its code). ``computed`` are expressions.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bi.marts import SCHEMA, Column, Mart, Metric, columns_named

NAMESPACE = uuid.UUID("5d6b7d0e-5a77-5c1c-9a5b-6f2f3f0f1d19")
DATABASE = "Armazém"
VERSION = "1.0.0"
UNSHOWN = ("geometry", "jsonb", "[]")
"""Types that no chart draws."""
UNITS = {"kwh": "kWh", "mwh": "MWh", "kw": "kW", "kva": "kVA", "h": "h", "pct": "%", "brl": "R$"}
ACCENTS = {
    **{"municipio": "município", "media": "média", "medio": "médio", "maximo": "máximo"},
    **{"posicao": "posição", "situacao": "situação", "subestacao": "subestação", "razao": "razão"},
    **{"maxima": "máxima", "participacao": "participação", "tendencia": "tendência"},
    **{"tecnicas": "técnicas", "nao": "não", "iluminacao": "iluminação", "diferenca": "diferença"},
    **{"mes": "mês", "execucoes": "execuções", "minima": "mínima", "variacao": "variação"},
    **{"dic": "DIC", "fic": "FIC", "dec": "DEC", "fec": "FEC", "uf": "UF", "mae": "MAE"},
    **{"mape": "MAPE", "mase": "MASE", "uc": "UC", "cod": "código", "observacoes": "observações"},
    **{"municipios": "municípios", "geracao": "geração", "competencia": "competência"},
    **{"codigo": "código", "evidencia": "evidência", "periodo": "período"},
}
"""Words of columns' names as people write them."""


class UnknownName(Exception):
    """dashboards/datasets.yaml names a mart or column that dbt has not; the message says which."""


@dataclass(frozen=True)
class Dataset:
    """What charts take rows of.

    Attributes:
        name: of the entry, and of the mart where nothing is joined.
        sql: None where the mart itself is read.
        marts: the relations that it reads.
        computed: expression of each column that no mart has.
    """

    name: str
    description: str
    sql: str | None
    marts: tuple[str, ...]
    columns: Mapping[str, Column]
    metrics: tuple[Metric, ...]
    computed: Mapping[str, str] = field(default_factory=dict)

    @property
    def uuid(self) -> str:
        """The same in every import."""
        return identity("dataset", self.name)

    @property
    def file(self) -> str:
        """Its place in the package."""
        return f"datasets/armazem/{self.name}.yaml"


def identity(kind: str, name: str) -> str:
    """The uuid of what we name: the same on every machine."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{name}"))


def make(entries: Mapping[str, Any], marts: Mapping[str, Mart]) -> dict[str, Dataset]:
    """All datasets, by name.

    Raises:
        UnknownName: an entry names what dbt has not.
    """
    return {name: _dataset(name, entry or {}, marts) for name, entry in entries.items()}


def _known(marts: Mapping[str, Mart], name: str, dataset: str) -> Mart:
    if name not in marts:
        raise UnknownName(f"o conjunto {dataset} lê {SCHEMA}.{name}, que o dbt não tem")
    return marts[name]


def _dataset(name: str, entry: Mapping[str, Any], marts: Mapping[str, Mart]) -> Dataset:
    base = _known(marts, entry.get("from", name), name)
    joined = [(_known(marts, join["mart"], name), join) for join in entry.get("join", [])]
    columns = {**base.columns}
    metrics = {metric.name: metric for metric in base.metrics}
    for mart, join in joined:
        taken = join.get("columns", mart.columns)
        lacking = {*taken, *join["by"]} - {*mart.columns}
        if lacking:
            raise UnknownName(
                f"o conjunto {name} pede a {SCHEMA}.{mart.name} o que ela não tem:"
                f" {', '.join(sorted(lacking))}"
            )
        columns |= {c: mart.columns[c] for c in taken if c not in columns}
        if "columns" not in join:
            metrics = {metric.name: metric for metric in mart.metrics} | metrics
    shown = {c: it for c, it in columns.items() if not it.type.endswith(UNSHOWN)}
    computed = entry.get("computed", {})
    for expression in computed.values():
        if lacking := columns_named(expression) - {*shown}:
            raise UnknownName(f"o conjunto {name} calcula com o que não tem: {', '.join(lacking)}")
    sql = _statement(base, joined, shown) if joined else None
    read = (base.name, *(mart.name for mart, _ in joined))
    return Dataset(name, base.description, sql, read, shown, tuple(metrics.values()), {**computed})


def _statement(
    base: Mart, joined: list[tuple[Mart, Mapping[str, Any]]], shown: Mapping[str, Column]
) -> str:
    """The rows of the base, each with what is found of the others."""
    place = {c: f"j{i}" for i, (mart, _) in enumerate(joined) for c in mart.columns}
    place |= dict.fromkeys(base.columns, "b")
    lines = ["select", ",\n".join(f"    {place[c]}.{c}" for c in shown)]
    lines.append(f"from {SCHEMA}.{base.name} as b")
    for i, (mart, join) in enumerate(joined):
        keys = ", ".join(join["by"])
        source = f"{SCHEMA}.{mart.name}"
        if "columns" in join:
            source = f"(select distinct {keys}, {', '.join(join['columns'])} from {source})"
        lines.append(f"left join {source} as j{i} using ({keys})")
    return "\n".join(lines)


def head(name: str) -> str:
    """What stands over a column: ``demanda_maxima_kw`` is *Demanda máxima (kW)*."""
    words = name.split("_")
    unit = UNITS.get(words[-1]) if len(words) > 1 else None
    told = " ".join(ACCENTS.get(word, word) for word in (words[:-1] if unit else words))
    return f"{told[0].upper()}{told[1:]}" + (f" ({unit})" if unit else "")


def as_superset(dataset: Dataset, database_uuid: str) -> dict[str, Any]:
    """The dataset as Superset imports it."""
    return {
        "table_name": dataset.name,
        "schema": SCHEMA,
        "sql": dataset.sql,
        "description": dataset.description,
        "filter_select_enabled": True,
        "uuid": dataset.uuid,
        "metrics": [*_metrics(dataset)],
        "columns": [*_columns(dataset)],
        "version": VERSION,
        "database_uuid": database_uuid,
    }


def _metrics(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for metric in dataset.metrics:
        yield {
            "metric_name": metric.name,
            "verbose_name": metric.title,
            "expression": metric.expression,
            "d3format": metric.format or None,
        }


def _columns(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for name, column in dataset.columns.items():
        yield {
            "column_name": name,
            "verbose_name": head(name),
            "description": column.description,
            "type": column.type.upper(),
            "is_dttm": column.type.startswith(("date", "timestamp")),
            "is_active": True,
            "groupby": True,
            "filterable": True,
        }
    for name, expression in dataset.computed.items():
        yield {
            "column_name": name,
            "verbose_name": head(name),
            "expression": expression,
            "type": "TEXT",
            "is_dttm": False,
            "is_active": True,
            "groupby": True,
            "filterable": True,
        }
