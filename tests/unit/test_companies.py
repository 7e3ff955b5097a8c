"""The CNPJ registry's records: what a line holds, whose it is, which files are a delivery.

Not here: what lands (tests/integration/test_landing_companies.py).
"""

import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.companies import addresses, delivery, filtering, layout, reading, scope
from loaders.companies.layout import Kind
from loaders.companies.scope import Scope
from loaders.errors import InvalidInput
from tests import companies as c

FREE = st.text(
    st.characters(codec="latin-1", exclude_characters='\r\n";', exclude_categories=["Cc"]),
    max_size=12,
).map(str.strip)
QUOTED = st.tuples(FREE, FREE).map('"'.join).filter(lambda text: text.strip() == text)


@given(values=st.lists(FREE | QUOTED, min_size=7, max_size=7))
def test_a_field_is_what_stood_between_its_quotes_whatever_quotes_are_inside(
    values: list[str],
) -> None:
    """latin-1 bytes that happen to be UTF-8 are read as that: no such text is Portuguese."""
    raw = c.line(values).rstrip("\n").encode("latin-1")
    as_utf8 = [v for v in values if not v.isascii() and _is_utf8(v.encode("latin-1"))]
    if not as_utf8:
        assert reading.fields(raw, 7) == values


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'"A\x00B";"  C\x1a ";"\xc7"', ["A B", "C", "Ç"]),
        ('"ÇÃO";"2";"3"'.encode(), ["ÇÃO", "2", "3"]),
        (b"A;B;C", ["A", "B", "C"]),
        (b'A;"B;b";C', ["A", "B;b", "C"]),
        (b'"A";"B"', None),
        (b"", None),
    ],
    ids=["control bytes", "utf-8", "no quotes", "quoted in part", "too few", "blank"],
)
def test_fields_of_odd_lines(raw: bytes, expected: list[str] | None) -> None:
    assert reading.fields(raw, 3) == expected


@pytest.mark.parametrize(
    ("raw", "lines", "cut"),
    [(b"a\nb\n", 2, False), (b"a\r\nb", 2, True), (b"", 0, False), (b"\xef\xbb\xbfa\n", 1, False)],
)
def test_lines_are_counted_apart_from_their_reading(raw: bytes, lines: int, cut: bool) -> None:
    source = reading.CountingReader(io.BytesIO(raw), "x")
    read = list(reading.lines(source))
    assert (len(read), source.lines, source.cut) == (lines, lines, cut)
    assert all(text in (b"a", b"b") for _, text in read)


def test_what_has_no_line_end_for_long_is_no_text() -> None:
    source = reading.CountingReader(io.BytesIO(b"x" * (65 * 2**20)), "x.csv")
    with pytest.raises(InvalidInput, match=r"x.csv: não é texto"):
        list(reading.lines(source))


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("12ABC34501DE35", True),
        ("12ABC34501DE36", False),
        ("00000000000191", True),
        ("11111111000191", True),
        ("00000000000000", False),
        ("1234", False),
    ],
)
def test_a_cnpj_may_have_letters_and_its_digits_are_checked(number: str, valid: bool) -> None:
    assert filtering.valid_cnpj(number) is valid


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12))
def test_the_library_and_the_rule_by_hand_agree(twelve: str) -> None:
    """Receita's rule: modulo 11 over the characters' codes less 48."""
    assert filtering.valid_cnpj(twelve + c.check_digits(twelve)) or twelve.strip("0") == ""


@pytest.mark.parametrize(
    ("nature", "legal"),
    [("2062", True), ("1031", True), ("3999", True)]
    + [("2135", False), ("4081", False), ("5010", False), ("", False), ("206", False)],
)
def test_whose_company_it_is(nature: str, legal: bool) -> None:
    assert filtering.is_legal_person(nature) is legal


@pytest.mark.parametrize(
    "name", ["JOSE 12345678901", "123.456.789-01 MARIA", "ANA 123456789-01", ""]
)
def test_a_name_with_a_cpf_is_a_persons_whatever_its_nature(name: str) -> None:
    *_, person = filtering.company(["11111111", name, "2062", "49", "1000,00", "01", ""])
    assert person


def test_a_companys_figures() -> None:
    row = filtering.company(["11111111", "X LTDA", "206-2", "49", "1234567,89", "03", ""])
    assert row == ("11111111", "X LTDA", "2062", "1234567.89", 3, False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("20240229", date(2024, 2, 29)), ("20230229", None), ("0", None), ("00000000", None)]
    + [("", None), ("2024", None)],
)
def test_days(value: str, expected: date | None) -> None:
    assert filtering.day(value) == expected


ALL = Scope({"8921": 4320909}, frozenset(), frozenset())


def establishment(**values: str) -> tuple:
    line = c.establishment("11111111", **values).rstrip("\n").encode("latin-1")
    row = filtering.establishment(reading.fields(line, 30), 4320909, ALL)
    return dict(zip(filtering.COLUMNS[1:], row, strict=True))


def test_an_establishment() -> None:
    row = establishment(secundarios="4711302, 12,8610101", cep="95.000-001", numero="120a")
    assert row["cnpj"] == "11111111000191"
    assert (row["cnae"], row["cnaes_secundarios"]) == ("4711302", ["4711302", "8610101"])
    assert (row["cep"], row["numero"], row["telefone"]) == ("95000001", "120A", "54 33331111")


def test_what_holds_a_cpf_beside_the_name_goes() -> None:
    row = establishment(fantasia="BAR DO JOSE 12345678901", complemento="CPF 123.456.789-01")
    assert (row["nome_fantasia"], row["complemento"]) == (None, None)
    assert establishment(email="12345678901@x.com")["email"] is None


