"""The clone's parts as systemd's services, so that they come back after a crash and a reboot.

Belongs here: units, writing and taking them away. Not here: what a service runs, containers
(compose.yaml), standby servers (docs/standby.md).
``python -m server.services [--usuario NOME] [--mqtt "broker:8883 --tls"] [--ensaio] [--ativar]
[--remover]``, as root; exit 0 done, 2 usage, 3 somebody else's unit, or no right to write there,
5 systemctl refused.
"""

import os
import pwd
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from loaders import environment, usage
from loaders.errors import InvalidInput, LoadError
from server import heartbeat
from server.binaries import find_binaries
from server.clusters import HOME

CLONE = Path(environment.CLONE)
PYTHON = CLONE / ".venv" / "bin" / "python"
UNITS = Path("/etc/systemd/system")
TARGET = "intel-lead.target"
OF_CLONE = f"# Do clone {CLONE}; make servico escreve, make servico REMOVER=1 apaga."
"""First line of each of our units: whose it is."""

HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=full
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
UMask=0027
"""
"""Nothing here needs more. Not MemoryDenyWriteExecute: numba compiles forecasts while they run;
not ProtectHome, ProtectSystem=strict: clone, inbox and backups may stand anywhere."""

app = usage.App()


class SystemctlRefused(LoadError):
    """The units are there, and systemd did not do with them what was asked."""

    code = 5


def quoted(*words: str | Path) -> str:
    """A command as ExecStart takes it: % and $ mean something to systemd."""
    text = shlex.join(map(str, words))
    return text.replace("%", "%%").replace("$", "$$")


def service(title: str, command: str, user: str, *, after: str, more: str = "") -> str:
    """A service that is started again whenever it ends."""
    return f"""\
{OF_CLONE}
[Unit]
Description=intel-lead: {title}
PartOf={TARGET}
Wants=network-online.target
After=network-online.target {after}
StartLimitIntervalSec=0

[Service]
User={user}
WorkingDirectory={str(CLONE).replace("%", "%%")}
EnvironmentFile=-{str(CLONE).replace("%", "%%")}/.env
ExecStart={command}
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=90
{more}{HARDENING}
[Install]
WantedBy={TARGET}
"""


def database() -> str:
    """The clone's own PostgreSQL, as the owner of its folder."""
    folder = HOME.resolve()
    version = folder / "data" / "PG_VERSION"
    installed = find_binaries(major=int(version.read_text())) if version.exists() else None
    if not installed:
        raise InvalidInput("o PostgreSQL deste clone ainda não está aqui: antes, make db")
    pg_ctl = installed.tool("pg_ctl")
    data = ["-D", folder / "data"]
    start = quoted(pg_ctl, "start", *data, "-l", folder / "start.log", "-w", "-s", "-t", "600")
    more = f"""\
Type=forking
PIDFile={folder}/data/postmaster.pid
ExecStop={quoted(pg_ctl, "stop", *data, "-m", "fast", "-w", "-s", "-t", "80")}
TimeoutStartSec=610
"""
    text = service("PostgreSQL do clone", start, folder.owner(), after="", more=more)
    # Its user may not enter a private clone, and wants nothing of it.
    kept = [line for line in text.splitlines() if not line.startswith(("Working", "Environment"))]
    return "\n".join(kept) + "\n"


def units(user: str, *, mqtt: str = "", env: Mapping[str, str]) -> dict[str, str]:
    """Unit's file name → its text.

    Args:
        user: who runs the services; not root.
        mqtt: what `loaders aicss-mqtt` is to be told; without it there is no such service.
        env: the environment and .env, which say what is configured.
    """
    own = not environment.users_server(env)
    after = "intel-lead-postgres.service" if own else ""
    run = [PYTHON, "-m"]
    found = {
        TARGET: f"{OF_CLONE}\n[Unit]\nDescription=intel-lead\n\n"
        "[Install]\nWantedBy=multi-user.target\n",
        "intel-lead-dagster.service": service(
            "página do Dagster",
            quoted(*run, "dagster_pipeline.service", "page"),
            user,
            after=after,
        ),
        "intel-lead-daemon.service": service(
            "agendas e sensores do Dagster",
            quoted(*run, "dagster_pipeline.service", "daemon"),
            user,
            after=after,
        ),
        "intel-lead-api.service": service(
            "API e painel", quoted(*run, "api", "servir"), user, after=after
        ),
    }
    if own:
        found[after] = database()
    if mqtt:
        command = quoted(*run, "loaders", "aicss-mqtt", *shlex.split(mqtt))
        found["intel-lead-mqtt.service"] = service("leituras por MQTT", command, user, after=after)
    if env.get(heartbeat.VARIABLE):
        found |= _heartbeat(user, after)
    return found


def _heartbeat(user: str, after: str) -> dict[str, str]:
    command = quoted(PYTHON, "-m", "server.heartbeat")
    text = service("sinal de vida", command, user, after=after, more="Type=oneshot\n")
    text = text.replace("Restart=always\nRestartSec=5\n", "").partition("[Install]")[0]
    timer = f"""\
{OF_CLONE}
[Unit]
Description=intel-lead: sinal de vida de cinco em cinco minutos
PartOf={TARGET}

[Timer]
OnActiveSec=1min
OnUnitActiveSec=5min

[Install]
WantedBy={TARGET}
"""
    return {"intel-lead-pulso.service": text.rstrip() + "\n", "intel-lead-pulso.timer": timer}


