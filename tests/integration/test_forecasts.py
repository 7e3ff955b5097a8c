"""Forecasts in the warehouse: whole or as they were, of what is published, small cells hidden.

Not here: which model wins, intervals (tests/unit/test_forecasting.py).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from forecasting import climate, publish, series
from loaders import removal
from loaders.safra import Safra
from loaders.synthetic.writer import generate
from tests.integration import warehouse as a

TODAY = date(2026, 3, 1)
"""Of which no safra of 2024 is late."""
OURS, OTHER = 401, 404
ROWS = ("raw.previsao_energia", "raw.previsao_desempenho", "controle.previsao_feita")


@pytest.fixture(scope="module")
def conn(
    warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection]:
    """401 in three safras with one in the middle missing, 404 in one; nothing is forecast yet."""
    folder = tmp_path_factory.mktemp("previsao")
    for year in (2021, 2023):
        file = generate(folder / f"{year}.gdb.zip", ucs=260, distribuidora=OURS, ano=year)
        assert warehouse.load(file).ok
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    with warehouse.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def forecast(conn: psycopg.Connection) -> psycopg.Connection:
    """The same, forecast once."""
    assert sorted(publish.update(conn, TODAY)[0]) == [OURS, OTHER]
    return conn


def told(conn: psycopg.Connection) -> dict[str, list[tuple]]:
    """All that the forecasts wrote, but the time."""
    return {
        name: conn.execute(f"select * from {name} order by 1, 2, 3, 4, 5").fetchall()
        for name in ROWS
    }


def test_every_series_has_the_twelve_months_after_its_last_safra(
    forecast: psycopg.Connection,
) -> None:
    rows = forecast.execute(
        "select distribuidora_id, nivel, serie_id, array_agg(distinct treinado_ate),"
        " array_agg(competencia order by competencia) from marts.mart_previsao_energia"
        " group by 1, 2, 3"
    ).fetchall()
    months = [date(2025, month, 1) for month in range(1, 13)]
    assert all(row[3:] == ([date(2024, 12, 1)], months) for row in rows)
    expected = forecast.execute(
        "select distribuidora_id, nivel, serie_id from intel_lead.safra_serie where ano = 2024"
    ).fetchall()
    assert sorted(row[:3] for row in rows) == sorted(expected)


def test_dbt_finds_nothing_wrong_with_what_is_shown(
    warehouse: a.Warehouse, forecast: psycopg.Connection
) -> None:
    marts = ["mart_previsao_energia", "mart_desempenho_modelo"]
    done = warehouse.dbt("test", "--select", *marts, "--exclude-resource-type", "unit_test")
    assert done.ok, done.trouble
    assert len(done.of_status("pass")) == 2


def test_who_has_one_safra_gets_its_months_again_untested(forecast: psycopg.Connection) -> None:
    rows = forecast.execute(
        "select p.media, s.energia_mes[extract(month from p.competencia)], p.modelo"
        " from intel_lead.previsao_energia as p inner join intel_lead.safra_serie as s"
        " using (distribuidora_id, nivel, serie_id) where distribuidora_id = %s",
        [OTHER],
    ).fetchall()
    assert rows
    assert all(media == last for media, last, _ in rows)
    assert {model for *_, model in rows} == {"ingenuo_sazonal"}
    scores = forecast.execute(
        "select distinct mae, mase, cobertura_80, publicado from marts.mart_desempenho_modelo"
        " where tipo = 'previsao' and distribuidora_id = %s",
        [OTHER],
    ).fetchall()
    assert scores == [(None, None, None, True)]


def test_the_tested_months_of_a_series_with_a_gap_are_those_of_its_safras(
    forecast: psycopg.Connection,
) -> None:
    """2021 → 2023 over a gap and 2023 → 2024: the naive's error, once more by SQL."""
    found, months = forecast.execute(
        "select mae, meses_testados from intel_lead.previsao_desempenho"
        " where distribuidora_id = %s and nivel = 'distribuidora' and modelo = 'ingenuo_sazonal'"
        " and serie_id <> 'todas'",
        [OURS],
    ).fetchone()
    expected = a.value(
        forecast,
        "with meses as (select ano, mes, energia from intel_lead.safra_serie"
        "  cross join unnest(energia_mes) with ordinality as m (energia, mes)"
        "  where distribuidora_id = %s and nivel = 'distribuidora')"
        " select avg(abs(b.energia - a.energia)) from meses as a inner join meses as b"
        " on a.mes = b.mes and (a.ano, b.ano) in ((2021, 2023), (2023, 2024))",
        [OURS],
    )
    assert months == 24
    assert found == pytest.approx(expected)


def test_one_model_of_each_series_is_published_and_it_is_the_one_that_forecasts(
    forecast: psycopg.Connection,
) -> None:
    rows = forecast.execute(
        "select distinct distribuidora_id, nivel, serie_id, modelo from raw.previsao_energia"
    ).fetchall()
    published = forecast.execute(
        "select distribuidora_id, nivel, serie_id, modelo from raw.previsao_desempenho"
        " where publicado and serie_id <> 'todas'"
    ).fetchall()
    assert sorted(rows) == sorted(published)


