"""TLS by nginx or Caddy before the API, as in docs/: who called is known, and cannot be made up.

Not here: uvicorn's own certificate, which is uvicorn's business.
"""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.integration import api_server
from tests.integration import warehouse as a
from tests.integration.api_client import PASSWORD, Api
from tests.integration.api_server import free, wait

WHERE = f"{os.environ['PATH']}:/usr/sbin"
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="sem openssl nesta máquina")


@dataclass(frozen=True)
class Served:
    """Where the proxy and the API behind it answer."""

    https: int
    http: int
    certificate: Path

    def get(
        self, path: str, here: str, *, direct: bool = False, **headers: str
    ) -> tuple[int, str, bytes]:
        """Status, id and body of a GET from an address of this machine."""
        source = (here, 0)
        if direct:
            conn = http.client.HTTPConnection("127.0.0.1", self.http, source_address=source)
        else:
            context = ssl.create_default_context(cafile=str(self.certificate))
            conn = http.client.HTTPSConnection(
                "127.0.0.1", self.https, source_address=source, context=context
            )
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        conn.request("GET", path, headers=sent)
        answer = conn.getresponse()
        return answer.status, answer.headers["X-Request-Id"], answer.read()


def nginx(folder: Path, port: int, behind: int) -> list[str]:
    """The command that runs docs/nginx.conf here."""
    ours = put_here("nginx.conf", folder, port, behind, name=f"127.0.0.1:{port}")
    own = f"access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;"
    conf = folder / "nginx.conf"
    conf.write_text(f"events {{}} http {{ {own}\n{ours} }}")
    options = ["-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")]
    return ["nginx", *options, "-g", f"daemon off; pid {folder}/nginx.pid;"]


def caddy(folder: Path, port: int, behind: int) -> list[str]:
    """The command that runs docs/Caddyfile here, with our certificate instead of one of its own."""
    ours = put_here("Caddyfile", folder, port, behind, name=f"https://127.0.0.1:{port}")
    given = f"tls {folder}/cert.pem {folder}/key.pem\n"
    first, rest = ours.split(" {\n", 1)
    conf = folder / "Caddyfile"
    conf.write_text(f"{{\nadmin off\nauto_https off\n}}\n{first} {{\n{given}{rest}")
    return ["caddy", "run", "--config", str(conf), "--adapter", "caddyfile"]


def put_here(file: str, folder: Path, port: int, behind: int, *, name: str) -> str:
    """A file of docs/ with this machine's name, certificate and addresses."""
    text = (a.CLONE / "docs" / file).read_text(encoding="utf-8")
    changes = {"127.0.0.1:8000": f"127.0.0.1:{behind}"}
    if file == "nginx.conf":
        changes |= {"listen 443": f"listen {name}", "/etc/ssl/leads": str(folder)}
    else:
        changes |= {"leads.exemplo.com.br {": f"{name} {{"}
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda proxy: proxy.__name__)
def served(
    api: Api,
    warehouse: a.Warehouse,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Served]:
    """`api servir` behind a proxy, each in a process of its own; api made the roles and users."""
    if not shutil.which(name := request.param.__name__, path=WHERE):
        pytest.skip(f"sem {name} nesta máquina")
    folder = tmp_path_factory.mktemp(name)
    folder.chmod(0o755)
    certificate, port = folder / "cert.pem", free()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(certificate)]
    made = ["openssl", "req", "-new", "-x509", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(made, check=True, capture_output=True)
    with api_server.served(api, warehouse, INTEL_API_PROXIES='["127.0.0.1"]') as behind:
        program, *options = request.param(folder, port, behind)
        env = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        command = [shutil.which(program, path=WHERE), *options]
        with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as proxy:
            try:
                wait(port, proxy)
                yield Served(port, behind, certificate)
            finally:
                proxy.terminate()


def ip_of(conn: psycopg.Connection, request_id: str) -> str:
    """The address that the audit has of a call; its row comes after the answer."""
    query = "select host(ip) from app.auditoria where pedido = %s"
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if found := conn.execute(query, [request_id]).fetchone():
            return found[0]
    raise AssertionError("not audited")


def test_a_call_over_tls_is_the_callers_own(
    served: Served, api: Api, conn: psycopg.Connection
) -> None:
    key = api.bearer("parceiro")
    status, number, body = served.get("/api/v1/mapas/leads", "127.0.0.5", **key)
    assert status == 200
    assert f'"https://127.0.0.1:{served.https}/api/v1/mapas/leads/'.encode() in body
    assert ip_of(conn, number) == "127.0.0.5"


def test_what_a_caller_says_of_itself_is_not_believed(
    served: Served, api: Api, conn: psycopg.Connection
) -> None:
    """Neither through the proxy, nor past it: an administrator's network is not to be feigned."""
    said = {**api.bearer("parceiro"), "X_Forwarded_For": "10.9.9.9"}
    _, number, _ = served.get("/api/v1/leads?limite=1", "127.0.0.6", **said)
    assert ip_of(conn, number) == "127.0.0.6"
    _, number, _ = served.get("/api/v1/leads?limite=1", "127.0.0.7", direct=True, **said)
    assert ip_of(conn, number) == "127.0.0.7"


def test_a_browsers_cookies_are_for_tls_alone(served: Served, api: Api) -> None:
    context = ssl.create_default_context(cafile=str(served.certificate))
    conn = http.client.HTTPSConnection("127.0.0.1", served.https, context=context)
    login = json.dumps({"nome": "comercial", "senha": PASSWORD})
    headers = {"Content-Type": "application/json", "X-Intel-Painel": "1"}
    conn.request("POST", "/api/v1/sessao", login, headers)
    answer = conn.getresponse()
    assert answer.status == 201
    assert answer.headers["Strict-Transport-Security"]
    assert all("Secure" in cookie for cookie in answer.headers.get_all("Set-Cookie"))


def test_without_tls_the_proxy_says_nothing_of_the_api(served: Served, api: Api) -> None:
    conn = http.client.HTTPConnection("127.0.0.1", served.https)
    conn.request("GET", "/api/v1/leads", headers=api.bearer("parceiro"))
    assert conn.getresponse().status == 400
