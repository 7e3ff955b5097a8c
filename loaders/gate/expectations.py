"""Runs the landing gate's rules with Great Expectations, and keeps what they saw.

Belongs here: figures of landed layers, the suite that judges them, the table of results. Not here:
the rules (rules.py), what follows from a failed one (verdict.py). PostgreSQL takes the figures, two
scans a layer, so no row leaves it; Great Expectations judges those of all safras in one suite,
because a validation costs it the same for one safra as for fifty.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from loaders.bdgd.layers import ALL_LAYERS, UC_LAYERS
from loaders.gate.rules import Model, Portrait, Rule, Severity, rules
from loaders.safra import Safra

RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["figura"],
    "include_unexpected_rows": False,
}


@dataclass(frozen=True)
class Figure:
    """What PostgreSQL counted for one rule of one layer of one safra; None where of nothing."""

    layer: str
    rule: Rule
    value: float | None
    rows: int

    @property
    def judged(self) -> float | None:
        """The figure as it is judged: bad rows as a share."""
        if self.value is None or not self.rule.of_rows:
            return self.value
        total = self.rows if self.rule.total is None else self.rule.total
        return self.value / total if total else 0.0


@dataclass(frozen=True)
class Result:
    """What one rule saw.

    Attributes:
        unexpected: bad rows; None for a rule over the whole layer.
        observed: what was judged; only aggregates.
    """

    layer: str
    rule: Rule
    ok: bool
    unexpected: int | None
    total: int
    observed: dict[str, Any]

    def __str__(self) -> str:
        """What was seen, in a word: bad rows, else the figure that was judged."""
        if self.unexpected is not None:
            return f"({self.unexpected} linhas)"
        return f"({self.observed.get('observed_value'):.10g})"


# ── Figures ───────────────────────────────────────────────────────────────────────────────────────
def portraits(conn: psycopg.Connection, safra: Safra) -> list[Portrait]:
    """Each layer as it landed; the model is read off the columns that came filled."""
    leaves = {
        c.name: f"raw_safra.{c.table}_{safra.distribuidora_id}_{safra.ano}" for c in ALL_LAYERS
    }
    looks = []
    for layer in ALL_LAYERS:
        columns = ["cod_id", "dic_01", "tip_sist"]
        came = ", ".join(
            f"exists (select from {leaves[layer.name]} where {column} is not null)"
            if column in layer.columns
            else "false"
            for column in columns
        )
        looks.append(f"(select count(*) from {leaves[layer.name]}), {came}")
    seen = iter(conn.execute("select " + ", ".join(looks)).fetchone())
    registered = {
        layer: (rows, rejected)
        for layer, rows, rejected in conn.execute(
            "select e.camada, i.linhas_processadas, i.linhas_rejeitadas"
            " from controle.entrega as e join intel_lead.import_status as i using (import_id)"
            " where (e.ano, e.distribuidora_id) = (%s, %s) order by e.aceita desc",
            [safra.ano, safra.distribuidora_id],
        )
    }
    took = {c.name: tuple(next(seen) for _ in range(4)) for c in ALL_LAYERS}
    points = leaves["PONNOT"] if took["PONNOT"][0] else ""
    found = []
    for layer in ALL_LAYERS:
        rows, has_cod_id, has_dic, has_tip_sist = took[layer.name]
        model: Model = "V11" if has_tip_sist else "V10"
        found.append(
            Portrait(
                safra=safra,
                layer=layer,
                leaf=leaves[layer.name],
                model=model if layer in UC_LAYERS and has_dic else "M10",
                rows=rows,
                has_cod_id=has_cod_id,
                registered=registered.get(layer.name, (None, 0))[0],
                rejected=registered.get(layer.name, (None, 0))[1],
                points=points,
            )
        )
    return found


def figures(conn: psycopg.Connection, safra: Safra) -> list[Figure]:
    """The figures of every rule of a safra, in two scans a layer."""
    return [
        Figure(portrait.layer.name, rule, value, portrait.rows)
        for portrait in portraits(conn, safra)
        for rule, value in _scan(conn, portrait)
    ]


def _scan(conn: psycopg.Connection, portrait: Portrait) -> list[tuple[Rule, float | None]]:
    found = rules(portrait)
    seen: list[tuple[Rule, float | None]] = []
    for sorts in (False, True):
        group = [rule for rule in found if rule.sorts == sorts]
        if group:
            # count(*) makes it one row of an empty layer, of figures that are no aggregates too.
            asked = ", ".join(rule.figure for rule in group)
            row = conn.execute(f"select count(*), {asked} from {portrait.leaf}").fetchone()
            seen += zip(group, row[1:], strict=True)
    return seen


# ── Judging ───────────────────────────────────────────────────────────────────────────────────────
def judge(taken: Sequence[Figure]) -> list[Result]:
    """Have Great Expectations judge figures, one expectation per rule; a result for each."""
    if not taken:
        return []
    failed: dict[int, bool] = defaultdict(bool)
    for seen in _validate(taken):
        if seen.exception_info.get("exception_message"):
            raise RuntimeError(seen.exception_info["exception_message"])
        for where in seen.result["unexpected_index_list"]:
            failed[where["figura"]] = True
    return [_result(figure, ok=not failed[n]) for n, figure in enumerate(taken)]


def _validate(taken: Sequence[Figure]) -> Iterable[Any]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import pandas as pd
    from great_expectations.expectations.row_conditions import Column

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    frame = pd.DataFrame(
        {
            "figura": range(len(taken)),
            "regra": [figure.rule.name for figure in taken],
            "valor": pd.array([f.judged for f in taken], dtype="float64"),
            "minimo": pd.array([f.rule.low for f in taken], dtype="float64"),
            "maximo": pd.array([f.rule.high for f in taken], dtype="float64"),
        }
    )
    # Ephemeral: a file context would write to disk.
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("figuras").add_dataframe_asset("portao")
    batch = source.add_batch_definition_whole_dataframe("tudo").get_batch({"dataframe": frame})
    ranges = {figure.rule.name for figure in taken if figure.rule.low is not None}
    names = dict.fromkeys(figure.rule.name for figure in taken)
    pairs = [("maximo", "valor", name) for name in names]
    pairs += [("valor", "minimo", name) for name in names if name in ranges]
    suite = gx.ExpectationSuite(
        name="portao",
        expectations=[
            gx.expectations.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=greater,
                column_B=less,
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                row_condition=Column("regra") == name,
            )
            for greater, less, name in pairs
        ],
    )
    return batch.validate(suite, result_format=RESULT_FORMAT).results


def _result(figure: Figure, *, ok: bool) -> Result:
    rule, value = figure.rule, figure.value
    counts = rule.of_rows and value is not None
    observed: dict[str, Any] = {"observed_value": None if value is None else float(value)}
    if counts:
        observed["unexpected_percent"] = 100 * (figure.judged or 0.0)
    total = figure.rows if rule.total is None else rule.total
    return Result(figure.layer, rule, ok, int(value) if counts else None, total, observed)


def failures(results: Iterable[Result], severity: Severity) -> list[Result]:
    """What failed of one severity."""
    return [r for r in results if not r.ok and r.rule.severity == severity]


def keep(conn: psycopg.Connection, safra: Safra, import_id: int, results: list[Result]) -> None:
    """Write the results of one import to intel_lead.qualidade_validacao."""
    key = (safra.distribuidora_id, safra.ano, import_id)
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute(
            "delete from intel_lead.qualidade_validacao"
            " where (distribuidora_id, ano, import_id) = (%s, %s, %s)",
            key,
        )
        cursor.executemany(
            "insert into intel_lead.qualidade_validacao (distribuidora_id, ano, import_id, camada,"
            " expectativa, coluna, severidade, sucesso, descricao, inesperados, total, observado)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (*key, r.layer, r.rule.name, r.rule.column, r.rule.severity, r.ok)
                + (r.rule.description, r.unexpected, r.total, Jsonb(r.observed))
                for r in results
            ],
        )
