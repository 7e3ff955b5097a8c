"""The bench's own arithmetic: medians, targets, which steps run. No figure is taken here."""

from unittest.mock import MagicMock

import pytest
import typer

from bench import __main__ as bench
from bench import monthly, whole
from bench.measure import Figure, Run, alternate
from bench.report import Session, cells, load, store
from bench.safras import _by_kind


def figure(value: float, **given: object) -> Figure:
    return Figure(
        **{"group": "g", "ucs": 1, "what": "", "ours": "", "other": ""} | given, value=value
    )


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [
        (3.1, True, "met"),
        (3, False, "met"),
        (1.5, True, "missed by 50%"),
        (3.6, False, "missed by 20%"),
    ],
)
def test_a_verdict_says_by_how_much_a_target_is_missed(
    value: float, at_least: bool, verdict: str
) -> None:
    assert figure(value, target=3, at_least=at_least).verdict == verdict


def test_a_figure_without_target_is_neither_met_nor_missed() -> None:
    assert figure(2.0).met is None
    assert cells(figure(2.0))[-3:] == ("2.00 ×", "", "")


def test_ways_run_in_turns_and_medians_count() -> None:
    order, times = [], iter([9.0, 1.0, 1.0, 1.0, 2.0, 5.0])

    def way(name: str) -> Run:
        order.append(name)
        return Run(next(times), rss_mb=len(order))

    runs = alternate(3, {"a": lambda: way("a"), "b": lambda: way("b")})
    assert order == ["a", "b"] * 3
    assert runs == {"a": Run(2.0, 3), "b": Run(1.0, 4)}


def test_a_group_of_the_largest_size_runs_once() -> None:
    steps = bench.plan(["landing", "queries"], [500, 100])
    assert steps == [("landing", 100), ("landing", 500), ("queries", 500)]
    with pytest.raises(typer.BadParameter, match="landnig"):
        bench.plan(["landnig"], [100])


def test_new_figures_replace_those_of_the_same_group_and_size(tmp_path) -> None:  # noqa: ANN001
    file, one, two = tmp_path / "r.json", Session("1", "", "", ""), Session("2", "", "", "")
    store(file, one, [figure(1), figure(2, ucs=9)])
    store(file, two, [figure(3)])
    assert load(file) == [(one, figure(2, ucs=9)), (two, figure(3))]


def test_parts_of_a_median_are_medians_too(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [(Run(1), Run(8), 0.3), (Run(2), Run(6), 0.2), (Run(7), Run(5), 0.9)]
    assert [f.value for f in whole._parts(1, parts)] == [3, 30]

    took = iter([5, 2, 2, 1, 3, 3, 9, 1, 1])  # series, energy, quality; three rounds
    monkeypatch.setattr(monthly, "_compiled", lambda *_: "")
    monkeypatch.setattr(monthly, "clock", lambda work: Run(next(took)))
    monkeypatch.setattr(monthly, "_bare", lambda *_: Run(1))
    monkeypatch.setattr(monthly, "_on_leaves", lambda *_: "")
    _, months = monthly.measure(MagicMock(rounds=3), 1)
    assert months.value == 4


def test_every_dbt_node_is_of_one_kind() -> None:
    names = ["test.p.x", "model.p.safra_publicada", "model.p.resumo_leads", "model.p.lead_bruto"]
    kinds = _by_kind({**dict.fromkeys(names, 1.0), "seed.p.x": 7.0})
    assert list(kinds.values()) == [1.0] * 4
