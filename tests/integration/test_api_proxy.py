"""TLS by nginx before the API, with docs/nginx.conf: who called is known, and cannot be made up.

Not here: uvicorn's own certificate, which is uvicorn's business.
"""

import http.client
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
from tests.integration.api_client import Api
from tests.integration.api_server import free, wait

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    not (NGINX and shutil.which("openssl")), reason="sem nginx ou openssl nesta máquina"
)


@dataclass(frozen=True)
class Served:
    """Where nginx and the API behind it answer."""

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


@pytest.fixture(scope="module")
def served(
    api: Api, warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """`api servir` behind nginx, each in a process of its own; api made the roles and users."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    certificate, port = folder / "cert.pem", free()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(certificate)]
    made = ["openssl", "req", "-new", "-x509", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(made, check=True, capture_output=True)
    with api_server.served(api, warehouse, INTEL_API_PROXIES='["127.0.0.1"]') as behind:
        ours = (a.CLONE / "docs" / "nginx.conf").read_text(encoding="utf-8")
        for old, new in {
            "listen 443": f"listen 127.0.0.1:{port}",
            "127.0.0.1:8000": f"127.0.0.1:{behind}",
            "/etc/ssl/leads": str(folder),
        }.items():
            assert old in ours
            ours = ours.replace(old, new)
        conf = folder / "nginx.conf"
        own = f"access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;"
        conf.write_text(f"events {{}} http {{ {own}\n{ours} }}")
        options = ["-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")]
        options += ["-g", f"daemon off; pid {folder}/nginx.pid;"]
        with subprocess.Popen([NGINX, *options]) as proxy:
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


def test_without_tls_nginx_says_nothing_of_the_api(served: Served, api: Api) -> None:
    conn = http.client.HTTPConnection("127.0.0.1", served.https)
    conn.request("GET", "/api/v1/leads", headers=api.bearer("parceiro"))
    assert conn.getresponse().status == 400
