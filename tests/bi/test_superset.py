"""Each dashboard draws all its charts, a second import changes nothing, changes by hand come back.

Also: the same totals as the API, who sees which rows, what falls when the database lacks a column.
Not here: what is true without Superset (tests/unit/test_bi.py).
"""

import re
from contextlib import closing
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from bi import assets
from tests.bi.conftest import PASSWORD, Person, Superset, sign_in
from tests.integration.api_client import PASSWORD as API_PASSWORD

SLUGS = [pytest.param(d["slug"], id=d["slug"]) for d in assets.read().dashboards.values()]
BROKEN = ".ant-alert-error"
"""What Superset draws in the place of a chart that failed."""
EMPTY = re.compile("Não foram apresentados|Não há dados após|Sem dados|No (results|data)")
"""What a chart without rows says; in English where Superset's Portuguese does not come."""
MAY_BE_EMPTY = {
    "O que há de errado",
    "Anomalias",
    "Anomalias por tipo",
    "Alertas abertos, por regra",
}
"""Where no row is good news."""


@pytest.mark.parametrize("slug", SLUGS)
def test_every_chart_of_a_dashboard_is_drawn(admin: Person, slug: str) -> None:
    admin.open(slug)
    boxes = admin.boxes()
    (shown,) = (d for d in assets.read().dashboards.values() if d["slug"] == slug)
    assert len(boxes) == len([*assets.boxes(shown["position"])])
    trouble = {}
    for box in boxes:
        title, text = box.locator("[data-test=editable-title]").inner_text(), box.inner_text()
        title = title or text.splitlines()[0]
        drawn = box.locator("canvas, svg path, table tbody tr, .header-line").count()
        empty = EMPTY.search(text) and title not in MAY_BE_EMPTY
        failed = box.locator(BROKEN).count()
        if failed or empty or not (drawn or title in MAY_BE_EMPTY):
            trouble[title] = text[:200]
    assert trouble == {}


def test_pages_speak_portuguese(admin: Person) -> None:
    admin.open("visao-geral")
    assert admin.page.get_by_role("button", name="Aplicar").count() == 1
    assert admin.page.get_by_role("button", name="Apply").count() == 0


def test_a_dashboard_opens_on_its_newest_year(superset: Superset, admin: Person) -> None:
    """Else each total would be the sum of all years."""
    with closing(superset.warehouse.connect()) as conn:
        (newest,) = conn.execute("select max(ano) from marts.safra_publicada").fetchone()
    asked: list[Any] = []
    charts = re.compile("/api/v1/chart/data")
    admin.page.on(
        "request", lambda r: asked.append(r.post_data_json) if charts.search(r.url) else 0
    )
    admin.open("perdas")
    said = [{f["col"]: f["val"] for f in a["queries"][0].get("filters", [])} for a in asked]
    drawn = [s for a, s in zip(asked, said, strict=True) if a["form_data"].get("slice_id")]
    assert drawn
    assert {tuple(s.get("ano", ())) for s in drawn} == {(newest,)}


def test_nothing_is_asked_of_another_machine(admin: Person) -> None:
    """All that was opened before; the content's policy keeps even Superset's own counter away."""
    admin.open("visao-geral")
    assert admin.outside == []


def test_the_same_package_again_changes_nothing(superset: Superset, admin: Person) -> None:
    before = ids(admin)
    again = superset.bi("ligar")
    assert (again.returncode, "importando" in again.stdout) == (0, False)
    forced = superset.bi("ligar", "--descartar")
    assert (forced.returncode, "importando" in forced.stdout) == (0, True), forced.stderr
    assert ids(admin) == before
    assert superset.bi("exportar").stdout == "nada mudou\n"


def ids(admin: Person) -> dict[str, set[tuple[int, str]]]:
    """What is there, by Superset's numbers."""
    names = {"chart": "slice_name", "dashboard": "dashboard_title", "dataset": "table_name"}
    return {
        kind: {
            (one["id"], one[name])
            for one in admin.call("GET", f"{kind}/?q=(page_size:200)").json()["result"]
        }
        for kind, name in names.items()
    }


