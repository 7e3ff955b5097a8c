"""What a person does in the panel: sign in, find, draw, export, edit, lose the network, come back.

Not here: what the API answers (tests/integration/test_api_*.py), access for all (test_access.py).
"""

import csv
import io
import json
import unicodedata
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener, Panel, Window, tab
from tests.integration.api_client import DEVICE, PASSWORD
from tests.integration.dagster_page import Page as Dagster
from tests.integration.test_api_operations import HELD

PAGES = {
    "/": "Hoje",
    "/leads": "Leads",
    "/mercado": "Mercado",
    "/qualidade": "Qualidade",
    "/perdas": "Perdas",
    "/previsoes": "Previsões",
    "/anomalias": "Anomalias",
    "/aicss": "AICSS ao vivo",
    "/alertas": "Alertas",
    "/relatorios": "Relatórios",
}


FIRST_PAINT = """() => new Promise(done => new PerformanceObserver(seen => {
    const found = seen.getEntriesByName('first-contentful-paint')
    if (found.length) done(found[0].startTime)
}).observe({type: 'paint', buffered: true}))"""


def the_list(page: Page) -> Locator:
    """The part of Leads that has them one below the other."""
    return page.get_by_role("region", name="Lista", exact=True)


def total(page: Page) -> int:
    """How many leads the list says there are, once it is the list that was asked for."""
    expect(the_list(page).locator("[aria-busy=true]")).to_have_count(0)
    said = the_list(page).get_by_role("status").filter(has_text="lead")
    return int(said.inner_text().split()[0].replace(".", ""))


def listed(page: Page) -> list[str]:
    """The leads that are shown, by their address."""
    links = the_list(page).locator("a.name")
    expect(links.first).to_be_visible()
    return links.evaluate_all("all => all.map(link => link.getAttribute('href'))")