def test_readers_see_the_errors_that_were_measured_each_in_its_column(
    forecast: psycopg.Connection,
) -> None:
    columns = "distribuidora_id, ano, nivel, serie_id, modelo, mae, mape, mase, smape,"
    columns += " cobertura_80, cobertura_95, publicado"
    measured = forecast.execute(
        f"select {columns} from raw.previsao_desempenho where not suprimido order by 1, 2, 3, 4, 5"
    ).fetchall()
    shown = forecast.execute(
        f"select {columns} from marts.mart_desempenho_modelo where tipo = 'previsao'"
        " and (distribuidora_id, ano, nivel, serie_id, modelo) in (select distribuidora_id, ano,"
        " nivel, serie_id, modelo from raw.previsao_desempenho where not suprimido)"
        " order by 1, 2, 3, 4, 5"
    ).fetchall()
    assert any(None not in row for row in measured)
    assert shown == measured


def test_of_small_cells_readers_see_no_number(forecast: psycopg.Connection) -> None:
    """Small in one of the safras is enough; what is known of their error is null too."""
    hidden = set(
        forecast.execute(
            "select distribuidora_id, nivel, serie_id from intel_lead.safra_serie"
            " group by 1, 2, 3 having bool_or(suprimido) and bool_or(ano = 2024)"
        ).fetchall()
    )
    numbers = "media, inferior_80, superior_80, inferior_95, superior_95"
    shown = forecast.execute(
        f"select distribuidora_id, nivel, serie_id, suprimido, num_nonnulls({numbers})"
        " from marts.mart_previsao_energia"
    ).fetchall()
    assert hidden
    assert {row[:3] for row in shown if row[3]} == hidden
    assert {row[4] for row in shown if row[3]} == {0}
    assert {row[4] for row in shown if not row[3]} == {5}
    of_hidden = forecast.execute(
        "select num_nonnulls(mae, mape, mase, smape, cobertura_80, cobertura_95)"
        " from marts.mart_desempenho_modelo where tipo = 'previsao'"
        " and (distribuidora_id, nivel, serie_id) in (select distribuidora_id, nivel, serie_id"
        " from intel_lead.previsao_energia where suprimido)"
    ).fetchall()
    assert set(of_hidden) == {(0,)}


def test_shown_series_do_not_leave_a_small_cell_behind(forecast: psycopg.Connection) -> None:
    """A reader takes what is shown off the distributor's year: the rest is empty, or not small."""
    rows = forecast.execute(
        "select ano, distribuidora_id, nivel, sum(quantidade_leads) filter (where suprimido),"
        " sum(leads_pf) filter (where suprimido) from intel_lead.safra_serie"
        " where nivel in ('municipio_classe', 'segmento') group by 1, 2, 3"
    ).fetchall()
    left = [row for row in rows if row[4]]
    assert left
    assert all(units >= 5 for *_, units, _ in left)


def test_again_nothing_is_to_do(forecast: psycopg.Connection) -> None:
    before = told(forecast)
    assert publish.update(forecast, TODAY) == ([], [])
    assert told(forecast) == before
    forecast.execute("set timezone to 'Asia/Tokyo'")
    assert series.pending(forecast, TODAY) == []
    forecast.execute("reset timezone")


def test_a_late_safra_makes_the_forecast_reach_over_it(forecast: psycopg.Connection) -> None:
    """Two years later the safras of 2025 and 2026 are missing: 36 months; and no more, ever."""
    for today, months in ((date(2028, 1, 1), 36), (date(2040, 1, 1), 36), (TODAY, 12)):
        publish.update(forecast, today)
        found = forecast.execute(
            "select distinct count(*) from marts.mart_previsao_energia group by nivel, serie_id,"
            " distribuidora_id"
        ).fetchall()
        assert found == [(months,)]


