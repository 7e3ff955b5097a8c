"""What people edit in seeds/ is checked before a build, and said by file, line and column.

Not here: claims about the committed seeds (test_seeds.py).
"""

import shutil
from pathlib import Path

import pytest

from dagster_pipeline import seeds
from loaders.errors import InvalidInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeds.FOLDER, tmp_path / "seeds"))


def edit(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What is said once a text that is in a seed is another."""
    file = folder / f"{name}.csv"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return list(seeds.problems(folder))


def test_the_committed_seeds_are_right() -> None:
    assert list(seeds.problems()) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "oferta_criterio",
            "fator_carga,0.10,maior",
            'fator_carga,"0,10",maior',
            "linha 5, coluna peso: '0,10' não é um número",
        ),
        (
            "oferta_criterio",
            "fator_carga,0.10,maior",
            "fator_carga,0.10,mayor",
            "linha 5, coluna direcao: 'mayor' não é maior ou menor",
        ),
        (
            "oferta_criterio",
            "fator_carga,0.10,maior",
            "fator_carga,0.20,maior",
            "linha 9, coluna peso: em migracao somam 1.1, devem somar 1",
        ),
        (
            "oferta_criterio",
            "fator_carga,0.10,maior",
            "fator_carga,1.10,maior",
            "linha 5, coluna peso: 1.10 não está entre 0 e 1",
        ),
        (
            "oferta_criterio",
            "migracao,fator_carga",
            "migrar,fator_carga",
            "linha 5, coluna oferta_id: 'migrar' não está em seeds/oferta.csv",
        ),
        ("oferta_criterio", "migracao:fator_carga,migracao", ",migracao", "coluna id: vazia"),
        (
            "oferta_criterio",
            "migracao:fator_carga,migracao",
            "migracao:energia_anual_kwh,migracao",
            "linha 5, coluna id: 'migracao:energia_anual_kwh' já está",
        ),
        ("oferta_criterio", "fator_carga,0.10,", "fator_carga,0.10,,", "linha 5: 7 campos, devem"),
        ("oferta_criterio", ",peso,", ",pesos,", "linha 1: falta a coluna peso"),
        (
            "oferta_criterio",
            "id,oferta_id,criterio_id,peso,direcao,fonte",
            "id;oferta_id;criterio_id;peso;direcao;fonte",
            "linha 1: as colunas se separam por vírgula",
        ),
        ("posto_tarifario_hora", "18:00", "18h", "coluna inicio: '18h' não é uma hora"),
        ("feriado", "2024-03-29", "29/03/2024", "coluna data: '29/03/2024' não é uma data"),
        ("anomalia_tipo", ",true,", ",sim,", "coluna ativo: 'sim' não é true ou false"),
    ],
)
def test_a_wrong_cell_is_said_by_line_column_and_rule(
    folder: Path, name: str, old: str, new: str, said: str
) -> None:
    found = edit(folder, name, old, new)
    assert all(line.startswith(f"seeds/{name}.csv, linha ") for line in found)
    assert any(said in line for line in found), found


def test_a_file_that_excel_saved_in_its_own_encoding_is_said(folder: Path) -> None:
    file = folder / "oferta.csv"
    file.write_bytes(file.read_text(encoding="utf-8").encode("cp1252"))
    assert any("oferta.csv, o arquivo não é UTF-8" in line for line in seeds.problems(folder))


def test_a_refusal_names_the_first_and_counts_the_rest(folder: Path) -> None:
    file = folder / "oferta_criterio.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(",maior,", ",mayor,"), encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        seeds.refuse(folder)
    lines = str(error.value).splitlines()
    assert len([line for line in lines if line.startswith("seeds/")]) == seeds.SHOWN
    assert lines[-2].startswith("… e mais ") and "nada foi construído" in lines[-1]
