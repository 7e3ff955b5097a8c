"""Reports of a built warehouse: figures as marts say, for a reader of marts alone, nobody's data.

Not here: periods and words (unit/test_reports.py), how a page looks (seen by people).
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

import dagster as dg
import psycopg
import pypdf
import pytest
import tinyhtml5
from typer.testing import CliRunner

from dagster_pipeline.defs import reports as jobs
from dagster_pipeline.defs import resources
from forecasting import publish
from loaders.synthetic.writer import generate
from reports import pdf
from reports.__main__ import app
from reports.choice import Choice
from reports.make import make
from reports.period import Kind, before
from tests.integration import warehouse as a
from tests.integration.test_alerts_built import PERSONS, VISIBLE
from tests.integration.test_reader import LEGAL_BY_CODE

SAFRA = "ano = 2024 and distribuidora_id = 401"
BARE = 406
LICENCE = "https://opendatacommons.org/licenses/odbl/1-0/"
NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
"""What the pages say of when they were made."""
IN_JANUARY = datetime(2026, 1, 20, 12, tzinfo=UTC)
READINGS = datetime(2025, 1, 16, 12, tzinfo=UTC)
"""The day after that of the sample of readings."""

CHANGES = f"""
    -- What the reader of a page should see: a município's outline, a hidden hexagon, alerts, ranks
    -- that moved.
    insert into intel_lead.municipio_geometria (municipio_id, malha_id, geom, geom_simples)
    select municipio_id, 1, st_multi(st_envelope(g)), st_multi(st_envelope(g))
    from (
        select municipio_id, st_buffer(st_collect(geom), 0.01) as g
        from marts.mart_lead where distribuidora_id = 401 and municipio_id is not null
        group by municipio_id
    ) as m;
    update marts.mart_hexagono set suprimido = true, quantidade_leads = null,
        energia_anual_kwh = null, media_dic_anual_h = null, leads_com_geracao = null
    where ctid = (
        select ctid from marts.mart_hexagono where {SAFRA} and tamanho_m = 500 and not suprimido
        order by hexagono limit 1
    );
    insert into app.alerta (
        regra, nivel, distribuidora_id, alvo, nome, ano, valor, valor_abertura, limite, aberto_em,
        visto_em, fechado_em, motivo_fechamento, evidencia
    )
    select 'cliente_acima_do_tipico', 'uc', 401, 'UCBT|' || n, 'UC ' || n, 2024, 7, 7, 5,
        '2026-01-02T12:00Z'::timestamptz + n * interval '8 days', '2026-02-09T12:00Z', fim,
        case when fim is not null then 'voltou' end, '{{}}'
    from (values (0, null), (1, '2026-01-31T12:00Z'::timestamptz), (4, null)) as v (n, fim);
    insert into marts.mart_lead_score_mudanca (
        uc_id, score_antes, score_agora, quando, distribuidora_id, posicao_antes, posicao_agora,
        ano, oferta, motivo
    )
    select uc_id, 1, score, '2026-01-20T12:00Z', 401, 99, posicao, ano, oferta, 'seed mudou'
    from marts.mart_lead_score where {SAFRA} and oferta = 'backup' limit 3"""


@pytest.fixture(scope="module")
def owner(
    warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection]:
    """401 and 404 in one safra each, 406 without low voltage, coordinates and network."""
    lacking = ["sem_camada_ucbt", "sem_camada_ponnot", "sem_camadas_da_rede"]
    file = tmp_path_factory.mktemp("nua") / "nua.gdb.zip"
    assert warehouse.load(generate(file, ucs=60, distribuidora=BARE, faults=lacking)).ok
    done = warehouse.build()
    assert done.ok, done.trouble
    pdf.install()
    with warehouse.connect() as conn:
        conn.execute(VISIBLE)
        conn.execute("refresh materialized view marts.resumo_classe_mes")
        publish.update(conn, NOW.date())
        conn.execute(CHANGES)
        yield conn


@pytest.fixture(scope="module")
def reader(warehouse: a.Warehouse, owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Somebody who may read schema marts and nothing else, as bi_leitor may."""
    owner.execute(
        "create role leitor_do_relatorio; grant usage on schema marts to leitor_do_relatorio;"
        " grant select on all tables in schema marts to leitor_do_relatorio"
    )
    with warehouse.connect() as conn:
        conn.execute("set role leitor_do_relatorio; set default_transaction_read_only = on")
        yield conn
    owner.execute("drop owned by leitor_do_relatorio; drop role leitor_do_relatorio")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports are."""
    return tmp_path_factory.mktemp("relatorios")


@pytest.fixture(scope="module")
def html(reader: psycopg.Connection, folder: Path) -> dict[str, str]:
    """Safra → its page, made as that reader."""
    made = [*make(reader, folder, generated_at=NOW)]
    assert [one.problem for one in made] == ["", "", ""]
    return {one.paths[0].parent.name: one.paths[0].read_text("utf-8") for one in made}


@pytest.fixture(scope="module")
def page(html: dict[str, str]) -> Element:
    """The page of 401-2024, parsed as browsers do."""
    return parsed(html["401-2024"])


def parsed(text: str) -> Element:
    """A page's tree."""
    return tinyhtml5.parse(text, namespace_html_elements=False)


