"""`make status` by itself: what it says of safras, that it fits a screen, what it advises."""

from datetime import UTC, datetime

import pytest

from dagster_pipeline import status
from dagster_pipeline.status import Line


def line(state: str, key: str = "401-2024", reason: str = "") -> Line:
    return Line(
        key, "Distribuidora de nome muito comprido S.A.", state, None, 1_234_567, 98_765.4, reason
    )


def test_every_line_fits_80_columns_and_the_screen() -> None:
    many = [line("retida", f"{n}-2024", "caiu " * 80) for n in range(65_000, 65_040)]
    shown = list(status.shown(many))
    assert max(map(len, shown)) <= status.WIDTH
    assert len(shown) <= 26
    assert "40 retidas" in shown[0]
    assert any("mais 28" in text for text in shown)


@pytest.mark.parametrize(
    ("found", "old_backup", "command"),
    [
        ([], True, "make run"),
        ([line("publicada"), line("pendente")], False, "make build"),
        ([line("publicada"), line("retida")], False, "liberar 401-2024"),
        ([line("reprovada")], False, "make build SAFRA=401-2024"),
        ([line("publicada")], True, "make backup"),
        ([line("publicada")], False, "make dev"),
    ],
)
def test_the_next_command_is_the_one_that_is_due(
    found: list[Line], old_backup: bool, command: str
) -> None:
    assert command in status.advice(found, old_backup=old_backup)


def test_times_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    if not datetime.now().astimezone().utcoffset():
        assert status.local(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "02/01/26 00:04"
    assert status.local(None) == ""
