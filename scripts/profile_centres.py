"""Make seeds/perfil_centro.csv: the centres of the consumption profiles, from the published safras.

Belongs here: which units the centres are made of, how many there are, their names. Not here: the
measures of a unit (macros/perfil.sql), which unit is of which profile (dbt's lead_perfil_consumo).
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples

from loaders import connection as db

SEED = Path(__file__).parents[1] / "seeds" / "perfil_centro.csv"
MEASURES = ["nivel", "sazonalidade", "verao", "ponta", "fator_carga"]
GROUPS = {
    "alta_media": "Alta e média tensão",
    "comercial": "Comercial",
    "industrial": "Industrial",
    "publico": "Setor público",
    "residencial": "Residencial",
    "rural": "Rural",
}
PROFILES = {group: 7 if group == "residencial" else 5 for group in GROUPS}
"""How many: with two the silhouette is greatest, and only empty houses are told apart. Of nine in
ten units, the residential ones, seven: with fewer no profile is of high consumption."""
LEAST = 50
"""Units of a group below which its centres stay as they are."""
MOST = 50_000
"""Units of a group that are looked at, drawn by their uc_id: the same ones each time."""
MOST_COMPARED = 5_000
"""Units of which each is compared with all others, for the silhouette."""

_UNITS = """
    select
        f.medidas, p.energia_anual_kwh / 12 as kwh_mes, p.sazonalidade, p.participacao_ponta,
        p.fator_carga
    from intel_lead.lead_perfil_consumo as f
    inner join intel_lead.lead_perfil as p using (uc_id, ano, distribuidora_id)
    where f.perfil_id like %(group)s || '\\_%%' and f.medidas is not null
    order by md5(f.uc_id::text)
    limit %(most)s
"""


class Missing(Exception):
    """There is nothing to make centres of."""


@dataclass
class Group:
    """Units of a group and the profile of each.

    Attributes:
        units: a row each: MEASURES as dbt scales them; kwh_mes, maior_mes, na_ponta, carga.
        of: the profile of each unit, 0 the one of least energy.
        centres: profiles × MEASURES; NaN where the group has no such measure.
        silhouette: per profile.
    """

    units: pd.DataFrame
    of: np.ndarray
    centres: np.ndarray
    silhouette: np.ndarray


def read(conn: psycopg.Connection, group: str) -> pd.DataFrame:
    """The units of a group that have all the measures that the group has."""
    rows = conn.execute(_UNITS, {"group": group, "most": MOST}).fetchall()
    natural = pd.DataFrame(
        [row[1:] for row in rows],
        columns=["kwh_mes", "maior_mes", "na_ponta", "carga"],
        dtype=float,
    )
    scaled = pd.DataFrame([row[0] for row in rows], columns=MEASURES, dtype=float)
    units = scaled.join(natural)
    there = [name for name in MEASURES if units[name].notna().any()]
    return units.dropna(subset=there)


def cluster(units: pd.DataFrame, profiles: int) -> Group:
    """Find the centres; the same units give the same ones."""
    there = [name for name in MEASURES if units[name].notna().any()]
    points = units[there].to_numpy()
    made = KMeans(profiles, n_init=20, random_state=0).fit(points)
    order = np.argsort(made.cluster_centers_[:, 0], kind="stable")
    of = np.argsort(order)[made.labels_]
    centres = np.full((profiles, len(MEASURES)), np.nan)
    centres[:, [MEASURES.index(name) for name in there]] = made.cluster_centers_[order]
    compared = silhouette_samples(points[:MOST_COMPARED], of[:MOST_COMPARED])
    silhouette = np.array(
        [compared[of[:MOST_COMPARED] == profile].mean() for profile in range(profiles)]
    )
    return Group(units, of, centres, silhouette)


def names(group: str, made: Group) -> list[str]:
    """A name by rule for each profile; two of the same rules are told apart by their energy."""
    middle = made.units.groupby(made.of)[["kwh_mes", "maior_mes", "na_ponta", "carga", "verao"]]
    rows = middle.median()
    typical = made.units.median()
    told = [_name(group, row, typical) for _, row in rows.iterrows()]
    energies = [f"{kwh:,.0f}".replace(",", ".") for kwh in rows["kwh_mes"]]
    return [
        f"{name} (≈ {kwh} kWh/mês)" if told.count(name) > 1 else name
        for name, kwh in zip(told, energies, strict=True)
    ]


def _name(group: str, row: pd.Series, typical: pd.Series) -> str:
    """What stands out of a profile, from its median unit beside the group's."""
    level = row["kwh_mes"] / typical["kwh_mes"]
    words = [GROUPS[group], _level(level)]
    if row["maior_mes"] >= 2:
        # The even year has a third in these four months: 3.33 on the scale.
        words.append(
            "sazonal, mais de dezembro a março"
            if row["verao"] >= 4.2
            else "sazonal, mais de abril a novembro"
            if row["verao"] <= 2.5
            else "sazonal"
        )
    # Three hours of a working day are a tenth of the week.
    if row["na_ponta"] >= max(1.4 * typical["na_ponta"], 0.1):
        words.append("muito na ponta")
    if row["carga"] >= 0.45:
        words.append("uso contínuo")
    return ", ".join(words)


