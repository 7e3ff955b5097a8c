"""What a landed layer must be like, and what it should be like: the rules of the landing gate.

Belongs here: rules, made of loaders/camadas.py and the seeds, as names and arguments of Great
Expectations' classes. Not here: running them (expectativas.py), a database, an import of GX.
"""

import calendar
import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from loaders.ambiente import CLONE
from loaders.camadas import CAMADAS_UC, PONNOT, Camada
from loaders.safra import Safra

Modelo = Literal["M10", "V10", "V11"]
Severidade = Literal["estrutura", "plausibilidade"]
"""A failed rule of structure holds the safra; one of plausibility warns."""

FIXAS = ("ano", "distribuidora_id", "import_id", "linha")
ACIMA_DA_CONTRATADA = 1.3
"""Energy of a month over contracted demand × hours: an overshoot above that is no real one."""
ACIMA_DA_MEDIDA = 1.05
"""Energy of a month over the greatest measured demand × hours: rounding, hours of another month."""
_POUCAS = 0.01
"""Share of the rows that a rule of plausibility forgives where real files have some."""
_REJEITADAS = 0.1
"""Share of a file's rows: with more of them keyless or placeless, the file is not what it says."""

_ESSENCIAIS = "mun clas_sub gru_ten gru_tar sit_ativ".split()  # noqa: SIM905
_USUAIS = {
    "M10": ["pac", "pn_con", "conj", "fas_con", "ten_forn", "car_inst", "dic", "fic"],
    "V10": ["pac", "pn_con", "conj", "fas_con", "ten_forn", "car_inst", "dic_01", "fic_12"],
}
_USUAIS["V11"] = [*_USUAIS["V10"], "tip_sist"]
_DOMINIOS = {
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
_FORMATOS = {
    "cep": r"^\s*$|^\d{2}\.?\d{3}-?\d{3}$",
    "cnae": r"^\s*$|^0$|^\d{4}-\d/\d{2}$",
    "dat_con": r"^\s*$|^(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/(19|20)\d{2}$",
}
_RAZAO_KW = {"UCBT": (1.0, 2000.0), "UCMT": (0.1, 50.0), "UCAT": (0.1, 50.0)}
"""Median of CAR_INST over the kW that the unit uses, where CAR_INST is in kW. Measured: BT 50 (MUX
2024), in W 20,000 (EFLUL 2020); MT 1.3, in MW 0.001 (EFLUL 2022). Outside, the unit is another."""


@dataclass(frozen=True)
class Regra:
    """One expectation.

    Attributes:
        nome: what it claims, in Portuguese.
        classe: Great Expectations' class.
        coluna: the column that is judged; '' where it is the layer.
        indicador: SQL aggregate over the leaf that is judged instead of a column of it.
    """

    nome: str
    severidade: Severidade
    descricao: str
    classe: str
    argumentos: dict[str, Any] = field(default_factory=dict)
    coluna: str = ""
    indicador: str = ""


@dataclass(frozen=True)
class Retrato:
    """What must be known of a landed layer before its rules can be made.

    Attributes:
        registradas: rows that the ledger says landed; None where it has no say.
        rejeitadas: rows of the file that it says did not.
        pontos: whether the safra has any PONNOT.
    """

    safra: Safra
    camada: Camada
    modelo: Modelo
    linhas: int
    tem_cod_id: bool
    registradas: int | None
    rejeitadas: int
    pontos: bool


def dominio(nome: str) -> list[str]:
    """The codes of a domain, from its seed, and the filler."""
    caminho = Path(CLONE) / "seeds" / f"{nome}_dominio.csv"
    with caminho.open(encoding="utf-8", newline="") as arquivo:
        return [" ", "", *(linha["id"] for linha in csv.DictReader(arquivo))]


def regras(retrato: Retrato) -> list[Regra]:
    """The suite of one layer of one safra."""
    todas = _forma(retrato)
    if not retrato.linhas:
        return todas
    if retrato.camada in CAMADAS_UC:
        todas += _unidades(retrato)
        todas += _indicadores(retrato)
    if retrato.camada == PONNOT:
        todas += _pontos()
    return todas + _codigos(retrato)


def _forma(r: Retrato) -> list[Regra]:
    tipos = ", ".join(f"('{nome}', '{tipo}')" for nome, tipo in r.camada.colunas.items())
    folha = f"raw_safra.{r.camada.tabela}_{r.safra.distribuidora_id}_{r.safra.ano}"
    achadas = [
        Regra(
            "colunas_da_camada",
            "estrutura",
            "A folha tem as colunas da camada, e só elas.",
            "ExpectTableColumnsToMatchSet",
            {"column_set": [*FIXAS, *r.camada.colunas], "exact_match": True},
        ),
        Regra(
            "tipos_da_camada",
            "estrutura",
            "As colunas têm os tipos da camada.",
            "ExpectColumnMaxToBeBetween",
            {"max_value": 0},
            indicador=(
                f"(select count(*) from pg_attribute as a join (values {tipos}) as t (nome, tipo)"
                f" on a.attname = t.nome where a.attrelid = '{folha}'::regclass"
                " and format_type(a.atttypid, a.atttypmod) <> t.tipo)"
            ),
        ),
    ]
    if r.registradas is not None:
        achadas += [
            Regra(
                "linhas_do_registro",
                "estrutura",
                "A folha tem as linhas que o registro de importações diz.",
                "ExpectTableRowCountToEqual",
                {"value": r.registradas},
            ),
            Regra(
                "linhas_rejeitadas",
                "estrutura",
                "No máximo 10 % das linhas do arquivo foram rejeitadas.",
                "ExpectColumnMaxToBeBetween",
                {"max_value": int(_REJEITADAS * (r.registradas + r.rejeitadas))},
                indicador=str(r.rejeitadas),
            ),
        ]
    if r.camada.nome in ("UCBT", "UCMT", "PONNOT"):
        achadas.append(
            Regra(
                "camada_com_linhas",
                "plausibilidade",
                "Toda distribuidora tem unidades de BT e de MT, e postes.",
                "ExpectTableRowCountToBeBetween",
                {"min_value": 1},
            )
        )
    return achadas


def _preenchida(coluna: str, severidade: Severidade) -> Regra:
    return Regra(
        "coluna_preenchida",
        severidade,
        "A coluna veio no arquivo (nula em no máximo 10 % das linhas).",
        "ExpectColumnValuesToNotBeNull",
        {"mostly": 0.9},
        coluna,
    )


def _entre(coluna: str, minimo: float | None, maximo: float | None, descricao: str) -> Regra:
    return Regra(
        "valor_na_faixa",
        "plausibilidade",
        descricao,
        "ExpectColumnValuesToBeBetween",
        {"min_value": minimo, "max_value": maximo},
        coluna,
    )


def _unidades(r: Retrato) -> list[Regra]:
    achadas = [_preenchida(coluna, "estrutura") for coluna in _ESSENCIAIS]
    achadas += [_preenchida(coluna, "plausibilidade") for coluna in _USUAIS[r.modelo]]
    if r.tem_cod_id:
        achadas.append(
            Regra(
                "codigo_em_toda_linha",
                "estrutura",
                "Uma camada com COD_ID o tem em todas as linhas.",
                "ExpectColumnValuesToNotBeNull",
                coluna="cod_id",
            )
        )
    achadas.append(
        Regra(
            "distribuidora_da_safra",
            "estrutura",
            "DIST é a distribuidora da safra.",
            "ExpectColumnValuesToBeInSet",
            {"value_set": [r.safra.distribuidora_id]},
            "dist",
        )
    )
    achadas.append(_entre("car_inst", 0, None, "A carga instalada não é negativa."))
    achadas.append(_entre("liv", 0, 1, "LIV é 0 ou 1."))
    if "semred" in r.camada.colunas:
        achadas.append(_entre("semred", 0, 1, "SEMRED é 0 ou 1."))
    if "dem_cont" in r.camada.colunas and r.modelo != "M10":
        achadas.append(_preenchida("dem_cont", "plausibilidade"))
        achadas.append(
            _entre("dem_cont", 0, 500_000, "A demanda contratada está entre 0 e 500 MW.")
        )
    achadas += [
        Regra(
            "formato_do_campo",
            "plausibilidade",
            "O campo está em branco ou no formato do manual da BDGD.",
            "ExpectColumnValuesToMatchRegex",
            {"regex": formato},
            coluna,
        )
        for coluna, formato in _FORMATOS.items()
    ]
    return achadas


def _pontos() -> list[Regra]:
    return [
        Regra(
            "ponto_com_codigo",
            "estrutura",
            "Todo ponto notável tem COD_ID: é por ele que as unidades o acham.",
            "ExpectColumnValuesToNotBeNull",
            coluna="cod_id",
        ),
        _preenchida("point_x", "estrutura"),
        _preenchida("point_y", "estrutura"),
        _entre("point_x", -74.1, -28.6, "A longitude está no Brasil."),
        _entre("point_y", -33.9, 5.4, "A latitude está no Brasil."),
    ]


def _codigos(r: Retrato) -> list[Regra]:
    descricao = "O código está na tabela de domínio, ou em branco."
    achadas = [
        Regra(
            "codigo_do_dominio",
            "plausibilidade",
            descricao,
            "ExpectColumnValuesToBeInSet",
            {"value_set": dominio(nome)},
            coluna,
        )
        for coluna, nome in _DOMINIOS.items()
        if coluna in r.camada.colunas
    ]
    if "mun" in r.camada.colunas:
        # GX copies a value set at every turn: 5,571 codes cost it 2 s a layer.
        codigos = ",".join(codigo for codigo in dominio("municipio") if codigo.strip())
        fora = f"btrim(mun) <> all('{{\"\",{codigos}}}')"
        achadas.append(_contagem(r, "municipio_do_ibge", fora, descricao, coluna="mun"))
    return achadas


# ── Rules over several columns: each an aggregate of the leaf ─────────────────────────────────────
def _horas(ano: int, mes: int) -> int:
    return 24 * calendar.monthrange(ano, mes)[1]


def _por_mes(r: Retrato, condicao: str) -> str:
    """``condicao`` in some month; {ene}, {dem}, {dic}, {horas} are that month's."""
    at = r.camada.nome == "UCAT"
    meses = []
    for mes in range(1, 13):
        m = f"{mes:02d}"
        campos = {
            "ene": f"(ene_p_{m} + ene_f_{m})" if at else f"ene_{m}",
            "dem": f"greatest(dem_p_{m}, dem_f_{m})" if at else f"dem_{m}",
            "dic": f"dic_{m}",
            "horas": _horas(r.safra.ano, mes),
        }
        meses.append(condicao.format(**campos))
    return "(" + " or ".join(meses) + ")"


def _contagem(
    r: Retrato,
    nome: str,
    condicao: str,
    descricao: str,
    *,
    severidade: Severidade = "plausibilidade",
    coluna: str = "",
    parte: float = 0.0,
) -> Regra:
    """At most ``parte`` of the rows are so."""
    return Regra(
        nome,
        severidade,
        descricao,
        "ExpectColumnMaxToBeBetween",
        {"max_value": int(parte * r.linhas)},
        coluna,
        f"count(*) filter (where {condicao})",
    )


def _indicadores(r: Retrato) -> list[Regra]:
    energia = ", ".join(r.camada.colunas_energia)
    dic = _por_mes(r, "{dic} > {horas}") if r.modelo != "M10" else "dic > 8784"
    data = "substr(dat_con, 7, 4) || substr(dat_con, 4, 2) || substr(dat_con, 1, 2)"
    achadas = [
        _contagem(
            r,
            "energia_em_todos_os_meses",
            f"num_nulls({energia}) > 0",
            "As doze colunas de energia vieram no arquivo (nulas em no máximo 10 % das linhas).",
            severidade="estrutura",
            coluna="ene_*",
            parte=0.1,
        ),
        _contagem(
            r,
            "energia_sem_negativos",
            f"least({energia}) < 0",
            "A energia de um mês não é negativa.",
            coluna="ene_*",
        ),
        _contagem(
            r,
            "dic_ate_as_horas_do_mes",
            dic,
            "Ninguém fica sem energia mais horas do que o mês tem.",
            coluna="dic_*",
        ),
        _contagem(
            r,
            "conexao_ate_a_data_base",
            rf"dat_con ~ '^\d\d/\d\d/\d{{4}}$' and {data} > '{r.safra.data_base:%Y%m%d}'",
            "Nenhuma unidade foi ligada depois da data-base da safra.",
            coluna="dat_con",
        ),
        Regra(
            "meses_com_energia",
            "plausibilidade",
            "Nenhum mês tem energia zero na camada inteira.",
            "ExpectColumnMaxToBeBetween",
            {"max_value": 0},
            "ene_*",
            " + ".join(
                f"(coalesce(sum({_por_um_mes(r, mes)}), 0) = 0)::integer" for mes in range(1, 13)
            ),
        ),
        _unidade_da_carga(r),
    ]
    if "dem_cont" in r.camada.colunas:
        achadas += [
            _contagem(
                r,
                "energia_ate_a_demanda_contratada",
                "dem_cont > 0 and "
                + _por_mes(r, f"{{ene}} > {ACIMA_DA_CONTRATADA} * dem_cont * {{horas}}"),
                f"A energia de um mês cabe em {ACIMA_DA_CONTRATADA} × demanda contratada × horas.",
                coluna="ene_*",
                parte=_POUCAS,
            ),
            _contagem(
                r,
                "energia_ate_a_demanda_medida",
                _por_mes(r, f"({{dem}} > 0 and {{ene}} > {ACIMA_DA_MEDIDA} * {{dem}} * {{horas}})"),
                f"A energia de um mês cabe em {ACIMA_DA_MEDIDA} × demanda medida × horas.",
                coluna="ene_*",
                parte=_POUCAS,
            ),
        ]
    if r.pontos:
        pontos = f"raw_safra.ponnot_{r.safra.distribuidora_id}_{r.safra.ano}"
        achadas.append(
            _contagem(
                r,
                "ponto_notavel_existe",
                f"pn_con is not null and pn_con not in (select cod_id from {pontos}"
                " where cod_id is not null)",
                "PN_CON é um ponto notável da safra.",
                coluna="pn_con",
                parte=_POUCAS,
            )
        )
    return achadas


def _por_um_mes(r: Retrato, mes: int) -> str:
    return " + ".join(f"{prefixo}_{mes:02d}" for prefixo in r.camada.energia)


def _unidade_da_carga(r: Retrato) -> Regra:
    """CAR_INST against the kW that a unit contracts, or uses on average: W, kW or MW shows."""
    minimo, maximo = _RAZAO_KW[r.camada.nome]
    if "dem_cont" in r.camada.colunas:
        demandas = [c for c in r.camada.colunas if c.startswith("dem_") and c != "dem_cont"]
        uso = f"coalesce(nullif(dem_cont, 0), nullif(greatest({', '.join(demandas)}), 0))"
    else:
        uso = f"nullif({' + '.join(r.camada.colunas_energia)}, 0) / 8760"
    return Regra(
        "unidade_da_carga_instalada",
        "plausibilidade",
        "CAR_INST está em kW: a mediana de CAR_INST ÷ kW usados fica entre"
        f" {minimo:g} e {maximo:g}; mil vezes mais é W, mil vezes menos é MW.",
        "ExpectColumnMaxToBeBetween",
        {"min_value": minimo, "max_value": maximo},
        "car_inst",
        f"percentile_disc(0.5) within group (order by nullif(car_inst, 0) / ({uso}))"
        f" filter (where {uso} > 0)",
    )
