"""A record of the registry as a row, or why it is none.

Belongs here: pure functions on one record. Not here: files (reading.py), the database (landing.py).
"""

import re
from datetime import date

from stdnum.br import cnpj as stdnum_cnpj

from loaders.companies.scope import Scope

_CPF = re.compile(r"(?<!\d)\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?!\d)")
_CNAE = re.compile(r"\d{7}")
_CEP = re.compile(r"\d{8}")
_NO_DATE = {"", "0", "00000000"}
_BRANCH = {"1": True, "2": False}

COLUMNS = [
    "linha",
    "cnpj",
    "cnpj_basico",
    "municipio_id",
    "matriz",
    "situacao",
    "data_situacao",
    "data_inicio",
    "cnae",
    "cnaes_secundarios",
    "cep",
    "tipo_logradouro",
    "logradouro",
    "numero",
    "complemento",
    "bairro",
    "uf",
    "nome_fantasia",
    "telefone",
    "email",
]
"""What ``establishment`` returns, after the line's number."""


def has_cpf(value: str) -> bool:
    """Whether a text holds a number of eleven digits, as a person's CPF is."""
    return bool(_CPF.search(value))


def valid_cnpj(number: str) -> bool:
    """Whether the check digits are right; since July 2026 a CNPJ may have letters."""
    return stdnum_cnpj.is_valid(number)


def day(value: str) -> date | None:
    """AAAAMMDD; zeros, blanks and what is no day are none."""
    if value in _NO_DATE or len(value) != 8 or not value.isdigit():
        return None
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return None


def activities(main: str, others: str) -> tuple[str | None, list[str]]:
    """The main CNAE and the secondary ones, seven digits each."""
    rest = [code.strip() for code in others.split(",")]
    found = [code for code in rest if _CNAE.fullmatch(code)]
    return (main if _CNAE.fullmatch(main) else None), found


def postal_code(value: str) -> str | None:
    """Eight digits, or none."""
    code = value.replace("-", "").replace(".", "")
    return code if _CEP.fullmatch(code) and code.strip("0") else None


def establishment(fields: list[str], municipio: int, scope: Scope) -> tuple[object, ...] | None:
    """A record of Estabelecimentos as ``COLUMNS[1:]``; None where it is no lead's activity.

    Raises:
        ValueError: its CNPJ is none; the text is the reason.
    """
    main, others = activities(fields[11], fields[12])
    cep = postal_code(fields[18])
    if not scope.wants([*([main] if main else []), *others], cep):
        return None
    number = "".join(fields[:3]).upper()
    if not valid_cnpj(number):
        raise ValueError("CNPJ com dígito verificador errado")
    public = [None if has_cpf(value) else value or None for value in (*fields[13:18], fields[4])]
    street_kind, street, house, complement, district, trade_name = public
    return (
        number,
        number[:8],
        municipio,
        _BRANCH.get(fields[3]),
        int(fields[5]) if fields[5].isdigit() else None,
        day(fields[6]),
        day(fields[10]),
        main,
        others,
        cep,
        *(street_kind, street, house and house.upper(), complement, district),
        fields[19].upper() or None,
        trade_name,
        _phone(fields),
        None if has_cpf(fields[27]) else fields[27].lower() or None,
    )


def _phone(fields: list[str]) -> str | None:
    for area, number in ((fields[21], fields[22]), (fields[23], fields[24])):
        if number:
            return f"{area} {number}".strip()
    return None


def company(fields: list[str]) -> tuple[object, ...]:
    """A record of Empresas: root, name, legal nature, capital in R$, size, whether a person.

    Raises:
        ValueError: it is one of another table.
    """
    capital = fields[4].replace(".", "").replace(",", ".") if "," in fields[4] else fields[4]
    nature = re.sub(r"\D", "", fields[2])
    if len(nature) not in (0, 4) or len(fields[5]) > 2:
        raise ValueError("natureza jurídica ou porte ilegível")
    return (
        fields[0].upper(),
        fields[1],
        nature,
        capital if re.fullmatch(r"\d+(\.\d+)?", capital) else None,
        int(fields[5]) if fields[5].isdigit() else None,
        not is_legal_person(nature) or not fields[1] or has_cpf(fields[1]),
    )


def is_mei(fields: list[str]) -> bool:
    """Whether a record of Simples is of a MEI, one person's firm.

    Raises:
        ValueError: it does not say.
    """
    if fields[4].upper() not in ("S", "N", ""):
        raise ValueError("opção pelo MEI ilegível")
    return fields[4].upper() == "S"


def is_legal_person(nature: str) -> bool:
    """Public bodies (1xx), companies (2xx but 213-5, one person's firm), non-profits (3xx)."""
    return len(nature) == 4 and nature[0] in "123" and nature != "2135"