def chosen_user(name: str | None) -> str:
    """Who runs the services: who was named, or the clone's owner.

    Raises:
        InvalidInput: nobody of that name, or root.
    """
    owner = CLONE.owner()
    user = name or owner
    try:
        number = pwd.getpwnam(user).pw_uid
    except KeyError:
        raise InvalidInput(
            f"não há usuário {user} nesta máquina: useradd --system {user}"
        ) from None
    if number == 0:
        raise InvalidInput(
            "serviços não rodam como root: o clone e .local devem ser de um usuário comum"
            f" (useradd --system --create-home intel; chown -R intel: {CLONE}), ou USUARIO=nome"
        )
    if user != owner:
        sys.stderr.write(
            f"serviços: o clone é de {owner}; {user} precisa poder lê-lo e escrever em .local\n"
        )
    return user


def ours(folder: Path) -> list[Path]:
    """This clone's units in a folder."""
    found = (path for path in folder.glob("intel-lead*") if path.suffix != ".wants")
    return sorted(path for path in found if _is_ours(path))


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8").startswith(f"{OF_CLONE}\n")


def install(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the units, and delete those of ours that are wanted no more.

    Raises:
        InvalidInput: one of that name is another clone's; nothing is written.
    """
    foreign = [n for n in texts if (folder / n).exists() and not _is_ours(folder / n)]
    if foreign:
        raise InvalidInput(
            f"{folder / foreign[0]} é de outro clone ou de outra mão: nada foi escrito"
        )
    for path in ours(folder):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        beside = folder / f".{name}.new"
        beside.write_text(text, encoding="utf-8")
        beside.chmod(0o644)
        beside.replace(folder / name)


def systemctl(*arguments: str) -> None:
    """Ask systemd.

    Raises:
        SystemctlRefused: it is not this machine's init, or says no.
    """
    command = ["systemctl", *arguments]
    if not Path("/run/systemd/system").is_dir():
        raise SystemctlRefused(f"o systemd não roda aqui; onde rodar: {shlex.join(command)}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemctlRefused(f"{shlex.join(command)}: {done.stderr.strip()}")


def _remove(folder: Path) -> None:
    found = ours(folder)
    if not found:
        typer.echo(f"nenhum serviço deste clone em {folder}")
        return
    names = [path.name for path in found]
    trouble = ""
    try:
        systemctl("disable", "--now", *names)
    except SystemctlRefused as error:
        trouble = str(error)
    for path in found:
        path.unlink()
    typer.echo("\n".join(f"apagada {path}" for path in found))
    if trouble:
        raise SystemctlRefused(trouble)
    systemctl("daemon-reload")


def _write(folder: Path, texts: Mapping[str, str], *, enable: bool) -> None:
    install(folder, texts)
    typer.echo("\n".join(f"escrita {folder / name}" for name in texts))
    if "intel-lead-pulso.timer" not in texts:
        typer.echo(f"sem {heartbeat.VARIABLE} em .env: nenhum sinal de vida para fora")
    enabling = ("enable", "--now", *(name for name in texts if name != "intel-lead-pulso.service"))
    if enable:
        systemctl("daemon-reload")
        systemctl(*enabling)
        typer.echo("ligados, agora e depois de cada partida: systemctl status 'intel-lead*'")
        return
    typer.echo(
        "nada foi ligado. Para ligar, agora e depois de cada partida:\n"
        f"  sudo systemctl daemon-reload && sudo systemctl {' '.join(enabling)}\n"
        "ou sudo make servico ATIVAR=1. Para tirar: sudo make servico REMOVER=1"
    )


@app.command(
    help="Escreve serviços do systemd: página e daemon do Dagster, API, PostgreSQL do clone, MQTT,"
    " sinal de vida. Saída: 0 feito, 2 uso, 3 nada escrito, 5 o systemd recusou."
)
def services(
    *,
    user: Annotated[
        str | None, typer.Option("--usuario", help="Quem os roda; sem ela, o dono do clone.")
    ] = None,
    mqtt: Annotated[
        str,
        typer.Option("--mqtt", metavar='"SERVIDOR OPÇÕES"', help="O que aicss-mqtt deve ouvir."),
    ] = "",
    folder: Annotated[
        Path, typer.Option("--destino", exists=True, file_okay=False, help="Pasta das unidades.")
    ] = UNITS,
    dry_run: Annotated[
        bool, typer.Option("--ensaio", help="Mostra as unidades; não escreve nada.")
    ] = False,
    enable: Annotated[bool, typer.Option("--ativar", help="Liga-os também.")] = False,
    remove: Annotated[
        bool, typer.Option("--remover", help="Desliga e apaga os deste clone.")
    ] = False,
) -> None:
    """Write systemd's units of this clone."""
    known = environment.read_file(environment.USER_FILE) | dict(os.environ)
    try:
        if remove:
            _remove(folder)
            return
        texts = units(chosen_user(user), mqtt=mqtt, env=known)
        if dry_run:
            typer.echo("\n".join(f"# {folder / name}\n{text}" for name, text in texts.items()))
            return
        _write(folder, texts, enable=enable)
    except LoadError as error:
        sys.stderr.write(f"serviços: {error}\n")
        raise typer.Exit(error.code) from None
    except PermissionError as error:
        sys.stderr.write(f"serviços: sem direito de escrever {error.filename}: sudo make servico\n")
        raise typer.Exit(3) from None


if __name__ == "__main__":
    usage.run(app)
