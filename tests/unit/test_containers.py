"""compose.yaml, its image and its code server, as far as they can be judged without an engine.

Not here: starting them. What was run outside containers instead: docs/runbook.md, In containers.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CLONE = Path(__file__).resolve().parents[2]
TEXT = (CLONE / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = "preparo"
"""Ends when it is done: the others wait for that."""
IMAGE = (CLONE / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (CLONE / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_everything_that_the_warehouse_has_is_a_service() -> None:
    assert set(SERVICES) == {"db", ONCE, "codigo", "dagster", "daemon", "api", "docs"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_says_whether_it_is_well_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    if name == ONCE:
        assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    waits = {n: how["condition"] for n, how in service.get("depends_on", {}).items()}
    assert all(
        how == ("service_completed_successfully" if n == ONCE else "service_healthy")
        for n, how in waits.items()
    )
    assert waits or name == "db"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_nobodys_root_and_is_reached_from_this_machine_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user") == "postgres" if name == "db" else "user" not in service
    assert not service.get("privileged")
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+:[?-].+\}:\d+", port)


def test_the_image_ends_as_an_unprivileged_user_and_brings_no_secret() -> None:
    assert re.findall(r"^USER (\S+)$", IMAGE, re.MULTILINE) == ["10001"]
    assert not re.search(r"(?i)(password|secret|token)\S*=", IMAGE)
    assert {".env", ".git", ".local", ".venv"} <= set(IGNORED)
    assert "ADD " not in IMAGE
    assert "curl" not in IMAGE


def test_no_secret_stands_in_the_file_and_none_has_a_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            if "PASSWORD" in variable:
                assert re.fullmatch(r"\$\{PGPASSWORD:\?[^}]+\}", value), (name, variable)
    assert "PASSWORD:-" not in TEXT


def test_every_volume_is_declared_and_what_is_kept_is_in_one() -> None:
    used = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])
    inside = {v.split(":")[1] for v in SERVICES["codigo"]["volumes"]}
    assert inside == {"/srv/intel-lead/.local", "/srv/intel-lead/relatorios"}
    assert "WORKDIR /srv/intel-lead\n" in IMAGE


def test_page_and_daemon_load_the_code_server_where_it_listens() -> None:
    workspace = yaml.safe_load((CLONE / "workspace.compose.yaml").read_text())
    (server,) = (entry["grpc_server"] for entry in workspace["load_from"])
    (clones,) = (
        entry["python_module"]
        for entry in yaml.safe_load((CLONE / "workspace.yaml").read_text())["load_from"]
    )
    command = SERVICES[server["host"]]["command"]
    options = dict(zip(command[3::2], command[4::2], strict=True))
    assert options["-p"] == str(server["port"])
    assert options["-m"] == clones["module_name"]
    assert options["--location-name"] == server["location_name"] == clones["location_name"]
    for name in ("dagster", "daemon"):
        assert SERVICES[name]["command"][-2:] == ["--workspace", "workspace.compose.yaml"]


PROGRAMS = [
    command
    for service in SERVICES.values()
    for command in re.findall(r"python -m ([a-z_.]+(?: [a-z]+)?)", " ".join(service["command"]))
]


@pytest.mark.parametrize("command", sorted(set(PROGRAMS)))
def test_what_a_container_runs_is_there(command: str) -> None:
    """Each is asked for its help, where it has one."""
    module, *subcommand = command.split()
    assert importlib.util.find_spec(module)
    if subcommand:
        asked = [sys.executable, "-m", module, *subcommand, "--help"]
        done = subprocess.run(asked, cwd=CLONE, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    assert hadolint.exists()
    done = subprocess.run([hadolint, "Dockerfile"], cwd=CLONE, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="sem docker compose nesta máquina",
)
def test_compose_itself_takes_the_file() -> None:
    env = {"PGUSER": "u", "PGPASSWORD": "p", "PGDATABASE": "d", "PGPORT": "5"}
    asked = ["docker", "compose", "-f", "compose.yaml", "config", "--no-env-resolution", "-q"]
    done = subprocess.run(asked, cwd=CLONE, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
