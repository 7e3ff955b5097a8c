"""The usual way to load a BDGD: pandas in memory, COPY into tables that have their constraints.

Belongs here: an honest version of it, vectorised where pandas can, COPY in blocks, no insert row by
row. Not here: anything of ours. ``python -m … FILE.gdb``
"""

import hashlib
import io
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psycopg
import pyogrio

ANO, DIST = 2024, 401
DOMAINS = {
    "municipio_id": ("mun", "municipio"),
    "cnae_id": ("cnae", "cnae"),
    "grupo_tensao_id": ("gru_ten", "grupo_tensao"),
    "subgrupo_tarifario_id": ("gru_tar", "subgrupo_tarifario"),
    "tipo_sistema_id": ("tip_sist", "tipo_sistema"),
    "situacao_uc_id": ("sit_ativ", "situacao_uc"),
    "classe_consumo_id": ("clas_sub", "classe_consumo"),
    "fase_conexao_id": ("fas_con", "fase_conexao"),
    "tensao_fornecimento_id": ("ten_forn", "tensao_fornecimento"),
    "area_localizacao": ("are_loc", "area_localizacao"),
}
SAME = [
    "distribuidora_id",
    "ano",
    "import_id",
    "linha",
    "cod_id",
    "origem",
    "uc_id",
    "ceg_gd",
    "bairro",
]
BLOCK = 200_000


def read(file: Path, layer: str) -> pd.DataFrame:
    """One UC layer, blanks to null."""
    frame = pyogrio.read_dataframe(file, layer=f"{layer}_tab", read_geometry=False, use_arrow=True)
    frame.columns = frame.columns.str.lower()
    for column in frame.select_dtypes("object"):
        frame[column] = frame[column].str.strip().replace("", None)
    frame["origem"], frame["ano"], frame["distribuidora_id"] = layer, ANO, DIST
    frame["import_id"], frame["linha"] = 1, range(1, len(frame) + 1)
    codes = frame["origem"] + ":" + frame["cod_id"]
    frame["uc_id"] = [
        str(uuid.UUID(hashlib.md5(f"{DIST}:{ANO}:{code}".encode()).hexdigest())) for code in codes
    ]
    return frame


def copy(conn: psycopg.Connection, table: str, frame: pd.DataFrame) -> None:
    """COPY in blocks of CSV."""
    columns = ", ".join(frame.columns)
    with conn.cursor().copy(f"copy pandas.{table} ({columns}) from stdin (format csv)") as stream:
        for start in range(0, len(frame), BLOCK):
            text = io.StringIO()
            frame.iloc[start : start + BLOCK].to_csv(text, index=False, header=False)
            stream.write(text.getvalue())
    conn.commit()


def domain(conn: psycopg.Connection, table: str, column: str = "id") -> dict[str, object]:
    """Domain id as text → a column of its row."""
    return dict(conn.execute(f"select id::text, {column} from intel_lead.{table}").fetchall())


def make_leads(conn: psycopg.Connection, ucs: pd.DataFrame) -> pd.DataFrame:
    """One row per UC, its current one, coded by the domain tables."""
    ucs = ucs.sort_values("sit_ativ").drop_duplicates("uc_id")
    leads = ucs.rename(columns={"brr": "bairro"})[SAME].copy()
    ucs["cnae"] = ucs["cnae"].str.replace(r"\D", "", regex=True)
    for column, (source, table) in DOMAINS.items():
        leads[column] = ucs[source].where(ucs[source].isin(domain(conn, table).keys()))
    leads["segmento_mercado_id"] = leads["cnae_id"].map(domain(conn, "cnae", "segmento_mercado_id"))
    tariffs = domain(conn, "subgrupo_tarifario", "modalidade_tarifaria_id")
    leads["modalidade_tarifaria_id"] = leads["subgrupo_tarifario_id"].map(tariffs)
    digits = ucs["cep"].str.replace(r"\D", "", regex=True)
    leads["cep"] = digits.where(digits.str.fullmatch(r"\d{8}").fillna(False))
    leads["data_conexao"] = pd.to_datetime(
        ucs["dat_con"], format="%d/%m/%Y", errors="coerce"
    ).dt.date
    leads["circuito"] = ucs["ctmt"].fillna(ucs["ctat"])
    names = {"conj": "conjunto_id", "sub": "subestacao", "pac": "ponto_acoplamento"}
    names |= {"car_inst": "carga_instalada_kw", "dem_cont": "pac", "tip_cc": "tipo_curva_carga"}
    for source, column in {"pn_con": "pn_con", **names}.items():
        leads[column] = ucs[source]
    leads["livre"], leads["sem_rede"] = ucs["liv"] == 1, ucs["semred"] == 1
    leads["possui_geracao"] = ucs["ceg_gd"].notna()
    leads["chave_origem"], leads["status"] = "cod_id", "raw"
    leads["created_at"] = leads["updated_at"] = datetime.now(UTC)
    return leads


