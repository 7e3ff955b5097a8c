"""The data dictionary as one page: dbt's docs of every table and column, readable without network.

Belongs here: making the file. Not here: what it says (the yml beside each model, and
dbt_project/models/_visao_geral.md). ``python -m scripts.docs_site``
"""

import json
import subprocess
import sys
from pathlib import Path

from loaders import environment

FOLDER = Path(environment.CLONE) / ".local" / "docs"
PAGE = FOLDER / "index.html"
TARGET = FOLDER / "target"


class DocsError(Exception):
    """The page cannot be made; the message says what the person can do."""


def generate(target: Path) -> None:
    """Run dbt, whose output the person sees only if it fails.

    Raises:
        DocsError: dbt failed; its last lines are in the message.
    """
    dbt = Path(sys.executable).with_name("dbt")
    command = [str(dbt), "docs", "generate", "--static", "--target-path", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=environment.CLONE)
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-20:])
        raise DocsError(f"dbt docs generate failed; is the database there (make db)?\n{end}")


def calls_home(manifest: dict) -> bool:
    """Whether the page would load a tracker: dbt's does when it may count its users."""
    return manifest["metadata"].get("send_anonymous_usage_stats") is not False


def publish(target: Path, page: Path) -> None:
    """Put dbt's page in its place at once.

    Raises:
        DocsError: the page would ask the network for something.
    """
    if calls_home(json.loads((target / "manifest.json").read_text(encoding="utf-8"))):
        raise DocsError("set send_anonymous_usage_stats: false in dbt_project.yml: the page tracks")
    (target / "static_index.html").replace(page)


def main() -> None:
    """Make the page and say where it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    generate(TARGET)
    publish(TARGET, PAGE)
    print(f"dicionário de dados: abra {PAGE}")


if __name__ == "__main__":
    try:
        main()
    except DocsError as error:
        sys.exit(str(error))
