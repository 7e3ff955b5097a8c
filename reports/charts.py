"""Charts as SVG text, to be read on grey paper: hatches and line styles tell what colours do.

Belongs here: drawing rows. Not here: asking for them, tables. Same rows, same text.
"""

import io
import re
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import date
from math import cos, radians

import matplotlib as mpl
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

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
ORANGE, BLUE, GREY = "#b5541c", "#17365d", "#777777"


@contextmanager
def _figure(height: float, title: str):  # noqa: ANN202
    """A figure to draw on, and afterwards its text in ``.svg``."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Title": title})
    text = file.getvalue()
    svg = text[text.index("<svg") :]
    # Millimetres are the page's; ids of several charts of one page must differ.
    mark = re.sub(r"\W", "", title.lower())[:12]
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{mark}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\1{mark}-", svg)
    figure.svg = svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def monthly(rows: Sequence[Row], title: str) -> str:
    """Stacked bars: MWh of each month by class, the greatest class below."""
    totals: dict[str, float] = {}
    for row in rows:
        totals[row["classe"]] = totals.get(row["classe"], 0) + (row["energia_kwh"] or 0)
    classes = sorted(totals, key=lambda name: (-totals[name], name))
    kwh = {(row["classe"], row["mes"]): row["energia_kwh"] or 0 for row in rows}
    with _figure(2.9, title) as figure:
        axes = figure.add_subplot()
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
        figure.legend(handles[::-1], labels[::-1], loc="outside right upper", frameon=False)
    return figure.svg


def forecast(past: Sequence[Row], ahead: Sequence[Row], title: str) -> str:
    """A line that goes on as a dashed one within its two bands."""
    with _figure(2.9, title) as figure:
        axes = figure.add_subplot()
        days = [row["competencia"] for row in ahead]
        for share, colour in (("95", "#dce6f0"), ("80", "#a9c1da")):
            low, high = ([r[f"{k}_{share}"] / 1000 for r in ahead] for k in ("inferior", "superior"))
            axes.fill_between(days, low, high, color=colour, label=f"{share} %", linewidth=0)
        middle = [row["media"] / 1000 for row in ahead]
        axes.plot(days, middle, "--o", color=BLUE, markersize=2.5, label="previsão")
        was = [(date(row["ano"], row["mes"], 1), row["energia_kwh"]) for row in past]
        was = [(day, kwh / 1000) for day, kwh in was if kwh is not None]
        axes.plot(*zip(*was, strict=True), "-o", color="black", markersize=2.5, label="medido")
        every = sorted({*days, *(day for day, _ in was)})
        ticks = every[:: max(1, len(every) // 12)]
        axes.set_xticks(ticks, [f"{words.MONTHS[d.month - 1]}\n{d.year}" for d in ticks])
        axes.set_ylim(bottom=0)
        _energy_axis(axes, "MWh por mês")
        figure.legend(loc="outside right upper", frameon=False)
    return figure.svg


def places(
    leads: Sequence[Row], hexagons: Sequence[Row], outlines: Sequence[Row], title: str
) -> str:
    """A map: hexagons by energy, hidden ones hatched, leads as discs, outlines below."""
    cells = [(row, shapely.from_wkb(row["geom"])) for row in hexagons]
    shown = [(row, cell) for row, cell in cells if not row["suprimido"]]
    hidden = [cell for row, cell in cells if row["suprimido"]]
    borders = [shapely.from_wkb(row["geom"]) for row in outlines]
    with _figure(6.2, title) as figure:
        axes = figure.add_subplot()
        for border in borders:
            for part in shapely.get_parts(border):
                axes.plot(*part.exterior.xy, color="#555555", linewidth=0.8, zorder=1)
        energies = [(row["energia_anual_kwh"] or 0) / 1e6 for row, _ in shown]
        grid = PolyCollection(
            [list(cell.exterior.coords) for _, cell in shown],
            **{"array": energies, "cmap": "Blues", "edgecolor": "#8899aa", "linewidth": 0.4},
            **{"alpha": 0.85, "zorder": 2},
        )
        grid.set_clim(0, max(energies, default=0) or 1)
        axes.add_collection(grid)
        nothing = PolyCollection([list(cell.exterior.coords) for cell in hidden], zorder=2)
        nothing.set(facecolor="#eeeeee", edgecolor="#888888", hatch="////", linewidth=0.4)
        axes.add_collection(nothing)
        largest = max((row["energia_anual_kwh"] for row in leads), default=0) or 1
        for upper, colour, label in ((False, "#f6b26b", "baixa"), (True, ORANGE, "média ou alta")):
            some = [row for row in leads if row["at_mt"] is upper]
            axes.scatter(
                [row["longitude"] for row in some],
                [row["latitude"] for row in some],
                s=[max(2, 260 * row["energia_anual_kwh"] / largest) for row in some],
                **{"c": colour, "edgecolor": "black", "linewidth": 0.3, "zorder": 3 + upper},
                label=f"leads, {label} tensão",
            )
        _frame(axes, [cell for _, cell in cells], leads, borders)
        if shown:
            bar = figure.colorbar(grid, ax=axes, shrink=0.5, pad=0.01)
            bar.set_label("GWh por ano no hexágono")
            bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: words.number(v, 1)))
        handles = axes.get_legend_handles_labels()[0]
        if hidden:
            handles.append(Patch(fc="#eeeeee", ec="#888888", hatch="////", label="oculto"))
        axes.legend(handles=handles, loc="upper left", fontsize=7, markerscale=0.8)
    return figure.svg


def _frame(
    axes: Axes, cells: Sequence[shapely.Geometry], leads: Sequence[Row], borders: Sequence
) -> None:
    """Show where cells and leads are, else the outline; degrees of one length; no axes."""
    points = [shapely.Point(row["longitude"], row["latitude"]) for row in leads]
    west, south, east, north = shapely.total_bounds([*cells, *points] or list(borders))
    margin = 0.04 * max(east - west, north - south, 0.01)
    axes.set_xlim(west - margin, east + margin)
    axes.set_ylim(south - margin, north + margin)
    axes.set_aspect(1 / cos(radians((south + north) / 2)))
    axes.set_axis_off()


def _energy_axis(axes: Axes, unit: str) -> None:
    axes.set_ylabel(unit)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
    axes.grid(axis="y", linewidth=0.3)
    axes.set_axisbelow(True)
