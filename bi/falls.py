"""Which charts and filters fall, because a dataset has not the column or metric that they take.

Belongs here: what a chart takes, and comparing. Not here: saying it to a person (__main__.py).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bi.assets import Assets
from bi.datasets import Dataset
from bi.marts import columns_named

METRICS = ("metrics", "metrics_b", "percent_metrics", "tooltip_metrics")
METRIC = (
    *("metric", "secondary_metric", "timeseries_limit_metric", "size", "x", "y"),
    "series_limit_metric",
)
COLUMNS = ("groupby", "groupbyColumns", "groupbyRows", "columns", "all_columns", "groupby_b")
COLUMN = ("x_axis", "entity", "series", "dimension", "granularity_sqla", "temporal_column")
"""Keys of a chart's params, by what they hold."""
NO_DATASET = "o conjunto de dados, que não está em dashboards/datasets.yaml"


@dataclass(frozen=True, order=True)
class Fall:
    """A chart or filter that cannot be drawn: where it is, and what is not there."""

    place: str
    dataset: str
    lacking: str


def taken_by_metric(metric: Any, dataset: Dataset) -> set[str]:  # noqa: ANN401 - Superset's own
    """What a metric of a chart takes: columns, or its own name where the dataset has no such."""
    if isinstance(metric, str):
        saved = {m.name: m for m in dataset.metrics}
        return columns_named(saved[metric].expression) if metric in saved else {metric}
    if metric.get("expressionType") == "SQL":
        return columns_named(metric.get("sqlExpression") or "")
    return {metric["column"]["column_name"]}


def taken_by_column(column: Any) -> set[str]:  # noqa: ANN401
    """A column by its name, or an expression's columns."""
    return {column} if isinstance(column, str) else columns_named(column["sqlExpression"])


def _listed(params: Mapping[str, Any], *, many: tuple[str, ...], one: tuple[str, ...]) -> list:
    values = [value for key in many for value in params.get(key) or []]
    values += [params[key] for key in one if params.get(key)]
    return values


def taken(params: Mapping[str, Any], dataset: Dataset) -> set[str]:
    """Columns, and metrics that are not there, of a chart's params."""
    found: set[str] = set()
    for metric in _listed(params, many=METRICS, one=METRIC):
        found |= taken_by_metric(metric, dataset)
    fixed = params.get("point_radius_fixed") or {}
    if fixed.get("type") == "metric":
        found |= taken_by_metric(fixed["value"], dataset)
    for column in _listed(params, many=COLUMNS, one=COLUMN):
        found |= taken_by_column(column)
    spatial = params.get("spatial") or {}
    found |= {spatial[key] for key in ("latCol", "lonCol", "lonlatCol") if spatial.get(key)}
    for ordered in params.get("order_by_cols") or []:
        found.add(json.loads(ordered)[0])
    for one in params.get("adhoc_filters") or []:
        sql = one.get("expressionType") == "SQL"
        found |= columns_named(one.get("sqlExpression") or "") if sql else {one["subject"]}
    return found


def _lacking(taken_names: set[str], dataset: Dataset, gone: set[str]) -> set[str]:
    there = {*dataset.columns, *dataset.computed} - gone
    computed = [sql for name, sql in dataset.computed.items() if name in taken_names]
    through = {name for sql in computed for name in columns_named(sql)}
    of_all = gone if dataset.sql else set()  # a joined dataset's SQL names each of its columns
    return {*dataset.lacking} | of_all | (taken_names | through) - there


def find(
    assets: Assets, datasets: Mapping[str, Dataset], *, gone: Mapping[str, set[str]] | None = None
) -> list[Fall]:
    """All that falls.

    Args:
        assets: charts and dashboards.
        datasets: by name.
        gone: columns that the database has not, by dataset.
    """
    by_uuid = {dataset.uuid: dataset for dataset in datasets.values()}
    missing = gone or {}
    return sorted({*_charts(assets, by_uuid, missing), *_filters(assets, by_uuid, missing)})


def _charts(
    assets: Assets, by_uuid: Mapping[str, Dataset], gone: Mapping[str, set[str]]
) -> Iterator[Fall]:
    places = assets.places()
    for chart in assets.charts.values():
        place = f"{places.get(chart['uuid'], 'fora dos painéis')} › {chart['slice_name']}"
        dataset = by_uuid.get(chart["dataset_uuid"])
        if dataset is None:
            yield Fall(place, "?", NO_DATASET)
            continue
        for name in _lacking(
            taken(chart["params"], dataset), dataset, gone.get(dataset.name, set())
        ):
            yield Fall(place, dataset.name, name)


def _filters(
    assets: Assets, by_uuid: Mapping[str, Dataset], gone: Mapping[str, set[str]]
) -> Iterator[Fall]:
    for dashboard in assets.dashboards.values():
        for one in dashboard["metadata"].get("native_filter_configuration", []):
            place = f"{dashboard['dashboard_title']} › filtro {one['name']}"
            for target in one["targets"]:
                if "column" not in target:
                    continue
                dataset, name = by_uuid.get(target["datasetUuid"]), target["column"]["name"]
                if dataset is None:
                    yield Fall(place, "?", NO_DATASET)
                    continue
                for lacking in _lacking({name}, dataset, gone.get(dataset.name, set())):
                    yield Fall(place, dataset.name, lacking)
