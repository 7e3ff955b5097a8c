"""``python -m tests.golden.make``: write the golden files anew from the inputs, by pandas alone.

Belongs here: which leads are kept whole, and the files. Not here: the values (expected.py).
Run it after the generator of made-up bases or a seed changed, or when a table gained a column that
expected.py and rollups.py have learnt; read the diff before it is committed.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from tests.golden import (
    bills,
    cells,
    companies,
    compare,
    context,
    curves,
    devices,
    differences,
    domains,
    drawing,
    expected,
    findings,
    losses,
    market,
    network,
    open_data,
    places,
    profiles,
    readers,
    readings,
    rollups,
    scores,
    tariffs,
    trends,
    weights,
)
from tests.golden import tables as tables_of
from tests.golden.inputs import CLONE, MUX, TARIFFS, Inputs, synthetic
from tests.golden.layers import Delivery, read, text

FOLDER = Path(__file__).resolve().parent
INPUTS, SUMS = "inputs.csv", "columns.csv"
PER_LEAD = [name for name, key in tables_of.KEYS.items() if "uc_id" in key]
SUMS_ALONE = (  # noqa: SIM905
    "geracao curva_carga transformador marts.mart_transformador curva_participacao lead_elegivel"
    " safra_celula safra_celula_oferta safra_classe_mes safra_serie lead_perfil_consumo"
    " marts.mart_lead_criterio marts.mart_lead_safra marts.mart_lead marts.mart_previsao_lead"
    " marts.mart_perfil_consumo_lead marts.resumo_bairro marts.resumo_classe_mes"
    " marts.mart_hexagono marts.mart_gtd_rede anomalia previsao_faixa marts.mart_custo_lead"
    " municipio_estacao marts.mart_contexto_municipio leitura_sensor leitura_estado"
    " marts.consumo_dispositivo_hora marts.mart_lead_celula"
).split()
"""As long as a base, rows that other files have, or natural persons': their sums will do."""
BY_POLE_AND_CODE = {"ponto_notavel", "qualidade_excecao"}
"""As long as a base: of the synthetic ones some rows, of MUX none."""

Tables = dict[str, expected.Rows]
Wanted = Callable[[expected.Rows], list[str]]


def work_out(inputs: Inputs) -> tuple[list[Delivery], Tables]:
    """Every table and view after these files, table → rows."""
    deliveries = [read(path) for path in inputs.bdgd]
    systems = {
        text(v)
        for d in deliveries
        for name, frame in d.layers.items()
        if name.startswith("UC") and "TIP_SIST" in frame
        for v in frame["TIP_SIST"].unique()
    }
    known = domains.tables(
        CLONE / "seeds",
        utilities={d.utility for d in deliveries},
        systems=systems - {None},
    )
    heard = readings.heard(inputs.aicss)
    towns = set(known["municipio"]["id"])
    known["dispositivo"] = pd.DataFrame(devices.domain(heard, towns), dtype=object)
    prices = tariffs.expected(tariffs.landed(inputs.tariffs, made_up=bool(inputs.rows)), known)
    told = open_data.expected(known) if inputs.rows else {}
    by_safra: dict[tuple[int, int], list[Delivery]] = {}
    for delivery in deliveries:
        by_safra.setdefault((delivery.utility, delivery.year), []).append(delivery)
    safras = [expected.safra_of(files, known) for files in by_safra.values()]
    tables: Tables = {}
    units: expected.Rows = []
    for safra, files in sorted(
        zip(safras, by_safra.values(), strict=True), key=lambda pair: pair[0].year
    ):
        companies.finish(safra, known)
        rollups.finish(safra, known)
        network.finish(safra, files, known)
        losses.finish(safra, known)
        curves.finish(safra, known)
        market.finish(safra, known)
        bills.finish(safra, known, prices["tarifa_vigente"])
        earlier = [s for s in safras if s.utility == safra.utility and s.year < safra.year]
        trends.finish(safra, known, earlier)
        differences.finish(safra, known, earlier)
        scores.finish(safra)
        drawing.finish(safra, files)
        units += cells.finish(safra, known, told.get("continuidade_conjunto", []))
        profiles.finish(safra, known, earlier)
        findings.finish(safra, known, earlier)
        for name, rows in safra.tables.items():
            tables.setdefault(name, []).extend(rows)
    tables |= rollups.views(safras, deliveries, known)
    tables |= readers.expected(tables, known)
    cells.measured(tables, units, known)
    tables |= scores.views(safras) | cells.rollups(units, tables, known)
    tables |= profiles.views(tables)
    if inputs.rows:
        tables |= companies.views(tables)
    tables |= places.expected(inputs.meshes, units, tables, known)
    if inputs.rows:
        tables |= prices | told | weights.expected()
        tables |= context.expected(tables, inputs.meshes, known)
    tables |= {name: frame.to_dict("records") for name, frame in known.items()}
    for name in ("municipio", "distribuidora"):
        tables[name] = [row | {"id": int(row["id"])} for row in tables[name]]
    if inputs.aicss:
        valid = devices.validity(known["dispositivo"].to_dict("records"))
        made = readings.expected(inputs.aicss, valid)
        tables |= made | devices.expected(made, valid, known, tables)
        tables["aicss_lido"] = devices.last_read(inputs.aicss, made["leitura_sensor"])
    return deliveries, {name: list(map(_typed, rows)) for name, rows in tables.items()}


