"""What is impossible is rejected or made null, with its count; what is merely odd stays.

Not here: the database, the gate's rules of plausibility.
"""

from datetime import date

import pyarrow as pa
import pytest

from loaders.bdgd import physics
from loaders.bdgd.columns import rejection_reasons
from loaders.bdgd.layers import PONNOT, UC_LAYERS, UCAT, UCBT, UCMT, Layer

TODAY = date(2026, 1, 15)


def corrected(layer: Layer, **columns: list[object]) -> tuple[dict[str, list], dict[str, int]]:
    """Columns after, and the notes."""
    batch, notes = physics.corrected(pa.RecordBatch.from_pydict(columns), layer, TODAY)
    return batch.to_pydict(), dict(notes)


@pytest.mark.parametrize("layer", UC_LAYERS, ids=lambda layer: layer.name)
def test_a_month_beyond_what_one_unit_can_draw_is_rejected(layer: Layer) -> None:
    most = physics.limit(physics.ENERGY, layer)
    column = layer.energy_columns[-1]
    months = [most, most * 1.01, -most * 1.01, -5.0, None, 1e308]
    reasons = rejection_reasons(pa.RecordBatch.from_pydict({column: months}), layer)
    ((reason, rows),) = reasons.items()
    assert rows.to_pylist() == [False, True, True, False, False, True]
    assert "acima de" in reason


def test_limits_are_above_what_units_draw() -> None:
    """The largest in Brazil draws about 5e8 kWh a month, in AT; the layers below have less."""
    most = [physics.limit(physics.ENERGY, layer) for layer in (UCAT, UCMT, UCBT)]
    assert most == sorted(most, reverse=True)
    assert most[0] >= 5e8
    assert most[2] >= 1e6


@pytest.mark.parametrize(
    ("x", "y"),
    [(10.0, 10.0), (0.0, 0.0), (-28.0, -52.0), (-52.0, None), (float("nan"), -28.0), (1e9, 1e9)],
)
@pytest.mark.parametrize("layer", [*UC_LAYERS, PONNOT], ids=lambda layer: layer.name)
def test_a_place_outside_brazil_is_null_and_its_row_stays(
    layer: Layer, x: float, y: float | None
) -> None:
    columns, notes = corrected(layer, point_x=[x, -51.5, None], point_y=[y, -28.1, None])
    assert columns == {"point_x": [None, -51.5, None], "point_y": [None, -28.1, None]}
    assert notes == {"coordenada fora do Brasil": 1}


def test_a_date_after_the_landing_day_is_null_and_none_stays_as_text() -> None:
    dates = ["15/01/2026", "16/01/2026", "31/02/2020", " ", None, "01/01/1951", "ontem"]
    columns, notes = corrected(UCBT, dat_con=dates)
    assert columns["dat_con"] == [dates[0], None, *dates[2:]]
    assert notes == {"DAT_CON depois do dia da carga": 1, physics.NO_DATE: 2}


@pytest.mark.parametrize(
    "form",
    ["{:%d/%m/%Y}", "{:%Y-%m-%d}", "{:%Y/%m/%d}", "{:%Y-%m-%dT00:00:00}", "{:%d/%m/%Y 00:00}",
     "{:%d%b%Y}", " {:%d%b%Y:00:00:00.000} "],
)  # fmt: skip
def test_every_form_of_a_date_is_compared_with_the_landing_day(form: str) -> None:
    days = [form.format(date(2026, 1, day)) for day in (15, 16)]
    columns, notes = corrected(UCBT, dat_con=days)
    assert columns["dat_con"] == [days[0], None]
    assert notes == {"DAT_CON depois do dia da carga": 1}


@pytest.mark.parametrize(
    "value", ["2019-02-31", "31FEB2019", "31/02/2019 00:00", "03MAI2019", "2019-05/03", "20190503"]
)
def test_a_date_in_no_form_or_calendar_is_none(value: str) -> None:
    assert corrected(UCBT, dat_con=[value]) == ({"dat_con": [value]}, {physics.NO_DATE: 1})


def test_a_number_that_is_none_is_null_and_an_odd_one_stays() -> None:
    columns, notes = corrected(
        UCMT,
        dic_02=[5000.0, float("nan"), 1e300, None],
        dem_01=[float("inf"), -1.0, 1e6, 0.0],
        ene_01=[1.0, 2.0, 3.0, 4.0],
    )
    assert columns["dic_02"] == [5000.0, None, None, None]
    assert columns["dem_01"] == [None, -1.0, 1e6, 0.0]
    assert notes == {
        "DIC_02 que não é um número possível": 2,
        "DEM_01 que não é um número possível": 1,
    }


def test_sound_rows_are_not_touched() -> None:
    batch = pa.RecordBatch.from_pydict({"dat_con": ["01/01/2000"], "car_inst": [1.0]})
    assert physics.corrected(batch, UCBT, TODAY) == (batch, {})
