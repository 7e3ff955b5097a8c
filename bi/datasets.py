"""Superset's datasets, made from dbt's words: one per entry of dashboards/datasets.yaml.

Belongs here: what an entry becomes. Not here: dbt's words (marts.py), what charts take (falls.py).
An entry without ``join`` is a mart as it is. ``join`` brings columns of others; where it lists
``columns``, a row of each ``by`` (a distributor's name of its code). ``computed`` are expressions;
``named`` are those that say a code's name as a seed has it.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bi.marts import SCHEMA, Column, Mart, Metric

NAMESPACE = uuid.UUID("5d6b7d0e-5a77-5c1c-9a5b-6f2f3f0f1d19")
DATABASE = "Armazém"
VERSION = "1.0.0"
UNSHOWN = ("geometry", "jsonb", "[]")
"""Types that no chart draws."""
UNITS = {
    **{"kwh": "kWh", "mwh": "MWh", "kw": "kW", "kva": "kVA", "h": "h", "pct": "%", "brl": "R$"},
    "id": "código",
}
ACCENTS = {
    **{"municipio": "município", "media": "média", "medio": "médio", "maximo": "máximo"},
    **{"posicao": "posição", "situacao": "situação", "subestacao": "subestação", "razao": "razão"},
    **{"maxima": "máxima", "participacao": "participação", "tendencia": "tendência"},
    **{"tecnicas": "técnicas", "nao": "não", "iluminacao": "iluminação", "diferenca": "diferença"},
    **{"mes": "mês", "execucoes": "execuções", "minima": "mínima", "variacao": "variação"},
    **{"dic": "DIC", "fic": "FIC", "dec": "DEC", "fec": "FEC", "uf": "UF", "mae": "MAE"},
    **{"mape": "MAPE", "mase": "MASE", "uc": "UC", "cod": "unidade", "observacoes": "observações"},
    **{"municipios": "municípios", "geracao": "geração", "competencia": "competência"},
    **{"codigo": "código", "evidencia": "evidência", "periodo": "período"},
    **{"serie": "série", "nivel": "nível", "potencia": "potência", "tarifario": "tarifário"},
}
"""Endings and words of columns' names as people write them."""
HEADS = {
    "quantidade_leads": "Unidades",
    "leads_livres": "Unidades livres",
    "leads_com_geracao": "Unidades com geração",
}
"""Where the column's own name misleads: in totals a lead is any unit, also a natural person's."""


@dataclass(frozen=True)
class Dataset:
    """What charts take rows of.

    Attributes:
        name: of the entry, and of the mart where nothing is joined.
        sql: None where the mart itself is read.
        marts: the relations that it reads.
        computed: expression of each column that no mart has.
        lacking: what it is made of and dbt has not: it cannot be had at all.
    """

    name: str
    description: str
    sql: str | None
    marts: tuple[str, ...]
    columns: Mapping[str, Column]
    metrics: tuple[Metric, ...]
    computed: Mapping[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()

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


Names = Callable[[str], Mapping[str, str]]
"""The names of the codes of a seed."""


def make(entries: Mapping[str, Any], marts: Mapping[str, Mart], names: Names) -> dict[str, Dataset]:
    """All datasets, by name."""
    return {name: _dataset(name, entry or {}, marts, names) for name, entry in entries.items()}


def said(column: str, names: Mapping[str, str]) -> str:
    """The expression of a code's name; of a code without one, the code."""
    texts = ((code.replace("'", "''"), name.replace("'", "''")) for code, name in names.items())
    cases = " ".join(f"when '{code}' then '{name}'" for code, name in texts)
    return f"case {column} {cases} else {column} end"


def _dataset(
    name: str, entry: Mapping[str, Any], marts: Mapping[str, Mart], names: Names
) -> Dataset:
    base_name, joins = entry.get("from", name), entry.get("join", [])
    read = (base_name, *(join["mart"] for join in joins))
    if unknown := [f"{SCHEMA}.{mart}" for mart in read if mart not in marts]:
        return Dataset(name, "", None, read, {}, (), lacking=tuple(unknown))
    base = marts[base_name]
    columns = {**base.columns}
    metrics = {metric.name: metric for metric in base.metrics}
    lacking = []
    for join in joins:
        mart = marts[join["mart"]]
        taken = join.get("columns", [*mart.columns])
        asked = [(mart, c) for c in [*taken, *join["by"]]] + [(base, c) for c in join["by"]]
        lacking += [f"{SCHEMA}.{m.name}.{c}" for m, c in asked if c not in m.columns]
        columns |= {c: mart.columns[c] for c in taken if c in mart.columns and c not in columns}
        if "columns" not in join:
            metrics = {metric.name: metric for metric in mart.metrics} | metrics
    shown = {c: it for c, it in columns.items() if not it.type.endswith(UNSHOWN)}
    sql = _statement(base, [(marts[join["mart"]], join) for join in joins], shown)
    return Dataset(
        name,
        base.description,
        sql if joins else None,
        read,
        shown,
        tuple(metrics.values()),
        entry.get("computed", {})
        | {c: said(it["of"], names(it["seed"])) for c, it in entry.get("named", {}).items()},
        tuple(dict.fromkeys(lacking)),
    )


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
    """What stands over a column: ``demanda_maxima_kw`` is *Demanda máxima (kW)*.

    A code's name stands for the code: ``nome_do_tipo`` is *Tipo*.
    """
    if name in HEADS:
        return HEADS[name]
    words = re.sub("^nome_d[ao]_", "", name).split("_")
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
