"""The folder dashboards/: charts and dashboards as Superset's YAML, in one form, fit for git.

Belongs here: reading it, writing it, what of an export is kept. Not here: datasets (datasets.py),
talking to Superset (inside/).
A chart or dashboard is known by its uuid; its file keeps its name when its title changes.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loaders.environment import CLONE

FOLDER = Path(CLONE) / "dashboards"
CHART = (
    "slice_name",
    "description",
    "viz_type",
    "params",
    "cache_timeout",
    "uuid",
    "version",
    "dataset_uuid",
)
DASHBOARD = (
    "dashboard_title",
    "description",
    "css",
    "slug",
    "uuid",
    "position",
    "metadata",
    "published",
    "version",
)
"""What is kept; the rest is one installation's own, or follows from these."""
OF_ONE_MACHINE = {
    *("datasource", "slice_id", "dashboards", "url_params", "dashboardId", "query_context"),
}
"""Keys of a chart's params that hold numbers of one Superset's rows."""
DERIVED = {
    *("chart_configuration", "global_chart_configuration", "shared_label_colors", "chartsInScope"),
    *("map_label_colors", "color_scheme_domain", "default_filters", "tabsInScope", "label_colors"),
    *("timed_refresh_immune_slices", "expanded_slices", "filter_scopes"),
}
"""Keys of a dashboard's metadata that Superset makes again."""


@dataclass(frozen=True)
class Assets:
    """Charts and dashboards by file name, without ending."""

    charts: Mapping[str, dict[str, Any]]
    dashboards: Mapping[str, dict[str, Any]]

    def places(self) -> dict[str, str]:
        """Chart's uuid → the titles of the dashboards that it is in."""
        found: dict[str, list[str]] = {}
        for dashboard in self.dashboards.values():
            for box in boxes(dashboard["position"]):
                found.setdefault(box["meta"]["uuid"], []).append(dashboard["dashboard_title"])
        return {chart: ", ".join(sorted(titles)) for chart, titles in found.items()}

    def files(self) -> dict[str, str]:
        """Path in the folder → text."""
        kinds = (("charts", self.charts), ("dashboards", self.dashboards))
        return {
            f"{kind}/{name}.yaml": dump(asset)
            for kind, all_ in kinds
            for name, asset in all_.items()
        }


def boxes(position: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The places of charts in a dashboard."""
    yield from (b for b in position.values() if isinstance(b, dict) and b.get("type") == "CHART")


def read(folder: Path = FOLDER) -> Assets:
    """What lies in the folder."""
    return Assets(_of(folder / "charts"), _of(folder / "dashboards"))


def _of(folder: Path) -> dict[str, dict[str, Any]]:
    return {f.stem: yaml.safe_load(f.read_text(encoding="utf-8")) for f in sorted(folder.glob("*"))}


def dump(asset: Mapping[str, Any]) -> str:
    """The text of a file."""
    return yaml.safe_dump(asset, sort_keys=True, allow_unicode=True, width=100)


def chart(exported: Mapping[str, Any]) -> dict[str, Any]:
    """A chart in our form."""
    kept = {key: exported[key] for key in CHART if exported.get(key) is not None}
    params = {k: v for k, v in exported["params"].items() if k not in OF_ONE_MACHINE}
    if not params.get("annotation_layers"):  # Superset's import adds an empty one
        params.pop("annotation_layers", None)
    return kept | {"params": params}


def dashboard(exported: Mapping[str, Any]) -> dict[str, Any]:
    """A dashboard in our form: charts are numbered in the order of their uuids."""
    kept = {key: exported[key] for key in DASHBOARD if exported.get(key) not in (None, "")}
    ordered = sorted(boxes(exported["position"]), key=lambda box: box["meta"]["uuid"])
    numbers = {box["meta"]["chartId"]: i for i, box in enumerate(ordered, 1)}
    kept["position"] = {name: _numbered(box, numbers) for name, box in exported["position"].items()}
    metadata = {k: v for k, v in exported.get("metadata", {}).items() if k not in DERIVED}
    filters = metadata.get("native_filter_configuration", [])
    metadata["native_filter_configuration"] = [_filter(f, numbers) for f in filters]
    return kept | {"metadata": metadata}


def _numbered(box: Any, numbers: Mapping[int, int]) -> Any:  # noqa: ANN401 - Superset's own
    if not isinstance(box, dict) or box.get("type") != "CHART":
        return box
    return box | {"meta": box["meta"] | {"chartId": numbers[box["meta"]["chartId"]]}}


def _filter(one: Mapping[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    kept = {key: value for key, value in one.items() if key not in DERIVED}
    excluded = [numbers[n] for n in one["scope"].get("excluded", []) if n in numbers]
    return kept | {"scope": one["scope"] | {"excluded": sorted(excluded)}}


def file_name(title: str) -> str:
    """Previsão × medida → previsao_medida."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"\W+", "_", plain).strip("_")


def named(exported: list[dict[str, Any]], known: Mapping[str, dict[str, Any]], title: str) -> dict:
    """Assets under the file names that they have in git; new ones under their titles."""
    names = {asset["uuid"]: name for name, asset in known.items()}
    found: dict[str, dict[str, Any]] = {}
    for asset in sorted(exported, key=lambda a: (a["uuid"] not in names, a["uuid"])):
        name = names.get(asset["uuid"]) or file_name(asset[title])
        while name in found:
            name += "_outro"
        found[name] = asset
    return found


def ours(exported: Mapping[str, str], known: Assets) -> Assets:
    """Superset's export (path → text) in our form."""
    loaded = {path: yaml.safe_load(text) for path, text in exported.items()}
    charts = [chart(a) for path, a in loaded.items() if path.startswith("charts/")]
    dashboards = [dashboard(a) for path, a in loaded.items() if path.startswith("dashboards/")]
    return Assets(
        named(charts, known.charts, "slice_name"),
        named(dashboards, known.dashboards, "dashboard_title"),
    )


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Paths whose text changed, came or went."""
    return sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))


def write(texts: Mapping[str, str | None], folder: Path = FOLDER) -> None:
    """Write files; one without text goes."""
    for path, text in texts.items():
        if text is None:
            (folder / path).unlink(missing_ok=True)
        else:
            (folder / path).write_text(text, encoding="utf-8")
