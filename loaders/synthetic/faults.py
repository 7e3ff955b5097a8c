"""Faults of values: each changes the columns of a block in place.

Belongs here: what is planted in sound units. Not here: faults of form (form.py, writer.py).
"""

from collections.abc import Callable, Sequence

import numpy as np

from loaders.synthetic.recipe import Fault, Recipe, Values
from loaders.synthetic.units import Draw, objects, rng_of

_REPLACEMENTS: dict[Fault, tuple[tuple[str, int, tuple[str | int, ...]], ...]] = {
    Fault.CNAE_INVALIDO: (("cnae", 61, ("0", "9999-9/99", "4711302", "COMERCIO", "4711-3/2")),),
    Fault.PN_CON_ORFAO: (("pn_con", 331, ("ORFAO-1", "0", " ", "ORFAO-2")),),
    Fault.CODIGO_FORA_DO_DOMINIO: (
        ("clas_sub", 211, ("XX9",)),
        ("ten_forn", 223, ("999",)),
        ("mun", 227, ("9999999",)),
    ),
    Fault.TIP_SIST_DESCONHECIDO: (("tip_sist", 401, ("MIGDI", "SIGFI")),),
    Fault.U_FFFD: (
        ("brr", 89, ("S\ufffdO CRIST\ufffdV\ufffdO", "ESTA\ufffd\ufffdO")),
        ("descr", 97, ("CER\ufffdMICA",)),
    ),
    Fault.DIST_DIVERGENTE: (("dist", 127, (9999,)),),
    Fault.COD_ID_EM_BRANCO: (("cod_id", 151, (" ",)),),
}
"""Fault → column, one UC in how many, and the values that those UCs get in turn."""


