"""A maker of the CNPJ registry's bulk files: made-up companies in Receita's layout.

Belongs here: the layout, written apart from the loader's. Not here: any claim.
"""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ESTABLISHMENT = {
    "basico": "",
    "ordem": "0001",
    "dv": "",
    "matriz": "1",
    "fantasia": "",
    "situacao": "02",
    "data_situacao": "20100101",
    "motivo": "00",
    "cidade_exterior": "",
    "pais": "",
    "inicio": "20100101",
    "cnae": "4711302",
    "secundarios": "",
    "tipo": "RUA",
    "logradouro": "DAS FLORES",
    "numero": "120",
    "complemento": "",
    "bairro": "CENTRO",
    "cep": "95000001",
    "uf": "RS",
    "tom": "8553",
    "ddd": "54",
    "telefone": "33331111",
    "ddd2": "",
    "telefone2": "",
    "ddd_fax": "",
    "fax": "",
    "email": "contato@exemplo.com.br",
    "especial": "",
    "data_especial": "",
}
COMPANY = {
    "basico": "",
    "razao": "COMERCIO EXEMPLO LTDA",
    "natureza": "2062",
    "qualificacao": "49",
    "capital": "100000,00",
    "porte": "03",
    "ente": "",
}


def check_digits(twelve: str) -> str:
    """The two digits of a CNPJ: modulo 11 over the characters' codes less 48."""
    found = ""
    for _ in range(2):
        text = twelve + found
        weights = [2 + i % 8 for i in range(len(text))][::-1]
        rest = sum((ord(c) - 48) * w for c, w in zip(text, weights, strict=True)) % 11
        found += str(0 if rest < 2 else 11 - rest)
    return found


def cnpj(root: str, order: str = "0001") -> str:
    """The fourteen characters of an establishment."""
    return root + order + check_digits(root + order)


def establishment(root: str, **values: str) -> str:
    """A line of Estabelecimentos."""
    row = ESTABLISHMENT | {"basico": root} | values
    row["dv"] = row["dv"] or check_digits(root + row["ordem"])
    return line(row.values())


def company(root: str, **values: str) -> str:
    """A line of Empresas."""
    return line((COMPANY | {"basico": root} | values).values())


def simples(root: str, mei: str) -> str:
    """A line of Simples."""
    return line([root, "S", "20200101", "00000000", mei, "20200101", "00000000"])


def line(values: Iterable[str]) -> str:
    """Every field quoted, nothing inside escaped."""
    return ";".join(f'"{value}"' for value in values) + "\n"


def write(folder: Path, tables: Mapping[str, Iterable[str]], *, zipped: bool = True) -> Path:
    """Write tables (``Estabelecimentos0`` → its lines) as Receita does; the folder.

    The same tables are the same bytes, whenever they are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in tables.items():
        content = "".join(lines).encode("latin-1")
        member = f"K3241.K03200Y0.{name.rstrip('0123456789').upper()}.CSV"
        if zipped:
            with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
        else:
            (folder / f"{name}.csv").write_bytes(content)
    return folder
