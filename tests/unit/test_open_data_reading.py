"""Open data before any database: what is read of a file, and what is refused with which words.

Belongs here: content, header, values. Not here: HTTP (test_open_data_client.py), landing
(integration/test_open_data.py).
"""

import csv
import gzip
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from loaders.errors import InvalidInput
from loaders.open_data import content, reading, values
from loaders.open_data.registry import DATASETS
from tests import open_data_samples as made

SAMPLES = made.samples()
GD = "geracao_distribuida"
JSON = {"bandeiras", "municipios", "populacao", "pib"}


def read(path: Path, dataset: str) -> tuple[list[dict[str, str]], list[str], reading.Reading]:
    """Rows to land, reasons of those rejected, and what was told."""
    with content.as_csv(path, DATASETS[dataset]) as plain:
        found = reading.examine(plain, DATASETS[dataset], path.name)
        batches = list(reading.batches(found))
    rows = [row for batch in batches for row in batch.data.to_pylist()]
    return rows, [r.reason for batch in batches for r in batch.rejects], found


def written(folder: Path, text: bytes, name: str = "arquivo.csv") -> Path:
    path = folder / name
    path.write_bytes(text)
    return path


def refused(path: Path, dataset: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(path, dataset)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_sample_of_each_dataset_is_read_whole(dataset: str, tmp_path: Path) -> None:
    rows, reasons, found = read(written(tmp_path, SAMPLES[dataset]), dataset)
    assert rows and not reasons
    assert len(rows) == found.census.records
    assert list(rows[0]) == reading.columns(DATASETS[dataset])


@pytest.mark.parametrize("dataset", sorted({*DATASETS} - JSON - {"clima"}))
@pytest.mark.parametrize("how", ["renamed", "lost"])
def test_each_column_that_a_csv_lacks_is_named(dataset: str, how: str, tmp_path: Path) -> None:
    header, _, rest = SAMPLES[dataset].partition(b"\n")
    for column in DATASETS[dataset].columns:
        if column.optional:
            continue
        names = header.decode("latin-1").split(";")
        at = next(n for n, x in enumerate(names) if x.casefold() == column.name.casefold())
        names[at] = "NovoNome" if how == "renamed" else ""
        said = refused(written(tmp_path, ";".join(names).encode("latin-1") + b"\n" + rest), dataset)
        assert f"não tem a coluna {column.name} de {dataset}" in said
        assert ("NovoNome" in said) == (how == "renamed")


@pytest.mark.parametrize(
    ("dataset", "old", "new"),
    [
        ("bandeiras", "DatCompetencia", "DatMes"),
        ("municipios", "nome", "denominacao"),
        ("municipios", "regiao-imediata", "regiao"),
        ("populacao", "D1C", "E1C"),
        ("pib", "V", "Valor"),
    ],
)
def test_a_renamed_field_of_an_answer_is_named(
    dataset: str, old: str, new: str, tmp_path: Path
) -> None:
    text = SAMPLES[dataset].replace(f'"{old}":'.encode(), f'"{new}":'.encode())
    said = refused(written(tmp_path, text, "resposta.json"), dataset)
    assert old in said and new in said


def test_a_renamed_column_of_a_station_is_named(tmp_path: Path) -> None:
    text = made.station().replace("TEMPERATURA DO AR", "TEMP. DO AR")
    said = refused(written(tmp_path, text.encode("latin-1")), "clima")
    assert "temperatura_c" in said and "TEMP. DO AR" in said


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_web_page_is_no_data(dataset: str, tmp_path: Path) -> None:
    page = b"\xef\xbb\xbf <!DOCTYPE html><html><body>Request Rejected</body></html>"
    assert "página da internet" in refused(written(tmp_path, page), dataset)


@pytest.mark.parametrize("dataset", sorted({*DATASETS} - JSON - {"clima"}))
def test_a_zip_a_gzip_and_another_encoding_say_the_same(dataset: str, tmp_path: Path) -> None:
    text = SAMPLES[dataset]
    whole, _, _ = read(written(tmp_path, text), dataset)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("pasta/DADOS.CSV", text)
    forms = [packed.getvalue(), gzip.compress(text)]
    if dataset != "ccee_consumo":  # its lines are of two encodings
        plain = text.decode("latin-1" if dataset == "siga" else "utf-8")
        forms += [plain.encode("utf-8-sig"), plain.encode("cp1252"), plain.encode("utf-16")]
        quoted = "\n".join(
            ";".join(f'"{cell}"' for cell in line.split(";")) for line in plain.splitlines()
        )
        forms.append(quoted.encode())
    for form in forms:
        assert read(written(tmp_path, form, "outro"), dataset)[0] == whole


@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_a_cut_archive_is_refused(kind: str, tmp_path: Path) -> None:
    text = SAMPLES["continuidade"] * 20
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dados.csv", text)
    whole = packed.getvalue() if kind == "zip" else gzip.compress(text)
    said = refused(written(tmp_path, whole[: len(whole) // 2]), "continuidade")
    assert "truncado ou corrompido" in said


def test_a_csv_cut_in_a_line_is_refused_and_one_cut_in_its_last_value_loses_that_line(
    tmp_path: Path,
) -> None:
    text = SAMPLES["continuidade"]
    assert "cortado" in refused(written(tmp_path, text[:-40]), "continuidade")
    rows, reasons, _ = read(written(tmp_path, text[:-2]), "continuidade")
    assert len(rows) == 47 and "última linha incompleta" in reasons[0]


@pytest.mark.parametrize(
    ("dataset", "why"),
    [("bandeiras", "2 de 3"), ("municipios", "5500"), ("populacao", "5500"), ("pib", "5500")],
)
def test_half_a_page_is_refused(dataset: str, why: str, tmp_path: Path) -> None:
    found = json.loads(SAMPLES[dataset])
    if isinstance(found, dict):
        del found["result"]["records"][0]
    else:
        del found[2700:]
    assert why in refused(written(tmp_path, json.dumps(found).encode()), dataset)
    cut = SAMPLES[dataset][: len(SAMPLES[dataset]) // 2]
    assert "cortada" in refused(written(tmp_path, cut), dataset)


def test_half_of_one_of_several_years_is_refused(tmp_path: Path) -> None:
    found = made.sidra("9324", (2023, 2024))[:-1000]
    said = refused(written(tmp_path, json.dumps(found).encode()), "populacao")
    assert "ano 2024: 4571 linhas" in said


def test_an_answer_of_another_variable_is_refused(tmp_path: Path) -> None:
    said = refused(written(tmp_path, SAMPLES["pib"]), "populacao")
    assert "variável 37" in said


def test_dimensions_in_another_order_and_without_header_are_told_by_their_codes(
    tmp_path: Path,
) -> None:
    rows = made.sidra("37")[1:]
    turned = [
        row | {f"D{b}{p}": row[f"D{a}{p}"] for a, b in ((1, 3), (2, 1), (3, 2)) for p in "CN"}
        for row in rows
    ]
    landed, _, _ = read(written(tmp_path, json.dumps(turned).encode()), "pib")
    assert {(r["d2c"], r["d3c"]) for r in landed} == {("37", "2024")}
    assert landed[0]["d1c"] == str(made.municipality_codes()[0][0])
    assert landed[0]["v"] == "..."


def test_a_column_of_another_type_refuses_and_a_single_row_is_kept_with_its_reason(
    tmp_path: Path,
) -> None:
    text = SAMPLES["continuidade"].decode()
    said = refused(written(tmp_path, text.replace(";0,50", ";alta").encode()), "continuidade")
    assert "coluna VlrIndiceEnviado: 24 de 48 valores não são número" in said
    one = text.replace("DEC;2024;3;0,50", "DEC;2024;3;alta").replace("FEC;2023;5;", "FEC;;5;")
    rows, reasons, _ = read(written(tmp_path, one.encode()), "continuidade")
    assert len(rows) == 46
    assert sorted(reasons) == ["AnoIndice em branco", "VlrIndiceEnviado não é número"]


def test_a_day_that_the_calendar_lacks_is_no_date(tmp_path: Path) -> None:
    text = SAMPLES["tarifas"].decode().replace("2023-12-22", "2023-02-30", 1)
    rows, reasons, _ = read(written(tmp_path, text.encode()), "tarifas")
    assert len(rows) == 1 and reasons == ["DatInicioVigencia não é data"]


@pytest.mark.parametrize(
    ("dataset", "old", "new", "kind"),
    [
        ("tarifas", "1310,00", "1" * 400, "número"),
        ("tarifas", "1310,00", "1e400", "número"),
        ("tarifas", "1310,00", "NaN", "número"),
        ("tarifas", "2023-12-22", "1700-01-01", "data"),
        ("geracao_distribuida", "4320909", "43209090000", "inteiro"),
        ("continuidade", ";2024;12;0,50", ";20244;12;0,50", "ano"),
        ("pld", "202401;SUL", "202413;SUL", "mês"),
    ],
)
def test_what_would_stop_the_build_is_rejected(
    dataset: str, old: str, new: str, kind: str, tmp_path: Path
) -> None:
    text = SAMPLES[dataset].decode().replace(old, new, 1)
    _, reasons, _ = read(written(tmp_path, text.encode()), dataset)
    assert len(reasons) == 1 and reasons[0].endswith(f"não é {kind}")


def test_a_spreadsheet_and_parquet_are_told(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "planilha" in refused(written(tmp_path, packed.getvalue()), "tarifas")
    assert "Parquet" in refused(written(tmp_path, b"PAR1" + b"x" * 99), "tarifas")


def test_fields_may_be_parted_by_commas_and_quoted(tmp_path: Path) -> None:
    whole, _, _ = read(written(tmp_path, SAMPLES["tarifas"]), "tarifas")
    out = io.StringIO()
    rows = [line.split(";") for line in SAMPLES["tarifas"].decode().splitlines()]
    csv.writer(out).writerows(rows)
    assert read(written(tmp_path, out.getvalue().encode()), "tarifas")[0] == whole


def test_thousands_are_taken_out_where_the_column_tells_and_refused_where_it_does_not(
    tmp_path: Path,
) -> None:
    text = SAMPLES["tarifas"].decode()
    rows, _, found = read(
        written(tmp_path, text.replace("1310,00", "1.310,00").encode()), "tarifas"
    )
    assert rows[0]["vlrtusd"] == "1310,00" and "separador de milhar" in found.notes[0]
    told = written(tmp_path, text.replace("1310,00", "1.310").encode())
    assert read(told, "tarifas")[0][0]["vlrtusd"] == "1310"
    doubtful = text.replace("1310,00", "1.310").replace("24,50", "2.450")
    said = refused(written(tmp_path, doubtful.encode()), "tarifas")
    assert "'1.310' e '2.450'" in said and "milhar ou decimal" in said


def test_three_decimals_after_a_comma_are_decimals_and_degrees_have_no_thousands(
    tmp_path: Path,
) -> None:
    text = SAMPLES["geracao_distribuida"].decode()
    text = text.replace(";8,25;", ";8,250;").replace(";150;", ";1,500;")
    rows, _, _ = read(written(tmp_path, text.replace("-28,06", "-28.061").encode()), GD)
    assert [row["mdapotenciainstaladakw"] for row in rows] == ["8,250", "1,500"]
    assert {row["numcoordnempreendimento"] for row in rows} == {"-28.061"}


def test_a_persons_document_and_name_are_read_nowhere(tmp_path: Path) -> None:
    header, *rows = SAMPLES["geracao_distribuida"].decode().splitlines()
    crooked = "linha torta;PESSOA INVENTADA;***.111.222-**"
    path = written(tmp_path, "\n".join([header, *rows * 8, crooked, ""]).encode())
    with content.as_csv(path, DATASETS["geracao_distribuida"]) as plain:
        found = reading.examine(plain, DATASETS["geracao_distribuida"], "gd.csv")
        batches = list(reading.batches(found))
    told = json.dumps([b.data.to_pylist() for b in batches])
    told += json.dumps([r.record for b in batches for r in b.rejects]) + " ".join(found.notes)
    assert [r.reason for b in batches for r in b.rejects] == [
        "linha com 3 campos, o cabeçalho tem 32"
    ]
    assert not re.search(r"INVENTADA|111\.222", told)


def test_late_bills_of_another_year_stay_with_the_file_that_brings_them(tmp_path: Path) -> None:
    lines = SAMPLES["samp"].decode().splitlines()
    late = lines[1].replace("2024-01-01", "2023-12-01")
    text = "\n".join([lines[0], *lines[1:] * 50, late, ""])
    rows, _, found = read(written(tmp_path, text.encode()), "samp")
    assert {row["ano_arquivo"] for row in rows} == {2024}
    assert set(found.years.values()) == {2024}


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2024-01-01", 2024),
        ("01/12/2023", 2023),
        ("31DEC2022:00:00:00.0000000", 2022),
        ("202105", 2021),
        ("2019", 2019),
        ("", None),
    ],
)
def test_the_year_is_read_in_every_form(text: str, year: int | None) -> None:
    assert values.year_of(text) == year


@pytest.mark.parametrize(
    ("dataset", "before", "after"),
    [
        ("tarifas", "Tarifa de Aplicação", "Tarifa Aplicacao"),
        ("samp", "Energia TE (kWh)", "Energia (kWh) TE"),
    ],
)
def test_a_source_that_changes_its_words_is_refused(
    dataset: str, before: str, after: str, tmp_path: Path
) -> None:
    """Models would find no row, and no error."""
    other = SAMPLES[dataset].replace(before.encode(), after.encode())
    told = refused(written(tmp_path, other), dataset)
    assert f"nenhuma linha diz {before!r}" in told
    assert after in told
    assert "a fonte mudou as palavras; nada mudou" in told


def test_capitals_and_accents_are_no_other_words(tmp_path: Path) -> None:
    other = SAMPLES["tarifas"].decode().replace("Tarifa de Aplicação", "TARIFA DE APLICACAO")
    rows, reasons, _ = read(written(tmp_path, other.encode()), "tarifas")
    assert len(rows) == 2 and not reasons


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_two_files_put_together_are_read_and_said(packed: bool, tmp_path: Path) -> None:
    """``cat a.csv b.csv``, and a gzip of two members; of the same rows landing knows more."""
    one = gzip.compress(SAMPLES["samp"]) if packed else SAMPLES["samp"]
    rows, _, found = read(written(tmp_path, one + one, "a.csv.gz" if packed else "a.csv"), "samp")
    assert len(rows) == 6
    assert found.notes == ["o cabeçalho aparece 2 vezes: arquivos juntados"]


def test_less_than_nothing_is_rejected(tmp_path: Path) -> None:
    header, *rows = SAMPLES[GD].decode().splitlines()
    place = header.split(";").index("MdaPotenciaInstaladaKW")
    cells = rows[0].split(";")
    powers = ["-2,25", "-0", "-,00", "0", "2,25"]
    made_up = [";".join([*cells[:place], power, *cells[place + 1 :]]) for power in powers]
    rows, reasons, _ = read(written(tmp_path, "\n".join([header, *made_up, ""]).encode()), GD)
    assert reasons == ["MdaPotenciaInstaladaKW é negativo"]
    assert [row["mdapotenciainstaladakw"] for row in rows] == powers[1:]


def test_a_station_whose_day_comes_twice_is_refused(tmp_path: Path) -> None:
    """Its rain would fall twice; other days of it in a second file are another matter."""
    with zipfile.ZipFile(io.BytesIO(SAMPLES["clima"])) as archive:
        first = archive.read(archive.namelist()[0])

    def both(second: bytes) -> Path:
        with zipfile.ZipFile(tmp_path / "clima.zip", "w") as archive:
            archive.writestr("a.CSV", first)
            archive.writestr("b.CSV", second)
        return tmp_path / "clima.zip"

    assert "b.CSV: 2024" in refused(both(first), "clima")
    rows, _, _ = read(both(first.replace(b"2024/", b"2023/")), "clima")
    assert rows
