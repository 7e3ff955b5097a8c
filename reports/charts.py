"""Charts as SVG text, to be read on grey paper: hatches and line styles tell what colours do.

Belongs here: drawing rows. Not here: asking for them, tables. Same rows, same text.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from math import cos, radians, sqrt
from types import SimpleNamespace
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from loaders.figures import number
from reports import words
from reports.figures import Row

WIDTH_IN = 7.1
"""The text's width on A4: 180 mm."""
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "svg.fonttype": "path",
    "svg.hashsalt": "relatorio",
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# From dark to light, so that grey paper keeps the order.
FILLS = ["#17365d", "#b5541c", "#4a90c2", "#e0a458", "#9cc5e0", "#f3d9b1", "#cfcfcf", "#ededed"]
HATCHES = ["", "///", "", "...", "\\\\\\", "xx", "", "++"]
SHADES = ["#eaf1f7", "#bcd4e8", "#77a8d1", "#2f6ba8"]
BLUE = "#17365d"


class _Drawing(SimpleNamespace):
    """A figure while it is drawn on, and afterwards its ``svg``."""

    figure: Figure
    svg: str


@contextmanager
def _drawing(name: str, height: float, title: str) -> Iterator[_Drawing]:
    """A figure of the page's width; ``name`` sets its ids apart from other figures' on the page."""
    with mpl.rc_context(STYLE):
        drawing = _Drawing(figure=Figure(figsize=(WIDTH_IN, height), layout="constrained"))
        yield drawing
        file = io.StringIO()
        drawing.figure.savefig(file, format="svg", metadata={"Date": None, "Title": title})
    text = file.getvalue()
    svg = text[text.index("<svg") :]
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\1{name}-", svg)
    drawing.svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)


def monthly(rows: Sequence[Row], title: str) -> str:
    """Stacked bars: MWh of each month by class, the greatest class below."""
    totals: dict[str, float] = {}
    for row in rows:
        totals[row["classe"]] = totals.get(row["classe"], 0) + (row["energia_kwh"] or 0)
    classes = list(totals)
    kwh = {(row["classe"], row["mes"]): row["energia_kwh"] or 0 for row in rows}
    with _drawing("energia", 2.7, title) as drawing:
        axes = drawing.figure.add_subplot()
        base = [0.0] * 12
        for number, name in enumerate(classes):
            heights = [kwh.get((name, month), 0) / 1000 for month in range(1, 13)]
            style = {"color": FILLS[number % 8], "hatch": HATCHES[number % 8]}
            bars = axes.bar(range(1, 13), heights, bottom=base, width=0.75, label=name, **style)
            for bar in bars:
                bar.set_edgecolor("white")
            base = [b + h for b, h in zip(base, heights, strict=True)]
        axes.set_xticks(range(1, 13), words.MONTHS)
        _energy_axis(axes, "MWh")
        handles, labels = axes.get_legend_handles_labels()
        where = {"loc": "outside right upper", "frameon": False}
        drawing.figure.legend(handles[::-1], labels[::-1], **where)
    return drawing.svg