def test_a_change_by_hand_is_not_written_over_and_comes_back_as_a_diff(
    superset: Superset, admin: Person
) -> None:
    folder = superset.clone.folder / "dashboards"
    before = assets.read(folder).files()
    (number,) = (n for n, name in ids(admin)["chart"] if name == "Energia por estado (MWh)")
    assert admin.call("PUT", f"chart/{number}", {"slice_name": "Energia por UF (MWh)"}).ok
    ours = folder / "charts" / "visao_livre.yaml"
    ours.write_text(ours.read_text(encoding="utf-8").replace("Energia livre (%)", "Livre (%)"))
    refused = superset.bi("ligar")
    assert refused.returncode == 3
    assert "charts/visao_estados.yaml" in refused.stderr
    assert "make bi-export" in refused.stderr
    exported = superset.bi("exportar")
    assert exported.stdout == "mudou: dashboards/charts/visao_estados.yaml\n", exported.stderr
    after = assets.read(folder).files()
    assert assets.differences(before, after) == [
        "charts/visao_estados.yaml",
        "charts/visao_livre.yaml",  # ours, which the export left alone
    ]
    changed = yaml.safe_load(after["charts/visao_estados.yaml"])
    assert changed["slice_name"] == "Energia por UF (MWh)"
    assets.write(before, folder)
    done = superset.bi("ligar")
    assert done.returncode == 0, done.stderr


def test_api_panel_and_superset_say_the_same_totals(superset: Superset, admin: Person) -> None:
    """Units and energy of each safra: the API by key, as the panel by cookie, Superset's charts."""
    with closing(superset.warehouse.connect()) as conn:
        safras = conn.execute("select ano, distribuidora_id from marts.safra_publicada").fetchall()
    assert safras
    panel = TestClient(superset.api.app, client=("127.0.0.1", 50001))
    login = {"nome": "leitor", "senha": API_PASSWORD}
    superset.api.reset_limits()
    assert panel.post("/api/v1/sessao", json=login, headers={"X-Intel-Painel": "1"}).is_success
    for ano, distributor in safras:
        path = f"/api/v1/distribuidoras?ano={ano}&distribuidora={distributor}"
        (by_key,) = superset.api.get(path).json()["itens"]
        (by_cookie,) = panel.get(path).json()["itens"]
        (row,) = admin.rows(
            "resumo_distribuidora",
            {
                "metrics": ["unidades", "energia_mwh"],
                "filters": [
                    {"col": "ano", "op": "==", "val": ano},
                    {"col": "distribuidora_id", "op": "==", "val": distributor},
                ],
            },
        )
        for said in (by_key, by_cookie):
            assert row["unidades"] == said["quantidade_leads"]
            assert row["energia_mwh"] * 1000 == pytest.approx(said["energia_anual_kwh"], rel=1e-9)


def add_user(admin: Person, name: str, roles: list[str]) -> None:
    """Somebody with these roles."""
    found = admin.call("GET", "security/roles/?q=(page_size:100)").json()
    numbers = dict(zip((r["name"] for r in found["result"]), found["ids"], strict=True))
    body: dict[str, Any] = {"username": name, "first_name": name, "last_name": "x"}
    body |= {"email": f"{name}@localhost", "password": PASSWORD, "active": True}
    made = admin.call("POST", "security/users/", body | {"roles": [numbers[r] for r in roles]})
    assert made.ok, made.text()


def test_who_is_kept_to_a_distributor_sees_its_rows_alone_and_changes_nothing(
    superset: Superset, admin: Person, chromium: Browser
) -> None:
    with closing(superset.warehouse.connect()) as conn:
        code, name = conn.execute(
            "select distribuidora_id, distribuidora from marts.safra_publicada order by 1 limit 1"
        ).fetchone()
        of_it = conn.execute(
            "select count(*) from marts.mart_lead where distribuidora_id = %s", [code]
        ).fetchone()[0]
    user = f"vendas_{superset.warehouse.env['PGDATABASE']}"
    add_user(admin, user, ["comercial", f"só {name} ({code})"])
    person = sign_in(chromium, superset.address, user, PASSWORD)
    person.open("leads-por-oferta")
    (row,) = person.rows("mart_lead", {"metrics": ["leads"]})
    assert row["leads"] == of_it
    sql = {"database_id": 1, "sql": "select 1", "runAsync": False}
    assert person.call("POST", "sqllab/execute/", sql).status in (401, 403)
    (number, *_) = (n for n, _ in ids(admin)["chart"])
    assert person.call("PUT", f"chart/{number}", {"slice_name": "x"}).status in (401, 403, 404)


def test_a_column_that_the_database_lacks_names_the_charts(superset: Superset) -> None:
    rename = "alter materialized view marts.resumo_conjunto rename column {} to {}"
    with closing(superset.warehouse.connect()) as conn:
        conn.execute(rename.format("dec_limite_h", "outro_nome"))
        refused = superset.bi("ligar")
        conn.execute(rename.format("outro_nome", "dec_limite_h"))
    assert refused.returncode == 3
    assert (
        "Qualidade › Conjuntos elétricos, contra a mediana e o limite: resumo_conjunto não tem"
        " dec_limite_h" in refused.stderr
    )
    assert superset.bi("ligar").returncode == 0