def download(page: Page, button: str) -> list[dict[str, str]]:
    """The rows of the CSV that a button saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def send_reading(panel: Panel) -> None:
    """A reading of now, by the device itself."""
    now = datetime.now(UTC).isoformat()
    reading = {"dispositivo_id": DEVICE, "medido_em": now, "luz": 1234, "distancia_cm": 56.5}
    answer = panel.api.http.post(
        "/api/v1/aicss/dados", content=json.dumps(reading), headers=panel.api.bearer("dispositivo")
    )
    assert answer.status_code == 202, answer.text


def test_a_wrong_password_is_said_and_a_right_one_opens_the_page(window: Window) -> None:
    window.open("/leads?oferta=backup")
    window.page.get_by_label("Nome", exact=True).fill("comercial")
    window.page.get_by_label("Senha").fill("outra coisa qualquer")
    window.page.get_by_role("button", name="Entrar").click()
    expect(window.page.get_by_role("alert")).to_contain_text("não conferem")
    window.sign_in("comercial")
    expect(window.page.get_by_label("Oferta")).to_have_value("backup")
    assert listed(window.page)
    assert window.errors == []


def test_the_first_paint_takes_less_than_a_second(window: Window) -> None:
    """As the browser itself measured it; the second visit, which is most of them."""
    window.open("/")
    window.open("/leads")
    assert window.page.evaluate(FIRST_PAINT) < 1000


def test_filters_stand_in_the_address_and_survive_a_reload(window: Window) -> None:
    page = window.page
    window.open("/leads")
    window.sign_in("leitor")
    everything = total(page)
    page.get_by_label("Oferta").select_option("backup")
    page.get_by_label("Score mínimo").fill("40")
    page.get_by_label("Score mínimo").press("Enter")
    page.wait_for_url("**/leads?oferta=backup&score_min=40")
    expect(the_list(page)).not_to_contain_text(f"{everything} leads")
    few, shown = total(page), listed(page)
    assert 0 < few < everything
    page.reload()
    assert (listed(page), total(page)) == (shown, few)
    page.go_back()
    page.wait_for_url("**/leads?oferta=backup")
    expect(page.get_by_label("Score mínimo")).to_have_value("")


def test_nothing_left_over_says_which_filter_to_take_away(window: Window) -> None:
    window.open("/leads?oferta=backup&energia_min=999999999999")
    window.sign_in("leitor")
    empty = window.page.locator(".empty")
    expect(empty).to_contain_text("Nenhum lead serve")
    empty.get_by_role("listitem").filter(has_text="energia mínima").get_by_role("link").click()
    window.page.wait_for_url("**/leads?oferta=backup")
    assert listed(window.page)


def test_the_export_holds_every_lead_of_the_list_in_its_order(window: Window) -> None:
    window.open("/leads?oferta=backup")
    window.sign_in("comercial")
    shown, many = listed(window.page), total(window.page)
    rows = download(window.page, "Exportar")
    assert len(rows) == many
    assert [f"/leads/{row['uc_id']}" for row in rows[: len(shown)]] == shown
    reasons = the_list(window.page).locator(".why").first.inner_text()
    assert rows[0]["motivo_1"] and rows[0]["motivo_1"] in reasons
    assert rows[0]["posicao"] == "1"


def test_a_box_drawn_on_the_map_is_a_filter(window: Window) -> None:
    page = window.page
    window.open("/leads")
    window.sign_in("comercial")
    window.map_is_drawn()
    everything = total(page)
    page.get_by_role("button", name="Desenhar retângulo").click()
    expect(page.get_by_role("button", name="Desenhar retângulo")).to_have_attribute(
        "aria-pressed", "true"
    )
    box = page.locator(".map").bounding_box()
    page.mouse.click(box["x"] + 40, box["y"] + 40)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**area=*")
    expect(the_list(page)).to_contain_text("na área desenhada")
    assert total(page) < everything
    page.get_by_role("button", name="Tirar a área").click()
    page.wait_for_url("**/leads")
    assert window.errors == []


def test_a_polygon_drawn_on_the_map_is_a_filter_that_is_kept_and_exported(window: Window) -> None:
    page = window.page
    window.open("/leads?oferta=backup")
    window.sign_in("comercial")
    window.map_is_drawn()
    everything = total(page)
    page.get_by_role("button", name="Desenhar polígono").click()
    expect(page.get_by_role("button", name="Desenhar polígono")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.locator(".map").scroll_into_view_if_needed()
    box = page.locator(".map").bounding_box()
    corners = [(0.15, 0.15), (0.6, 0.2), (0.35, 0.7)]
    for x, y in [*corners, corners[0]]:
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=3)
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.wait_for_url("**area=*")
    expect(the_list(page)).to_contain_text("na área desenhada")
    few = total(page)
    assert 0 < few < everything
    rows = download(page, "Exportar")
    assert len(rows) == few
    page.get_by_label("Nome para guardar esta busca").fill("Meu desenho")
    page.get_by_role("button", name="Guardar a busca").click()
    kept = page.get_by_role("link", name="Meu desenho")
    expect(kept).to_be_visible()
    window.open("/leads")
    kept.click()
    page.wait_for_url("**area=*")
    expect(the_list(page)).to_contain_text("na área desenhada")
    assert total(page) == few
    page.get_by_role("button", name="Esquecer a busca Meu desenho").click()
    expect(kept).to_have_count(0)
    assert window.errors == []


def test_one_lead_tells_measured_figures_from_estimated_ones(window: Window) -> None:
    page = window.page
    window.open("/leads?camada=UCBT&oferta=backup")
    window.sign_in("comercial")
    the_list(page).locator("a.name").first.click()
    figures = page.get_by_label("Em números")
    expect(figures.locator(".figure").filter(has_text="Energia do ano")).to_contain_text("(medido)")
    expect(figures.locator(".figure").filter(has_text="Na ponta")).to_contain_text("(estimado)")
    contributions = page.locator("details.card[open] .bars .n").all_inner_texts()
    score = page.locator("details.card[open] > summary").inner_text()
    summed = sum(float(text.replace(",", ".")) for text in contributions)
    assert abs(summed - float(score.split("score ")[1].split()[0].replace(",", "."))) < 0.5
    assert window.errors == []


def test_what_is_said_of_a_lead_stays(window: Window) -> None:
    page = window.page
    window.open("/leads?oferta=migracao")
    window.sign_in("comercial")
    the_list(page).locator("a.name").first.click()
    form = page.locator("form").filter(has_text="Situação")
    form.get_by_label("Situação").select_option("proposta")
    form.get_by_label("Observação").fill("Quer <b>500 kW</b>.")
    form.get_by_role("button", name="Guardar").click()
    expect(form).to_contain_text("Guardado.")
    page.reload()
    expect(page.get_by_text("Quer <b>500 kW</b>.")).to_be_visible()


def test_what_was_said_stands_in_the_list_and_is_a_filter(window: Window) -> None:
    page = window.page
    window.open("/leads?oferta=gtd")
    window.sign_in("comercial")
    everything = total(page)
    name = the_list(page).locator("a.name").first.get_attribute("href")
    window.open(name)
    form = page.locator("form").filter(has_text="Situação")
    form.get_by_label("Oferta").select_option("gtd")
    form.get_by_label("Situação").select_option("proposta")
    form.get_by_role("button", name="Guardar").click()
    expect(form).to_contain_text("Guardado.")
    window.open("/leads?oferta=gtd")
    first = the_list(page).locator("li").filter(has=page.locator(f"a[href='{name}']"))
    expect(first.locator(".tag")).to_have_text("Proposta")
    page.get_by_label("Acompanhamento").select_option("nenhum")
    page.wait_for_url("**acompanhamento=nenhum")
    expect(the_list(page)).not_to_contain_text(f"{everything} leads")
    assert total(page) == everything - 1
    assert name not in listed(page)


def test_a_lost_network_keeps_what_is_shown_and_comes_back(window: Window) -> None:
    page = window.page
    window.open("/leads")
    window.sign_in("leitor")
    listed(page)
    page.get_by_label("Oferta").select_option("gtd")
    expect(the_list(page).locator(".score small").first).to_have_text("1º em GTD")
    shown = listed(page)
    page.context.set_offline(True)
    page.get_by_label("Oferta").select_option("backup")
    expect(page.get_by_text("Sem conexão com a API.")).to_be_visible()
    expect(the_list(page)).to_contain_text("O que segue é de antes: oferta GTD.")
    expect(the_list(page).locator(".score small").first).to_have_text("1º em GTD")
    expect(page.get_by_role("button", name="Exportar")).to_be_disabled()
    assert listed(page) == shown
    page.context.set_offline(False)
    expect(page.get_by_text("Sem conexão com a API.")).to_be_hidden()
    expect(the_list(page).locator(".score small").first).to_have_text("1º em Backup")
    expect(the_list(page)).not_to_contain_text("de antes")
    assert window.errors == []


def test_while_the_next_list_comes_the_old_one_is_not_called_by_its_name(window: Window) -> None:
    page, held, hold = window.page, [], [True]
    window.open("/leads?oferta=gtd")
    window.sign_in("leitor")
    shown = listed(page)
    page.route(
        "**/api/v1/leads?*oferta=backup*",
        lambda route: held.append(route) if hold else route.continue_(),
    )
    page.get_by_label("Oferta").select_option("backup")
    expect(the_list(page)).to_contain_text("Carregando…")
    expect(the_list(page).locator(".stale")).to_be_visible()
    expect(the_list(page).locator(".score small").first).to_have_text("1º em GTD")
    assert listed(page) == shown
    hold.clear()
    for route in held:
        route.continue_()
    expect(the_list(page).locator(".score small").first).to_have_text("1º em Backup")
    expect(the_list(page).locator(".stale")).to_have_count(0)


def test_a_page_first_opened_without_network_comes_when_it_is_back(window: Window) -> None:
    page = window.page
    window.open("/")
    window.sign_in("leitor")
    page.context.set_offline(True)
    page.get_by_role("link", name="Mercado", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("A página não veio")
    expect(page.get_by_role("button", name="Tentar de novo")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_label("Em números")).to_contain_text("Energia do ano")
    assert page.get_by_role("alert").count() == 0


def test_a_place_is_found_as_people_write_it_and_an_unknown_one_is_refused(window: Window) -> None:
    page = window.page
    window.open("/leads")
    window.sign_in("leitor")
    everything, shown = total(page), listed(page)
    field, export = (
        page.get_by_label("Município", exact=True),
        page.get_by_role("button", name="Exportar"),
    )
    field.fill("Nenhures")
    field.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Nenhures")).to_be_visible()
    expect(export).to_be_disabled()
    expect(the_list(page)).to_contain_text("A lista é a de antes: sem filtros")
    assert (listed(page), page.url) == (shown, f"{window.address}/leads")
    places = page.locator("#municipios option").evaluate_all("all => all.map(one => one.value)")
    bare = [place.split(" (")[0] for place in places]
    name = next(one for one in bare if bare.count(one) == 1)
    letters = unicodedata.normalize("NFD", name.upper())
    field.fill("".join(c for c in letters if not unicodedata.combining(c)))
    field.press("Enter")
    page.wait_for_url("**/leads?municipio=*")
    expect(field).to_have_value(places[bare.index(name)])
    expect(page.get_by_role("alert").filter(has_text="Nenhures")).to_have_count(0)
    expect(the_list(page)).not_to_contain_text(f"{everything} leads")
    expect(export).to_be_enabled()


@pytest.mark.parametrize("way", ["back", "link"])
def test_from_a_lead_one_comes_back_to_the_list_as_it_was(window: Window, way: str) -> None:
    page = window.page
    window.open("/leads?oferta=gtd&camada=UCBT")
    window.sign_in("leitor")
    listed(page)
    page.get_by_role("button", name="Mostrar mais").click()
    expect(the_list(page).locator("a.name")).to_have_count(50)
    shown = listed(page)
    link = the_list(page).locator("a.name").nth(40)
    link.scroll_into_view_if_needed()
    height = page.evaluate("scrollY")
    assert height > 1000
    link.click()
    expect(page.get_by_label("Em números")).to_be_visible()
    if way == "back":
        page.go_back()
    else:
        page.get_by_role("link", name="← Leads").click()
    page.wait_for_url("**/leads?oferta=gtd&camada=UCBT")
    expect(the_list(page).locator("a.name")).to_have_count(50)
    assert listed(page) == shown
    page.wait_for_function("height => Math.abs(scrollY - height) < 200", arg=height)


def _alerts(panel: Panel) -> str:
    """An open alert and a closed one, each of a lead; the lead of the open one."""
    add = (
        "insert into app.alerta (regra, nivel, distribuidora_id, alvo, nome, ano, valor,"
        " valor_abertura, limite, aberto_em, visto_em, evidencia, fechado_em, motivo_fechamento)"
        " select 'cliente_acima_do_tipico', 'uc', distribuidora_id, origem || '|' || cod_id,"
        " concat_ws(' ', origem, cod_id), ano, 9, 9, 5, now(), now(), '{}', fim,"
        " case when fim is not null then 'voltou' end from (select *, row_number() over"
        " (order by uc_id) as n from marts.mart_lead) as l"
        " inner join (values (1, null), (2, now())) as v (n, fim) using (n)"
    )
    first = "select uc_id::text from marts.mart_lead order by uc_id limit 1"
    with panel.warehouse.connect() as conn:
        conn.execute("delete from app.alerta")
        conn.execute(add)
        return conn.execute(first).fetchone()[0]


def test_an_alert_leads_to_its_lead(panel: Panel, window: Window) -> None:
    uc_id = _alerts(panel)
    page = window.page
    window.open("/alertas")
    window.sign_in("leitor")
    page.get_by_role("main").get_by_role("listitem").get_by_role("link").click()
    page.wait_for_url(f"**/leads/{uc_id}")
    expect(page.get_by_label("Em números")).to_be_visible()
    window.open("/")
    news = page.get_by_role("region", name="alerta aberto")
    news.get_by_role("listitem").get_by_role("link").click()
    page.wait_for_url(f"**/leads/{uc_id}")


def test_what_is_saved_of_alerts_is_what_is_shown(panel: Panel, window: Window) -> None:
    _alerts(panel)
    page = window.page
    window.open("/alertas")
    window.sign_in("leitor")
    expect(page.get_by_text("1 alerta,")).to_be_visible()
    assert [row["aberto"] for row in download(page, "CSV")] == ["True"]
    page.get_by_label("Mostrar").select_option("fechados")
    expect(page.get_by_text("fechado: voltou")).to_be_visible()
    assert [row["aberto"] for row in download(page, "CSV")] == ["False"]


def test_what_is_saved_of_losses_is_of_the_safra_that_is_shown(window: Window) -> None:
    page = window.page
    window.open("/perdas?safra=404-2024")
    window.sign_in("leitor")
    expect(page.get_by_label("Alimentadores").get_by_role("row").nth(1)).to_be_visible()
    assert {row["distribuidora_id"] for row in download(page, "CSV")} == {"404"}


def test_signing_out_in_one_tab_empties_the_other_and_signing_in_opens_both(
    panel: Panel, context: Opener
) -> None:
    panel.api.reset_limits()
    profile = context()
    first, second = tab(panel, profile), tab(panel, profile)
    first.open("/leads")
    first.sign_in("leitor")
    second.open("/leads")
    for one in (first, second):
        assert listed(one.page)
    first.page.get_by_role("button", name="Sair").click()
    expect(second.page.get_by_role("dialog")).to_be_visible()
    assert second.page.locator("a.name").count() == 0
    second.sign_in("leitor")
    for one in (first, second):
        expect(one.page.get_by_role("dialog")).to_be_hidden()
        assert listed(one.page)
    assert first.errors == second.errors == []


def test_an_ended_session_asks_and_returns_to_the_same_place(panel: Panel, window: Window) -> None:
    page = window.page
    window.open("/leads?oferta=backup")
    window.sign_in("leitor")
    shown = listed(page)
    with panel.api.writing() as conn:
        conn.execute("update app.sessao set encerrada_em = now(), motivo = 'admin'")
    panel.api.forget_logins()
    page.get_by_label("Score mínimo").fill("1")
    page.get_by_label("Score mínimo").press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("A sessão acabou")
    assert listed(page) == shown
    window.sign_in("leitor")
    page.wait_for_url("**/leads?oferta=backup&score_min=1")
    assert listed(page)


def test_two_tabs_outlive_their_access_token_together(panel: Panel, context: Opener) -> None:
    """The refresh token holds once: the second tab must not spend the first one's."""
    panel.api.reset_limits()
    profile = context()
    tabs = [tab(panel, profile), tab(panel, profile)]
    tabs[0].open("/leads")
    tabs[0].sign_in("leitor")
    tabs[1].open("/leads")
    for one in tabs:
        assert listed(one.page)
    profile.clear_cookies(name="intel_acesso")
    for one in tabs:
        one.page.get_by_label("Oferta").select_option("backup")
    for one in tabs:
        expect(the_list(one.page).locator(".score small").first).to_have_text("1º em Backup")
        expect(one.page.get_by_role("dialog")).to_be_hidden()


