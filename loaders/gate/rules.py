"""What a landed layer must be like, and what it should be like: the rules of the landing gate.

Belongs here: rules, made of bdgd/layers.py and the seeds, as SQL aggregates and what they may be.
Not here: taking and judging the figures (expectations.py), other contents (comparison.py).
"""

import calendar
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from loaders.bdgd.layers import PONNOT, UC_LAYERS, Layer
from loaders.environment import CLONE
from loaders.safra import Safra

Model = Literal["M10", "V10", "V11"]
Severity = Literal["estrutura", "plausibilidade"]
"""A failed rule of structure holds the safra; one of plausibility warns."""

FIXED = ("ano", "distribuidora_id", "import_id", "linha")
ABOVE_CONTRACTED = 1.3
"""Energy of a month over contracted demand × hours: an overshoot above that is no real one."""
ABOVE_MEASURED = 1.05
"""Energy of a month over the greatest measured demand × hours: rounding, hours of another month."""
_FEW = 0.01
"""Share of the rows that a rule of plausibility forgives where real files have some."""
_TENTH = 0.1
"""Share of the rows that may lack a column, or be rejected: with more, the file is not whole."""

_ESSENTIAL = "mun clas_sub gru_ten gru_tar sit_ativ".split()  # noqa: SIM905
_USUAL = {
    "M10": ["pac", "pn_con", "conj", "fas_con", "ten_forn", "car_inst", "dic", "fic"],
    "V10": ["pac", "pn_con", "conj", "fas_con", "ten_forn", "car_inst", "dic_01", "fic_12"],
}
_USUAL["V11"] = [*_USUAL["V10"], "tip_sist"]
_DOMAINS = {
    "clas_sub": "classe_consumo",
    "fas_con": "fase_conexao",
    "gru_ten": "grupo_tensao",
    "ten_forn": "tensao_fornecimento",
    "gru_tar": "subgrupo_tarifario",
    "sit_ativ": "situacao_uc",
    "are_loc": "area_localizacao",
    "tip_sist": "tipo_sistema",
    "tip_pn": "tipo_ponto_notavel",
}
_DAY, _MONTH, _YEAR = r"(0[1-9]|[12]\d|3[01])", r"(0[1-9]|1[0-2])", r"(19|20)\d{2}"
_TIME = r"([T :][\d:.,]*(Z|[-+]\d\d:?\d\d)?)?"
_SAS_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905
_FORMATS = {
    "cep": r"^\s*$|^\d{2}\.?\d{3}-?\d{3}$",
    "cnae": r"^\s*$|^0$|^\d{4}-\d/\d{2}$",
    "dat_con": rf"^\s*$|^{_DAY}/{_MONTH}/{_YEAR}{_TIME}$|^{_YEAR}[-/]{_MONTH}[-/]{_DAY}{_TIME}$"
    rf"|^{_DAY}({'|'.join(_SAS_MONTHS)}){_YEAR}{_TIME}$",
}
_KW_RATIO = {"UCBT": (1.0, 2000.0), "UCMT": (0.1, 50.0), "UCAT": (0.1, 50.0)}
"""Median of CAR_INST over the kW that the unit uses, where CAR_INST is in kW. Measured: BT 50 (MUX
2024), in W 20,000 (EFLUL 2020); MT 1.3, in MW 0.001 (EFLUL 2022). Outside, the unit is another."""


@dataclass(frozen=True)
class Rule:
    """One expectation.

    Attributes:
        name: what it claims, in Portuguese.
        figure: SQL aggregate over the leaf.
        column: the column that is judged; '' where it is the layer.
        high: the greatest figure that passes.
        low: the least, where there is one.
        of_rows: the figure counts bad rows, and is judged as a share of the layer's rows.
        total: what it is a share of, where that is not the layer's rows.
    """

    name: str
    severity: Severity
    description: str
    figure: str
    column: str = ""
    high: float = 0.0
    low: float | None = None
    of_rows: bool = True
    total: int | None = None

    @property
    def sorts(self) -> bool:
        """Whether the figure needs a sort, which PostgreSQL does with one core only."""
        return " within group " in self.figure


