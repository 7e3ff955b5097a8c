"""A browser's session and the panel's files: cookies, our own pages alone, what is kept how long.

Not here: sessions by token (test_api_access.py), what the panel shows (web/).
"""

from collections.abc import Iterator

import httpx2 as httpx
import psycopg
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.integration.api_client import PASSWORD, Api

SESSION, ME = "/api/v1/sessao", "/api/v1/eu"
OURS = {"X-Intel-Painel": "1"}


@pytest.fixture
def browser(api: Api) -> Iterator[TestClient]:
    """One that keeps cookies, and has logged in."""
    api.reset_limits()
    client = TestClient(api.app, client=("127.0.0.1", 50001), raise_server_exceptions=False)
    assert enter(client).status_code == 201
    yield client


def enter(client: TestClient, **headers: str) -> httpx.Response:
    """A login of the salesperson's."""
    login = {"nome": "comercial", "senha": PASSWORD}
    return client.post(SESSION, json=login, headers=headers or OURS)


def test_a_browser_logs_in_by_cookies_that_no_script_reads(api: Api, browser: TestClient) -> None:
    done = enter(browser)
    assert done.json() == {"expira_em_s": 600}
    cookies = done.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
    assert "Path=/api/v1/sessao;" in next(c for c in cookies if c.startswith("intel_renovacao="))
    assert browser.get("/api/v1/leads?limite=1").status_code == 200
    assert browser.get(ME).json()["papel"] == "comercial"


def test_over_tls_the_cookies_are_secure(api: Api) -> None:
    client = TestClient(api.app, base_url="https://painel.test", client=("127.0.0.1", 50002))
    cookies = enter(client).headers.get_list("set-cookie")
    assert ["Secure" in cookie for cookie in cookies] == [True, True]


def test_what_changes_something_by_cookie_comes_from_our_own_pages(browser: TestClient) -> None:
    """A page of another site cannot send the header; one with a token of its own need not."""
    stop = "/api/v1/sessoes/atual"
    refused = browser.delete(stop)
    assert (refused.status_code, "X-Intel-Painel" in refused.json()["detail"]) == (403, True)
    for method, path in (("POST", SESSION), ("POST", f"{SESSION}/renovacao"), ("DELETE", SESSION)):
        assert browser.request(method, path, json={}).status_code == 403
    assert browser.get(ME).status_code == 200
    assert browser.delete(stop, headers=OURS).status_code == 204
    assert browser.get(ME).status_code == 401


def test_an_authorization_that_does_not_hold_is_not_made_up_for_by_the_cookie(
    browser: TestClient,
) -> None:
    assert browser.get(ME, headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_session_is_renewed_and_ended_by_cookie(browser: TestClient) -> None:
    old = browser.cookies["intel_renovacao"]
    assert browser.post(f"{SESSION}/renovacao", headers=OURS).status_code == 200
    assert browser.cookies["intel_renovacao"] != old
    access = browser.cookies["intel_acesso"]
    assert browser.delete(SESSION, headers=OURS).status_code == 204
    assert "intel_acesso" not in browser.cookies
    assert browser.get(ME, headers={"Authorization": f"Bearer {access}"}).status_code == 401


def test_the_same_refresh_cookie_twice_ends_the_session(browser: TestClient) -> None:
    thief = {"intel_renovacao": browser.cookies["intel_renovacao"]}
    assert browser.post(f"{SESSION}/renovacao", headers=OURS).status_code == 200
    copied = TestClient(browser.app, cookies=thief)
    assert copied.post(f"{SESSION}/renovacao", headers=OURS).status_code == 401
    assert browser.get(ME).status_code == 401


def test_a_visit_ends_after_half_an_hour(browser: TestClient, conn: psycopg.Connection) -> None:
    conn.execute("update app.usuario set visita_em = null, visita_anterior_em = null")
    assert [browser.get(ME).json()["visita_anterior_em"] for _ in range(2)] == [None, None]
    conn.execute("update app.usuario set visita_em = '2026-01-02T03:04:05Z'")
    seen = [browser.get(ME).json()["visita_anterior_em"] for _ in range(2)]
    assert seen == ["2026-01-02T03:04:05Z"] * 2


# The panel ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API with a panel of three files, beside a secret."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "segredo").write_text("segredo")
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>painel</title>")
    (dist / "assets" / "app-1a2b.js").write_text("1")
    (dist / "favicon.svg").write_text("<svg/>")
    app = create_app(api.settings.model_copy(update={"panel": dist}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_the_panels_own_paths_are_its_page_and_its_files_are_kept(panel: TestClient) -> None:
    for path in ("/", "/leads", "/leads/9f?aba=mapa", "/apis", "/oficina"):
        page = panel.get(path)
        assert (page.status_code, page.text) == (200, "<title>painel</title>"), path
        assert page.headers["cache-control"] == "no-cache"
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "worker-src 'self' blob:" in policy
        assert "script-src" not in policy
    script = panel.get("/assets/app-1a2b.js")
    assert (script.text, script.headers["cache-control"]) == (
        "1",
        "public, max-age=31536000, immutable",
    )
    assert script.headers["content-type"].startswith("text/javascript")
    assert panel.head("/leads").status_code == 200
    assert panel.get("/favicon.svg").headers["cache-control"] == "no-cache"
    assert panel.get("/assets/app-0000.js").status_code == 404, "of an older page"


@pytest.mark.parametrize(
    "path", ["/../segredo", "/%2e%2e/segredo", "/assets/..%2f..%2fsegredo", "/%00", "//etc/passwd"]
)
def test_nothing_beside_the_panel_is_handed_out(panel: TestClient, path: str) -> None:
    assert panel.get(path).text in ("<title>painel</title>",) or panel.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/nada", "/api/", "/api", "/ogc/nada"])
def test_what_the_api_does_not_know_stays_a_problem(panel: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        refused = panel.request(method, path)
        assert refused.status_code in (401, 404)
        assert refused.headers["content-type"] == "application/problem+json"
    assert panel.patch("/api/v1/leads").status_code == 405


def test_without_a_panel_its_page_says_what_to_type(api: Api) -> None:
    page = api.http.get("/")
    assert (page.status_code, "make painel" in page.text) == (404, True)


def test_what_is_asked_of_the_panel_is_not_audited(
    panel: TestClient, conn: psycopg.Connection
) -> None:
    count = "select count(*) from app.auditoria"
    before = conn.execute(count).fetchone()
    panel.get("/leads")
    assert conn.execute(count).fetchone() == before
    panel.get("/api/v1/saude")
    assert conn.execute(count).fetchone() == (before[0] + 1,)
