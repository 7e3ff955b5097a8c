"""What readers find in schema marts: legal persons' units, and aggregates that point at nobody.

Not here: which relation a role may read at all (test_roles.py).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration import warehouse as a

NATURAL = ["RE1", "RE2", "RU3", "RU1", "RU1A", "RU1B", "RU2", "0", None]
"""Classes of a natural person's unit in low voltage."""
LEGAL = ["CO1", "IN", "RU5", "PP1"]
OF_UNITS = ["vw_lead_completo_detalhado", "lead_com_coordenadas", "lead_energia_mensal"]
OF_UNITS += ["lead_demanda_mensal", "lead_qualidade_mensal"]
LEAKS = """
    create function pg_temp.conta(text) returns boolean language plpgsql cost 0.0000001 as $$
    begin raise notice '%', $1; return true; end $$
"""


@pytest.fixture
def changed(conn: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The warehouse inside a transaction that is undone."""
    with conn.transaction(force_rollback=True):
        yield conn


def reclass(conn: psycopg.Connection, origin: str, classes_of: list[str | None]) -> list[str]:
    """Give as many units of a layer these classes; their uc_ids, in the same order."""
    found = conn.execute(
        "select uc_id::text, ano, distribuidora_id from intel_lead.lead_bruto where origem = %s"
        " order by uc_id limit %s",
        [origin, len(classes_of)],
    ).fetchall()
    assert len(found) == len(classes_of)
    for unit, class_ in zip(found, classes_of, strict=True):
        conn.execute(
            "update intel_lead.lead_bruto set classe_consumo_id = %s"
            " where uc_id = %s and ano = %s and distribuidora_id = %s",
            [class_, *unit],
        )
    return [uc_id for uc_id, *_ in found]


@pytest.mark.parametrize("view", OF_UNITS)
def test_a_natural_persons_unit_is_in_no_view(changed: psycopg.Connection, view: str) -> None:
    """Farmers in low voltage are persons, in medium voltage they are not; no class is a person."""
    low = reclass(changed, "UCBT", [*NATURAL, *LEGAL])
    medium = reclass(changed, "UCMT", ["RU1"]) + reclass(changed, "UCAT", ["RU2"])
    expected = {*low[len(NATURAL) :], *medium}
    found = changed.execute(
        f"select distinct uc_id::text from marts.{view} where uc_id = any(%s::uuid[])",
        [[*low, *medium]],
    )
    seen = {uc_id for (uc_id,) in found}
    of_layers = {"lead_demanda_mensal": {*medium}}.get(view, expected)
    assert seen == of_layers


LEGAL_BY_CODE = """
    classe_consumo_id is not null
    and classe_consumo_id not in (
        'RE1', 'RE2', 'RE3', 'RE4', 'RE5', 'RE6', 'REBR', 'REQU', 'REBP', 'REMU', 'RU3', '0'
    )
    and not (l.origem = 'UCBT' and classe_consumo_id in ('RU1', 'RU1A', 'RU1B', 'RU2'))
"""
"""Told apart by the codes of the files, where marts asks the domain table."""


def test_every_legal_persons_unit_is_there_whole(conn: psycopg.Connection) -> None:
    for view in OF_UNITS:
        ids = f"(select uc_id from intel_lead.lead_bruto as l where {LEGAL_BY_CODE})"
        own = f"select * from intel_lead.{view} where uc_id in {ids}"
        for one, other in ((own, f"table marts.{view}"), (f"table marts.{view}", own)):
            assert a.value(conn, f"select count(*) from ({one} except all {other}) as t") == 0, view
        assert a.value(conn, f"select count(*) from marts.{view}") > 0


def test_the_safras_rollup_knows_its_natural_persons(conn: psycopg.Connection) -> None:
    """Units, energy and the greatest one, per safra, município and layer."""
    units = f"""
        select l.ano, l.distribuidora_id, l.municipio_id, l.origem, a.energia_anual_kwh as e,
            not ({LEGAL_BY_CODE}) as pf
        from intel_lead.lead_bruto as l
        inner join intel_lead.lead_resumo_anual as a using (uc_id, ano, distribuidora_id)
    """
    counted = f"""
        select ano, distribuidora_id, municipio_id, origem, count(*) filter (where pf),
            max(e), round(sum(e) filter (where pf)::numeric, 3), max(e) filter (where pf)
        from ({units}) as u group by 1, 2, 3, 4 order by 1, 2, 3, 4
    """
    kept = """
        select ano, distribuidora_id, municipio_id, origem, leads_pf, maior_energia_anual_kwh,
            round(energia_pf_kwh::numeric, 3), maior_energia_pf_kwh
        from intel_lead.safra_resumo order by 1, 2, 3, 4
    """
    assert conn.execute(kept).fetchall() == conn.execute(counted).fetchall()


def test_neither_an_error_nor_a_readers_function_shows_a_hidden_row(
    changed: psycopg.Connection,
) -> None:
    """The views are barriers: a cheap function in a reader's query sees the rows that are left."""
    notices: list[str] = []
    changed.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    changed.execute(LEAKS)
    query = "select count(*) from marts.{} where pg_temp.conta(uc_id::text)"
    for view in OF_UNITS:
        notices.clear()
        rows = a.value(changed, query.format(view))
        assert len(notices) == rows, view


@pytest.mark.parametrize(
    "where",
    [
        "ano = 2024 and distribuidora_id = 404",
        "uc_id = '07e80194-0000-8000-8000-000000000000'"
        " and ano = marts.ano_do_id('07e80194-0000-8000-8000-000000000000')"
        " and distribuidora_id = marts.distribuidora_do_id('07e80194-0000-8000-8000-000000000000')",
    ],
    ids=["safra", "uc_id"],
)
@pytest.mark.parametrize("view", OF_UNITS)
def test_a_view_reads_the_named_safras_leaves_alone(
    conn: psycopg.Connection, view: str, where: str
) -> None:
    lines = conn.execute(f"explain select * from marts.{view} where {where}").fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert "_404_2024" in plan
    assert "_401_2024" not in plan
    assert ("uc_id = '07e80194" in plan) == ("uc_id" in where)


# Small cells --------------------------------------------------------------------------------------


def small(units: list[tuple]) -> bool:
    """Persons, but fewer than five; or one unit with more than 80 % of all energy, or of theirs."""
    persons = [u for u in units if u[0]]
    return bool(persons) and (
        len(persons) < 5
        or any(max(u[1] for u in of) > 0.8 * sum(u[1] for u in of) for of in (units, persons))
    )


UNITS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([1.0, 1.0, 1.0, 2.0, 20.0]),
        st.sampled_from(["UCMT", "UCBT", "UCAT"]),
        st.sampled_from([401, 404]),
        st.sampled_from([4309803, 4320909, 4316733, None]),
        st.sampled_from(["CO1", "RE1", "RE2", None]),
        st.sampled_from(["Centro", "Sul", None]),
    ),
    min_size=1,
    max_size=60,
)
ROLLUPS = {
    "resumo_municipio": ("municipio_id", 4),
    "resumo_distribuidora": ("distribuidora_id", 3),
    "resumo_camada": ("camada", 2),
}
"""Rollup of all distributors → its key beside the year, and where that stands in a unit."""
OF_DISTRIBUTORS = {
    "resumo_classe": (("classe_consumo_id",), (5,), [()]),
    "resumo_bairro": (("municipio_id", "bairro"), (4, 6), [(4,), ()]),
}
"""Rollup within a distributor → its key, where that stands in a unit, the totals that it is of."""
SUMS = ("safra_resumo", "safra_celula", "safra_celula_oferta")
NOUGHTS = "leads_com_dic leads_com_fic leads_dic_impossivel leads_fic_impossivel leads_livres"
NOUGHTS += " leads_com_geracao leads_enriquecidos leads_com_dec leads_com_limite"
SUM_UP = f"""
    insert into pg_temp.safra_celula (
        dimensao, distribuidora_id, municipio_id, bairro, classe_consumo_id, origem, ano,
        quantidade_leads, energia_anual_kwh, leads_pf, maior_energia_anual_kwh, energia_pf_kwh,
        maior_energia_pf_kwh, leads_com_mediana,
        {", ".join(NOUGHTS.split())}
    )
    select
        case when grouping(c) = 0 then 'classe' when grouping(b) = 0 then 'bairro'
            else 'municipio' end,
        d, m, b, c, o, 2024, count(*), sum(e), count(*) filter (where pf), max(e),
        sum(e) filter (where pf), max(e) filter (where pf), 0
        {", 0" * len(NOUGHTS.split())}
    from pg_temp.unidade group by grouping sets ((d, o, m), (d, o, m, b), (d, o, c))
"""


