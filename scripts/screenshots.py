"""README's pictures, of the warehouse that this clone runs: ``make screenshots``.

Belongs here: which pictures there are, and taking them. Not here: the page that they show.
Only legal persons' units are drawn (schema marts): a household's point is a person's.
"""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import cos, radians, sqrt
from pathlib import Path
from typing import Annotated, NamedTuple
from xml.sax.saxutils import escape

import typer

from dagster_pipeline import docs_site, page
from loaders import connection as db
from loaders.environment import CLONE
from loaders.errors import LoadError
from server import system_packages

IMAGES = Path(CLONE) / "docs" / "img"
PAGES = {
    "dagster_linhagem.png": "/asset-groups",
    "dagster_safra.png": "/assets/intel_lead/safra_publicada?view=partitions&partition={safra}",
    "dagster_tabela.png": "/assets/marts/mart_lead_score",
}
"""Picture → the path of Dagster's page that it shows."""
DICTIONARY = "#!/model/model.intel_lead.mart_lead_score"
SECTIONS = ("energia", "leads", "qualidade")
"""Of the report: totals, no unit by itself."""

BROWSER = Path("/usr/bin/chromium")
SETTINGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1600,800"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
OPENING_S = 180
"""How long Dagster's page may take to open."""

SIZE, MARGIN = 900, 60
COLOURS = {True: "#e07b28", False: "#2e75ad"}
POINTS = """
with maior as (
    select municipio_id
    from marts.vw_lead_completo_detalhado
    where ano = %(ano)s and distribuidora_id = %(distribuidora)s
    group by municipio_id
    order by sum(energia_anual_kwh) desc nulls last
    limit 1
)
select
    min(municipio), min(uf), min(distribuidora), longitude_final, latitude_final,
    bool_or(origem <> 'UCBT'), count(*), coalesce(sum(energia_anual_kwh), 0) as kwh
from marts.vw_lead_completo_detalhado
inner join maior using (municipio_id)
where
    ano = %(ano)s and distribuidora_id = %(distribuidora)s
    and origem_coordenada <> 'municipio'
group by longitude_final, latitude_final
order by kwh desc
"""


class Point(NamedTuple):
    """The legal persons' units at one place: degrees, kWh of the year."""

    municipio: str
    uf: str
    distribuidora: str
    longitude: float
    latitude: float
    medium_voltage: bool
    leads: int
    kwh: float


def points(distribuidora: int, ano: int) -> list[Point]:
    """Points of the município whose legal persons use most, in one safra.

    Raises:
        InvalidInput, DatabaseFailure: the database does not answer.
    """
    with db.connect() as conn:
        rows = conn.execute(POINTS, {"ano": ano, "distribuidora": distribuidora})
        return [Point(*row) for row in rows]


def drawn(found: list[Point], *, ano: int) -> str:
    """A map as SVG: a disc per point, its area the energy of the year."""
    west, east = min(p.longitude for p in found), max(p.longitude for p in found)
    south, north = min(p.latitude for p in found), max(p.latitude for p in found)
    shrink = cos(radians((south + north) / 2))
    scale = (SIZE - 2 * MARGIN) / max((east - west) * shrink, north - south, 1e-9)
    largest = max(p.kwh for p in found) or 1
    discs = [
        f'<circle cx="{MARGIN + (p.longitude - west) * shrink * scale:.1f}"'
        f' cy="{MARGIN + (north - p.latitude) * scale:.1f}"'
        f' r="{max(1.5, 50 * sqrt(p.kwh / largest)):.1f}" fill="{COLOURS[p.medium_voltage]}"/>'
        for p in found
    ]
    first = found[0]
    leads = f"{sum(p.leads for p in found):,}".replace(",", ".")
    title = (
        f"{first.municipio} ({first.uf}), {first.distribuidora} {ano}: {leads} leads de pessoas"
        f" jurídicas em {len(found)} pontos; a área é a energia do ano"
    )
    legend = "laranja: com média ou alta tensão; azul: só baixa tensão. Dados: ANEEL, BDGD (ODbL)"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE + 60}">',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *('<g fill-opacity="0.65">', *discs, "</g>"),
            '<g font-family="sans-serif" fill="#222222">',
            f'<text x="20" y="{SIZE + 15}" font-size="16">{escape(title)}</text>',
            f'<text x="20" y="{SIZE + 42}" font-size="14">{escape(legend)}</text>',
            "</g>",
            "</svg>",
            "",
        ]
    )


@contextmanager
def dagster() -> Iterator[str]:
    """The address of this clone's page, opened for the pictures if it is not open."""
    if there := page.address():
        yield there
        return
    command = [sys.executable, "-m", "dagster_pipeline.dev"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + OPENING_S
        while not (address := page.address()):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("a página do Dagster não abriu: rode make dev e veja o que ela diz")
            time.sleep(1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def report(safra: str) -> Iterator[Path]:
    """A report of a safra, in HTML, while it is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "reports", safra, "--saida", folder]
        command += [f"--secao={section}" for section in SECTIONS]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode not in (0, 1):
            sys.exit(f"não há relatório de {safra}: make report SAFRA={safra}")
        (page_of_it,) = Path(folder).rglob("*.html")
        yield page_of_it


def photograph(address: str, picture: Path) -> None:
    """Write what a browser shows of a page, some seconds after it has opened."""
    with tempfile.TemporaryDirectory() as profile:
        command = [str(BROWSER), *SETTINGS, f"--user-data-dir={profile}"]
        command += ["--virtual-time-budget=20000", f"--screenshot={picture}", address]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not picture.exists():
        sys.exit(f"o Chromium não fotografou {address}: {done.stderr[-500:]}")


def main(
    safra: Annotated[str, typer.Argument(metavar="401-2024", help="A safra do mapa.")],
) -> None:
    """Refaz as figuras do README a partir do armazém deste clone."""
    distribuidora, ano = map(int, safra.split("-"))
    try:
        found = points(distribuidora, ano)
    except LoadError as error:
        sys.exit(str(error))
    if not found:
        sys.exit(f"a safra {safra} não está publicada: antes, make run BDGD=ARQUIVO")
    (IMAGES / "mapa_de_leads.svg").write_text(drawn(found, ano=ano), encoding="utf-8")
    if not BROWSER.exists():
        system_packages.install(["chromium"])
    if not docs_site.is_current():
        subprocess.run([sys.executable, "-m", docs_site.__name__], check=True)
    photograph(f"{docs_site.PAGE.as_uri()}{DICTIONARY}", IMAGES / "dicionario.png")
    with report(safra) as page_of_it:
        photograph(page_of_it.as_uri(), IMAGES / "relatorio.png")
    with dagster() as address:
        for picture, path in PAGES.items():
            photograph(address + path.format(safra=safra), IMAGES / picture)
    print(f"figuras em {IMAGES}")


if __name__ == "__main__":
    try:
        typer.run(main)
    except system_packages.CannotInstall as error:
        sys.exit(f"falta o Chromium: {error}")
