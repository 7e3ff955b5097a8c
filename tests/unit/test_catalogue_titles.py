"""Titles of ANEEL's catalogue, as they were published, and such as no base has.

Belongs here: titles.py. Not here: which version counts (integration/test_catalogue_vintages.py).
"""

from datetime import date, datetime

import pytest

from loaders.catalogue.titles import OddTitle, Title, bare, parse

REAL = {
    "Mux_Energia_401_2024-12-31_V11_20250806-1857": (
        *("Mux_Energia", 401, date(2024, 12, 31), "V11"),
        datetime(2025, 8, 6, 18, 57),
    ),
    "EFLUL_86_2021-02-28_M10_20211207-1043": (
        *("EFLUL", 86, date(2021, 2, 28), "M10"),
        datetime(2021, 12, 7, 10, 43),
    ),
    "Eflul_86_2022-12-31_V11_20240103-0915": (
        *("Eflul", 86, date(2022, 12, 31), "V11"),
        datetime(2024, 1, 3, 9, 15),
    ),
    "CRELUZ-D_598_2022-12-31_V11_20230831-0921": (
        *("CRELUZ-D", 598, date(2022, 12, 31), "V11"),
        datetime(2023, 8, 31, 9, 21),
    ),
    "Light_382_2021-12-31_V10_20221208-1908": (
        *("Light", 382, date(2021, 12, 31), "V10"),
        datetime(2022, 12, 8, 19, 8),
    ),
    "BANDEIRANTE_391_2017-12-31_M10_20180807-1511": (
        *("BANDEIRANTE", 391, date(2017, 12, 31), "M10"),
        datetime(2018, 8, 7, 15, 11),
    ),
    "Cemig-D_4950_2022-12-31_V11_20230920-1643": (
        *("Cemig-D", 4950, date(2022, 12, 31), "V11"),
        datetime(2023, 9, 20, 16, 43),
    ),
    "CPFL_Paulista_63_2023-12-31_V11_20240508": (
        *("CPFL_Paulista", 63, date(2023, 12, 31), "V11"),
        datetime(2024, 5, 8),
    ),
}


@pytest.mark.parametrize("title", REAL)
def test_a_published_title_says_which_base_it_is(title: str) -> None:
    assert parse(title) == Title(*REAL[title])


@pytest.mark.parametrize("title", REAL)
@pytest.mark.parametrize("suffix", [".gdb", ".gdb.zip", ".zip", " ", ".GDB.ZIP"])
def test_a_files_name_says_the_same(title: str, suffix: str) -> None:
    assert parse(title + suffix) == Title(*REAL[title])
    assert bare(title + suffix) == title


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Energisa Sul-Sudeste 5216 2024-12-31 V11", ("Energisa_Sul-Sudeste", 5216, None)),
        ("Rede_2_401_2024-12-31_v11_20250806-1857", ("Rede_2", 401, datetime(2025, 8, 6, 18, 57))),
        ("Mux_401_2024-12-31_V11_20251399-9999", ("Mux", 401, None)),
    ],
)
def test_another_spelling_says_as_much_as_it_can(
    title: str, said: tuple[str, int, datetime | None]
) -> None:
    found = parse(title)
    assert (found.sigla, found.distribuidora_id, found.sent_at) == said
    assert (found.data_base, found.modelo) == (date(2024, 12, 31), "V11")


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("", "sem data-base"),
        ("Manual de Instruções da BDGD", "sem data-base"),
        ("Mux_Energia_2024-12-31_V11_20250806-1857", "sem o código da distribuidora"),
        ("Mux_Energia_401_2024-12-31_20250806-1857", "sem o modelo"),
        ("Mux_Energia_401_2024-02-30_V11_20250806-1857", "data-base 2024-02-30 não existe"),
        ("Mux_Energia_401_1924-12-31_V11_20250806-1857", "fora do intervalo"),
        ("Mux_Energia_99999_2024-12-31_V11_20250806-1857", "não é um código"),
        ("Mux_Energia_401_2024-12-31_V11_corrigida", "fora da forma"),
        ("401_2024-12-31_V11_20250806-1857", "sem o código da distribuidora"),
    ],
)
def test_an_odd_title_has_a_reason(title: str, reason: str) -> None:
    with pytest.raises(OddTitle, match=reason):
        parse(title)