def test_a_rule_of_alerts_is_changed_by_sales_alone(panel: Panel, context: Opener) -> None:
    panel.api.reset_limits()
    reader, seller = tab(panel, context()), tab(panel, context())
    reader.open("/alertas")
    reader.sign_in("leitor")
    expect(reader.page.get_by_text("Mudar regras é do papel comercial")).to_be_visible()
    seller.open("/alertas")
    seller.sign_in("comercial")
    row = seller.page.get_by_role("row").filter(has_text="dic_conjunto_dobro_da_mediana")
    row.get_by_role("button", name="Mudar").click()
    form = seller.page.get_by_role("form", name="Regra")
    form.get_by_label("Limite").fill("2.75")
    form.get_by_role("button", name="Guardar").click()
    expect(row).to_contain_text("> 2,75")
    rule = next(
        r
        for r in panel.api.get("/api/v1/alertas/regras", "comercial").json()
        if r["chave"] == "dic_conjunto_dobro_da_mediana"
    )
    assert (rule["limite"], rule["alterada_por"]) == (2.75, "comercial")


def test_a_report_is_asked_for_and_put_on_the_agenda(
    panel: Panel, window: Window, dagster: Dagster
) -> None:
    page = window.page
    window.open("/relatorios")
    window.sign_in("comercial")
    form = page.get_by_role("form", name="Pedir um")
    form.get_by_label("Título").fill("Rede de Tapejara")
    form.get_by_label("GTD").check()
    form.get_by_role("button", name="Pedir").click()
    expect(form).to_contain_text("Pedido: o Dagster o faz")
    asked = dagster.configs[-1]["ops"]["fazer_relatorios"]["config"]
    assert (asked["titulo"], len(asked["ofertas"])) == ("Rede de Tapejara", 1)
    # Dagster's is a stand-in: what it would have made appears by itself, under its title.
    page_made = panel.reports / "401-2024" / "safra-401-2024-parte.html"
    page_made.parent.mkdir(parents=True)
    page_made.write_text("<title>Água &amp; rede</title>", encoding="utf-8")
    expect(form).to_contain_text("Pronto: Água & rede")
    expect(page.get_by_role("region", name="Feitos")).to_contain_text("Água & rede")
    form.get_by_label("Quando").select_option("semanal")
    form.get_by_role("button", name="Agendar").click()
    expect(form).to_contain_text("Agendado: às segundas")
    kept = page.get_by_role("region", name="Agendados").get_by_role("listitem")
    expect(kept).to_contain_text("Rede de Tapejara")
    assert len(dagster.configs) == 1
    kept.get_by_role("button").click()
    expect(kept).to_contain_text("Nenhum")


