"""That everybody can use the panel: keyboard alone, screen readers, a phone's width, dark.

Not here: what the pages do (test_panel.py).
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Opener, Panel, Window, tab
from tests.browser.test_panel import PAGES, listed
from tests.integration.api_client import PASSWORD
from tests.integration.warehouse import CLONE

AXE = CLONE / "web" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}


def findings(page: Page) -> list[str]:
    """What axe finds that keeps somebody out, each with its place."""
    # The panel's own rules let no script of the page itself be added: through the browser it may.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in found["violations"]
        if v["impact"] in SERIOUS
        for node in v["nodes"]
    ]


def settle(page: Page, heading: str | None = None) -> None:
    """Wait until the page has what it asked for."""
    if heading:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(panel: Panel, context: Opener, scheme: str) -> None:
    panel.api.reset_limits()
    window = tab(panel, context(color_scheme=scheme))
    window.open("/")
    expect(window.page.get_by_role("dialog")).to_be_visible()
    found = {"entrar": findings(window.page)}
    window.sign_in("admin")
    for path, heading in {**PAGES, "/operacao": "Operação"}.items():
        window.open(path)
        settle(window.page, heading)
        found[path] = findings(window.page)
    window.open("/leads")
    window.open(listed(window.page)[0])
    settle(window.page)
    found["lead"] = findings(window.page)
    assert {path: said for path, said in found.items() if said} == {}


def test_a_phone_shows_every_page_without_scrolling_sideways(panel: Panel, context: Opener) -> None:
    panel.api.reset_limits()
    window = tab(panel, context(viewport=PHONE))
    window.open("/leads")
    window.sign_in("comercial")
    lead = listed(window.page)[0]
    wide = {}
    for path in (*PAGES, lead):
        window.open(path)
        settle(window.page)
        width = window.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[path] = width
    assert wide == {}


def focused(page: Page) -> str:
    """What has the focus, by the name that a screen reader says of it."""
    return page.evaluate(
        "(() => { const e = document.activeElement; return e.labels?.[0]?.textContent.trim()"
        " || e.getAttribute('aria-label') || e.textContent.trim().slice(0, 60) })()"
    )


def walk(page: Page, name: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(60):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name!r}")


def test_the_best_battery_leads_of_a_municipio_are_exported_by_keyboard_alone(
    window: Window,
) -> None:
    page = window.page
    window.open("/")
    expect(page.get_by_role("dialog")).to_be_visible()
    walk(page, "Nome")
    page.keyboard.type("comercial")
    walk(page, "Senha")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Tab")
    walk(page, "Leads")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
    listed(page)
    walk(page, "Oferta")
    page.keyboard.type("Arb")
    page.wait_for_url("**oferta=arbitragem")
    place = page.locator("#municipios option").first.get_attribute("value")
    walk(page, "Município")
    page.keyboard.type(place)
    page.keyboard.press("Tab")
    page.wait_for_url("**municipio=*")
    listed(page)
    expect(page.get_by_role("button", name="Exportar")).to_be_enabled()
    walk(page, "Exportar")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert re.fullmatch(
        r"leads-arbitragem-[a-z-]+-[a-z]{2}-\d{4}-\d\d-\d\d\.csv", waiting.value.suggested_filename
    )


def test_the_focus_is_seen_and_the_menu_can_be_skipped(window: Window) -> None:
    page = window.page
    window.open("/leads")
    window.sign_in("leitor")
    listed(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert focused(page) == "Ir para o conteúdo"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "conteudo"
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
