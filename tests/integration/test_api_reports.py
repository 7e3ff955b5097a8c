"""Reports as files: what was written is listed and handed out, and nothing beside it.

Not here: what a report says (test_report.py).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from api.analytics import reports
from dagster_pipeline.defs import reports as schedules
from reports.period import ZONE
from tests.integration import warehouse as a
from tests.integration.api_client import Api
from tests.integration.dagster_page import LAUNCHED, Page
from tests.integration.test_api_sync import page

__all__ = ["page"]

REPORTS = "/api/v1/analytics/relatorios"


@pytest.fixture
def folder(api: Api, tmp_path: Path) -> Iterator[Path]:
    """A folder of reports with two of them, and things that are none, beside a secret."""
    (tmp_path / "segredo.pdf").write_text("segredo")
    folder = tmp_path / "relatorios"
    for name in ("401-2024/safra-401-2024.pdf", "404-2024/safra-404-2024.html"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f"<script>{name}</script>")
    (folder / "401-2024" / "notas.txt").write_text("x")
    (folder / "outra").mkdir()
    (folder / "outra" / "safra-401-2024.pdf").write_text("x")
    before, api.settings.reports = api.settings.reports, folder
    yield folder
    api.settings.reports = before


def test_what_was_written_is_listed_and_handed_out(api: Api, folder: Path) -> None:
    found = api.get(REPORTS).json()
    names = {(one["safra"], one["arquivo"]) for one in found}
    assert names == {("401-2024", "safra-401-2024.pdf"), ("404-2024", "safra-404-2024.html")}
    for one in found:
        answer = api.get(one["endereco"])
        kept = folder / one["safra"] / one["arquivo"]
        assert (answer.status_code, answer.content) == (200, kept.read_bytes())
        assert len(answer.content) == one["bytes"]
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "401-2024/safra-999.pdf",
        "401-2024/notas.txt",
        "outra/safra-401-2024.pdf",
        "401-2024/..%2f..%2fsegredo.pdf",
        "..%2f/segredo.pdf",
        "%2e%2e/segredo.pdf",
        "401-2024/%00.pdf",
        "401-2024/safra-401-2024.pdf%0a",
    ],
)
def test_nothing_else_is_handed_out(api: Api, folder: Path, path: str) -> None:
    assert api.get(f"{REPORTS}/{path}").status_code in (404, 422)


def test_partners_and_devices_get_none(api: Api, folder: Path) -> None:
    for role in ("parceiro", "dispositivo"):
        assert api.get(REPORTS, role).status_code == 403


def asked(api: Api, role: str, **body: object) -> tuple[int, dict]:
    """Status and body of a request for reports."""
    answer = api.http.post(REPORTS, json=body, headers=api.bearer(role))
    return answer.status_code, answer.json()


def test_a_report_is_asked_of_dagster_for_published_safras_alone(api: Api, page: Page) -> None:
    page.answer = {"data": {"launchRun": LAUNCHED}}
    status, run = asked(api, "comercial", safras=["401-2024"], periodo="mensal")
    assert (status, run["execucao"]) == (202, "r-1")
    assert page.asked == ["relatorios"]
    config = page.configs[0]["ops"]["fazer_relatorios"]["config"]
    everything = {"municipios": [], "ofertas": [], "secoes": [], "titulo": ""}
    folder = str(api.settings.reports)
    assert config == {"periodo": "mensal", "safras": ["401-2024"], "pasta": folder} | everything
    assert asked(api, "comercial", safras=["999-2024"])[0] == 404
    assert asked(api, "comercial", safras=["../x"])[0] == 422
    assert asked(api, "comercial", periodo="anual")[0] == 422
    for role in ("leitor", "parceiro", "dispositivo"):
        assert asked(api, role)[0] == 403
    assert len(page.asked) == 1


def test_a_report_of_a_part_is_asked_of_dagster_if_the_safra_has_it(
    api: Api, page: Page, conn: psycopg.Connection
) -> None:
    page.answer = {"data": {"launchRun": LAUNCHED}}
    place = a.value(conn, "select min(municipio_id) from marts.mart_lead")
    part = {"ofertas": ["gtd", "backup"], "secoes": ["leads"], "titulo": "Rede"}
    assert asked(api, "comercial", municipios=[place], **part)[0] == 202
    config = page.configs[0]["ops"]["fazer_relatorios"]["config"]
    kept = {key: config[key] for key in ("municipios", "ofertas", "secoes", "titulo")}
    assert kept == part | {"municipios": [place], "ofertas": ["backup", "gtd"]}
    status, problem = asked(api, "comercial", municipios=[3550308])
    assert (status, f"{place} " in problem["detail"]) == (422, True)
    for wrong in (
        {"secoes": ["lista"]},
        {"ofertas": ["venda"]},
        {"titulo": "x" * 101},
        {"titulo": "\0"},
        {"municipios": [place], "secoes": ["perdas"]},
        {"periodo": "diario", "secoes": ["mapa"]},
    ):
        assert asked(api, "comercial", **wrong)[0] == 422, wrong
    assert len(page.asked) == 1


def test_a_report_is_kept_to_be_made_again_and_again(
    api: Api, folder: Path, conn: psycopg.Connection
) -> None:
    def keep(role: str, **body: object) -> tuple[int, dict]:
        answer = api.http.post(f"{REPORTS}/agenda", json=body, headers=api.bearer(role))
        return answer.status_code, answer.json()

    part = {"ofertas": ["gtd"], "secoes": ["leads"], "titulo": "Rede", "safras": ["401-2024"]}
    status, one = keep("comercial", quando="semanal", **part)
    assert (status, one["quando"], one["criado_por"]) == (201, "semanal", "comercial")
    whole = part | {"municipios": [], "periodo": "safra"}
    assert one["pedido"] == whole
    asked = a.value(conn, "select pedido from app.relatorio_agendado where id = %s", [one["id"]])
    assert asked == whole | {"pasta": str(folder)}
    assert api.get(f"{REPORTS}/agenda").json() == [one]
    for wrong, code in (
        ({}, 422),
        ({"quando": "anual"}, 422),
        ({"quando": "diario", "safras": ["999-2024"]}, 404),
        ({"quando": "diario", "secoes": ["lista"]}, 422),
    ):
        assert keep("comercial", **wrong)[0] == code, wrong
    for role in ("leitor", "parceiro", "dispositivo"):
        assert keep(role, quando="diario")[0] == 403
        assert api.delete(f"{REPORTS}/agenda/{one['id']}", role).status_code == 403
    assert api.delete(f"{REPORTS}/agenda/{one['id']}", "comercial").status_code == 204
    assert api.delete(f"{REPORTS}/agenda/{one['id']}", "comercial").status_code == 404
    assert api.get(f"{REPORTS}/agenda").json() == []


def test_nobody_fills_the_mornings(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "AGENDAS", 1)
    path, headers = f"{REPORTS}/agenda", api.bearer("comercial")
    first, second = (api.http.post(path, json={"quando": "diario"}, headers=headers) for _ in "ab")
    assert (first.status_code, second.status_code) == (201, 422)
    api.delete(f"{path}/{first.json()['id']}", "comercial")


MONDAY_1ST = datetime(2027, 2, 1, 8, 45, tzinfo=ZONE)
TUESDAY_2ND, MONDAY_8TH = (MONDAY_1ST + timedelta(days=d) for d in (1, 7))


@pytest.mark.parametrize(
    ("morning", "turn"),
    [
        (MONDAY_1ST, {"diario", "semanal", "mensal"}),
        (TUESDAY_2ND, {"diario"}),
        (MONDAY_8TH, {"diario", "semanal"}),
        # 401-2024 was published the night before; it is the one that the agenda has.
        (None, {"publicacao"}),
    ],
)
def test_dagster_asks_for_each_report_on_its_mornings(
    api: Api, conn: psycopg.Connection, morning: datetime | None, turn: set[str]
) -> None:
    published = a.value(
        conn,
        "select publicada_em from marts.safra_publicada"
        " where distribuidora_id = 401 and ano = 2024",
    )
    kept = {}
    for when in ("diario", "semanal", "mensal", "publicacao"):
        body = {"quando": when, "safras": ["401-2024"], "titulo": when}
        answer = api.http.post(f"{REPORTS}/agenda", json=body, headers=api.bearer("comercial"))
        kept[answer.json()["id"]] = when
    with psycopg.connect(autocommit=True) as owner:
        owner.execute(
            "update app.relatorio_agendado set criado_em = %s", [published - timedelta(days=9)]
        )

    def asked(at: datetime) -> list[str]:
        context = dg.build_schedule_context(scheduled_execution_time=at)
        requests = schedules.agendas.evaluate_tick(context).run_requests
        assert len({request.run_key for request in requests}) == len(requests)
        return [
            request.run_config["ops"]["fazer_relatorios"]["config"]["titulo"]
            for request in requests
        ]

    assert {w for w in asked(morning or published + timedelta(hours=5)) if w in turn} == turn
    if morning:
        assert {*asked(morning)} == turn
    else:
        assert "publicacao" not in asked(published + timedelta(hours=25))
        assert "publicacao" not in asked(published - timedelta(minutes=1))
    for agenda in kept:
        api.delete(f"{REPORTS}/agenda/{agenda}", "comercial")


def test_without_a_folder_there_are_none(api: Api, tmp_path: Path) -> None:
    before, api.settings.reports = api.settings.reports, tmp_path / "nada"
    try:
        assert api.get(REPORTS).json() == []
    finally:
        api.settings.reports = before