@dataclass(frozen=True)
class Portrait:
    """What must be known of a landed layer before its rules can be made.

    Attributes:
        leaf: qualified name of the table that holds it.
        registered: rows that the ledger says landed; None where it has no say.
        rejected: rows of the file that it says did not.
        points: qualified name of the safra's PONNOT; '' where that has no row.
    """

    safra: Safra
    layer: Layer
    leaf: str
    model: Model
    rows: int
    has_cod_id: bool
    registered: int | None
    rejected: int
    points: str


@cache
def domain(name: str) -> tuple[str, ...]:
    """The codes of a domain, from its seed."""
    path = Path(CLONE) / "seeds" / f"{name}_dominio.csv"
    with path.open(encoding="utf-8", newline="") as opened:
        return tuple(row["id"] for row in csv.DictReader(opened))


def rules(portrait: Portrait) -> list[Rule]:
    """The rules of one layer of one safra; names and columns are unique together."""
    found = list(_form(portrait))
    if not portrait.rows:
        return found
    if portrait.layer in UC_LAYERS:
        found += [*_units(portrait), *_demand(portrait), *_energy(portrait)]
    if portrait.layer == PONNOT:
        found += _points()
    return [*found, *_codes(portrait)]


def _bad(
    name: str,
    condition: str,
    description: str,
    *,
    severity: Severity = "plausibilidade",
    column: str = "",
    share: float = 0.0,
) -> Rule:
    """At most this share of the rows are so."""
    figure = f"count(*) filter (where {condition})"
    return Rule(name, severity, description, figure, column, high=share)


def _form(p: Portrait) -> Iterator[Rule]:
    columns = {
        **dict.fromkeys(FIXED),
        **p.layer.columns,
    }
    names = ", ".join(f"('{name}')" for name in columns)
    attributes = f"pg_attribute where attrelid = '{p.leaf}'::regclass and attnum > 0"
    yield Rule(
        "colunas_da_camada",
        "estrutura",
        "A folha tem as colunas da camada, e só elas.",
        f"(select count(*) from (select attname::text from {attributes} and not attisdropped) as a"
        f" (nome) full join (values {names}) as t (nome) using (nome)"
        " where a.nome is null or t.nome is null)",
        of_rows=False,
    )
    types = ", ".join(f"('{name}', '{kind}')" for name, kind in p.layer.columns.items())
    yield Rule(
        "tipos_da_camada",
        "estrutura",
        "As colunas têm os tipos da camada.",
        f"(select count(*) from (select attname::text as nome, "
        rf" regexp_replace(format_type(atttypid, atttypmod), '^.+\.geometry', 'geometry')"
        f" as tipo from {attributes}) as a join (values {types}) as t (nome, tipo) using (nome)"
        " where a.tipo <> t.tipo)",
        of_rows=False,
    )
    if p.registered is not None:
        yield Rule(
            "linhas_do_registro",
            "estrutura",
            "A folha tem as linhas que o registro de importações diz.",
            "count(*)",
            low=p.registered,
            high=p.registered,
            of_rows=False,
        )
        yield Rule(
            "linhas_rejeitadas",
            "estrutura",
            "No máximo 10 % das linhas do arquivo foram rejeitadas.",
            str(p.rejected),
            high=_TENTH,
            total=p.registered + p.rejected,
        )
    if p.layer.name in ("UCBT", "UCMT", "PONNOT"):
        yield Rule(
            "camada_com_linhas",
            "plausibilidade",
            "Toda distribuidora tem unidades de BT e de MT, e postes.",
            "(count(*) = 0)::integer",
            of_rows=False,
        )


def _filled(column: str, severity: Severity) -> Rule:
    return _bad(
        "coluna_preenchida",
        f"{column} is null",
        "A coluna veio no arquivo (nula em no máximo 10 % das linhas).",
        severity=severity,
        column=column,
        share=_TENTH,
    )