def forecast(past: Sequence[Row], ahead: Sequence[Row], title: str) -> str:
    """A line that goes on as a dashed one within its two bands."""
    with _drawing("previsao", 2.4, title) as drawing:
        axes = drawing.figure.add_subplot()
        days = [row["competencia"] for row in ahead]
        for share, colour in (("95", "#dce6f0"), ("80", "#a9c1da")):
            low, high = (
                [row[f"{end}_{share}"] / 1000 for row in ahead] for end in ("inferior", "superior")
            )
            axes.fill_between(days, low, high, color=colour, label=f"{share} %", linewidth=0)
        middle = [row["media"] / 1000 for row in ahead]
        axes.plot(days, middle, "--o", color=BLUE, markersize=2.5, label="previsão")
        was = [(date(row["ano"], row["mes"], 1), row["energia_kwh"] / 1000) for row in past]
        axes.plot(*zip(*was, strict=True), "-o", color="black", markersize=2.5, label="medido")
        every = sorted({*days, *(day for day, _ in was)})
        ticks = every[:: -(-len(every) // 12)]
        axes.set_xticks(ticks, [f"{words.MONTHS[d.month - 1]}\n{d.year}" for d in ticks])
        axes.set_ylim(bottom=0)
        _energy_axis(axes, "MWh por mês")
        drawing.figure.legend(loc="outside right upper", frameon=False)
    return drawing.svg


def places(
    name: str,
    leads: Sequence[Row],
    hexagons: Sequence[Row],
    outlines: Sequence[Row],
    title: str,
    *,
    close: bool = False,
) -> str:
    """A map: hexagons by energy, hidden ones hatched, leads as discs, outlines below.

    All of it; from close, where leads are.
    """
    cells = [(row, shapely.from_wkb(row["geom"])) for row in hexagons]
    borders = [shapely.from_wkb(row["geom"]) for row in outlines]
    points = [shapely.Point(row["longitude"], row["latitude"]) for row in leads]
    all_of_it = [*points, *(cell for _, cell in cells), *borders]
    bounds = shapely.total_bounds(points if close else all_of_it)
    west, south, east, north = bounds
    margin = 0.06 * max(east - west, north - south, 0.01)
    box = (west - margin, south - margin, east + margin, north + margin)
    stretch = 1 / cos(radians((south + north) / 2))
    height = (WIDTH_IN - 1.5) * stretch * (box[3] - box[1]) / (box[2] - box[0])
    with _drawing(name, min(6.5, max(1.9, height)), title) as drawing:
        axes = drawing.figure.add_subplot()
        axes.set(xlim=box[::2], ylim=box[1::2], aspect=stretch)
        axes.set_axis_off()
        for part in shapely.get_parts(borders):
            axes.plot(*part.exterior.xy, color="#555555", linewidth=0.9, zorder=2.5)
        keys = _cells(axes, cells)
        largest = max((row["energia_anual_kwh"] for row in leads), default=0) or 1
        for upper, colour in ((False, "#ffcf8f"), (True, "#8f2f00")):
            disc = {"marker": "o", "linestyle": "", "color": colour, "markeredgecolor": "black"}
            disc |= {"markeredgewidth": 0.3, "zorder": 3 + upper}
            sizes: dict[int, list[Row]] = {}
            for row in leads:
                if row["at_mt"] is upper:
                    size = round(max(2, 17 * sqrt(row["energia_anual_kwh"] / largest)))
                    sizes.setdefault(size, []).append(row)
            for size, some in sizes.items():  # a mark drawn once a size: a third of the bytes
                where = ([row[degrees] for row in some] for degrees in ("longitude", "latitude"))
                axes.plot(*where, markersize=size, **disc)
            if sizes:
                said = f"lead, {'média ou alta' if upper else 'baixa'} tensão"
                keys.append(Line2D([], [], label=said, markersize=5, **disc))
        if keys:
            drawing.figure.legend(handles=keys, loc="outside right upper", frameon=False)
    return drawing.svg


def _cells(axes: Axes, cells: Sequence[tuple[Row, shapely.Geometry]]) -> list[Artist]:
    """Draw hexagons in as many shades as a grey page tells apart; their keys."""
    keys: list[Artist] = []
    energies = [row["energia_anual_kwh"] or 0 for row, _ in cells if not row["suprimido"]]
    limits = np.unique(np.quantile(energies, (0, 0.4, 0.7, 0.9, 1))) if energies else []
    for step, (low, high) in enumerate(pairwise(limits)):
        last = step == len(limits) - 2
        inside = [
            cell
            for row, cell in cells
            if not row["suprimido"]
            and low <= (row["energia_anual_kwh"] or 0)
            and (last or (row["energia_anual_kwh"] or 0) < high)
        ]
        style = {"facecolor": SHADES[step], "edgecolor": "#8899aa", "linewidth": 0.4}
        axes.add_collection(PolyCollection([c.exterior.coords for c in inside], **style))
        said = f"{number(low / 1e6, 2)} a {number(high / 1e6, 2)} GWh no ano"
        keys.append(Patch(label=said, **style))
    style = {"facecolor": "#f2f2f2", "edgecolor": "#777777", "hatch": "////", "linewidth": 0.4}
    hidden = [cell.exterior.coords for row, cell in cells if row["suprimido"]]
    if hidden:
        axes.add_collection(PolyCollection(hidden, **style))
        keys.append(Patch(label="oculto", **style))
    return keys


def _energy_axis(axes: Axes, unit: str) -> None:
    axes.set_ylabel(unit)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="y", linewidth=0.3)
    axes.set_axisbelow(True)
