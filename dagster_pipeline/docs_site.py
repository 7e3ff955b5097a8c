"""The data dictionary as one page: dbt's docs of every table and column, readable without network.

Belongs here: making the file, and what is put into dbt's page: where each column comes from, the
docs for analysts. Not here: what it says (the yml beside each model, docs/,
dbt_project/models/_visao_geral.md). ``python -m dagster_pipeline.docs_site``
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_pipeline import lineage, manifest
from loaders import environment

CLONE = Path(environment.CLONE)
FOLDER = CLONE / ".local" / "docs"
PAGE = FOLDER / "index.html"
TARGET = manifest.target() / "docs"
PORT = 8080
ADDRESS = "INTEL_DICIONARIO"
"""Of the environment: where the page is served, for links to it from Dagster's."""

PAGES = ("glossary", "bi", "divergences")
"""Of docs/, in this order: dbt's page of the project shows them whole."""
OVERVIEW = "__intel_lead__"
"""How dbt's page calls the overview of one project: ``#!/overview/intel_lead``."""
PLACE = '"{}.JSON INLINE DATA"'
"""What dbt's own ``--static`` replaces in its page."""


WHOLE = (
    '<style>td[style*="ellipsis"]{white-space:normal!important;max-width:none!important}'
    'td[style*="ellipsis"]>span{white-space:pre-line}</style>'
)
"""dbt's page cuts a column's description after some words."""
WITHOUT = """<!doctype html><html lang="pt-BR"><meta charset="utf-8">
<meta http-equiv="refresh" content="5"><title>Dicionário de dados</title><p>{}</p></html>
"""
SOON = "O dicionário de dados está sendo feito; aparece aqui em um minuto."
FAILED = "O dicionário não pôde ser feito: make run, e depois make docs, que diz por quê."


class DocsError(Exception):
    """The page cannot be made; the message says what the person can do."""


def is_current() -> bool:
    """Whether the page is of the dbt project as it stands."""
    return PAGE.exists() and lineage.kept()[1] == manifest.fingerprint()


def promise(text: str = SOON) -> None:
    """Where there is no dictionary, a page that says why not."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not lineage.kept()[1] or not PAGE.exists():
        PAGE.write_text(WITHOUT.format(text), encoding="utf-8")


def generate(target: Path) -> None:
    """Run dbt, whose output the person sees only if it fails.

    Raises:
        DocsError: dbt failed; its last lines are in the message.
    """
    manifest.prepare()
    target.mkdir(parents=True, exist_ok=True)
    # As parsed: dbt reads all of it again where it finds none in its own folder.
    shutil.copy2(manifest.parsed() / "partial_parse.msgpack", target)
    dbt = Path(sys.executable).with_name("dbt")
    command = [str(dbt), "docs", "generate", "--target-path", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CLONE)
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-20:])
        raise DocsError(
            f"o dbt docs generate falhou; o banco está ligado e construído (make run)?\n{end}"
        )


def calls_home(nodes: Mapping[str, Any]) -> bool:
    """Whether the page would load a tracker: dbt's does when it may count its users."""
    return nodes["metadata"].get("send_anonymous_usage_stats") is not False


def add_pages(nodes: dict[str, Any], folder: Path) -> None:
    """The docs for analysts, as the overview of dbt's project; links among files become text."""
    texts = [(folder / f"{name}.md").read_text(encoding="utf-8") for name in PAGES]
    whole = re.sub(r"\[([^]]+)\]\((?!https?:|#!)[^)]*\)", r"\1", "\n\n".join(texts))
    nodes["docs"][f"doc.intel_lead.{OVERVIEW}"] = {
        **nodes["docs"]["doc.intel_lead.__overview__"],
        "name": OVERVIEW,
        "unique_id": f"doc.intel_lead.{OVERVIEW}",
        "block_contents": whole,
    }


def publish(nodes: Mapping[str, Any], catalog: Mapping[str, Any], empty: str, page: Path) -> None:
    """Put dbt's page in its place at once, with what it shows within it.

    Args:
        nodes: dbt's manifest.
        catalog: dbt's catalogue.
        empty: dbt's page, which would fetch both.
        page: where to.

    Raises:
        DocsError: the page would ask the network for something.
    """
    if calls_home(nodes):
        raise DocsError(
            "send_anonymous_usage_stats: false no dbt_project.yml: senão a página conta quem a lê"
        )
    for name, content in (("MANIFEST", nodes), ("CATALOG", catalog)):
        place = PLACE.format(name)
        if place not in empty:
            raise DocsError(
                f"a página do dbt já não tem {place}: veja dagster_pipeline/docs_site.py"
            )
        empty = empty.replace(place, json.dumps(content).replace("</", "<\\/"))
    whole = page.with_suffix(".new")
    whole.write_text(empty.replace("</head>", f"{WHOLE}</head>", 1), encoding="utf-8")
    whole.replace(page)


def main() -> None:
    """Make the page and say where it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    source = manifest.fingerprint()
    generate(TARGET)
    nodes = json.loads((TARGET / "manifest.json").read_text(encoding="utf-8"))
    catalog = json.loads((TARGET / "catalog.json").read_text(encoding="utf-8"))
    told, unread = lineage.of(nodes, catalog)
    for name, why in unread.items():
        print(f"{name}: de onde vêm as colunas não se lê no SQL ({why[:200]})")
    lineage.add_origins(nodes, told)
    add_pages(nodes, CLONE / "docs")
    publish(nodes, catalog, (TARGET / "index.html").read_text(encoding="utf-8"), PAGE)
    lineage.keep(told, source)
    print(f"dicionário de dados: abra {PAGE}")


if __name__ == "__main__":
    try:
        main()
    except DocsError as error:
        promise(FAILED)
        sys.exit(str(error))