def part(page: Element, name: str) -> Element:
    """The one element of this id."""
    (found,) = page.findall(f".//*[@id='{name}']")
    return found


def figures(element: Element) -> list[float]:
    """The numbers that it shows, whole, in the order of the page."""
    return [float(data.get("value")) for data in element.iter("data")]


def text(element: Element) -> str:
    """What it says."""
    return " ".join("".join(element.itertext()).split())


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("unidades", f"select quantidade_leads from marts.resumo_distribuidora where {SAFRA}"),
        ("energia", f"select energia_anual_kwh from marts.resumo_distribuidora where {SAFRA}"),
        ("juridicas", f"select count(*) from marts.vw_lead_completo_detalhado where {SAFRA}"),
        (
            "no-mapa",
            f"select count(*) from marts.lead_com_coordenadas where {SAFRA}"
            " and origem_coordenada <> 'municipio'",
        ),
        ("livres", f"select leads_livres from marts.resumo_distribuidora where {SAFRA}"),
        ("energia-somada", f"select sum(energia_kwh) from marts.resumo_classe_mes where {SAFRA}"),
        (
            "hexagonos",
            f"select count(*) from marts.mart_hexagono where {SAFRA} and tamanho_m = 500",
        ),
        (
            "hexagonos-ocultos",
            f"select count(*) from marts.mart_hexagono where {SAFRA} and tamanho_m = 500"
            " and suprimido",
        ),
        ("rejeitadas", f"select sum(linhas_rejeitadas) from marts.mart_safra_camada where {SAFRA}"),
    ],
)
def test_a_figure_is_what_the_mart_says(
    reader: psycopg.Connection, page: Element, name: str, query: str
) -> None:
    expected = a.value(reader, query)
    assert expected is not None
    assert figures(part(page, name)) == [pytest.approx(float(expected))]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        (
            "municipios",
            "select count(*), sum(energia_anual_kwh) from marts.mart_lead"
            " where distribuidora_id = 401 group by municipio_id",
        ),
        (
            "conjuntos",
            "select quantidade_leads, media_dic_anual_h, dic_mediana_conjunto_h, dec_limite_h,"
            " media_fic_anual, fic_mediana_conjunto, fec_limite"
            f" from marts.resumo_conjunto where {SAFRA} and not suprimido",
        ),
        (
            "perfis",
            "select quantidade_leads, energia_anual_kwh, media_kwh_mes, media_sazonalidade,"
            " 100 * participacao_ponta, (select count(*) from marts.mart_perfil_consumo_lead as l"
            " where l.perfil_id = p.perfil_id and l.ano = p.ano"
            " and l.distribuidora_id = p.distribuidora_id)"
            f" from marts.mart_perfil_consumo as p where {SAFRA}",
        ),
        (
            "alimentadores",
            "select unidades, injetada_kwh, gerada_kwh,"
            " faturada_at_kwh + faturada_mt_kwh + faturada_bt_kwh, iluminacao_kwh, perdas_kwh,"
            " perdas_pct from marts.mart_perda_alimentador"
            f" where {SAFRA} and not suprimido",
        ),
        (
            "balanco",
            "select declarada_kwh, somada_kwh, diferenca_pct"
            f" from marts.mart_balanco_distribuidora where {SAFRA} and not suprimido",
        ),
        (
            "anomalias",
            f"select count(distinct serie_id), count(*) from marts.mart_anomalia where {SAFRA}"
            " group by nivel, tipo",
        ),
    ],
)
def test_a_table_has_every_number_of_its_mart(
    reader: psycopg.Connection, page: Element, name: str, query: str
) -> None:
    expected = [float(x) for row in reader.execute(query) for x in row if x is not None]
    shown = figures(part(page, name))
    if name == "alimentadores":  # the page has what is declared besides
        declared = reader.execute(
            "select tecnicas_declaradas_kwh + nao_tecnicas_declaradas_kwh"
            f" from marts.mart_perda_alimentador where {SAFRA}"
        )
        expected += [x for (x,) in declared if x is not None]
    assert expected
    assert sorted(shown) == pytest.approx(sorted(expected))


