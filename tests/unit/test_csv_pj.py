"""ANEEL's national CSVs: encodings, decimals, many safras in one file.

Not here: the database, lines and cells by themselves (test_csv_lines.py).
"""

import codecs
import re
import traceback
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from loaders.camadas import UCMT
from loaders.csv_lines import CUT
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
    lotes, rejeitados = defaultdict(list), Counter()
    with abrir(arquivo, safra=Safra.de_chave(safra) if safra else None) as fonte:
        for lote in fonte.lotes(UCMT):
            lotes[lote.safra].append(lote.dados.append_column("linha", lote.linhas))
            rejeitados[lote.safra] += len(lote.rejeitados)
        tabelas = {safra: pa.Table.from_batches(partes) for safra, partes in lotes.items()}
        assert fonte.linhas == {(s, "UCMT"): t.num_rows + rejeitados[s] for s, t in tabelas.items()}
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
        ([CABECALHO, LINHAS[0], "curta;401"], "1 de 2 linhas não têm os campos"),
        ([CABECALHO.replace("NOVA", "ENE_01"), LINHAS[0]], "ENE_01 mais de uma vez"),
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


def tabela(*celulas: str, coluna: str = "ENE_01", dist: str = "401") -> list[str]:
    """A header and a row for each cell of one column."""
    return [
        f"COD_ID_ENCR;DIST;ENE_01;DATA_BASE;{coluna if coluna != 'ENE_01' else 'LGRD'}",
        *(
            f"U{n};{dist};{cell if coluna == 'ENE_01' else 1};31DEC2024;{cell}"
            for n, cell in enumerate(celulas)
        ),
    ]


def valores(pasta: Path, linhas: list[str], coluna: str, **opcoes: str) -> list[object]:
    """One column of a file that has one safra."""
    with abrir(gravar(pasta, *linhas), **opcoes) as fonte:  # type: ignore[arg-type]
        return [v for lote in fonte.lotes(UCMT) for v in lote.dados.column(coluna).to_pylist()]


@pytest.mark.parametrize(
    ("celulas", "esperado"),
    [
        (["12.34", "12.345"], [12.34, 12.345]),
        (["0.123", "12.345"], [0.123, 12.345]),
        (["1234", "12.345"], [1234.0, 12.345]),
        (["1234.567", "12.345"], [1234.567, 12.345]),
        (["1.234,56", "12.345", "7"], [1234.56, 12345.0, 7.0]),
        (["1.234.567,8", "0,5"], [1234567.8, 0.5]),
        (["1,234.56", "12,345"], [1234.56, 12345.0]),
        (["1,5", "12,34", "12,345"], [1.5, 12.34, 12.345]),
        (["1,5", "2.5"], [1.5, 2.5]),
        (["1E+05", "1.5e3", "+3"], [1e5, 1500.0, 3.0]),
        (["0", "12", "999", "1000"], [0.0, 12.0, 999.0, 1000.0]),
        (["-", ".", "NULL", "null", "NA", "\\N", " ", "7"], [None] * 7 + [7.0]),
        (["-12.34", " 5 "], [-12.34, 5.0]),
    ],
)
def test_numbers_are_read_as_their_column_writes_them(
    tmp_path: Path, celulas: list[str], esperado: list[float | None]
) -> None:
    assert valores(tmp_path, tabela(*celulas), "ene_01") == esperado


@pytest.mark.parametrize("coluna", ["ENE_01", "DEM_03", "DIC_05", "CAR_INST"])
@pytest.mark.parametrize(
    ("celulas", "milhar", "esperado"),
    [
        (["12.345", "7", "1.234.567"], "ponto", [12345.0, 7.0, 1234567.0]),
        (["12.345", "-1.000"], "ponto", [12345.0, -1000.0]),
        (["12.345", "7,5"], "ponto", [12345.0, 7.5]),
        (["12,345", "7"], "virgula", [12345.0, 7.0]),
    ],
)
def test_what_can_be_thousands_or_decimals_is_refused_until_a_person_says(
    tmp_path: Path, coluna: str, celulas: list[str], milhar: str, esperado: list[float]
) -> None:
    linhas = tabela(*celulas, coluna=coluna)
    with pytest.raises(EntradaInvalida, match=f"coluna {coluna}: '12.345'.*--milhar {milhar}"):
        valores(tmp_path, linhas, coluna.lower())
    assert valores(tmp_path, linhas, coluna.lower(), milhar=milhar) == esperado