def _between(column: str, low: float, high: float | None, description: str) -> Rule:
    outside = f"{column} < {low}" + (f" or {column} > {high}" if high is not None else "")
    return _bad("valor_na_faixa", outside, description, column=column)


def _units(p: Portrait) -> Iterator[Rule]:
    yield from (_filled(column, "estrutura") for column in _ESSENTIAL)
    yield from (_filled(column, "plausibilidade") for column in _USUAL[p.model])
    if p.has_cod_id:
        yield _bad(
            "codigo_em_toda_linha",
            "cod_id is null",
            "Uma camada com COD_ID o tem em todas as linhas.",
            severity="estrutura",
            column="cod_id",
        )
    yield _bad(
        "distribuidora_da_safra",
        f"dist <> {p.safra.distribuidora_id}",
        "DIST é a distribuidora da safra.",
        severity="estrutura",
        column="dist",
    )
    yield _between("car_inst", 0, None, "A carga instalada não é negativa.")
    yield _between("liv", 0, 1, "LIV é 0 ou 1.")
    if "semred" in p.layer.columns:
        yield _between("semred", 0, 1, "SEMRED é 0 ou 1.")
    for column, pattern in _FORMATS.items():
        yield _bad(
            "formato_do_campo",
            f"{column} !~ '{pattern}'",
            "O campo está em branco ou no formato do manual da BDGD.",
            column=column,
        )


def _points() -> Iterator[Rule]:
    yield _bad(
        "ponto_com_codigo",
        "cod_id is null",
        "Todo ponto notável tem COD_ID: é por ele que as unidades o acham.",
        severity="estrutura",
        column="cod_id",
    )
    yield _filled("point_x", "estrutura")
    yield _filled("point_y", "estrutura")
    yield _between("point_x", -74.1, -28.6, "A longitude está no Brasil.")
    yield _between("point_y", -33.9, 5.4, "A latitude está no Brasil.")


def _codes(p: Portrait) -> Iterator[Rule]:
    description = "O código está na tabela de domínio, ou em branco."
    for column, name in _DOMAINS.items():
        if column in p.layer.columns:
            condition = f"{column} <> all({_array([*domain(name), ' ', ''])})"
            yield _bad("codigo_do_dominio", condition, description, column=column)
    if "mun" in p.layer.columns:
        condition = f"btrim(mun) <> all({_array([*domain('municipio'), ''])})"
        yield _bad("municipio_do_ibge", condition, description, column="mun")


def _array(codes: list[str]) -> str:
    quoted = ",".join(f'"{code}"' for code in codes if "'" not in code)
    return f"'{{{quoted}}}'::text[]"


# ── Rules over several columns ────────────────────────────────────────────────────────────────────
def _in_some_month(p: Portrait, condition: str) -> str:
    """``condition`` in some month; {ene}, {dem}, {dic}, {hours} are that month's."""
    at = p.layer.name == "UCAT"
    months = []
    for month in range(1, 13):
        m = f"{month:02d}"
        fields = {
            "ene": f"(ene_p_{m} + ene_f_{m})" if at else f"ene_{m}",
            "dem": f"greatest(dem_p_{m}, dem_f_{m})" if at else f"dem_{m}",
            "dic": f"dic_{m}",
            "hours": 24 * calendar.monthrange(p.safra.ano, month)[1],
        }
        months.append(condition.format(**fields))
    return "(" + " or ".join(months) + ")"


