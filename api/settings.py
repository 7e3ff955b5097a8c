"""What of the API an operator may choose, from INTEL_API_* variables or ``.env``.

Belongs here: settings, with the value that holds without one. Not here: the database's address
(PG*, loaders/environment.py).
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from loaders.environment import CLONE

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Settings(BaseSettings):
    """Settings of one server.

    Attributes:
        keys: the file of the private keys that sign access tokens; made when it is missing.
        admin_networks: where administrators may call from (SEC-05).
        access_minutes: life of an access token.
        session_days: life of a session; its refresh tokens end with it.
        connections: of each pool and worker.
        proxies: whose X-Forwarded-For and X-Forwarded-Proto are believed; of nobody else.
        reports: where reports are written (python -m reports --saida).
        panel: the files of the panel (make painel).
        backups: where backups are written (python -m server.backup create DEST).
        dagster_url: where the Dagster page answers; ``aneel/sync`` asks it for runs.
    """

    model_config = SettingsConfigDict(
        env_prefix="INTEL_API_", env_file=Path(CLONE) / ".env", extra="ignore"
    )

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    keys: Path = Path(CLONE) / ".local" / "api" / "chaves.json"
    admin_networks: list[IPv4Network | IPv6Network] = list(LOOPBACK)
    access_minutes: int = 10
    session_days: int = 14
    connections: int = 8
    proxies: list[IPv4Network | IPv6Network] = []
    reports: Path = Path(CLONE) / "relatorios"
    panel: Path = Path(CLONE) / "web" / "dist"
    backups: Path = Path(CLONE) / ".local" / "backups"
    dagster_url: str = "http://127.0.0.1:3000"