def test_a_report_without_dagster_says_what_to_type(window: Window) -> None:
    window.open("/relatorios")
    window.sign_in("comercial")
    window.page.get_by_role("button", name="Pedir", exact=True).click()
    expect(window.page.get_by_role("alert")).to_contain_text("make dev")


def test_a_held_safra_is_released_with_its_motive(panel: Panel, window: Window) -> None:
    with panel.warehouse.connect() as conn:
        conn.execute(HELD)
    page = window.page
    window.open("/operacao")
    window.sign_in("admin")
    form = page.get_by_role("form", name="Liberar a safra 404-2024")
    expect(form).to_contain_text("sumiram")
    expect(form).to_contain_text("O que estava publicado antes fica como está")
    form.get_by_label("Por que está certa assim").fill("A distribuidora confirmou por carta")
    form.get_by_role("button", name="Liberar").click()
    expect(form).to_be_hidden(timeout=120_000)
    expect(page.get_by_text("foi liberada, com o motivo «A distribuidora")).to_be_visible()
    safras = page.get_by_role("region", name="O que aterrissou")
    expect(safras.get_by_role("row").filter(has_text="404-2024")).to_contain_text("Publicada")


def test_a_devices_settings_are_changed_where_it_is_seen(panel: Panel, window: Window) -> None:
    send_reading(panel)
    page = window.page
    window.open("/aicss")
    window.sign_in("admin")
    card = page.get_by_role("region", name=DEVICE)
    card.get_by_role("button", name="Configuração").click()
    form = page.get_by_role("form", name=f"Configuração de {DEVICE}")
    form.get_by_label("Potência interna, W").fill("75")
    form.get_by_role("button", name="Guardar").click()
    expect(form).to_contain_text("Guardado")
    (device,) = panel.api.get(f"/api/v1/aicss/status?dispositivo_id={DEVICE}").json()
    assert device["configuracao"]["potencia_interna_w"] == 75
    page.reload()
    page.get_by_role("region", name=DEVICE).get_by_role("button", name="Configuração").click()
    expect(form.get_by_label("Potência interna, W")).to_have_attribute("placeholder", "agora: 75")