def test_a_forecast_that_breaks_off_leaves_the_old_one_and_heals(
    forecast: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two tables: readers see all of the old; the next run makes it up."""
    before = told(forecast)
    forecast.execute("update controle.previsao_feita set versao = 0")

    def cut(*_: object) -> Iterator[publish.Row]:
        yield from ()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publish, "score_rows", cut)
        with pytest.raises(KeyboardInterrupt):
            publish.update(forecast, TODAY)
    assert told(forecast)["raw.previsao_energia"] == before["raw.previsao_energia"]
    done, refused = publish.update(forecast, TODAY)
    assert (sorted(done), refused) == ([OURS, OTHER], [])
    for name in ROWS[:2]:
        assert told(forecast)[name] == before[name]


@pytest.mark.parametrize(
    "fault",
    [
        "media = -1",
        "inferior_80 = media + 1, inferior_95 = media + 1",
        "superior_95 = media",
        "media = null",
        "competencia = '2024-12-01'",
        "competencia = competencia + 1",
    ],
)
def test_the_table_refuses_what_no_forecast_may_be(
    forecast: psycopg.Connection, fault: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        forecast.execute(f"update raw.previsao_energia set {fault} where superior_80 > media")


def test_the_table_refuses_to_publish_what_loses_to_the_naive(
    forecast: psycopg.Connection,
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        forecast.execute("update raw.previsao_desempenho set mase = 1.01 where publicado")


def test_one_distributor_that_is_refused_keeps_its_own_and_holds_back_no_other(
    forecast: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = told(forecast)
    forecast.execute("update controle.previsao_feita set versao = 0")
    real = publish.forecast_rows

    def wrong(due: series.Due, *rest: object) -> Iterator[publish.Row]:
        for n, row in enumerate(real(due, *rest)):
            if due.distribuidora_id != OURS or n:
                yield row

    with monkeypatch.context() as patch:
        patch.setattr(publish, "forecast_rows", wrong)
        done, refused = publish.update(forecast, TODAY)
    assert done == [OTHER]
    assert len(refused) == 1
    assert str(OURS) in refused[0]
    assert told(forecast)["raw.previsao_energia"] == before["raw.previsao_energia"]
    assert publish.update(forecast, TODAY) == ([OURS], [])


def test_only_the_distributor_that_was_published_again_is_pending(
    warehouse: a.Warehouse, forecast: psycopg.Connection, files: dict[str, Path]
) -> None:
    assert warehouse.load(files["nova"]).ok
    done = warehouse.build()
    assert done.ok, done.trouble
    assert [due.distribuidora_id for due in series.pending(forecast, TODAY)] == [OURS]
    assert publish.update(forecast, TODAY) == ([OURS], [])
    assert series.pending(forecast, TODAY) == []


def test_temperatures_that_land_make_all_forecasts_anew(forecast: psycopg.Connection) -> None:
    """Of the station of most of the energy, not of a farther one or of hours too few."""
    degrees = "20 + 5 * cos(extract(month from m) / 2)"
    degrees += " + (extract(year from m) * extract(month from m))::int %% 7"
    forecast.execute(
        "insert into intel_lead.municipio_estacao select distinct on (municipio_id) municipio_id,"
        " 'A001', 30 from intel_lead.safra_resumo where municipio_id is not null"
    )
    forecast.execute(
        "insert into intel_lead.clima_mensal (estacao, competencia, latitude, longitude,"
        f" temperatura_media_c, horas_com_temperatura) select 'A001', m::date, -28, -52, {degrees},"
        " case when m = date '2021-05-01' then 479 else 480 end"
        " from generate_series(date '2019-01-01', date '2025-12-01', interval '1 month') as m",
        [],
    )
    known = climate.read(forecast, OURS, 2021, 2024)
    assert known is not None
    assert known.earlier.shape == (2, series.MONTHS)
    assert [n for n, x in enumerate(known.months) if x != x] == [4]
    (expected,) = forecast.execute(
        f"select {degrees} from (values (date '2023-02-01')) as t (m)", []
    ).fetchone()
    assert known.months[25] == pytest.approx(float(expected))
    forecast.execute("update intel_lead.municipio_estacao set distancia_km = 101")
    assert climate.read(forecast, OURS, 2021, 2024) is None
    forecast.execute("update intel_lead.municipio_estacao set distancia_km = 30")

    assert series.pending(forecast, TODAY) == []
    forecast.execute(
        "insert into controle.aberto_arquivo (conjunto, arquivo, sha256, linhas, rejeitadas)"
        " values ('clima', '2024.zip', 'x', 1, 0)"
    )
    done, refused = publish.update(forecast, TODAY)
    assert (sorted(done), refused) == ([OURS, OTHER], [])
    tested = "select distinct modelo from raw.previsao_desempenho where distribuidora_id = %s"
    assert (climate.NAME,) in forecast.execute(tested, [OURS]).fetchall()
    assert (climate.NAME,) not in forecast.execute(tested, [OTHER]).fetchall()
    assert series.pending(forecast, TODAY) == []


def test_what_is_trained_on_a_removed_safra_goes_with_it(forecast: psycopg.Connection) -> None:
    """At once for readers; the next run forecasts from the safra before, or nothing."""
    count = "select count(*) from marts.mart_previsao_energia where distribuidora_id = %s"
    for safra in ("401-2024", "404-2024"):
        removal.remove(forecast, Safra.from_key(safra), "teste")
    assert a.value(forecast, count, [OURS]) == a.value(forecast, count, [OTHER]) == 0
    done, refused = publish.update(forecast, TODAY)
    assert (sorted(done), refused) == ([OURS, OTHER], [])
    assert a.value(forecast, count, [OURS]) > 0
    assert a.value(
        forecast, "select array_agg(distinct treinado_ate) from marts.mart_previsao_energia"
    ) == [date(2023, 12, 1)]
    assert a.value(forecast, count, [OTHER]) == 0
    assert series.pending(forecast, TODAY) == []
