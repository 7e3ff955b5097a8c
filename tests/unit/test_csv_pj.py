"""ANEEL's national CSVs: encodings, decimals, many safras in one file. Not here: the database."""

import codecs
import re
import traceback
import zipfile
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from loaders.camadas import UCMT
from loaders.csv_pj import abrir
from loaders.erros import EntradaInvalida
from loaders.safra import Safra

CABECALHO = "COD_ID_ENCR;DIST;CONJ;LGRD;ENE_01;ENE_02;DATA_BASE;POINT_X;POINT_Y;OBJECTID;NOVA"
LINHAS = (
    "AA11;401;1;RUA DA CONCEIÇÃO;1,5;2;31DEC2024:00:00:00.0000000;-52,01;-28.07;1;x",
    "BB22;86;2;;115.58;;31DEC2022;;;2;x",
    'CC33;401;1;"RUA ""A""; 2";3;4;31DEC2024;-52;-28;3;x',
    "DD44;401;1;;5;6;31/12/2023;-52;-28;4;x",
)


def gravar(
    pasta: Path, *linhas: str, nome: str = "ucmt_pj.csv", codificacao: str = "latin-1"
) -> Path:
    arquivo = pasta / nome
    arquivo.write_bytes("\r\n".join([*(linhas or (CABECALHO, *LINHAS)), ""]).encode(codificacao))
    return arquivo


def ler(arquivo: Path, *, safra: str | None = None) -> dict[str, pa.Table]:
    """Safra → its rows, ``linha`` among them."""
    lotes = defaultdict(list)
    with abrir(arquivo, safra=Safra.de_chave(safra) if safra else None) as fonte:
        for lote in fonte.lotes(UCMT):
            lotes[lote.safra].append(lote.dados.append_column("linha", lote.linhas))
        tabelas = {safra: pa.Table.from_batches(partes) for safra, partes in lotes.items()}
        assert fonte.linhas == {(s, "UCMT"): t.num_rows for s, t in tabelas.items()}
    return {safra.chave: tabela for safra, tabela in tabelas.items()}


def test_one_file_is_split_into_its_safras(tmp_path: Path) -> None:
    lido = ler(gravar(tmp_path))
    assert {chave: t["linha"].to_pylist() for chave, t in lido.items()} == {
        "401-2024": [1, 3],
        "86-2022": [2],
        "401-2023": [4],
    }


def test_comma_and_point_are_decimals_and_blank_is_null(tmp_path: Path) -> None:
    lido = ler(gravar(tmp_path))
    assert lido["401-2024"]["ene_01"].to_pylist() == [1.5, 3.0]
    assert lido["401-2024"]["point_x"].to_pylist() == [-52.01, -52.0]
    assert lido["86-2022"]["ene_01"].to_pylist() == [115.58]
    assert lido["86-2022"]["ene_02"].to_pylist() == [None]


@pytest.mark.parametrize("codificacao", ["latin-1", "utf-8", "utf-8-sig"])
def test_accents_survive_every_encoding(tmp_path: Path, codificacao: str) -> None:
    lido = ler(gravar(tmp_path, codificacao=codificacao))["401-2024"]
    assert lido["lgrd"].to_pylist() == ["RUA DA CONCEIÇÃO", 'RUA "A"; 2']
    assert lido["cod_id"].to_pylist() == ["AA11", "CC33"]


def test_encoding_is_told_by_the_whole_file_not_by_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.csv_lines.BLOCK", 400)
    muitas = [LINHAS[1]] * 100
    arquivo = gravar(tmp_path, CABECALHO, *muitas, LINHAS[0])
    assert ler(arquivo)["401-2024"]["lgrd"].to_pylist() == ["RUA DA CONCEIÇÃO"]


def test_a_zip_is_streamed_whatever_it_is_called(tmp_path: Path) -> None:
    solto = gravar(tmp_path)
    with zipfile.ZipFile(tmp_path / "baixado.zip", "w", zipfile.ZIP_DEFLATED) as pacote:
        pacote.write(solto, "ucmt_pj.csv")
    assert ler(tmp_path / "baixado.zip").keys() == ler(solto).keys()


