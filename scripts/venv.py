"""The Python environments, each with exactly what a lock says: ``.venv``, and Superset's.

Belongs here: making one and knowing when it is up to date. Not here: what is in it
(pyproject.toml, requirements.in, bi/requirements.in), what .venv's python does at start-up
(loaders/environment.py). ``python3 -m scripts.venv [bi]``. Standard library only.
"""

import fcntl
import hashlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from server import system_packages

CLONE = Path(__file__).resolve().parent.parent

# The clone itself instead of an editable install: nothing to build, and the folder may be moved.
# The second line fills PG*, DAGSTER_HOME and DBT_* at every start of this python.
PTH = "../../../..\nimport loaders.environment; loaders.environment.at_startup()\n"


@dataclass(frozen=True)
class Venv:
    """An environment.

    Attributes:
        name: its folder, from the clone.
        lock: what is in it, from the clone.
        pth: lines that its python runs at every start.
        lacking: make's command that resolves the lock again.
    """

    name: str
    lock: str
    pth: str
    lacking: str

    @property
    def folder(self) -> Path:
        """Where it is."""
        return CLONE / self.name

    @property
    def python(self) -> Path:
        """Its python."""
        return self.folder / "bin" / "python"

    def stamp(self) -> str:
        """What it must have been made from to be up to date."""
        return hashlib.sha256((CLONE / self.lock).read_bytes() + self.pth.encode()).hexdigest()

    def is_current(self) -> bool:
        """Whether it is whole, of this lock, and its python still starts."""
        stamp = self.folder / STAMP
        return self.python.exists() and stamp.exists() and stamp.read_text() == self.stamp()


STAMP = "intel-lead.stamp"
OURS = Venv(".venv", "requirements.lock", PTH, "make lock")
BI = Venv(".local/bi/venv", "bi/requirements.lock", "", "make bi-lock")


def run(*command: str | Path) -> bool:
    """Run a command, its output on stderr; whether it succeeded."""
    return subprocess.run([*map(str, command)], stdout=sys.stderr, cwd=CLONE).returncode == 0


def make_venv(venv: Venv) -> None:
    """Make an empty environment with pip; the distribution's python may lack the modules for it."""
    probe = [sys.executable, "-c", "import venv, ensurepip"]
    if subprocess.run(probe, capture_output=True).returncode:
        system_packages.install(["python3-venv"])
    if not run(sys.executable, "-m", "venv", "--clear", venv.folder):
        sys.exit(
            f"python3 -m venv falhou (acima). O disco encheu, ou {venv.name} é de outro usuário?"
        )


def install(venv: Venv) -> None:
    """Install the lock: uv first, by pip and from the lock itself, then everything by uv.

    uv takes 2–5 s where pip takes 40 s with nothing to do. It does not read pip's configuration,
    though: on a machine whose mirror is named only there, pip does the work.
    """
    lock = CLONE / venv.lock
    pinned = re.search(r"^uv==[^\\\n]*(?:\\\n[^\\\n]*)*", lock.read_text(), re.MULTILINE)
    if not pinned:
        sys.exit(f"{venv.lock} não fixa o uv: rode `{venv.lacking}`")
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(pinned.group())
        by_pip = (venv.python, "-m", "pip", "install", "-qq", "--require-hashes", "-r")
        if not run(*by_pip, only_uv):
            sys.exit("o pip não instalou o uv (acima): sem rede, ou sem índice de pacotes?")
    uv = venv.folder / "bin" / "uv"
    by_uv = (uv, "pip", "install", "-q", "--python", venv.python, "--require-hashes")
    if not run(*by_uv, "-r", lock):
        print(
            "o uv não conseguiu; tenta-se o pip, que conhece os espelhos desta máquina.",
            file=sys.stderr,
        )
        if not run(*by_pip, lock):
            sys.exit(f"nem o uv nem o pip instalaram {venv.lock} (acima)")


def add_pth(venv: Venv) -> None:
    """Put the clone on the environment's path and its database in the environment."""
    site = next((venv.folder / "lib").glob("python3*/site-packages"))
    (site / "intel_lead.pth").write_text(venv.pth)


def main(venv: Venv) -> None:
    """Make an environment when it is absent, broken, or not of its lock."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the system's python runs this
        sys.exit(f"python3 é {sys.version.split()[0]}, e deve ser 3.11 ou mais: make PYTHON=…")
    (CLONE / ".local").mkdir(exist_ok=True)
    with (CLONE / ".local" / "venv.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if venv.is_current():
            return
        print(f"instalando {venv.name}, como {venv.lock} diz …", file=sys.stderr)
        make_venv(venv)
        install(venv)
        add_pth(venv)
        (venv.folder / STAMP).write_text(venv.stamp())


if __name__ == "__main__":
    try:
        main(BI if sys.argv[1:] == ["bi"] else OURS)
    except system_packages.CannotInstall as error:
        sys.exit(f".venv: {error}")