@pytest.mark.parametrize(
    ("cnaes", "cep", "wanted"),
    [
        (["4711301"], "1", True),
        (["8610101", "4711302"], "1", True),
        (["8610101"], "1", False),
        (["8610101"], "2", True),
        ([], "1", False),
    ],
    ids=["the class", "a secondary one", "another", "where leads say none", "none"],
)
def test_which_activities_are_wanted(cnaes: list[str], cep: str, wanted: bool) -> None:
    assert Scope({}, frozenset({"47113"}), frozenset({"2"})).wants(cnaes, cep) is wanted


def test_every_town_has_one_code_of_each_kind() -> None:
    codes = scope.tom_codes()
    assert len(codes) == len(set(codes.values())) == 5570
    assert codes["7107"] == 3550308


@pytest.mark.parametrize(
    ("name", "kind", "number"),
    [
        ("Estabelecimentos7.zip", Kind.ESTABLISHMENTS, 7),
        ("K3241.K03200Y3.D50614.ESTABELE", Kind.ESTABLISHMENTS, 3),
        ("K3241.K03200Y0.D50614.EMPRECSV", Kind.COMPANIES, 0),
        ("F.K03200$W.SIMPLES.CSV.D50614", Kind.SIMPLES, None),
        ("Socios0.zip", None, None),
        ("F.K03200$Z.D50614.MUNICCSV", None, None),
    ],
)
def test_what_a_name_says(name: str, kind: Kind | None, number: int | None) -> None:
    assert layout.kind_of_name(name) == kind
    assert kind is None or layout.part_of_name(name) == number
    assert layout.is_other(name) is (kind is None)


def test_the_month_is_the_folders_or_the_members() -> None:
    assert layout.month_of_name("2026-06") == date(2026, 6, 1)
    assert layout.month_of_name("K3241.K03200Y3.D50614.ESTABELE") == date(2025, 6, 1)
    assert layout.month_of_name("Estabelecimentos0.zip") is None


TABLES = {
    "Estabelecimentos0": [c.establishment("11111111")],
    "Empresas0": [c.company("11111111")],
    "Simples": [c.simples("11111111", "N")],
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "csv"])
def test_a_folder_of_months_is_as_many_deliveries(tmp_path: Path, zipped: bool) -> None:
    for month in ("2026-07", "2026-06"):
        c.write(tmp_path / month, TABLES, zipped=zipped)
    found = delivery.find([tmp_path])
    assert [f"{one.month:%Y-%m}" for one in found] == ["2026-06", "2026-07"]
    assert found[0].sha256() == found[1].sha256() or zipped


@pytest.mark.parametrize(
    ("gone", "more", "said"),
    [
        ("Simples", {}, "falta Simples (sem Simples não se sabe quem é MEI)"),
        ("Empresas0", {}, "falta Empresas"),
        ("", {"Estabelecimentos2": ["x"]}, "falta Estabelecimentos1"),
    ],
)
def test_a_delivery_that_lacks_something_is_refused(
    tmp_path: Path, gone: str, more: dict[str, list[str]], said: str
) -> None:
    tables = {name: lines for name, lines in TABLES.items() if name != gone}
    folder = c.write(tmp_path / "2026-06", tables | more)
    with pytest.raises(InvalidInput) as error:
        delivery.find([folder])
    assert said in str(error.value)


def test_the_zip_beside_what_was_extracted_from_it_is_refused(tmp_path: Path) -> None:
    folder = c.write(tmp_path / "2026-06", TABLES)
    c.write(folder, {"Estabelecimentos0": TABLES["Estabelecimentos0"]}, zipped=False)
    with pytest.raises(InvalidInput, match="Estabelecimentos0 está duas vezes"):
        delivery.find([folder])


def test_a_table_without_a_telling_name_is_told_by_its_shape(tmp_path: Path) -> None:
    for name, lines in zip("abc", TABLES.values(), strict=True):
        (tmp_path / f"{name}.csv").write_text("".join(lines), encoding="latin-1")
    (tmp_path / "leia-me.txt").write_text("nada\n")
    (found,) = delivery.find([tmp_path], date(2026, 6, 1))
    assert {part.path.name: part.kind for part in found.parts} == {
        "a.csv": Kind.ESTABLISHMENTS,
        "b.csv": Kind.COMPANIES,
        "c.csv": Kind.SIMPLES,
    }


def test_no_text_of_an_address_is_among_what_is_written() -> None:
    """raw.empresa_semelhanca has keys, a share and a flag: no column for text of LGRD."""
    text = Path(addresses.__file__).with_name("addresses.sql").read_text(encoding="utf-8")
    written = text.split("insert into raw.empresa_semelhanca")[1].split(")")[0].strip(" (")
    assert written.split(", ") == [
        *("ano", "distribuidora_id", "origem", "cod_id", "cnpj", "logradouro", "numero")
    ]


def test_establishments_and_companies_come_in_pairs(tmp_path: Path) -> None:
    folder = c.write(tmp_path / "2026-06", TABLES | {"Empresas1": [c.company("40000001")]})
    with pytest.raises(InvalidInput, match="há 1 de Estabelecimentos e 2 de Empresas"):
        delivery.find([folder])


def test_a_field_without_end_is_no_record() -> None:
    """Python's csv takes 131,072 characters of a field."""
    row = ["x"] * 29 + ["y" * 140_000]
    assert reading.fields((";".join([*row[:3], '"a;b"', *row[4:]])).encode(), 30) is None