def _level(level: float) -> str:
    """A profile's energy beside its group's median, in words."""
    if level < 0.1:
        return "quase sem consumo"
    if level < 0.6:
        return "baixo consumo"
    if level < 1.6:
        return "consumo médio"
    if level < 6:
        return "alto consumo"
    return "consumo muito alto"


def rows_of(group: str, made: Group, source: str) -> list[list[object]]:
    """The group's rows of the seed."""
    sizes = np.bincount(made.of, minlength=len(made.centres))
    return [
        [
            f"{group}_{n + 1}", group, name,
            *("" if np.isnan(x) else round(float(x), 3) for x in made.centres[n]),
            int(sizes[n]), round(float(made.silhouette[n]), 3), source,
        ]
        for n, name in enumerate(names(group, made))
    ]  # fmt: skip


def source_of(conn: psycopg.Connection) -> str:
    """The safras that the centres are made of.

    Raises:
        Missing: none is published.
    """
    safras = conn.execute(
        "select distribuidora_id || '-' || ano from intel_lead.safra_publicada order by 1"
    ).fetchall()
    if not safras:
        raise Missing("nenhuma safra publicada de que fazer os perfis: make run BDGD=…")
    return "k-means das unidades de " + ", ".join(row[0] for row in safras)


def update(old: list[dict[str, str]], conn: psycopg.Connection) -> list[list[object]]:
    """The seed's rows: made anew where the published safras have enough units of the group."""
    source = source_of(conn)
    rows: list[list[object]] = []
    for group, called in GROUPS.items():
        units = read(conn, group)
        if len(units) < LEAST:
            print(f"{called}: {len(units)} unidades, menos de {LEAST}: os centros ficam como estão")
            rows += [list(row.values()) for row in old if row["grupo"] == group and row["nivel"]]
        else:
            rows += rows_of(group, cluster(units, PROFILES[group]), source)
            before = {row["perfil_id"]: row["perfil"] for row in old}
            for row in rows[-PROFILES[group] :]:
                if before.get(str(row[0]), row[2]) != row[2]:
                    print(f"{row[0]} chamava-se «{before[str(row[0])]}»:")
                print(f"{row[2]:<70}{row[8]:>9,} unidades   silhueta {row[9]:.2f}")
        rows.append(_without(f"{group}_sem_consumo", group, f"{called}, sem consumo no ano"))
    return [*rows, _without("sem_dados", "sem_dados", "Sem energia ou sem classe no arquivo")]


def _without(profile: str, group: str, name: str) -> list[object]:
    """A profile that has no centre."""
    return [profile, group, name, *[""] * 7, "regra: docs/perfis.md"]


def main() -> None:
    """Write the seed; what there was is in git."""
    with SEED.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        old, columns = list(reader), reader.fieldnames or []
    with db.connect() as conn:
        try:
            rows = update(old, conn)
        except Missing as error:
            sys.exit(str(error))
    new = SEED.with_suffix(".novo")
    with new.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerows([columns, *rows])
    new.replace(SEED)
    print("seeds/perfil_centro.csv: git diff mostra o que mudou, make build refaz os perfis")


if __name__ == "__main__":
    main()