def on_temporary(conn: psycopg.Connection, view: str) -> str:
    """A rollup's own SQL, over temporary tables and views."""
    text = a.value(conn, "select pg_get_viewdef(%s::regclass)", [view])
    sums = "|".join([*SUMS, r"resumo_\w+"])
    return re.sub(rf"\bintel_lead\.({sums})\b", r"pg_temp.\1", text.rstrip(";"))


@pytest.fixture(scope="module")
def rollups(warehouse: a.Warehouse) -> Iterator[tuple[psycopg.Connection, Mapping[str, str]]]:
    """A connection where units make the rollups, and the readers' as SQL."""
    with warehouse.connect() as own:
        own.execute(
            "create temporary table unidade (pf boolean, e double precision,"
            " o intel_lead.origem_enum, d integer, m integer, c text, b text)"
        )
        for name in SUMS[1:]:
            own.execute(f"create temporary table {name} (like intel_lead.{name})")
        columns = own.execute("select * from intel_lead.safra_resumo limit 0").description
        own.execute(
            f"create temporary view safra_resumo as select {', '.join(c.name for c in columns)}"
            " from pg_temp.safra_celula where dimensao = 'municipio'"
        )
        for name in a.relations(own, "intel_lead"):
            if ".resumo_" in name:
                text = on_temporary(own, name)
                own.execute(f"create temporary view {name.split('.')[1]} as {text}")
        names = [*ROLLUPS, *OF_DISTRIBUTORS]
        yield own, {name: on_temporary(own, f"marts.{name}") for name in names}


