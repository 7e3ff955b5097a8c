"""One HTML of its own: no script, nothing to fetch; charts and style are in it.

Belongs here: figures → HTML. Not here: what a section says (templates/), figures, PDF.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from importlib import resources
from itertools import groupby
from operator import itemgetter

import jinja2

from loaders.figures import number
from reports import charts, words
from reports.choice import Choice
from reports.figures import LIMITS, Figures, Row, Safra
from reports.period import Period


def page(
    safra: Safra, period: Period, choice: Choice, figures: Figures, generated_at: datetime
) -> str:
    """The whole HTML."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "numero": number,
        "dia": words.day,
        "momento": words.moment,
        "mes": words.month,
        "curto": words.short,
        "motivo": words.reason,
        "por": _by,
    }
    leads = {
        offer: list(rows) for offer, rows in groupby(figures["leads"], key=itemgetter("oferta"))
    }
    sections = choice.sections_of(period.kind)
    return env.get_template("relatorio.html").render(
        safra=safra,
        periodo=period,
        escolha=choice,
        gerado_em=generated_at,
        secoes=sections,
        dados=figures,
        leads=leads,
        graficos=_drawn(figures, safra, sections),
        palavras=words,
        limites=LIMITS,
        estilo=resources.files("reports").joinpath("templates/estilo.css").read_text("utf-8"),
    )


def _by(rows: Iterable[Row], key: str) -> dict[object, Row]:
    return {row[key]: row for row in rows}


def _drawn(figures: Figures, safra: Safra, sections: Collection[str]) -> dict[str, str]:
    """Chart → SVG, of these sections; a chart without its data is not there, and they say so."""
    name = f"{safra.distribuidora} {safra.ano}"
    drawn = {}
    if "mapa" in sections:
        drawn |= _maps(figures, name)
    if "energia" in sections and any(row["energia_kwh"] for row in figures["mensal"]):
        drawn["energia"] = charts.monthly(figures["mensal"], f"Energia mensal, {name}")
    if "previsao" in sections:
        ahead = [row for row in figures["previsao"] if row["media"] is not None]
        past = [row for row in figures["historia"] if row["energia_kwh"] is not None]
        if ahead and past:
            drawn["previsao"] = charts.forecast(past, ahead, f"Previsão, {name}")
    return drawn


def _maps(figures: Figures, name: str) -> dict[str, str]:
    leads, cells, outlines = (figures[k] for k in ("mapa_leads", "hexagonos", "contorno"))
    drawn = {}
    if leads or cells or outlines:
        drawn["mapa"] = charts.places("mapa", leads, cells, outlines, f"Mapa, {name}")
    if close := [row for row in leads if row["do_maior"]]:
        title = f"Mapa, {close[0]['maior']}"
        drawn["perto"] = charts.places("perto", close, cells, outlines, title, close=True)
    return drawn
