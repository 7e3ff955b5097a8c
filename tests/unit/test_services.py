"""Units of systemd: what they are, whose they are, that nothing is switched on by itself.

systemd does not run where tests do: its own checker judges the units; the commands in them are run
by test_services_run.py.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server import clusters, services

OWN = "intel-lead-postgres.service"
ALWAYS = {"intel-lead.target", "intel-lead-dagster.service", "intel-lead-daemon.service"}
ALWAYS |= {"intel-lead-api.service"}


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server of the user's; nobody's .env."""
    monkeypatch.setattr(services.environment, "USER_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@db.example/lead")
    (tmp_path / "units").mkdir()
    return tmp_path / "units"


def run(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
    given = ["--destino", str(folder), "--usuario", "daemon", *arguments]
    return CliRunner().invoke(services.app, given, env=dict(env or {}))


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def full(folder: Path) -> dict[str, str]:
    env = {"INTEL_PULSO_URL": "https://pulso.example/segredo"}
    done = run(folder, "--mqtt", "broker:8883 --tls --topico 'a b/#'", env=env)
    assert done.exit_code == 0, done.output
    return written(folder)


def test_it_writes_what_is_configured_and_enables_nothing(clone: Path) -> None:
    done = run(clone)
    assert done.exit_code == 0, done.output
    assert set(written(clone)) == ALWAYS
    assert "nada foi ligado" in done.output
    assert "systemctl enable --now intel-lead.target" in done.output
    assert "REMOVER=1" in done.output
    assert set(full(clone)) - ALWAYS == {
        "intel-lead-mqtt.service",
        "intel-lead-pulso.service",
        "intel-lead-pulso.timer",
    }
    # What is configured no more goes.
    assert run(clone).exit_code == 0
    assert set(written(clone)) == ALWAYS


def test_every_service_comes_back_is_nobodys_root_and_may_do_little(clone: Path) -> None:
    for name, text in full(clone).items():
        assert "segredo" not in text
        if not name.endswith(".service"):
            continue
        assert re.findall("^User=(.*)$", text, re.MULTILINE) == ["daemon"]
        assert services.HARDENING in text
        if name != "intel-lead-pulso.service":  # its timer comes back
            assert "\nRestart=always\n" in text
            assert "\nStartLimitIntervalSec=0\n" in text
            assert text.endswith("[Install]\nWantedBy=intel-lead.target\n")
    assert "WantedBy=multi-user.target" in written(clone)["intel-lead.target"]
    assert "WantedBy=intel-lead.target" in written(clone)["intel-lead-pulso.timer"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="sem systemd-analyze: apt-get install systemd"
)
def test_systemds_own_checker_finds_nothing(clone: Path) -> None:
    units = [str(clone / name) for name in full(clone)]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    # It does notice: a command that is not there.
    path = clone / "intel-lead-api.service"
    path.write_text(path.read_text().replace("ExecStart=/", "ExecStart=/nowhere/"))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
    assert "/nowhere/" in done.stderr


def test_the_clones_own_postgresql_is_a_service_of_its_owners(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cluster"
    (folder / "data").mkdir(parents=True)
    monkeypatch.setattr(services, "HOME", folder)
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("PGHOST")
    refused = run(clone)
    assert (refused.exit_code, written(clone)) == (3, {})
    assert "antes, make db" in refused.output
    installed = clusters.find_binaries() or pytest.skip("sem PostgreSQL: make db o instala")
    (folder / "data" / "PG_VERSION").write_text(f"{installed.major}\n")
    assert run(clone).exit_code == 0
    text = written(clone)[OWN]
    assert f"\nUser={folder.owner()}\n" in text
    assert f"\nPIDFile={folder}/data/postmaster.pid\n" in text
    assert "EnvironmentFile" not in text
    assert f"After=network-online.target {OWN}" in written(clone)["intel-lead-api.service"]


@pytest.mark.parametrize(("user", "said"), [("root", "como root"), ("ninguem-9", "não há usuário")])
def test_root_and_nobody_run_no_service(clone: Path, user: str, said: str) -> None:
    done = run(clone, "--usuario", user)
    assert (done.exit_code, written(clone)) == (3, {})
    assert said in done.output


def test_a_dry_run_shows_and_writes_nothing(clone: Path) -> None:
    done = run(clone, "--ensaio")
    assert (done.exit_code, written(clone)) == (0, {})
    assert "[Service]" in done.output


def test_another_clones_units_are_neither_replaced_nor_taken_away(clone: Path) -> None:
    theirs = clone / "intel-lead-api.service"
    theirs.write_text("# Do clone /srv/outro; make servico escreve.\n[Unit]\n")
    done = run(clone)
    assert (done.exit_code, set(written(clone))) == (3, {theirs.name})
    assert "é de outro clone" in done.output
    assert "nenhum serviço deste clone" in run(clone, "--remover").output
    assert set(written(clone)) == {theirs.name}


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="o systemd roda aqui")
def test_without_systemd_they_are_written_and_taken_away_and_it_says_what_was_not_done(
    clone: Path,
) -> None:
    done = run(clone, "--ativar")
    assert (done.exit_code, set(written(clone))) == (5, ALWAYS)
    assert "o systemd não roda aqui" in done.output
    done = run(clone, "--remover")
    assert (done.exit_code, written(clone)) == (5, {})
    assert "systemctl disable --now" in done.output