def test_a_month_of_one_value_is_read_as_the_other_months_of_its_series(tmp_path: Path) -> None:
    """One value of three decimals is chance beside months of four; two of them are none."""
    columns = "COD_ID_ENCR;DIST;DATA_BASE;DEM_01;DEM_02;ENE_01"
    months = {"one": ("395.957", "395.957"), "two": ("395.957", "12.345")}

    def lines(values: tuple[str, str], sibling: str) -> list[str]:
        rows = [f"A{n};401;31/12/2023;{v};{sibling};9" for n, v in enumerate(values)]
        return [columns, *rows]

    assert valores(tmp_path, lines(months["one"], "529.2444"), "dem_01") == [395.957] * 2
    for values, sibling in (
        (months["two"], "529.2444"),
        (months["one"], "529"),
        (months["one"], "1.234,5"),
    ):
        with pytest.raises(EntradaInvalida, match=r"coluna DEM_01: '395\.957'"):
            valores(tmp_path, lines(values, sibling), "dem_01")


def test_what_a_person_calls_decimals_are_decimals(tmp_path: Path) -> None:
    assert valores(tmp_path, tabela("12.345", "7"), "ene_01", milhar="nao") == [12.345, 7.0]


def test_thousands_are_told_by_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one value that settles it may come after many blocks; so may the first dot."""
    monkeypatch.setattr("loaders.csv_lines.BLOCK", 200)
    assert valores(tmp_path, tabela(*["12.345"] * 60, "1.5"), "ene_01")[:2] == [12.345] * 2
    assert valores(tmp_path, tabela(*["12.345"] * 60, "1.234,5"), "ene_01")[:2] == [12345.0] * 2
    with pytest.raises(EntradaInvalida, match=r"'12\.345'"):
        valores(tmp_path, tabela(*["7"] * 60, "12.345"), "ene_01")


def test_contradictory_numbers_are_refused(tmp_path: Path) -> None:
    for one, other in (("1.234,5", "1,234.5"), ("1.234,5", "7.25"), ("1,234.5", "7,25")):
        with pytest.raises(EntradaInvalida, match=f"ENE_01: '{one}' e '{other}'"):
            valores(tmp_path, tabela(one, other), "ene_01")


def test_what_was_looked_for_and_not_found_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EntradaInvalida, match="coluna ENE_01: '#N/D' não cabe"):
        valores(tmp_path, tabela("1", "#N/D"), "ene_01")


def test_degrees_have_no_thousands(tmp_path: Path) -> None:
    linhas = tabela("-52.012", coluna="POINT_X")
    assert valores(tmp_path, linhas, "point_x", milhar="ponto") == [-52.012]


@pytest.mark.parametrize("dist", ["401.0", "401,0", " 401 ", "401."])
def test_a_real_that_is_whole_is_an_integer(tmp_path: Path, dist: str) -> None:
    assert valores(tmp_path, tabela("1", dist=dist), "dist") == [401]


def test_a_real_that_is_not_whole_is_refused_with_its_column_and_value(tmp_path: Path) -> None:
    with pytest.raises(EntradaInvalida, match=r"'401\.5'"):
        valores(tmp_path, tabela("1", dist="401.5"), "dist")
    with pytest.raises(EntradaInvalida, match=r"coluna CONJ: '7\.5' não cabe em integer"):
        valores(tmp_path, tabela("7.5", coluna="CONJ"), "conj")


@pytest.mark.parametrize("fim", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codificacao", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separador", [";", "\t", "|"])
def test_every_way_to_end_a_line_and_to_write_a_letter(
    tmp_path: Path, fim: str, codificacao: str, separador: str
) -> None:
    linhas = [linha.replace(";", separador) for linha in tabela("“É”", "é –", coluna="LGRD")]
    arquivo = tmp_path / "ucmt_pj.csv"
    for ultima in ("", fim, fim * 3, fim + "\x1a"):
        arquivo.write_bytes((fim.join(linhas) + ultima).encode(codificacao))
        assert ler(arquivo)["401-2024"]["lgrd"].to_pylist() == ["“É”", "é –"]


@pytest.mark.parametrize("marca", ["\ufeff", ""])
@pytest.mark.parametrize("codificacao", ["utf-16-le", "utf-16-be"])
def test_utf16_is_told_with_a_mark_and_without(
    tmp_path: Path, codificacao: str, marca: str
) -> None:
    linhas = tabela("7", "8")
    arquivo = gravar(tmp_path, marca + linhas[0], *linhas[1:], codificacao=codificacao)
    assert ler(arquivo)["401-2024"]["ene_01"].to_pylist() == [7, 8]


def test_one_row_that_is_not_utf8_spoils_no_other(tmp_path: Path) -> None:
    arquivo = gravar(tmp_path, *tabela("SÃO", "JOÃO", "x", coluna="LGRD"), codificacao="utf-8")
    arquivo.write_bytes(arquivo.read_bytes().replace("JOÃO".encode(), "JOÃO".encode("latin-1")))
    with abrir(arquivo) as fonte:
        lidas = [v for lote in fonte.lotes(UCMT) for v in lote.dados.column("lgrd").to_pylist()]
    assert lidas == ["SÃO", "JOÃO", "x"]
    assert fonte.observacoes["UCMT"][-1] == (
        "1 linhas do arquivo não eram UTF-8 e foram lidas como cp1252"
    )


def test_a_byte_that_cp1252_lacks_and_a_nul_keep_their_row(tmp_path: Path) -> None:
    arquivo = gravar(tmp_path, *tabela("a", "b", coluna="LGRD"))
    arquivo.write_bytes(arquivo.read_bytes().replace(b";a", b";a\x81\0"))
    assert ler(arquivo)["401-2024"]["lgrd"].to_pylist() == ["a\ufffd", "b"]


def test_a_stray_quote_is_text_and_joins_no_lines(tmp_path: Path) -> None:
    celulas = ['"A CASA', 'BAR "DO ZE', '"a;""b"', "x", '"']
    lidas = ler(gravar(tmp_path, *tabela(*celulas, coluna="LGRD")))["401-2024"]
    assert lidas["lgrd"].to_pylist() == ['"A CASA', 'BAR "DO ZE', 'a;"b', "x", '"']


def test_a_line_without_the_headers_fields_is_rejected_with_its_reason(tmp_path: Path) -> None:
    linhas = tabela(*map(str, range(20)))
    linhas.insert(5, "U;401;1;31DEC2024;RUA;A MAIS")
    linhas.insert(9, "U;401;1")
    with abrir(gravar(tmp_path, *linhas)) as fonte:
        lotes = list(fonte.lotes(UCMT))
        (total,) = fonte.linhas.values()
    rejeitados = [r for lote in lotes for r in lote.rejeitados]
    assert [(r.linha, r.motivo) for r in rejeitados] == [
        (5, "linha com 6 campos, o cabeçalho tem 5"),
        (9, "linha com 3 campos, o cabeçalho tem 5"),
    ]
    assert rejeitados[1].registro == {"texto": "U;401;1"}
    numeros = [n for lote in lotes for n in lote.linhas.to_pylist()]
    assert numeros == [n for n in range(1, 23) if n not in (5, 9)]
    assert total == 22


def test_a_file_that_stops_in_a_row_is_refused_and_one_without_last_line_end_is_not(
    tmp_path: Path,
) -> None:
    arquivo = tmp_path / "ucmt_pj.csv"
    texto = "\n".join(tabela(*map(str, range(40))))
    arquivo.write_text(texto)
    assert ler(arquivo)["401-2024"].num_rows == 40
    with abrir(arquivo) as fonte:
        assert "acaba sem fim de linha" in "".join(fonte.observacoes["UCMT"])
    arquivo.write_text(texto + "\n")
    with abrir(arquivo) as fonte:
        assert "sem fim de linha" not in "".join(fonte.observacoes["UCMT"])
    arquivo.write_text(texto[: texto.rindex(";31DEC")])
    with pytest.raises(EntradaInvalida, match="última linha para no meio"):
        ler(arquivo)


def test_the_header_again_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    linhas = tabela("1", "2")
    with abrir(gravar(tmp_path, "", *linhas, "", linhas[0], linhas[1], "  ")) as fonte:
        assert sum(lote.dados.num_rows for lote in fonte.lotes(UCMT)) == 3
        assert list(fonte.linhas.values()) == [3]
    assert "o cabeçalho se repete 1 vezes" in " ".join(fonte.observacoes["UCMT"])


def test_separators_too_many_at_the_end_are_a_spreadsheets(tmp_path: Path) -> None:
    linhas = tabela("1", "2")
    assert ler(gravar(tmp_path, linhas[0], linhas[1] + ";;", linhas[2] + "; "))
    assert ler(gravar(tmp_path, linhas[0] + ";", linhas[1] + ";", linhas[2]))["401-2024"].num_rows


def test_names_may_be_quoted_and_spaced(tmp_path: Path) -> None:
    linhas = tabela("1", "2")
    cabecalho = ";".join(f'" {nome} "' for nome in linhas[0].split(";"))
    assert ler(gravar(tmp_path, cabecalho, *linhas[1:]))["401-2024"]["ene_01"].to_pylist() == [1, 2]


def rejeitados(arquivo: Path, *, safra: str | None = None) -> list[tuple[str, int, str]]:
    """Safra, number and reason of each rejected row; the others land, and none is missing."""
    ler(arquivo, safra=safra)
    with abrir(arquivo, safra=Safra.de_chave(safra) if safra else None) as fonte:
        return [
            (lote.safra.chave, r.linha, r.motivo)
            for lote in fonte.lotes(UCMT)
            for r in lote.rejeitados
        ]


NO_SAFRA = "; de safra desconhecida, guardada com a maior do arquivo"


def test_a_shapeless_row_of_who_knows_which_safra_stays_with_the_largest(tmp_path: Path) -> None:
    linhas = [*tabela(*map(str, range(20))), "U;86;1;31DEC2024;x", "U;86;1;31DEC2023;x"]
    motivo = "linha com 2 campos, o cabeçalho tem 5"
    assert rejeitados(gravar(tmp_path, *linhas, "U;401")) == [("401-2024", 23, motivo)]
    assert rejeitados(gravar(tmp_path, *linhas, "U;86")) == [("401-2024", 23, motivo + NO_SAFRA)]


@pytest.mark.parametrize(
    ("dist", "data", "motivo"),
    [
        ("", "31DEC2024", "DIST em branco" + NO_SAFRA),
        (" ", "31DEC2024", "DIST em branco" + NO_SAFRA),
        ("4O1", "31DEC2024", "DIST ilegível" + NO_SAFRA),
        ("86", "", "DATA_BASE em branco"),
        ("86", "31/02/2024", "DATA_BASE ilegível"),
        ("0", "31DEC2024", "DIST 0 não é um código de distribuidora" + NO_SAFRA),
        ("86", "31DEC1924", "data-base 31/12/1924 fora do intervalo possível"),
    ],
)
def test_a_row_of_no_safra_is_rejected_and_the_others_land(
    tmp_path: Path, dist: str, data: str, motivo: str
) -> None:
    linhas = [*tabela(*map(str, range(20))), "V;86;1;31DEC2024;x"]
    linhas.insert(3, f"U;{dist};7;{data};RUA")
    arquivo = gravar(tmp_path, *linhas)
    dono = "401-2024" if motivo.endswith(NO_SAFRA) else "86-2024"
    assert rejeitados(arquivo) == [(dono, 3, motivo)]
    assert ler(arquivo)["401-2024"]["linha"].to_pylist() == [1, 2, *range(4, 22)]
    with abrir(arquivo) as fonte:
        (rejeitado,) = [r for lote in fonte.lotes(UCMT) for r in lote.rejeitados]
    assert rejeitado.registro == {
        "cod_id": "U", "dist": dist, "ene_01": "7", "lgrd": "RUA",
    }  # fmt: skip


def test_a_row_of_no_safra_is_nobodys_where_one_safra_is_asked_for(tmp_path: Path) -> None:
    linhas = [*tabela(*map(str, range(20))), "V;86;1;31DEC2024;x", "V;86;1;;x", "V;;1;31DEC2024;x"]
    arquivo = gravar(tmp_path, *linhas)
    assert rejeitados(arquivo, safra="401-2024") == [("401-2024", 23, "DIST em branco" + NO_SAFRA)]
    assert [n for _, n, _ in rejeitados(arquivo, safra="86-2024")] == [22, 23]


def test_many_rows_of_no_safra_refuse_the_file(tmp_path: Path) -> None:
    linhas = [*tabela(*map(str, range(18))), "V;;1;31DEC2024;x", "V; ;1;31DEC2024;x"]
    assert len(rejeitados(gravar(tmp_path, *linhas))) == 2
    with pytest.raises(EntradaInvalida, match="3 de 21 linhas com DIST ou DATA_BASE.*em branco"):
        ler(gravar(tmp_path, *linhas, "V;;1;31DEC2024;x"))


def test_another_header_within_the_file_refuses_it(tmp_path: Path) -> None:
    """Its columns stand elsewhere: the rows below it would land in the wrong ones."""
    linhas = tabela(*map(str, range(40)))
    outro = linhas[0].replace("DIST;ENE_01", "ENE_01;DIST").lower()
    with pytest.raises(EntradaInvalida, match="outro cabeçalho, de outras colunas"):
        ler(gravar(tmp_path, *linhas, outro, "U;1;401;31DEC2024;x"))


@pytest.mark.parametrize("separador", [";", "\t", "|", ",", ":"])
@pytest.mark.parametrize(
    "forma", ["sep={}", '"sep={}"', "SEP={}", "\ufeffsep={}{}{}{}{}", "\nsep={}\n"]
)
def test_excels_line_that_says_the_separator_is_no_header(
    tmp_path: Path, separador: str, forma: str
) -> None:
    linhas = [
        forma.format(*[separador] * 5),
        *(x.replace(";", separador) for x in tabela("7", "8")),
    ]
    arquivo = gravar(tmp_path, *linhas, *linhas, codificacao="utf-8")
    assert ler(arquivo)["401-2024"]["ene_01"].to_pylist() == [7, 8, 7, 8]
    with abrir(arquivo) as fonte:
        list(fonte.lotes(UCMT))
        notas = fonte.observacoes["UCMT"]
    assert f"a linha sep={separador} do Excel diz o separador, não é linha" in notas
    assert "o cabeçalho se repete 1 vezes no arquivo e foi passado por alto" in notas


def test_a_separator_said_and_not_used_is_not_believed(tmp_path: Path) -> None:
    assert ler(gravar(tmp_path, "sep=,", *tabela("7", "8")))["401-2024"].num_rows == 2


@pytest.mark.parametrize("muda", [str.lower, str.title, lambda x: f" {x.replace(';', ' ; ')} "])
def test_the_header_again_in_another_case_or_spacing_is_no_row(
    tmp_path: Path, muda: Callable[[str], str]
) -> None:
    linhas = tabela(*"12345")
    with abrir(gravar(tmp_path, *linhas, muda(linhas[0]), linhas[1])) as fonte:
        assert sum(lote.dados.num_rows for lote in fonte.lotes(UCMT)) == 6
        assert list(fonte.linhas.values()) == [6]
    assert "o cabeçalho se repete 1 vezes" in " ".join(fonte.observacoes["UCMT"])


@pytest.mark.parametrize("primeiro", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bloco", [7, 60, 2**20])
def test_line_ends_may_differ_within_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, primeiro: str, bloco: int
) -> None:
    monkeypatch.setattr("loaders.csv_lines.BLOCK", bloco)
    linhas = tabela(*map(str, range(30)))
    fins = [primeiro, *["\n", "\r\n", "\r", "\r", "\r\r\n"] * 6]
    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_bytes("".join(map("".join, zip(linhas, fins, strict=True))).encode())
    lida = ler(arquivo)["401-2024"]
    assert lida["ene_01"].to_pylist() == list(range(30))
    assert lida["linha"].to_pylist() == list(range(1, 31))


def test_a_cr_within_a_cell_ends_no_line(tmp_path: Path) -> None:
    lidas = ler(gravar(tmp_path, *tabela("RUA A\rCASA 2", "x", coluna="LGRD")))["401-2024"]
    assert lidas["lgrd"].to_pylist() == ["RUA A CASA 2", "x"]


def sem_fim(pasta: Path, *celulas: str, coluna: str = "POINT_X") -> Path:
    """A file of 30 rows and those of the cells, the last one without line end."""
    cheias = [f"-52.{n:06d}" for n in range(100_001, 100_031)] if coluna == "POINT_X" else []
    arquivo = pasta / "ucmt_pj.csv"
    arquivo.write_text("\n".join(tabela(*cheias, *celulas, coluna=coluna)))
    return arquivo


@pytest.mark.parametrize("ultima", ["-52.10003", "-52.1", "-52.", "-52", "-5", "-", ""])
def test_a_last_value_cut_short_rejects_its_row(tmp_path: Path, ultima: str) -> None:
    arquivo = sem_fim(tmp_path, ultima)
    (rejeitado,) = rejeitados(arquivo)
    assert rejeitado == ("401-2024", 31, CUT)
    assert ler(arquivo)["401-2024"]["linha"].to_pylist() == list(range(1, 31))
    with abrir(arquivo) as fonte:
        assert "mais curto que todos os outros da coluna POINT_X" in "".join(
            fonte.observacoes["UCMT"]
        )


@pytest.mark.parametrize(
    ("celulas", "coluna"),
    [
        (["-52.100031"], "POINT_X"),  # whole
        (["-52.10", "-52.1000"], "POINT_X"),  # another has fewer decimals
        (["-52.10", "-52.10"], "POINT_X"),
        (["", ""], "POINT_X"),  # blanks are usual in it
        (["RUA A"] * 25 + ["RUA BB"] + ["RUA"], "LGRD"),  # texts of mixed lengths
        (["1.23"] * 19 + ["1.2"], "DEM_01"),  # too few to say
    ],
)
def test_a_last_row_without_line_end_is_kept_where_nothing_says_that_it_is_cut(
    tmp_path: Path, celulas: list[str], coluna: str
) -> None:
    arquivo = sem_fim(tmp_path, *celulas, coluna=coluna)
    assert rejeitados(arquivo) == []
    with abrir(arquivo) as fonte:
        assert "se veio cortado, o último valor da última linha" in "".join(
            fonte.observacoes["UCMT"]
        )


def test_a_last_value_cut_short_is_told_across_blocks_and_not_of_a_file_that_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.csv_lines.BLOCK", 90)
    arquivo = sem_fim(tmp_path, "-52.1")
    assert len(rejeitados(arquivo)) == 1
    for fim in ("\n", "\r\n", "\r", "\n\x1a"):
        whole = sem_fim(tmp_path, "-52.1").read_bytes()
        arquivo.write_bytes(whole + fim.encode())
        assert rejeitados(arquivo) == []


def test_a_file_that_only_has_a_bom_is_refused(tmp_path: Path) -> None:
    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_bytes(codecs.BOM_UTF8)
    with pytest.raises(EntradaInvalida):
        ler(arquivo)


@pytest.mark.parametrize("antes", ["4100.5", "4100"])
def test_thousands_are_told_safra_by_safra(tmp_path: Path, antes: str) -> None:
    """Files put together: one year's ``12.345`` is not read by another year's decimals."""
    cabecalho = "COD_ID_ENCR;DIST;ENE_01;ENE_02;DATA_BASE"
    velhas = [f"V{n};401;{antes};{n}.25;31DEC2023" for n in range(9)]
    novas = [f"N{n};401;12.{n}45;0;31DEC2024" for n in range(9)]
    arquivo = gravar(tmp_path, cabecalho, *velhas, *novas)
    with pytest.raises(EntradaInvalida, match="na safra 401-2024, '12.045' e '12.145' podem"):
        ler(arquivo)
    assert ler(arquivo, safra="401-2023")["401-2023"].num_rows == 9
    arquivo = gravar(tmp_path, cabecalho, *velhas, *novas, "D;401;7.5;0;31DEC2024")
    assert ler(arquivo)["401-2024"]["ene_01"][0].as_py() == 12.045


def test_a_spreadsheets_rows_of_separators_alone_are_blank(tmp_path: Path) -> None:
    linhas = tabela("1", "2")
    so_separadores = ";" * linhas[0].count(";")
    with abrir(gravar(tmp_path, *linhas, so_separadores, so_separadores + ";", ";; ")) as fonte:
        assert sum(lote.dados.num_rows for lote in fonte.lotes(UCMT)) == 2
        assert list(fonte.linhas.values()) == [2]
    assert not any("cabeçalho" in nota for nota in fonte.observacoes["UCMT"])
