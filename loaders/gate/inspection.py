"""A content by itself: what no whole delivery can be, whatever came before.

Belongs here: what is sure without a reference. Not here: comparison (comparison.py), values of
columns (rules.py).
"""

from collections.abc import Iterator, Mapping

import psycopg

from loaders.bdgd.layers import UC_LAYERS
from loaders.gate import units
from loaders.gate.comparison import MONTH_NAMES
from loaders.gate.evidence import Finding, beyond, limits, most, pct
from loaders.gate.units import MONTHS, Content, Figures, layers_of

SURE_MONTH = 20
"""Units with energy in the year that a layer needs before an empty month is the file's fault."""


def inspect(conn: psycopg.Connection, content: Content) -> list[Finding]:
    """What of a content says that it is not whole, whatever came before. In a transaction."""
    units.take_units(conn, "gate_now", content, units.mask_of(conn, content))
    figures = units.content_figures(conn, "gate_now")
    twins = {
        c.name: units.twin_figures(conn, c, content) for c in UC_LAYERS if c.name in content.leaves
    }
    return [*empty_months(figures), *absurd_energy(figures), *twin_rows(twins)]


def twin_rows(twins: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    """Layers in which units stand twice, under whatever code."""
    for layer, (rows, same) in twins.items():
        if beyond(same, rows, most("unidades_gemeas")):
            yield Finding(
                "unidades_gemeas",
                layer,
                f"{layer}: {same} de {rows} linhas ({pct(same, rows)}) têm os doze meses iguais aos"
                f" de outra; o máximo é {pct(most('unidades_gemeas'), 1)}",
                figures={"linhas": rows, "gemeas": same},
            )


def empty_months(figures: Mapping[str, Figures]) -> Iterator[Finding]:
    """Months in which nobody of a layer has energy, though in the year they have."""
    for layer in layers_of(figures):
        row = figures[layer]
        for m in MONTHS:
            zero, active = row[f"zero_{m}"], row["active"]
            if active >= SURE_MONTH and zero > most("mes_sem_energia") * active:
                yield Finding(
                    "mes_sem_energia",
                    f"{layer} {m}",
                    f"{layer}, {MONTH_NAMES[m]}: {zero} de {active} unidades com energia no ano não"
                    " a têm neste mês",
                    figures={"unidades": active, "vazias": zero},
                )


def absurd_energy(figures: Mapping[str, Figures]) -> Iterator[Finding]:
    """Layers whose unit in the middle uses what no such unit does."""
    for layer in layers_of(figures):
        row = figures[layer]
        low, high = limits()[f"kwh_do_ano_{layer.lower()}"]
        if row["active"] >= SURE_MONTH and not low <= row["median_kwh"] <= high:
            yield Finding(
                f"kwh_do_ano_{layer.lower()}",
                layer,
                f"{layer}: a unidade do meio usou {row['median_kwh']:.4g} kWh no ano; o admitido é"
                f" de {low:g} a {high:g}: a energia não está em kWh",
                figures={"unidades": row["active"], "mediana_kwh": row["median_kwh"]},
            )
