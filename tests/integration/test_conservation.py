"""What dbt builds is compared with what the loader summed: planted losses stop the publication.

Not here: the sums themselves (test_door_rows.py), other tests of the models (test_safra_engine.py).
"""

import psycopg
import pytest

from tests.integration import warehouse as a

MACROS = "macros/unidade_consumidora.sql"
LOST = [
    (
        "coalesce(m.total, m.ponta + m.fora_ponta, m.ponta, m.fora_ponta)",
        "coalesce(m.total, m.ponta)",
    )
]
SWAPPED = [
    (
        "'energia_ponta': 'ene_p', 'energia_fora_ponta': 'ene_f'",
        "'energia_ponta': 'ene_f', 'energia_fora_ponta': 'ene_p'",
    ),
    (
        "'demanda_ponta': 'dem_p', 'demanda_fora_ponta': 'dem_f'",
        "'demanda_ponta': 'dem_f', 'demanda_fora_ponta': 'dem_p'",
    ),
    (
        "'UCBT': {'energia_total': 'ene', 'dic': 'dic', 'fic': 'fic'}",
        "'UCBT': {'energia_total': 'ene', 'dic': 'fic', 'fic': 'dic'}",
    ),
]


@pytest.mark.parametrize(
    ("faults", "tests"),
    [
        (LOST, {"energia_mensal_igual_a_carga", "energia_do_resumo_igual_a_carga"}),
        (
            SWAPPED,
            {
                "energia_mensal_igual_a_carga",
                "dic_e_fic_iguais_a_carga",
                "maior_demanda_igual_a_carga",
            },
        ),
    ],
    ids=["AT loses its off-peak energy", "peak and off-peak, DIC and FIC change places"],
)
def test_a_macro_at_fault_publishes_nothing(
    warehouse: a.Warehouse,
    conn: psycopg.Connection,
    faults: list[tuple[str, str]],
    tests: set[str],
) -> None:
    """Both sides of the test once used one macro: off-peak energy of AT was lost in the green."""
    published = "select array_agg(publicada_em order by ano, distribuidora_id)"
    published += " from intel_lead.safra_publicada"
    before = a.value(conn, published)
    macros = warehouse.project.folder / MACROS
    sound = macros.read_text()
    for right, wrong in faults:
        assert sound.count(right) == 1
        macros.write_text(macros.read_text().replace(right, wrong))
    warehouse.project.parse()
    try:
        done = warehouse.build("--select", "config.materialized:safra", *a.ALL, safra="404-2024")
    finally:
        macros.write_text(sound)
    assert tests <= set(done.of_status("fail")), done.trouble
    assert a.value(conn, published) == before