_WHOLE = {"municipio_id", "fases", "fios", "limiar_luz", "limiar_distancia_cm", "periodo_s"}
_BOOLEAN = {"documentado"}


def _typed(row: dict) -> dict:
    """Numbers as numbers: seeds are read as text."""
    return {c: _number(c, v) for c, v in row.items()}


def _number(column: str, value: object) -> object:
    if column in _BOOLEAN and isinstance(value, str):
        return value == "true"
    if column in _WHOLE | {"tensao_v", "potencia_kva"} and isinstance(value, str):
        return float(value)
    return value


# ── Which leads stand whole ───────────────────────────────────────────────────────────────────────
def special(leads: expected.Rows, tables: Tables) -> list[str]:
    """Some leads of every special case, and every hand-made one; uc_ids."""
    older: dict[str, int] = {}
    for row in tables["lead_historico"]:
        older[row["uc_id"]] = older.get(row["uc_id"], 0) + 1
    year = {row["uc_id"]: row for row in tables["lead_resumo_anual"]}
    placed = {row["uc_id"]: row["origem_coordenada"] for row in tables["lead_com_coordenadas"]}
    cases: list[Callable[[dict], bool]] = [
        lambda r: r["origem"] != "UCBT",
        lambda r: older.get(r["uc_id"]) == 1 and r["situacao_uc_id"] == "AT",
        lambda r: older.get(r["uc_id"]) == 2,
        lambda r: r["uc_id"] in older and r["situacao_uc_id"] == "DS",
        lambda r: r["pn_con"] is None,
        lambda r: placed[r["uc_id"]] == "municipio",
        lambda r: placed[r["uc_id"]] is None,
        lambda r: r["municipio_id"] is None,
        lambda r: r["cep"] is None,
        lambda r: r["data_conexao"] is None,
        lambda r: r["classe_consumo_id"] is None,
        lambda r: r["tensao_fornecimento_id"] is None,
        lambda r: r["sem_rede"] is True,
        lambda r: r["livre"] is True,
        lambda r: r["possui_geracao"],
        lambda r: r["cnae_id"] is None and r["origem"] == "UCBT",
        lambda r: r["tipo_sistema_id"] not in (None, "RD_INTERLIG"),
        lambda r: (year[r["uc_id"]]["dic_anual_h"] or 0) > 1000,
        lambda r: year[r["uc_id"]]["enriquecimento_status"] == "success",
    ]
    kept: dict[str, None] = {}
    for utility in sorted({r["distribuidora_id"] for r in leads}):
        mine = [r for r in leads if r["distribuidora_id"] == utility]
        if utility == 65000:
            kept |= dict.fromkeys(r["uc_id"] for r in mine)
        for case in cases:
            kept |= dict.fromkeys([r["uc_id"] for r in mine if case(r)][:1])
    return list(kept)


