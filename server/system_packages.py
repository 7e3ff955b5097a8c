"""Packages of the operating system: installed when we may, else the one command to type is said.

Belongs here: apt, root and sudo. Not here: which packages, and why (the callers).
Standard library only: runs before the venv exists.
"""

import os
import shutil
import subprocess
import sys


class CannotInstall(Exception):
    """We may not install it here; the message is the command for the person to type."""


def run(*command: str) -> None:
    """Run a command as root, quietly.

    Raises:
        CannotInstall: it failed; the message is the end of what it said.
    """
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    full = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *command]
    print("+", *full, file=sys.stderr, flush=True)
    done = subprocess.run(full, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-15:])
        raise CannotInstall(f"isto falhou: {' '.join(full)}\n{said}")


def is_known(package: str) -> bool:
    """Whether apt's lists, as they are on this machine, offer the package."""
    command = ["env", "LC_ALL=C", "apt-cache", "policy", package]
    shown = subprocess.run(command, capture_output=True, text=True)
    return "Candidate:" in shown.stdout and "Candidate: (none)" not in shown.stdout


def may_install() -> bool:
    """Whether apt is here and we are root, or sudo works without a password."""
    if not shutil.which("apt-get"):
        return False
    if os.geteuid() == 0:
        return True
    return bool(
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    )


def update_lists(*, packages: list[str]) -> None:
    """Fetch apt's lists when they lack one of the packages (a fresh container has none)."""
    if may_install() and not all(is_known(package) for package in packages):
        run("apt-get", "update", "-qq")


def install(packages: list[str], *, otherwise: str = "") -> None:
    """Install packages by apt.

    Args:
        packages: names as Debian and Ubuntu have them.
        otherwise: what to say on a system without apt.

    Raises:
        CannotInstall: no rights or no apt; the message names the command.
    """
    command = f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise CannotInstall(otherwise or f"instale o que o Debian chama de {' '.join(packages)}")
    if not may_install():
        raise CannotInstall(f"faltam direitos para instalar. Digite: {command}")
    update_lists(packages=packages)
    options = ("-o", "DPkg::Lock::Timeout=300")  # another apt may be at work on a fresh machine
    try:
        run("apt-get", *options, "install", "-y", "-qq", "--no-install-recommends", *packages)
    except CannotInstall:  # lists older than the archive name versions that are gone
        run("apt-get", "update", "-qq")
        run("apt-get", *options, "install", "-y", "-qq", "--no-install-recommends", *packages)
