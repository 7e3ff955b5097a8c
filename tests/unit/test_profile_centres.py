"""Centres of the consumption profiles: planted groups are found again, names follow the rules.

Not here: which unit is of which profile (tests/golden/profiles.py).
"""

import numpy as np
import pandas as pd

from scripts import profile_centres
from scripts.profile_centres import GROUPS, MEASURES, PROFILES, cluster, names, rows_of
from tests.unit.test_seeds import read

PLANTED = [(0.5, 8.0, 0.0), (20, 1.0, 3.33), (100, 1.0, 3.33), (400, 2.5, 5.0), (9000, 1.0, 3.33)]
"""kWh a month, largest over mean month, summer on its scale."""


def planted(*, load: float = np.nan, seed: int = 0) -> pd.DataFrame:
    """Forty units around each planted centre, in any order."""
    draw = np.random.default_rng(seed)
    rows = [
        [np.log10(kwh) / 0.15, np.log2(min(swing, 4)) / 0.5, summer, 2.0, load / 0.2]
        for kwh, swing, summer in PLANTED
        for _ in range(40)
    ]
    units = pd.DataFrame(rows, columns=MEASURES)
    units[MEASURES[:3]] += draw.normal(0, 0.05, (len(units), 3))
    units["kwh_mes"] = 10 ** (units["nivel"] * 0.15)
    units["maior_mes"] = np.repeat([swing for _, swing, _ in PLANTED], 40)
    units["na_ponta"], units["carga"] = 0.14, load
    return units.sample(frac=1, random_state=seed, ignore_index=True)


def test_planted_groups_are_found_from_least_energy_to_most() -> None:
    made = cluster(planted(), 5)
    expected = [np.log10(kwh) / 0.15 for kwh, _, _ in PLANTED]
    assert np.allclose(made.centres[:, 0], expected, atol=0.1)
    assert np.bincount(made.of).tolist() == [40] * 5
    assert np.isnan(made.centres[:, MEASURES.index("fator_carga")]).all()
    assert (made.silhouette > 0.8).all()


def test_the_same_units_give_the_same_centres() -> None:
    once, again = cluster(planted(), 5), cluster(planted(), 5)
    assert np.array_equal(once.centres, again.centres, equal_nan=True)


def test_names_say_level_season_and_use() -> None:
    assert names("comercial", cluster(planted(), 5)) == [
        "Comercial, quase sem consumo, sazonal, mais de abril a novembro",
        "Comercial, baixo consumo",
        "Comercial, consumo médio",
        "Comercial, alto consumo, sazonal, mais de dezembro a março",
        "Comercial, consumo muito alto",
    ]
    continuous = names("alta_media", cluster(planted(load=0.6), 5))
    assert all(name.endswith(", uso contínuo") for name in continuous)


def test_two_profiles_of_the_same_words_are_told_apart_by_their_energy() -> None:
    units = planted()
    units["maior_mes"] = 1.0
    made = cluster(units, 5)
    made.units["kwh_mes"] = np.choose(made.of, [1000.0, 1100.0, 5000.0, 5000.0, 5000.0])
    assert names("rural", made)[:2] == [
        "Rural, baixo consumo (≈ 1.000 kWh/mês)",
        "Rural, baixo consumo (≈ 1.100 kWh/mês)",
    ]


def test_a_row_of_the_seed_has_each_of_its_columns() -> None:
    header = list(read("perfil_centro")[0])
    (first, *_) = rows_of("comercial", cluster(planted(), 5), "k-means de teste")
    told = dict(zip(header, first, strict=True))
    assert told["perfil_id"] == "comercial_1"
    assert told["fator_carga"] == ""
    assert told["unidades"] == 40
    assert told["fonte"] == "k-means de teste"


def test_the_seed_holds_every_profile_of_every_group() -> None:
    rows = {row["perfil_id"]: row for row in read("perfil_centro")}
    expected = {f"{group}_{n + 1}" for group in GROUPS for n in range(PROFILES[group])}
    empty = {f"{group}_sem_consumo" for group in GROUPS} | {"sem_dados"}
    assert set(rows) == expected | empty
    assert all(rows[name]["nivel"] and rows[name]["fonte"] for name in expected)
    assert not any(rows[name]["nivel"] for name in empty)
    assert len({row["perfil"] for row in rows.values()}) == len(rows)
    assert profile_centres.SEED.exists()