def _swap(col: Values, name: str, step: int, values: Sequence[str | int]) -> None:
    where = np.flatnonzero(col["numero"] % step == step // 2)
    col[name][where] = objects(values)[col["numero"][where] // step % len(values)]


def _negative_energy(col: Values, r: Recipe, s: Draw) -> None:
    where = np.flatnonzero(col["numero"] % 17 == 0)
    month = col["numero"][where] % 12
    for prefix in {"ene", "ene_f"} & col.keys():
        col[prefix][where, month] = -np.abs(col[prefix][where, month]) - 1.0


def _blank_cnae(col: Values, r: Recipe, s: Draw) -> None:
    col["cnae"][(col["gru_ten"] == "BT") & (s.uniform() < 0.6)] = " "


def _sentinel_date(col: Values, r: Recipe, s: Draw) -> None:
    after = [f"{d:02d}/0{m}/{r.ano + 1}" for m in (1, 2) for d in range(1, 27)]
    values = objects(["02/01/2001", "01/01/2000", "01/01/1951", " ", *after])
    luck = s.uniform()
    which = np.searchsorted([0.12, 0.17, 0.18, 0.185], luck, side="right")
    which = np.where(which == 4, 4 + (luck * 1e6).astype(int) % len(after), which)
    has = luck < 0.19
    col["dat_con"][has] = values[which[has]]


def _varied_cep(col: Values, r: Recipe, s: Draw) -> None:
    forms = [lambda c: c, lambda c: "00000000", lambda c: " "]
    if r.model == "V11":
        forms += [lambda c: f"{c[:2]}.{c[2:5]}-{c[5:]}", lambda c: f"{c[:5]}-{c[5:]}"]
    which = s.one_of([4, 0.3, 0.3, 2, 4][: len(forms)])
    col["cep"] = objects(
        forms[q](c.replace("-", "")) for q, c in zip(which, col["cep"], strict=True)
    )


def _car_inst_em_w(col: Values, r: Recipe, s: Draw) -> None:
    if "dem_cont" not in col:
        col["car_inst"] = col["car_inst"] * 1000


def _car_inst_mw(col: Values, r: Recipe, s: Draw) -> None:
    if "dem_cont" in col:
        col["car_inst"] = col["dem_cont"] / 1000


def _zero_demand(col: Values, r: Recipe, s: Draw) -> None:
    if "dem_cont" in col:
        col["dem_cont"] = np.where(s.uniform() < 0.5, 0.0, col["dem_cont"])
        zero = s.uniform(12) < 0.57
        for prefix in {"dem", "dem_p", "dem_f"} & col.keys():
            col[prefix] = np.where(zero, 0.0, col[prefix])


def _impossible_energy(col: Values, r: Recipe, s: Draw) -> None:
    if "dem_cont" in col:
        where = np.flatnonzero(col["numero"] % 5 == 0)
        for prefix in {"ene", "ene_f"} & col.keys():
            col[prefix][where] *= 50


def _impossible_dic(col: Values, r: Recipe, s: Draw) -> None:
    col["dic"][col["numero"] % 40 == 0, 4] = 9000.0


_CHANGES: dict[Fault, Callable[[Values, Recipe, Draw], None]] = {
    Fault.CNAE_EM_BRANCO: _blank_cnae,
    Fault.ENERGIA_NEGATIVA: _negative_energy,
    Fault.DATA_SENTINELA: _sentinel_date,
    Fault.CEP_VARIADO: _varied_cep,
    Fault.CAR_INST_EM_W: _car_inst_em_w,
    Fault.DEM_CONT_CAR_INST_MW: _car_inst_mw,
    Fault.DEMANDA_ZERO: _zero_demand,
    Fault.ENERGIA_IMPOSSIVEL: _impossible_energy,
    Fault.DIC_IMPOSSIVEL: _impossible_dic,
}


def spoil(col: Values, recipe: Recipe, key: tuple[int, ...], alive: slice) -> None:
    """Plant the faults of values that the recipe asks for."""
    for n, fault in enumerate(Fault):
        if not recipe.has(fault):
            continue
        for replacement in _REPLACEMENTS.get(fault, ()):
            _swap(col, *replacement)
        if alter := _CHANGES.get(fault):
            alter(col, recipe, Draw(rng_of(recipe, *key, 3, n), alive))


def history(col: Values, ano: int) -> Values:
    """Split some UCs in the rows of a contract that changed in the year; months stay disjoint.

    1 UC in 40 (BT) or in 10 gets AT+DS, a few AT+DS+DS or DS+DS. The first row is the current one
    and has the last months.
    """
    bt = col["gru_ten"] == "BT"
    step = np.where(bt, 40, 10)
    turn = (col["numero"] + 7 * ano) % (step * 10)
    three, only_ds = turn == 3, turn == 5
    rows = 1 + ((turn % step == 0) | three | only_ds) + three
    cut1 = 1 + col["numero"] % 5
    cut2 = np.where(three, 6 + col["numero"] % 5, 12)
    months = np.arange(12)
    period = (months >= cut1[:, None]).astype(int) + (months >= cut2[:, None])
    period[rows == 1] = 0

    de = np.repeat(np.arange(len(rows)), rows)
    position = np.arange(len(de)) - np.repeat(np.cumsum(rows) - rows, rows)
    owner = period[de] == (rows[de] - 1 - position)[:, None]
    new = {k: v[de] * owner if v.ndim == 2 else v[de] for k, v in col.items()}
    # DEM_CONT is not monthly: both rows carry it, as in MUX 2024.
    previous = position > 0
    new["sit_ativ"][previous | only_ds[de]] = "DS"
    changes = (new["numero"] // step[de] + position) % 10
    class_ = previous & (changes < 7)
    residential = new["clas_sub"] == "RE1"
    for name, of_residential, of_others in (("clas_sub", "CO1", "RE1"), ("gru_tar", "B3", "B1")):
        new[name][class_ & bt[de] & residential] = of_residential
        new[name][class_ & bt[de] & ~residential] = of_others
    new["clas_sub"][class_ & ~bt[de]] = "CO9"
    voltage = previous & bt[de] & (changes == 7)
    new["ten_forn"][voltage] = np.where(new["ten_forn"][voltage] == "10", "15", "10")
    new["cnae"][previous & (changes == 8)] = "4712-1/00"
    return new