def legal_persons(leads: expected.Rows, tables: Tables) -> list[str]:
    """MT units, and BT units of trade, industry and government: 40 in all; uc_ids."""
    public = ("CO", "IN", "PP", "SP", "IP")
    older = {row["uc_id"] for row in tables["lead_historico"]}
    mt = [r["uc_id"] for r in leads if r["origem"] == "UCMT"]
    bt = [
        r["uc_id"]
        for r in leads
        if r["origem"] == "UCBT" and str(r["classe_consumo_id"]).startswith(public)
    ]
    changed = [uc for uc in bt if uc in older]
    return [*mt[:20], *changed[:8], *bt[:: max(1, len(bt) // 12)][:12]]


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────
def save(folder: Path, deliveries: list[Delivery], tables: Tables, leads: list[str]) -> None:
    """Write what stands in ``folder``: inputs, sums of every column, rows of the chosen leads."""
    for old in folder.glob("*.csv"):
        old.unlink()
    inputs = [{"file": d.file, "sha256": d.sha256} for d in deliveries]
    compare.write(folder / INPUTS, ["file", "sha256"], inputs)
    sums = [line for name in sorted(tables) for line in compare.summarize(name, tables[name])]
    compare.write(folder / SUMS, compare.SUMMARY, sums)
    chosen = set(leads)
    for name in sorted(tables):
        rows = _kept(name, tables, chosen, whole=folder.name == "synthetic")
        if rows:
            key = compare.key_of(name)
            columns = list(dict.fromkeys([*key, *sorted({c for row in rows for c in row})]))
            rows = sorted(rows, key=lambda row, key=key: [compare.cell(row[c]) for c in key])
            compare.write(folder / f"{name}.csv", columns, rows)


def _kept(name: str, tables: Tables, leads: set[str], *, whole: bool) -> Iterable[dict]:
    rows = tables[name]
    if name in SUMS_ALONE or name in tables_of.LEADS_OF_READERS:
        return []
    if name in PER_LEAD:
        return [row for row in rows if row["uc_id"] in leads]
    if name not in tables_of.KEYS:  # a domain table: its seed already lies in the repository
        return [row for row in rows if row.get("documentado") is False]
    if name in BY_POLE_AND_CODE:
        poles = {row["pn_con"] for row in tables["lead_bruto"] if row["uc_id"] in leads}
        mine = [r for r in rows if name == "qualidade_excecao" or r["cod_id"] in poles]
        return mine if whole else []
    return rows


def main() -> None:
    """Write tests/golden/synthetic, and tests/golden/mux where the file is there."""
    with tempfile.TemporaryDirectory() as folder:
        deliveries, tables = work_out(synthetic(Path(folder)))
        save(FOLDER / "synthetic", deliveries, tables, special(tables["lead_bruto"], tables))
    if not MUX.exists():
        sys.exit(f"{MUX.name} is not there: tests/golden/mux is left as it was")
    with tempfile.TemporaryDirectory() as folder:
        # One warehouse holds both: the made-up meshes are of towns that MUX serves.
        meshes = synthetic(Path(folder)).meshes
        deliveries, tables = work_out(Inputs((MUX,), meshes=meshes, tariffs=TARIFFS))
    # The domain tables are the synthetic bases' matter: one warehouse holds both.
    tables = {name: rows for name, rows in tables.items() if name in tables_of.KEYS}
    save(FOLDER / "mux", deliveries, tables, legal_persons(tables["lead_bruto"], tables))


if __name__ == "__main__":
    main()
