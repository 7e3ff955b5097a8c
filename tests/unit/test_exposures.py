"""dbt's exposures name what each room of the code reads of marts, no more and no less.

Not here: tables that people read by BI tools: nothing can look them up (docs/bi.md names them).
"""

import re
from pathlib import Path

import pytest
import yaml

CLONE = Path(__file__).resolve().parents[2]
MODELS = CLONE / "dbt_project" / "models"
ROOMS = {
    "api": "api",
    "paineis": "dashboards",
    "relatorios": "reports",
    "alertas": "alerts",
    "r": "loaders/exchange",
}


def marts() -> dict[str, str]:
    """Relation of schema marts → the model that makes it."""
    found = {}
    for file in (MODELS / "marts").rglob("*.sql"):
        alias = re.search(r"alias='(\w+)'", file.read_text(encoding="utf-8"))
        found[alias[1] if alias else file.stem] = file.stem
    return found


@pytest.mark.parametrize("name", ROOMS)
def test_an_exposure_names_what_the_code_reads(name: str) -> None:
    text = (MODELS / "_exposures.yml").read_text(encoding="utf-8")
    (exposure,) = (e for e in yaml.safe_load(text)["exposures"] if e["name"] == name)
    files = (
        f for f in (CLONE / ROOMS[name]).rglob("*") if f.suffix in (".py", ".sql", ".html", ".yaml")
    )
    words = {word for f in files for word in re.findall(r"\w+", f.read_text(encoding="utf-8"))}
    read = {f"ref('{model}')" for relation, model in marts().items() if relation in words}
    assert read == {*exposure["depends_on"]}
    assert read
