"""The tables of docs/api.md that the code knows: routes, refusals.

Belongs here: writing them (``python -m api referencia``). Not here: the page's prose.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api import problems
from loaders.environment import CLONE

PAGE = Path(CLONE) / "docs" / "api.md"


def routes(spec: Mapping[str, Any]) -> str:
    """A row per route of an OpenAPI document."""
    rows = ["| | rota, depois de `/api/v1` | o quê |", "|---|---|---|"]
    for path, methods in spec["paths"].items():
        for method, route in methods.items():
            place = path.removeprefix("/api/v1")
            rows.append(f"| {method.upper()} | `{place}` | {route['summary']} |")
    return "\n".join(rows)


def refusals() -> str:
    """A row per kind of refusal."""
    rows = ["| status | `type`, depois de `urn:intel-lead:problema:` | remédio |", "|---|---|---|"]
    kinds = [kind for kind in vars(problems).values() if isinstance(kind, problems.Kind)]
    for kind in sorted(kinds, key=lambda k: k.status):
        rows.append(f"| {kind.status} | `{kind.name}` | {kind.remedy} |")
    return "\n".join(rows)


def written(page: str, spec: Mapping[str, Any]) -> str:
    """The page with both tables as they are now."""
    for heading, table in (("As rotas", routes(spec)), ("Recusas", refusals())):
        begin = re.search(rf"^## {heading}\n", page, re.MULTILINE)
        old = re.compile(r"(^\|.*\n)+", re.MULTILINE).search(page, begin.end())
        page = page[: old.start()] + table + "\n" + page[old.end() :]
    return page
