"""The Superset that runs: its environment, its commands, starting and stopping it.

Belongs here: processes. Not here: what is imported (package.py), where it keeps it (place.py).
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bi.place import DATABASE, FOLDER, OWNER, address
from loaders import environment
from loaders.errors import LoadError

VENV = FOLDER / "venv" / "bin"
INSIDE = Path(__file__).resolve().parent / "inside"
PID, LOG, RUNS_AS = FOLDER / "superset.pid", FOLDER / "superset.log", FOLDER / "superset.env.md5"
HOST = "127.0.0.1"
PATIENCE_S = 120


class SupersetFailure(LoadError):
    """Superset did not do what it was asked; the message has its last words."""

    code = 5


def settings(secrets: Mapping[str, str], reader_password: str) -> dict[str, str]:
    """The environment of every process of Superset's: its own, and no PG* of the owner's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DAGSTER_", "DBT_"))}
    return kept | {
        "SUPERSET_CONFIG_PATH": str(INSIDE / "superset_config.py"),
        "SUPERSET_SECRET_KEY": secrets["SUPERSET_SECRET_KEY"],
        "INTEL_BI_METADATA": address(OWNER, secrets["SUPERSET_PASSWORD"], DATABASE),
        "BI_LEITOR_PASSWORD": reader_password,
        "SUPERSET_HOME": str(FOLDER / "home"),
        "FLASK_APP": "superset.app:create_app()",
        "SCARF_ANALYTICS": "false",
    }


def run(command: list[str | Path], env: Mapping[str, str], doing: str) -> str:
    """Run one of Superset's programs; its output.

    Raises:
        SupersetFailure: it failed.
    """
    done = subprocess.run([*map(str, command)], env=env, cwd=FOLDER, capture_output=True, text=True)
    if done.returncode:
        end = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise SupersetFailure(f"o Superset não conseguiu {doing}:\n{end}")
    return done.stdout


def sync(verb: str, folder: Path, env: Mapping[str, str]) -> dict[str, object]:
    """Import or export a package; what inside/sync.py says of it."""
    doing = {"import": "importar os painéis", "export": "exportar os painéis"}[verb]
    said = run([VENV / "python", INSIDE / "sync.py", verb, folder], env, doing)
    return json.loads(said.splitlines()[-1])


def port() -> int:
    """Where it answers."""
    return int(environment.setting("INTEL_BI_PORT", "8088"))


def url() -> str:
    """Its address."""
    return f"http://{HOST}:{port()}"


def pid() -> int | None:
    """The process that runs, None if there is none (or the number is another's by now)."""
    if not PID.exists():
        return None
    number = PID.read_text().strip()
    asked = subprocess.run(["ps", "-p", number, "-o", "args="], capture_output=True, text=True)
    return int(number) if str(VENV) in asked.stdout else None


def answers() -> bool:
    """Whether Superset answers there."""
    try:
        with urllib.request.urlopen(f"{url()}/health", timeout=5) as reply:
            return reply.read().strip() == b"OK"
    except (urllib.error.URLError, OSError):
        return False


def start(env: Mapping[str, str], mark: str) -> bool:
    """Have it run with these settings; whether it had to be started.

    Raises:
        SupersetFailure: it does not start, or the port is another's.
    """
    if pid() and RUNS_AS.exists() and RUNS_AS.read_text() == mark and answers():
        return False
    stop()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port()))
        except OSError:
            raise SupersetFailure(
                f"a porta {port()} está ocupada por outro programa: INTEL_BI_PORT=8089 make bi"
            ) from None
    command = [VENV / "gunicorn", "--bind", f"{HOST}:{port()}", "--worker-class", "gthread"]
    command += ["--workers", "2", "--threads", "8", "--timeout", "120", "--daemon"]
    command += ["--pid", PID, "--error-logfile", LOG, "--capture-output"]
    LOG.unlink(missing_ok=True)
    run([*command, "superset.app:create_app()"], env, "iniciar")
    begun = time.monotonic()
    while not answers():
        if time.monotonic() - begun > PATIENCE_S:
            stop()
            end = "\n".join(LOG.read_text().splitlines()[-12:]) if LOG.exists() else ""
            raise SupersetFailure(f"o Superset não respondeu em {PATIENCE_S} s; {LOG}:\n{end}")
        time.sleep(0.3)
    RUNS_AS.write_text(mark)
    return True


def stop() -> bool:
    """End it; False if it did not run."""
    number = pid()
    if number is None:
        return False
    os.kill(number, signal.SIGTERM)
    begun = time.monotonic()
    while pid() is not None:
        if time.monotonic() - begun > 30:
            os.kill(number, signal.SIGKILL)
        time.sleep(0.1)
    PID.unlink(missing_ok=True)
    return True
