"""What dbt builds is compared with what the loader summed: planted losses stop the publication.

Not here: the sums themselves (test_door.py), other tests of the models (test_motor_safra.py).
"""

import psycopg
import pytest

from tests.integration import armazem as a

MACROS = "macros/unidade_consumidora.sql"
FAULTS = {
    "AT loses its off-peak energy": (
        "coalesce(m.total, m.ponta + m.fora_ponta, m.ponta, m.fora_ponta)",
        "coalesce(m.total, m.ponta)",
        "energia_mensal_igual_a_carga",
    ),
    "peak and off-peak energy change places": (
        "'energia_ponta': 'ene_p', 'energia_fora_ponta': 'ene_f'",
        "'energia_ponta': 'ene_f', 'energia_fora_ponta': 'ene_p'",
        "energia_mensal_igual_a_carga",
    ),
    "DIC and FIC change places": (
        "'UCBT': {'energia_total': 'ene', 'dic': 'dic', 'fic': 'fic'}",
        "'UCBT': {'energia_total': 'ene', 'dic': 'fic', 'fic': 'dic'}",
        "dic_e_fic_iguais_a_carga",
    ),
    "peak and off-peak demand change places": (
        "'demanda_ponta': 'dem_p', 'demanda_fora_ponta': 'dem_f'",
        "'demanda_ponta': 'dem_f', 'demanda_fora_ponta': 'dem_p'",
        "maior_demanda_igual_a_carga",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_macro_at_fault_publishes_nothing(
    armazem: a.Warehouse, conn: psycopg.Connection, fault: str
) -> None:
    """Both sides of the test once used one macro: off-peak energy of AT was lost in the green."""
    right, wrong, test = FAULTS[fault]
    published = "select array_agg(publicada_em order by ano, distribuidora_id)"
    published += " from intel_lead.safra_publicada"
    before = a.value(conn, published)
    armazem.project.edit(MACROS, right, wrong)
    try:
        done = armazem.build(safra="404-2024")
    finally:
        armazem.project.edit(MACROS, wrong, right)
    assert test in done.of_status("fail"), done.trouble
    assert a.value(conn, published) == before