def test_operation_is_an_administrators_and_says_so(panel: Panel, context: Opener) -> None:
    panel.api.reset_limits()
    seller, admin = tab(panel, context()), tab(panel, context())
    for one, name in ((seller, "comercial"), (admin, "admin")):
        one.open("/operacao")
        one.sign_in(name)
    expect(seller.page.get_by_text("Esta página é do papel de administração")).to_be_visible()
    assert not [url for url in seller.asked if "/operacao/" in url]
    safras = admin.page.get_by_role("region", name="O que aterrissou")
    expect(safras.get_by_role("row").filter(has_text="401-2024")).to_contain_text("Publicada")
    # Dagster is not open here: one part says so, the others stand.
    expect(admin.page.get_by_role("alert")).to_contain_text("make dev")


def test_a_search_that_is_kept_is_found_again(window: Window) -> None:
    page = window.page
    window.open("/leads?oferta=backup&score_min=20")
    window.sign_in("comercial")
    page.get_by_label("Nome para guardar esta busca").fill("Backup forte")
    page.get_by_role("button", name="Guardar a busca").click()
    window.open("/leads")
    page.get_by_role("link", name="Backup forte").click()
    page.wait_for_url("**/leads?oferta=backup&score_min=20")
    page.get_by_role("button", name="Esquecer a busca Backup forte").click()
    expect(page.get_by_role("link", name="Backup forte")).to_have_count(0)


def test_a_reading_is_seen_within_two_seconds(panel: Panel, window: Window) -> None:
    window.open("/aicss")
    window.sign_in("leitor")
    card = window.page.get_by_role("region", name=DEVICE)
    expect(card).to_be_visible()
    send_reading(panel)
    expect(card).to_contain_text("1.234", timeout=2000)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_nobody_but_its_own_server(window: Window, path: str) -> None:
    window.open(path)
    window.sign_in("comercial")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    expect(window.page.locator("[aria-busy=true]")).to_have_count(0)
    assert window.errors == []
    assert window.page.locator(".problem").all_inner_texts() == []
    assert [url for url in window.asked if not url.startswith((window.address, "blob:"))] == []


def test_signing_out_leaves_nothing_to_come_back_to(window: Window) -> None:
    window.open("/leads")
    window.sign_in("leitor")
    assert listed(window.page)
    window.page.get_by_role("button", name="Sair").click()
    expect(window.page.get_by_role("dialog")).to_be_visible()
    window.page.reload()
    expect(window.page.get_by_role("dialog")).to_be_visible()
    assert window.page.locator("a.name").count() == 0
    assert PASSWORD not in window.page.content()