def make_points(file: Path, known: set[object]) -> pd.DataFrame:
    """PONNOT with coordinates."""
    frame = pyogrio.read_dataframe(file, layer="PONNOT", use_arrow=True)
    frame = frame.drop_duplicates("COD_ID")
    points = pd.DataFrame({"cod_id": frame["COD_ID"]})
    points["longitude"], points["latitude"] = frame.geometry.x, frame.geometry.y
    points["pn_id"] = [
        str(uuid.UUID(hashlib.md5(f"{c}|{x}|{y}".encode()).hexdigest()))
        for c, x, y in points[["cod_id", "longitude", "latitude"]].itertuples(index=False)
    ]
    points["municipio_id"] = frame["MUN"].where(frame["MUN"].isin(known))
    points["conjunto_id"], points["nome"] = frame["CONJ"], "Ponto " + frame["COD_ID"]
    points["ano"], points["distribuidora_id"], points["import_id"] = ANO, DIST, 1
    points["geom"] = frame.geometry.to_wkb(hex=True, include_srid=True)
    return points


def melt(frame: pd.DataFrame, series: dict[str, str], total: str) -> pd.DataFrame:
    """Twelve columns per series to twelve rows per UC, summed over the rows of one UC."""
    keys = ["uc_id", "ano", "distribuidora_id", "origem"]
    parts = []
    for prefix, name in series.items():
        columns = {f"{prefix}_{month:02d}": month for month in range(1, 13)}
        long = frame[[*keys, *columns]].rename(columns=columns)
        long = long.melt(id_vars=keys, var_name="mes", value_name=name)
        how = "max" if name.startswith("demanda") else "sum"
        parts.append(long.groupby([*keys, "mes"], as_index=False)[name].agg(how))
    months = parts[0]
    for part in parts[1:]:
        months = months.merge(part, on=[*keys, "mes"])
    if total and total not in months:
        pair = months[list(series.values())]
        months[total] = pair.max(axis=1) if total.startswith("demanda") else pair.sum(axis=1)
    return months


def main(file: Path) -> None:
    """Read, shape, copy."""
    frames = {layer: read(file, layer) for layer in ("UCAT", "UCMT", "UCBT")}
    with psycopg.connect("") as conn:
        conn.execute(
            "insert into intel_lead.distribuidora (id, nome, documentado) values (%s, 'x', false)"
            " on conflict do nothing",
            [DIST],
        )
        everything = pd.concat(frames.values(), ignore_index=True)
        for code in set(everything["tip_sist"].dropna()):
            conn.execute(
                "insert into intel_lead.tipo_sistema (id, descricao, documentado)"
                " values (%s, 'x', false) on conflict do nothing",
                [code],
            )
        leads = make_leads(conn, everything)
        copy(conn, "lead_bruto", leads)
        copy(conn, "ponto_notavel", make_points(file, set(domain(conn, "municipio"))))
        contracted = leads[["uc_id", "pac"]].rename(columns={"pac": "demanda_contratada"})
        for layer, frame in frames.items():
            at = layer == "UCAT"
            energy = {"ene_p": "energia_ponta", "ene_f": "energia_fora_ponta"}
            demand = {"dem_p": "demanda_ponta", "dem_f": "demanda_fora_ponta"}
            energy = energy if at else {"ene": "energia_total"}
            demand = demand if at else {"dem": "demanda_total"}
            copy(conn, "lead_energia_mensal", melt(frame, energy, "energia_total"))
            if layer != "UCBT":
                months = melt(frame, demand, "demanda_total")
                copy(conn, "lead_demanda_mensal", months.merge(contracted, on="uc_id"))
            copy(conn, "lead_qualidade_mensal", melt(frame, {"dic": "dic", "fic": "fic"}, ""))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
