"""The Python environment: ``.venv`` with exactly requirements.lock, and the clone on its path.

Belongs here: making .venv and knowing when it is up to date. Not here: what is in it
(pyproject.toml, requirements.in), what its python does at start-up (loaders/environment.py).
Standard library only.
"""

import fcntl
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from server import system_packages

CLONE = Path(__file__).resolve().parent.parent
VENV = CLONE / ".venv"
LOCK = CLONE / "requirements.lock"
STAMP = VENV / "intel-lead.stamp"

# The clone itself instead of an editable install: nothing to build, and the folder may be moved.
# The second line fills PG*, DAGSTER_HOME and DBT_* at every start of this python.
PTH = "../../../..\nimport loaders.environment; loaders.environment.at_startup()\n"


def stamp() -> str:
    """What .venv must have been made from to be up to date."""
    return hashlib.sha256(LOCK.read_bytes() + PTH.encode()).hexdigest()


def is_current() -> bool:
    """Whether .venv is whole, of this lock, and its python still starts."""
    python = VENV / "bin" / "python"
    return python.exists() and STAMP.exists() and STAMP.read_text() == stamp()


def run(*command: str | Path) -> bool:
    """Run a command, its output on stderr; whether it succeeded."""
    return subprocess.run([*map(str, command)], stdout=sys.stderr, cwd=CLONE).returncode == 0


def make_venv() -> None:
    """Make an empty .venv with pip; the distribution's python may lack the modules for it."""
    probe = [sys.executable, "-c", "import venv, ensurepip"]
    if subprocess.run(probe, capture_output=True).returncode:
        system_packages.install(["python3-venv"])
    if not run(sys.executable, "-m", "venv", "--clear", VENV):
        sys.exit("python3 -m venv falhou (acima). O disco encheu, ou .venv é de outro?")


def install() -> None:
    """Install the lock: uv first, by pip and from the lock itself, then everything by uv.

    uv takes 2–5 s where pip takes 40 s with nothing to do. It does not read pip's configuration,
    though: on a machine whose mirror is named only there, pip does the work.
    """
    python = VENV / "bin" / "python"
    pinned = re.search(r"^uv==[^\\\n]*(?:\\\n[^\\\n]*)*", LOCK.read_text(), re.MULTILINE)
    if not pinned:
        sys.exit("requirements.lock não fixa o uv: rode `make lock`")
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(pinned.group())
        by_pip = (python, "-m", "pip", "install", "-qq", "--require-hashes", "-r")
        if not run(*by_pip, only_uv):
            sys.exit("o pip não instalou o uv (acima): sem rede, ou sem índice de pacotes?")
    by_uv = (VENV / "bin" / "uv", "pip", "install", "-q", "--python", python, "--require-hashes")
    if not run(*by_uv, "-r", LOCK):
        print(
            "o uv não conseguiu; tenta-se o pip, que conhece os espelhos desta máquina.",
            file=sys.stderr,
        )
        if not run(*by_pip, LOCK):
            sys.exit("nem o uv nem o pip instalaram requirements.lock (acima)")


def add_pth() -> None:
    """Put the clone on the environment's path and its database in the environment."""
    site = next((VENV / "lib").glob("python3*/site-packages"))
    (site / "intel_lead.pth").write_text(PTH)


def main() -> None:
    """Make .venv when it is absent, broken, or not of this lock."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the system's python runs this
        sys.exit(f"python3 é {sys.version.split()[0]}, e deve ser 3.11 ou mais: make PYTHON=…")
    (CLONE / ".local").mkdir(exist_ok=True)
    with (CLONE / ".local" / "venv.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if is_current():
            return
        print("instalando .venv, como requirements.lock diz …", file=sys.stderr)
        make_venv()
        install()
        add_pth()
        STAMP.write_text(stamp())


if __name__ == "__main__":
    try:
        main()
    except system_packages.CannotInstall as error:
        sys.exit(f".venv: {error}")