def _energy(p: Portrait) -> Iterator[Rule]:
    energy = ", ".join(p.layer.energy_columns)
    yield _bad(
        "energia_em_todos_os_meses",
        f"num_nulls({energy}) > 0",
        "As doze colunas de energia vieram no arquivo (nulas em no máximo 10 % das linhas).",
        severity="estrutura",
        column="ene_*",
        share=_TENTH,
    )
    yield _bad(
        "energia_sem_negativos",
        f"least({energy}) < 0",
        "A energia de um mês não é negativa.",
        column="ene_*",
    )
    yield _bad(
        "dic_ate_as_horas_do_mes",
        _in_some_month(p, "{dic} > {hours}") if p.model != "M10" else "dic > 8784",
        "Ninguém fica sem energia mais horas do que o mês tem.",
        column="dic_*",
    )
    date = (
        r"case when dat_con ~ '^\d\d/' then"
        " substr(dat_con, 7, 4) || substr(dat_con, 4, 2) || substr(dat_con, 1, 2)"
        r" when dat_con ~ '^\d{4}[-/]' then"
        " substr(dat_con, 1, 4) || substr(dat_con, 6, 2) || substr(dat_con, 9, 2)"
        " else substr(dat_con, 6, 4) || lpad(((position(upper(substr(dat_con, 3, 3))"
        f" in '{''.join(_SAS_MONTHS)}') + 2) / 3)::text, 2, '0') || substr(dat_con, 1, 2) end"
    )
    yield _bad(
        "conexao_ate_a_data_base",
        rf"dat_con ~ '\d' and dat_con ~* '{_FORMATS['dat_con']}'"
        f" and {date} > '{p.safra.data_base:%Y%m%d}'",
        "Nenhuma unidade foi ligada depois da data-base da safra.",
        column="dat_con",
    )
    months = (
        " + ".join(f"{prefix}_{month:02d}" for prefix in p.layer.energy) for month in range(1, 13)
    )
    yield Rule(
        "meses_com_energia",
        "plausibilidade",
        "Nenhum mês tem energia zero na camada inteira.",
        " + ".join(f"(coalesce(sum({month}), 0) = 0)::integer" for month in months),
        "ene_*",
        of_rows=False,
    )


def _demand(p: Portrait) -> Iterator[Rule]:
    yield _unit_of_load(p)
    if p.points:
        yield _bad(
            "ponto_notavel_existe",
            f"pn_con is not null and pn_con not in (select cod_id from {p.points}"
            " where cod_id is not null)",
            "PN_CON é um ponto notável da safra.",
            column="pn_con",
            share=_FEW,
        )
    if "dem_cont" not in p.layer.columns:
        return
    if p.model != "M10":
        yield _filled("dem_cont", "plausibilidade")
        yield _between("dem_cont", 0, 500_000, "A demanda contratada está entre 0 e 500 MW.")
    yield _bad(
        "energia_ate_a_demanda_contratada",
        "dem_cont > 0 and "
        + _in_some_month(p, f"{{ene}} > {ABOVE_CONTRACTED} * dem_cont * {{hours}}"),
        f"A energia de um mês cabe em {ABOVE_CONTRACTED} × demanda contratada × horas.",
        column="ene_*",
        share=_FEW,
    )
    yield _bad(
        "energia_ate_a_demanda_medida",
        _in_some_month(p, f"({{dem}} > 0 and {{ene}} > {ABOVE_MEASURED} * {{dem}} * {{hours}})"),
        f"A energia de um mês cabe em {ABOVE_MEASURED} × demanda medida × horas.",
        column="ene_*",
        share=_FEW,
    )


def _unit_of_load(p: Portrait) -> Rule:
    """CAR_INST against the kW that a unit contracts, or uses on average: W, kW or MW shows."""
    low, high = _KW_RATIO[p.layer.name]
    if "dem_cont" in p.layer.columns:
        demands = [c for c in p.layer.columns if c.startswith("dem_") and c != "dem_cont"]
        use = f"coalesce(nullif(dem_cont, 0), nullif(greatest({', '.join(demands)}), 0))"
    else:
        use = f"nullif({' + '.join(p.layer.energy_columns)}, 0) / 8760"
    return Rule(
        "unidade_da_carga_instalada",
        "plausibilidade",
        "CAR_INST está em kW: a mediana de CAR_INST ÷ kW usados fica entre"
        f" {low:g} e {high:g}; mil vezes mais é W, mil vezes menos é MW.",
        f"percentile_disc(0.5) within group (order by nullif(car_inst, 0) / ({use}))"
        f" filter (where {use} > 0)",
        "car_inst",
        low=low,
        high=high,
        of_rows=False,
    )