def fill(conn: psycopg.Connection, units: list[tuple]) -> None:
    """These units alone, summed up."""
    conn.execute("truncate pg_temp.unidade, pg_temp.safra_celula")
    with conn.cursor().copy("copy pg_temp.unidade from stdin") as copy:
        for unit in units:
            copy.write_row(unit)
    conn.execute(SUM_UP)


def hidden(conn: psycopg.Connection, sql: str, key: str) -> set[object]:
    """Keys of the suppressed cells; a suppressed one shows no measure."""
    rows = conn.execute(
        f"select {key}, suprimido, quantidade_leads, energia_anual_kwh from ({sql}) as r"
    )
    found = rows.fetchall()
    assert all((leads is None) == (energy is None) == gone for _, gone, leads, energy in found)
    return {tuple(k) if isinstance(k, list) else k for k, gone, *_ in found if gone}


@settings(max_examples=150)
@given(units=UNITS)
def test_neither_a_cell_nor_a_difference_points_at_a_person(
    rollups: tuple[psycopg.Connection, Mapping[str, str]], units: list[tuple]
) -> None:
    """No small cell is shown, none is left of a total without what is shown; no more is hidden."""
    conn, queries = rollups
    fill(conn, units)
    for name, (key, place) in ROLLUPS.items():
        gone = hidden(conn, queries[name], key)
        cells: dict[object, list[tuple]] = {}
        for unit in units:
            cells.setdefault(unit[place], []).append(unit)
        of_persons = {k for k, cell in cells.items() if any(pf for pf, *_ in cell)}
        must = {k for k in cells if small(cells[k])}
        split = name == "resumo_municipio"
        if split:
            must |= {k for k in of_persons if split_small(cells[k])}
        assert must <= gone <= of_persons, name
        assert bool(gone) == bool(must), name
        totals = [[u for u in units if u[3] == d] for d in (401, 404)] if split else [units]
        for total in totals:
            rest = [u for u in total if u[place] in gone]
            shown = {u[place] for u in total if u[0]} - gone
            assert not (small(rest) and shown), name
        # A município of two distributors that is hidden for one of them hides the other's as well:
        # more may be hidden there than each would need.
        shared = {u[4] for u in units if u[3] == 401} & {u[4] for u in units if u[3] == 404}
        for extra in gone - must if not (split and shared) else ():
            assert any(needed(total, place, must, gone, extra) for total in totals), (name, extra)


@settings(max_examples=150)
@given(units=UNITS)
def test_neither_a_distributors_cell_nor_a_difference_points_at_a_person(
    rollups: tuple[psycopg.Connection, Mapping[str, str]], units: list[tuple]
) -> None:
    """Classes of a distributor; its bairros, of their município and of all of it."""
    conn, queries = rollups
    fill(conn, units)
    for name, (columns, places, totals) in OF_DISTRIBUTORS.items():
        key = "array[distribuidora_id::text, " + "".join(f"{c}::text, " for c in columns)
        gone = hidden(conn, queries[name], key.removesuffix(", ") + "]")

        def of(unit: tuple, places: tuple[int, ...] = places) -> tuple:
            return tuple(
                None if v is None else str(v) for v in (unit[3], *(unit[p] for p in places))
            )

        cells: dict[tuple, list[tuple]] = {}
        for unit in units:
            cells.setdefault(of(unit), []).append(unit)
        must = {k for k, cell in cells.items() if small(cell)}
        assert must <= gone <= {k for k, cell in cells.items() if any(u[0] for u in cell)}, name
        assert bool(gone) == bool(must), name
        for total in totals:
            groups: dict[tuple, list[tuple]] = {}
            for unit in units:
                groups.setdefault((unit[3], *(unit[p] for p in total)), []).append(unit)
            for group in groups.values():
                rest = [u for u in group if of(u) in gone]
                shown = {of(u) for u in group if u[0]} - gone
                assert not (small(rest) and shown), (name, total)


def needed(total: list[tuple], place: int, must: set, gone: set, extra: object) -> bool:
    """Whether what is left of a total is small while this cell, and larger ones, are shown."""
    size = Counter(u[place] for u in total)
    return any(
        small([u for u in total if u[place] in must or (u[place] in gone and smaller(u[place]))])
        for smaller in (
            lambda key: size[key] < size[extra],
            lambda key: size[key] <= size[extra] and key != extra,  # of two as large, either
        )
    )


def split_small(cell: list[tuple]) -> bool:
    """Whether two distributors' persons share a município, and either's part alone is small."""
    parts = [[u for u in cell if u[3] == distributor] for distributor in (401, 404)]
    of_persons = [part for part in parts if any(pf for pf, *_ in part)]
    return len(of_persons) > 1 and any(map(small, of_persons))