def test_a_corrupted_zip_is_refused(tmp_path: Path) -> None:
    pacote = tmp_path / "ucmt_pj.zip"
    with zipfile.ZipFile(pacote, "w") as aberto:
        aberto.write(gravar(tmp_path), "ucmt_pj.csv")
    pacote.write_bytes(pacote.read_bytes().replace(b"CONCEI", b"CONCEJ"))
    with pytest.raises(EntradaInvalida, match="CRC"):
        ler(pacote)


def test_unknown_columns_and_the_legal_persons_limit_are_observed(tmp_path: Path) -> None:
    with abrir(gravar(tmp_path)) as fonte:
        assert "pessoas jurídicas" in fonte.observacoes["UCMT"][0]
        assert fonte.observacoes["UCMT"][1] == "colunas não carregadas: NOVA"


def test_one_safra_can_be_taken_out_of_the_file(tmp_path: Path) -> None:
    assert ler(gravar(tmp_path), safra="86-2022").keys() == {"86-2022"}
    with pytest.raises(EntradaInvalida, match="nenhuma linha da safra 86-2021"):
        ler(gravar(tmp_path), safra="86-2021")


def test_without_base_date_the_safra_is_asked_for(tmp_path: Path) -> None:
    arquivo = gravar(tmp_path, "COD_ID_ENCR;DIST;ENE_01", "A;401;1", "B;86;2")
    with pytest.raises(EntradaInvalida, match="--safra"):
        ler(arquivo)
    assert ler(arquivo, safra="401-2024")["401-2024"]["cod_id"].to_pylist() == ["A"]


@pytest.mark.parametrize(
    ("linhas", "motivo"),
    [
        ([CABECALHO], "nenhuma linha"),
        (["A;B;C", "1;2;3"], "cabeçalho não tem DIST"),
        ([CABECALHO, LINHAS[0].replace(";401;", ";;")], "DIST ou DATA_BASE"),
        ([CABECALHO, LINHAS[0].replace("31DEC2024", "ontem")], "DIST ou DATA_BASE"),
        ([CABECALHO, LINHAS[0].replace("1,5", "x")], "coluna ENE_01"),
        ([CABECALHO, LINHAS[0], "curta;401"], "malformado"),
    ],
)
def test_bad_content_is_refused(tmp_path: Path, linhas: list[str], motivo: str) -> None:
    with pytest.raises(EntradaInvalida, match=motivo):
        ler(gravar(tmp_path, *linhas))


@pytest.mark.parametrize(
    "linha",
    [
        "RUA SECRETA;401",
        LINHAS[0].replace(";401;", ";RUA SECRETA;"),
        LINHAS[0].replace("31DEC2024", "RUA SECRETA"),
        LINHAS[0].replace(";401;", ";x;").replace("0000000", "RUA SECRETA"),
        LINHAS[0].replace("1,5", "RUA SECRETA"),
    ],
)
def test_a_refusal_quotes_no_row(tmp_path: Path, linha: str) -> None:
    """Neither in its message nor in what led to it, which a log writes as well."""
    with pytest.raises(EntradaInvalida) as recusa:
        ler(gravar(tmp_path, CABECALHO, linha))
    assert recusa.value.__cause__ is None
    assert "SECRETA" not in "".join(traceback.format_exception(recusa.value))


@pytest.mark.parametrize(
    ("dist", "data", "dito"),
    [
        ("401.5", "31/12/2024", "('401.5', '31/12/2024')"),
        ("401", "31DEZ2024:00:00:00.0000000", "('401', '31DEZ2024')"),
        ("", "2024-13-31", "(vazio, '2024-13-31')"),
        ("Maria", "12345678901", "(outro texto, outro texto)"),
    ],
)
def test_a_refusal_says_what_a_key_cell_holds_if_it_is_a_number_or_a_date(
    tmp_path: Path, dist: str, data: str, dito: str
) -> None:
    linha = LINHAS[1].replace(";86;", f";{dist};").replace("31DEC2022", data)
    with pytest.raises(EntradaInvalida, match=re.escape(dito)):
        ler(gravar(tmp_path, CABECALHO, linha))


def test_a_file_that_only_has_a_bom_is_refused(tmp_path: Path) -> None:
    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_bytes(codecs.BOM_UTF8)
    with pytest.raises(EntradaInvalida):
        ler(arquivo)