def test_each_class_has_its_months_and_their_sum(reader: psycopg.Connection, page: Element) -> None:
    """Of hidden cells nothing, not a zero either."""
    rows = reader.execute(
        "select coalesce(classe, 'sem dados'), mes, sum(energia_kwh) from marts.resumo_classe_mes"
        f" where {SAFRA} group by 1, 2 order by 1, 2"
    ).fetchall()
    expected = {
        name: [kwh for other, _, kwh in rows if other == name and kwh is not None]
        for name, *_ in rows
    }
    body = part(page, "energia-mensal").findall(".//tr")[1:-1]
    shown = {text(row[0]): figures(row) for row in body}
    assert {name: len(found) for name, found in shown.items()} == {
        name: len(months) + bool(months) for name, months in expected.items()
    }
    for name, months in expected.items():
        assert shown[name] == pytest.approx([*months, sum(months)] if months else []), name


def test_the_best_leads_of_each_offer_stand_in_order_with_their_reasons(
    reader: psycopg.Connection, page: Element
) -> None:
    offers = [o for (o,) in reader.execute("select distinct oferta from marts.mart_lead_score")]
    assert len(offers) > 2
    for offer in offers:
        rows = reader.execute(
            "select l.cod_id, s.score, motivo_1 from marts.mart_lead_score as s"
            " inner join marts.mart_lead as l using (uc_id, ano, distribuidora_id)"
            " where s.oferta = %s and distribuidora_id = 401"
            " order by posicao, l.energia_anual_kwh desc nulls last, cod_id limit 8",
            [offer],
        ).fetchall()
        shown = part(page, f"leads-{offer}").findall(".//tr[@data-cod]")
        assert [row.get("data-cod") for row in shown] == [code for code, *_ in rows]
        for row, (_, score, reason) in zip(shown, rows, strict=True):
            assert float(score) in figures(row)
            assert reason.split(". Sem dado")[0] in text(row)


def test_the_first_section_says_whom_to_call(reader: psycopg.Connection, page: Element) -> None:
    assert page.findall(".//section")[1].get("id") == "secao-ligar"
    first = a.value(
        reader,
        "select motivo_1 from marts.mart_lead_score where distribuidora_id = 401"
        " and oferta = 'migracao' order by posicao limit 1",
    )
    assert first.split(". Sem dado")[0] in text(part(page, "tabela-ligar"))


def test_with_one_safra_the_forecast_says_that_nothing_tested_it(
    reader: psycopg.Connection, page: Element
) -> None:
    series = part(page, "previsao-series").findall(".//tr")[1:]
    assert series
    shown = [row for row in series if "oculto" not in text(row)]
    assert all("sem histórico" in text(row) for row in shown)
    total = a.value(
        reader,
        "select sum(media) from marts.mart_previsao_energia where distribuidora_id = 401"
        " and nivel = 'distribuidora'",
    )
    assert total is None or figures(series[0])[0] == pytest.approx(total)
    assert "sem histórico: ingênuo" in text(part(page, "secao-previsao"))


