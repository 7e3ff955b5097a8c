"""What Superset imports: dashboards/ with a database and the datasets that dbt's words make.

Belongs here: putting it together, its mark, writing it out. Not here: its parts (assets.py,
datasets.py), whether it may go in (falls.py).
"""

import csv
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bi import assets, datasets, marts
from bi.datasets import Dataset, Mart
from dagster_pipeline import manifest
from loaders.environment import CLONE

DATABASE_UUID = datasets.identity("database", datasets.DATABASE)


def known_marts() -> dict[str, Mart]:
    """Schema marts as the dbt project stands.

    Raises:
        DbtParseError: dbt refuses the project.
    """
    return marts.read(json.loads(manifest.prepare().read_text(encoding="utf-8")))


def known_datasets(found: Mapping[str, Mart], folder: Path = assets.FOLDER) -> dict[str, Dataset]:
    """The datasets of dashboards/datasets.yaml."""
    text = (folder / "datasets.yaml").read_text(encoding="utf-8")
    return datasets.make(yaml.safe_load(text), found, names)


def names(seed: str) -> dict[str, str]:
    """Code → name of a seed: its first column, and ``nome`` or ``descricao``."""
    with (Path(CLONE) / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        key, *columns = rows.fieldnames or ()
        name = "nome" if "nome" in columns else "descricao"
        return {row[key]: row[name] for row in rows}


def files(
    shown: assets.Assets,
    all_datasets: Mapping[str, Dataset],
    *,
    address: str,
    distributors: Mapping[int, str],
) -> dict[str, str]:
    """Path → text of the whole package.

    Args:
        shown: charts and dashboards.
        all_datasets: by name.
        address: of the warehouse, as SQLAlchemy's, without a password.
        distributors: published ones; a role each keeps its holders to its rows.
    """
    database: dict[str, Any] = {
        "database_name": datasets.DATABASE,
        "sqlalchemy_uri": address,
        "expose_in_sqllab": True,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_run_async": False,
        "extra": {"allows_virtual_table_explore": True},
        "uuid": DATABASE_UUID,
        "version": datasets.VERSION,
    }
    head = {"version": datasets.VERSION, "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}
    made = {"metadata.yaml": head, "databases/armazem.yaml": database}
    made |= {d.file: datasets.as_superset(d, DATABASE_UUID) for d in all_datasets.values()}
    made["distribuidoras.yaml"] = {**distributors}
    return {path: assets.dump(it) for path, it in made.items()} | shown.files()


def gone(before: assets.Assets, now: assets.Assets) -> dict[str, list[str]]:
    """The uuids of charts and dashboards that were in the package before and are not now."""
    kinds = {
        "charts": (before.charts, now.charts),
        "dashboards": (before.dashboards, now.dashboards),
    }
    return {
        kind: sorted({a["uuid"] for a in old.values()} - {a["uuid"] for a in new.values()})
        for kind, (old, new) in kinds.items()
    }


def mark(*parts: Mapping[str, str]) -> str:
    """The same for the same contents."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def write(contents: Mapping[str, str], folder: Path) -> None:
    """The package as a folder, and nothing else in it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def exported(folder: Path) -> dict[str, str]:
    """The files of a folder that Superset wrote."""
    found = sorted(folder.rglob("*.yaml"))
    return {str(f.relative_to(folder)): f.read_text(encoding="utf-8") for f in found}


def made_by_hand(contents: Mapping[str, str], all_datasets: Mapping[str, Dataset]) -> list[str]:
    """Datasets, metrics and computed columns that somebody added in Superset's pages."""
    found = []
    by_uuid = {dataset.uuid: dataset for dataset in all_datasets.values()}
    for path, text in contents.items():
        if not path.startswith("datasets/"):
            continue
        there = yaml.safe_load(text)
        dataset = by_uuid.get(there["uuid"])
        if dataset is None:
            found.append(f"conjunto {there['table_name']}")
            continue
        names = {m["metric_name"] for m in there["metrics"]} - {m.name for m in dataset.metrics}
        columns = {c["column_name"] for c in there["columns"]}
        columns -= {*dataset.columns, *dataset.computed}
        found += [f"{dataset.name}: métrica {name}" for name in sorted(names)]
        found += [f"{dataset.name}: coluna {name}" for name in sorted(columns)]
    return found
