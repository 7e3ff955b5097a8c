"""Operating the warehouse over HTTP: what waits for somebody, failed, runs, was kept.

Not here: the gate itself (test_gate.py), backups (test_backup.py).
"""

import json
from pathlib import Path

import psycopg
import pytest

from server import backup
from tests.integration import warehouse as a
from tests.integration.api_client import Api
from tests.integration.dagster_page import Page
from tests.integration.test_api_sync import page

__all__ = ["page"]

SAFRAS, IMPORTS = "/api/v1/operacao/safras", "/api/v1/operacao/importacoes"
RUNS, BACKUPS = "/api/v1/operacao/execucoes", "/api/v1/operacao/copias"
HELD = """
    update controle.safra_importada set retida = true, motivo_retencao = 'UCBT: sumiram unidades',
        achados = '[{"id": "retencao::porta", "regra": "retencao", "onde": "", "texto": "sumiram",
            "referencia": "porta", "figuras": {}}]'
    where distribuidora_id = 404"""


def states(api: Api) -> dict[str, str]:
    """Safra → its state."""
    return {one["safra"]: one["situacao"] for one in api.get(SAFRAS, "admin").json()}


def release(api: Api, safra: str, reason: str, role: str = "admin") -> tuple[int, dict]:
    """Status and body of a release."""
    path = f"{SAFRAS}/{safra}/liberacao"
    answer = api.http.post(path, json={"motivo": reason}, headers=api.bearer(role))
    return answer.status_code, answer.json()


def test_a_held_safra_is_released_with_its_motive(api: Api, conn: psycopg.Connection) -> None:
    """By the loaders' own command: their ledger says who, why and for which findings."""
    assert states(api) == {"401-2024": "publicada", "404-2024": "publicada"}
    conn.execute(HELD)
    first = api.get(SAFRAS, "admin").json()[0]
    assert (first["safra"], first["situacao"]) == ("404-2024", "retida")
    assert (first["motivo_retencao"], first["achados"][0]["texto"]) == (
        *("UCBT: sumiram unidades", "sumiram"),
    )
    status, done = release(api, "404-2024", "  confirmado por carta  ")
    assert (status, done["safra"]) == (200, "404-2024"), done
    assert states(api)["404-2024"] == "publicada"
    kept = "select motivo from controle.liberacao where distribuidora_id = 404"
    reasons = [text for (text,) in conn.execute(kept)]
    assert reasons in ([], ["confirmado por carta (pela API: admin)"])
    status, problem = release(api, "404-2024", "outra vez")
    assert (status, problem["detail"]) == (422, "safra 404-2024: não está retida, nada a liberar")


@pytest.mark.parametrize(
    ("safra", "reason", "status"),
    [("999-2024", "não aterrissou", 404), ("401-2024", "x", 422), ("../x", "uma razão", 404)],
)
def test_what_cannot_be_released_is_refused(api: Api, safra: str, reason: str, status: int) -> None:
    assert release(api, safra, reason)[0] == status


def test_a_motive_is_no_option_of_the_command(api: Api, conn: psycopg.Connection) -> None:
    """Nothing that is written becomes a word of the command line."""
    conn.execute(HELD)
    status, _ = release(api, "404-2024", "--dry-run --help")
    assert (status, states(api)["404-2024"]) == (200, "publicada")


def test_the_ledger_says_what_landed_and_what_failed(api: Api, conn: psycopg.Connection) -> None:
    count = a.value(conn, "select count(*) from intel_lead.import_status")
    assert len(api.get(f"{IMPORTS}?limite=1000", "admin").json()) == count > 10
    conn.execute(
        "insert into intel_lead.import_status (arquivo, camada, status, data_fim, erro)"
        " values ('ruim.gdb', 'UCBT', 'failed', clock_timestamp(), 'sem camada')"
    )
    (failed,) = api.get(f"{IMPORTS}?status=failed", "admin").json()
    assert (failed["arquivo"], failed["erro"]) == ("ruim.gdb", "sem camada")
    newest = api.get(f"{IMPORTS}?limite=1", "admin").json()
    assert [one["arquivo"] for one in newest] == ["ruim.gdb"]
    assert api.get(f"{IMPORTS}?status=nada", "admin").status_code == 422


def test_runs_are_those_that_dagster_names(api: Api, page: Page) -> None:
    run = {"runId": "r-9", "jobName": "__ASSET_JOB", "status": "FAILURE"}
    run |= {"startTime": 1767225600.0, "endTime": None}
    page.answer = {"data": {"runsOrError": {"__typename": "Runs", "results": [run]}}}
    (shown,) = api.get(RUNS, "admin").json()
    assert (shown["tarefa"], shown["situacao"], shown["fim"]) == ("safra", "falhou", None)
    assert shown["inicio"] == "2026-01-01T00:00:00Z"
    assert shown["endereco"] == f"{api.settings.dagster_url}runs/r-9"
    page.answer = {"data": {"runsOrError": {"__typename": "PythonError"}}}
    assert api.get(RUNS, "admin").status_code == 503


def test_backups_are_the_folders_that_are_whole(api: Api, tmp_path: Path) -> None:
    facts = {"database": "lead", "created_at": "2026-11-30T05:30:00+00:00", "safras": 3}
    for name in ("lead-a", f"{backup.UNFINISHED}lead-b", "lead-c", "outra"):
        (tmp_path / name).mkdir()
    for name in ("lead-a", f"{backup.UNFINISHED}lead-b"):
        (tmp_path / name / "backup.json").write_text(json.dumps(facts))
    (tmp_path / "lead-c" / "backup.json").write_text("{")
    (tmp_path / "lead-a" / "dump").write_bytes(b"x" * 1000)
    before, api.settings.backups = api.settings.backups, tmp_path
    try:
        (shown,) = api.get(BACKUPS, "admin").json()
    finally:
        api.settings.backups = before
    size = 1000 + len(json.dumps(facts))
    assert shown == {
        **{"pasta": "lead-a", "feita_em": "2026-11-30T05:30:00Z", "bytes": size},
        **{"safras": 3, "banco": "lead"},
    }


@pytest.mark.parametrize("role", ["leitor", "comercial", "parceiro", "dispositivo"])
def test_only_administrators_operate(api: Api, role: str) -> None:
    for path in (SAFRAS, IMPORTS, RUNS, BACKUPS):
        assert api.get(path, role).status_code == 403
    assert release(api, "401-2024", "uma boa razão", role)[0] == 403