def test_the_file_that_all_of_it_comes_from_is_named_with_its_sum(
    owner: psycopg.Connection, page: Element
) -> None:
    origin = text(part(page, "secao-origem"))
    for file, sha in owner.execute(
        f"select distinct arquivo, sha256 from intel_lead.import_status where {SAFRA}"
    ):
        assert file in origin
        assert sha in origin
    assert "ODbL" in origin
    layers = part(page, "secao-origem").findall(".//tr[@data-camada]")
    of_safra = f"select count(*) from intel_lead.safra_camada where {SAFRA}"
    assert len(layers) == a.value(owner, of_safra)


def test_outlines_are_the_areas_and_the_municipios_that_have_units(
    owner: psycopg.Connection, page: Element
) -> None:
    shown = owner.execute(
        f"select tipo, codigo, geom from marts.mart_contorno where {SAFRA} order by 1, 2"
    ).fetchall()
    expected = owner.execute(
        "select 'area' as tipo, area_atuacao as codigo, geom from intel_lead.area_atuacao"
        f" where {SAFRA} and geom is not null union all"
        " select 'municipio', municipio_id::text, geom_simples from intel_lead.municipio_geometria"
        f" where municipio_id in (select municipio_id from intel_lead.lead_bruto where {SAFRA})"
        " order by 1, 2"
    ).fetchall()
    assert {kind for kind, *_ in shown} == {"area", "municipio"}
    assert shown == expected
    assert "municípios (IBGE)" in text(part(page, "secao-mapa"))


def test_a_page_asks_nothing_of_the_net(html: dict[str, str]) -> None:
    for name, page in html.items():
        tree = parsed(page)
        assert not tree.findall(".//script"), name
        asked = [
            value
            for element in tree.iter()
            for key, value in element.attrib.items()
            if key.rpartition("}")[2] in ("src", "href", "srcset", "data")
        ]
        assert {value for value in asked if not value.startswith("#")} == {LICENCE}, name
        assert not re.findall(r"@import|url\((?!['\"]?#)", page), name


def test_no_natural_person_is_on_a_page(
    owner: psycopg.Connection, reader: psycopg.Connection, html: dict[str, str], tmp_path: Path
) -> None:
    pages = [*html.values()]
    for kind in (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY):
        pages += [
            m.paths[0].read_text()
            for m in make(reader, tmp_path, keys=["401-2024"], kind=kind, generated_at=NOW)
        ]
    told = "".join(pages)
    persons = {code for (code,) in owner.execute(PERSONS)}
    legal = f"select cod_id from intel_lead.lead_bruto as l where {LEGAL_BY_CODE}"
    assert len(persons) > 100
    assert {code for code in persons if code in told} == set()
    assert len({code for (code,) in owner.execute(legal) if code in told}) > 8


def test_a_safra_without_low_voltage_coordinates_and_network_says_what_it_lacks(
    html: dict[str, str],
) -> None:
    page = parsed(html[f"{BARE}-2024"])
    missing = text(part(page, "ausentes"))
    assert all(layer in missing for layer in ("UCBT", "PONNOT", "CONJ", "CTMT"))
    for section in ("mapa", "qualidade", "perdas"):
        assert re.search("sem dados", text(part(page, f"secao-{section}")), re.IGNORECASE), section
    assert figures(part(page, "no-mapa")) in ([], [0])


def test_a_pdf_has_pages_of_a4_with_the_pages_text(folder: Path, html: dict[str, str]) -> None:
    for key in html:
        (file,) = (folder / key).glob("*.pdf")
        pages = pypdf.PdfReader(file).pages
        assert {tuple(round(x) for x in page.mediabox[2:]) for page in pages} == {(595, 842)}
        told = " ".join(page.extract_text() for page in pages)
        assert "Para quem ligar primeiro" in pages[0].extract_text()
        assert "O que falta, e por quê" in told
        assert f"{len(pages)} de {len(pages)}" in told
        assert {path.suffix for path in (folder / key).iterdir()} == {".html", ".pdf"}


