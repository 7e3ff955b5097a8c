"""An API under test on a warehouse of its module's own, with a user of each role.

Belongs here: making it, calling it. Not here: any claim.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import psycopg
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.auth import users
from api.auth.users import BY_KEY, NewUser, Role
from api.database import WRITER, connect_as
from api.observe import Observed
from api.settings import Settings
from server import roles
from tests.integration import warehouse as a

PASSWORD = secrets.token_urlsafe(18)
DEVICE = "aicss-sala"


@dataclass
class Api:
    """A running app, and who calls it."""

    app: Observed
    http: TestClient
    settings: Settings
    keys: dict[Role, str]
    _tokens: dict[str, str] = field(default_factory=dict)

    def log_in(self, name: str, password: str) -> httpx.Response:
        """The answer to a login."""
        return self.http.post("/api/v1/sessoes", json={"nome": name, "senha": password})

    def with_token(self, token: str, path: str = "/api/v1/leads?limite=1") -> httpx.Response:
        """A GET with this credential."""
        return self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    def bearer(self, role: str) -> dict[str, str]:
        """Headers of a caller of this role."""
        if role in self.keys:
            return {"Authorization": f"Bearer {self.keys[Role(role)]}"}
        if role not in self._tokens:
            self.reset_limits()
            self._tokens[role] = self.log_in(role, PASSWORD).json()["token_acesso"]
        return {"Authorization": f"Bearer {self._tokens[role]}"}

    def get(self, path: str, role: str = "leitor", **headers: str) -> httpx.Response:
        """A GET by a caller of this role."""
        return self.http.get(path, headers={**self.bearer(role), **headers})

    def delete(self, path: str, role: str) -> httpx.Response:
        """A DELETE by a caller of this role."""
        return self.http.delete(path, headers=self.bearer(role))

    def reset_limits(self) -> None:
        """Logins are counted from none again."""
        with self.writing() as conn:
            conn.execute("delete from app.tentativa")

    def forget_logins(self) -> None:
        """Whoever was logged in logs in again."""
        self._tokens.clear()

    @contextmanager
    def writing(self) -> Iterator[psycopg.Connection]:
        """A connection with the rights that the API has in schema app."""
        with connect_as(WRITER) as conn:
            yield conn


@contextmanager
def running(warehouse: a.Warehouse, folder: Path) -> Iterator[Api]:
    """The API on this warehouse, by the database's roles, which go afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
        with warehouse.connect() as conn:
            roles.create_all(conn)
        settings = Settings(
            keys=folder / "chaves.json", connections=4, panel=folder / "nenhum", _env_file=None
        )
        app = create_app(settings)
        keys = {}
        with connect_as(WRITER) as conn:
            for role in Role:
                by_key = role in BY_KEY
                device = DEVICE if role is Role.DEVICE else None
                users.create(conn, NewUser(role, role, None if by_key else PASSWORD, device))
                if by_key:
                    keys[role] = users.new_key(conn, role)
        with TestClient(app, client=("127.0.0.1", 50000), raise_server_exceptions=False) as http:
            yield Api(app, http, settings, keys)
        # They are the whole server's, and other modules find out what there is without them.
        done = CliRunner().invoke(roles.app, ["drop"])
        if "deadlock" in done.output:  # with autovacuum
            done = CliRunner().invoke(roles.app, ["drop"])
        assert done.exit_code == 0, done.output