def test_the_same_warehouse_gives_the_same_bytes(
    warehouse: a.Warehouse, reader: psycopg.Connection, folder: Path, html: dict[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    """In another process too, with hashes of its own."""
    done = command(
        warehouse,
        *("401-2024", "--saida", str(tmp_path), "--gerado-em", "2026-02-10T09:00"),
    )
    assert done.returncode == 0, done.stderr
    for path in (folder / "401-2024").iterdir():
        assert (tmp_path / "401-2024" / path.name).read_bytes() == path.read_bytes()
        assert str(tmp_path / "401-2024" / path.name) in done.stdout


def command(warehouse: a.Warehouse, *arguments: str, **env: str) -> subprocess.CompletedProcess:
    """Run ``python -m reports`` as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "reports", *arguments],
        env=os.environ | dict(warehouse.env) | env,
        **{"cwd": a.CLONE, "capture_output": True, "text": True},
    )


def test_without_pango_there_is_the_page_and_what_to_install(
    warehouse: a.Warehouse, owner: psycopg.Connection, tmp_path: Path
) -> None:
    """As its import fails where the system's library is not there, and apt neither."""
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango')")
    where = {"PYTHONPATH": str(tmp_path), "PATH": str(tmp_path)}
    out = tmp_path / "saida"
    done = command(warehouse, "404-2024", "--saida", str(out), **where)
    assert done.returncode == 1
    assert all(package in done.stderr for package in pdf.PACKAGES)
    assert [path.name for path in out.rglob("*.*")] == ["safra-404-2024.html"]


def test_a_month_tells_what_changed_in_its_days(reader: psycopg.Connection, tmp_path: Path) -> None:
    """January: of three alerts two opened in it, one of which closed in it."""
    (made,) = make(reader, tmp_path, keys=["401-2024"], kind=Kind.MONTHLY, generated_at=NOW)
    assert made.paths[0].name == "mensal-401-2024-2026-01-31.html"
    page = parsed(made.paths[0].read_text("utf-8"))
    assert figures(part(page, "alertas-contados")) == [2, 1]
    assert figures(part(page, "mudancas-backup"))[0] == 3
    assert "Nenhuma safra" in text(part(page, "secao-mudou"))
    assert part(page, "tabela-ligar") is not None


def test_a_day_tells_what_devices_used_in_it(reader: psycopg.Connection, tmp_path: Path) -> None:
    period = before(Kind.DAILY, READINGS)
    expected = reader.execute(
        "select count(*), avg(cobertura_pct), sum(energia_interna_kwh), sum(energia_externa_kwh),"
        " sum(energia_total_kwh), sum(custo_brl) from marts.consumo_dispositivo_hora"
        " where hora >= %s and hora < %s group by dispositivo_id order by dispositivo_id",
        [period.start, period.end],
    ).fetchall()
    assert expected
    (made,) = make(reader, tmp_path, keys=["401-2024"], kind=Kind.DAILY, generated_at=READINGS)
    shown = figures(part(parsed(made.paths[0].read_text("utf-8")), "aicss"))
    assert shown == pytest.approx([x for row in expected for x in row if x is not None])


def test_a_safra_that_was_published_in_the_days_is_told(
    reader: psycopg.Connection, tmp_path: Path
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    made = make(reader, tmp_path, keys=["404-2024"], kind=Kind.WEEKLY, generated_at=tomorrow)
    (page,) = (parsed(one.paths[0].read_text("utf-8")) for one in made)
    assert "404-2024" in text(part(page, "publicadas"))


@pytest.fixture(scope="module")
def place(owner: psycopg.Connection) -> int:
    """A município of 401-2024 that is not its only one."""
    rows = owner.execute(f"select distinct municipio_id from marts.mart_lead_safra where {SAFRA}")
    places = sorted(code for (code,) in rows if code)
    assert len(places) > 1
    return places[0]


def of_part(reader: psycopg.Connection, folder: Path, **choice: object) -> Path:
    """The page of a part of 401-2024."""
    wanted = {"keys": ["401-2024"], "choice": Choice.of(**choice), "generated_at": NOW}
    (made,) = make(reader, folder, **wanted)
    return made.paths[0]


def test_a_report_of_a_place_and_an_offer_has_their_leads_and_figures(
    reader: psycopg.Connection, owner: psycopg.Connection, place: int, tmp_path: Path
) -> None:
    """Counted by hand from the safra's leads; nobody of another município is on the page."""
    file = of_part(reader, tmp_path, places=[place], offers=["backup"], title="Só aqui")
    assert (
        file.name == f"safra-401-2024-{place}-backup-{Choice.of(title='Só aqui').suffix[1:]}.html"
    )
    page = parsed(file.read_text("utf-8"))
    leads = owner.execute(
        "select cod_id, municipio_id, score_backup, energia_anual_kwh, energia_mes"
        f" from marts.mart_lead_safra where {SAFRA}"
    ).fetchall()
    here = [row for row in leads if row[1] == place and row[2] is not None]
    assert 0 < len(here) < len([row for row in leads if row[2] is not None])
    energy = sum(row[3] for row in here)
    assert figures(part(page, "municipios")) == pytest.approx([len(here), energy])
    assert figures(part(page, "com-oferta")) == [len(here)]
    shown = part(page, "leads-backup").findall(".//tr[@data-cod]")
    assert len(shown) == min(8, len(here))
    scores = {code: float(score) for code, _, score, *_ in here}
    best = sorted(scores.values(), reverse=True)[:8]
    assert [scores[row.get("data-cod")] for row in shown] == pytest.approx(best)
    monthly = part(page, "energia-somada")
    assert figures(monthly) == [pytest.approx(sum(sum(row[4]) for row in here))]
    assert not page.findall(".//*[@id='leads-migracao']")
    told = text(page)
    assert {row[0] for row in leads if row[1] != place and row[0] in told} == set()
    (name,) = owner.execute(
        "select min(municipio) from marts.mart_lead_safra where municipio_id = %s", [place]
    ).fetchone()
    assert f"municípios: {name}" in text(part(page, "escolha"))
    assert "ofertas: Backup" in text(part(page, "escolha"))
    assert "Só aqui" in told


def test_a_report_of_places_has_the_units_of_their_rollup_and_hides_what_it_hides(
    reader: psycopg.Connection, owner: psycopg.Connection, place: int, tmp_path: Path
) -> None:
    def units() -> tuple[list[float], str]:
        page = parsed(of_part(reader, tmp_path, places=[place], sections=["faltas"]).read_text())
        return figures(part(page, "unidades")), text(part(page, "unidades"))

    query = "select quantidade_leads from marts.resumo_municipio where ano = 2024"
    (expected,) = owner.execute(f"{query} and municipio_id = %s", [place]).fetchone()
    assert units()[0] == [expected]
    relation = "create table marts.resumo_de_teste as select * from marts.resumo_municipio"
    kind = a.value(
        owner,
        "select relkind::text from pg_class where oid = 'marts.resumo_municipio'::regclass",
    )
    word = {"m": "materialized view", "v": "view", "r": "table"}[kind]
    owner.execute(
        f"{relation}; update marts.resumo_de_teste set suprimido = true, quantidade_leads = null,"
        f" energia_anual_kwh = null where municipio_id = {place};"
        f" alter {word} marts.resumo_municipio rename to resumo_de_verdade;"
        " alter table marts.resumo_de_teste rename to resumo_municipio;"
        " grant select on marts.resumo_municipio to leitor_do_relatorio"
    )
    try:
        assert units() == ([], "oculto")
    finally:
        owner.execute(
            "drop table marts.resumo_municipio;"
            f" alter {word} marts.resumo_de_verdade rename to resumo_municipio"
        )


def test_only_the_sections_that_are_chosen_are_there(
    reader: psycopg.Connection, tmp_path: Path
) -> None:
    file = of_part(reader, tmp_path, sections=["leads", "origem"])
    assert file.name == "safra-401-2024-leads-origem.html"
    page = parsed(file.read_text("utf-8"))
    sections = [section.get("id") for section in page.findall(".//section")]
    assert sections == ["secao-capa", "secao-leads", "secao-origem"]


@pytest.mark.parametrize(
    ("section", "drawn"), [("mapa", True), ("energia", True), ("previsao", False)]
)
def test_a_section_alone_shows_what_it_shows_among_the_others(
    reader: psycopg.Connection, tmp_path: Path, html: dict[str, str], section: str, drawn: bool
) -> None:
    """Its charts too: without its map a report once called its energy lacking.

    Of the forecast there is none here: the example hides what it is made of.
    """
    alone = parsed(of_part(reader, tmp_path, sections=[section]).read_text("utf-8"))
    whole = parsed(html["401-2024"])
    shown = [
        [tag.tag for tag in page.find(f".//section[@id='secao-{section}']").iter()]
        for page in (alone, whole)
    ]
    assert shown[0] == shown[1]
    assert any(tag.endswith("svg") for tag in shown[0]) == drawn


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--municipio", "3550308"], 3, "não há leads em 3550308; há em: "),
        (["401-2024", "--municipio", "1"], 3, "na safra 401-2024"),
        (["--secao", "perdas", "--municipio", "1"], 3, "não se faz por município"),
        (["--periodo", "diario", "--secao", "mapa"], 3, "há: mudou, aicss, ligar, origem"),
        (["--oferta", "venda"], 2, "venda"),
        (["--secao", "lista"], 2, "lista"),
    ],
)
def test_the_command_says_what_a_part_may_be_and_writes_nothing(
    owner: psycopg.Connection, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", owner.info.dbname)
        done = CliRunner().invoke(app, [*options, "--saida", str(tmp_path)])
    assert (done.exit_code, said in " ".join(done.output.split())) == (code, True), done.output
    assert not [*tmp_path.iterdir()]


def test_the_command_says_which_safras_there_are(owner: psycopg.Connection, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", owner.info.dbname)
        done = CliRunner().invoke(app, ["999-2024", "--saida", str(tmp_path)])
    assert done.exit_code == 3
    assert "401-2024" in done.output
    assert not [*tmp_path.iterdir()]


def test_an_empty_warehouse_says_what_to_type(
    empty_database_env: dict[str, str], tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["--saida", str(tmp_path)])
    assert done.exit_code == 3
    assert "make run" in done.output
    assert not [*tmp_path.iterdir()]


def test_dagsters_job_makes_what_its_schedule_asks_for(
    owner: psycopg.Connection, tmp_path: Path
) -> None:
    weekly = next(s for s in jobs.schedules if s.name == "relatorio_semanal")
    (request,) = weekly.evaluate_tick(dg.build_schedule_context()).run_requests
    config = request.run_config
    config["ops"]["fazer_relatorios"]["config"] |= {
        **{"pasta": str(tmp_path), "safras": ["401-2024"]},
        **{"ofertas": ["gtd"], "secoes": ["ligar"], "titulo": "Rede"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", owner.info.dbname)
        done = jobs.reporting.execute_in_process(
            run_config=config, resources={"banco": resources.Database()}
        )
    assert done.success
    files = [*(tmp_path / "401-2024").iterdir()]
    names = {path.name.split("-")[0] + path.suffix for path in files}
    assert names == {"semanal.html", "semanal.pdf"}
    assert {"-gtd-ligar-" in path.name for path in files} == {True}


def test_a_page_that_asks_for_something_becomes_no_pdf(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    # By its words: a library that was read anew, once HarfBuzz was there, has classes of its own.
    with pytest.raises(BaseException, match="Error fetching"):
        pdf.written(f'<img src="{(tmp_path / "x.svg").as_uri()}">')


def test_a_pdf_is_one_file_of_its_own() -> None:
    assert len(pypdf.PdfReader(io.BytesIO(pdf.written("<p>um"))).pages) == 1
