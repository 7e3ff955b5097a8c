"""Which relations of marts are lists of the API, and what may be asked of each.

Belongs here: one entry a list. Not here: columns, types and their meaning, which the database says
(its comments are the data dictionary); leads, which have filters of their own (leads/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.database import Column


@dataclass(frozen=True)
class Made:
    """A column that the relation has not, by its SQL over row ``l``."""

    sql: str
    column: Column


@dataclass(frozen=True)
class Listing:
    """A list.

    Attributes:
        path: below /api/v1.
        key: columns that tell its rows apart, in the order of pages; ``nullable`` may be null.
        filters: columns that may be given; a parameter is named so without ``_id``.
        sorts: columns that pages may be ordered by.
        by_safra: its rows are swapped in the publication itself; rollups and views of open data,
            which follow it or change without one, have the ETag of their content.
        geometry: its column, for GeoJSON.
        partners: whether partners may read it too.
        made: columns after the relation's own.
    """

    path: str
    relation: str
    tag: str
    summary: str
    key: tuple[str, ...]
    filters: tuple[str, ...]
    sorts: tuple[str, ...] = ()
    nullable: frozenset[str] = frozenset()
    by_safra: bool = True
    geometry: str | None = None
    partners: bool = True
    made: Mapping[str, Made] = field(default_factory=dict)

    def parameter(self, column: str) -> str:
        """How a filter is called in a query."""
        return column.removesuffix("_id")


_SAFRA = ("distribuidora_id", "ano")
# An alert names a unit by layer and code, which newer vintages keep.
_LEAD_OF_ALERT = """(
    select u.uc_id from marts.mart_lead as u
    where l.nivel = 'uc' and u.distribuidora_id = l.distribuidora_id
        and u.origem::text = left(l.alvo, 4) and u.cod_id = substr(l.alvo, 6)
    order by u.uc_id limit 1
)"""
LISTINGS = (
    Listing(
        "distribuidoras",
        "resumo_distribuidora",
        "Distribuidoras",
        "Cada distribuidora por ano: leads, energia, qualidade",
        _SAFRA,
        _SAFRA,
        ("energia_anual_kwh", "quantidade_leads"),
        by_safra=False,
    ),
    Listing(
        "municipios",
        "resumo_municipio",
        "Municípios",
        "Cada município por ano: leads, energia, qualidade",
        ("ano", "municipio_id"),
        ("ano", "uf", "municipio_id"),
        ("energia_anual_kwh", "quantidade_leads"),
        nullable=frozenset({"municipio_id"}),
        by_safra=False,
    ),
    Listing(
        "municipios/contexto",
        "mart_contexto_municipio",
        "Municípios",
        "O que se sabe de cada município além da BDGD: população, densidade, PIB, clima",
        ("municipio_id",),
        ("uf", "municipio_id"),
        ("densidade_hab_km2", "populacao", "bdgd_energia_mwh"),
        by_safra=False,
    ),
    Listing(
        "bairros",
        "resumo_bairro",
        "Municípios",
        "Cada bairro por safra: leads, energia, qualidade, e o contorno das suas unidades",
        (*_SAFRA, "municipio_id", "bairro"),
        (*_SAFRA, "municipio_id", "uf"),
        ("energia_anual_kwh", "quantidade_leads"),
        nullable=frozenset({"municipio_id", "bairro"}),
        by_safra=False,
        geometry="geom",
    ),
    Listing(
        "import-status",
        "mart_safra_camada",
        "Safras",
        "O que aterrissou de cada safra publicada, camada por camada",
        (*_SAFRA, "camada"),
        (*_SAFRA, "camada", "presente"),
    ),
    Listing(
        "safras",
        "safra_publicada",
        "Safras",
        "Que safras estão publicadas, e desde quando",
        _SAFRA,
        _SAFRA,
    ),
    Listing(
        "alertas",
        "mart_alerta",
        "Alertas",
        "Alertas abertos e fechados, com os números que os provam",
        ("alerta_id",),
        ("regra", "nivel", "distribuidora_id", "ano", "aberto"),
        ("aberto_em",),
        by_safra=False,
        made={"uc_id": Made(_LEAD_OF_ALERT, Column("uuid", "O lead de que fala, se é de um."))},
    ),
    Listing(
        "diferencas",
        "mart_lead_historico",
        "Leads",
        "O que mudou em cada lead desde a safra anterior da distribuidora",
        (*_SAFRA, "uc_id"),
        (*_SAFRA, "uf", "origem", "uc_id"),
        ("variacao_energia_pct",),
    ),
    Listing(
        "diferencas/scores",
        "mart_lead_score_mudanca",
        "Leads",
        "Que scores mudaram na última publicação de cada safra, e por quê",
        (*_SAFRA, "oferta", "uc_id"),
        (*_SAFRA, "oferta", "uc_id"),
    ),
    Listing(
        "scores",
        "mart_lead_score",
        "Leads",
        "O score de cada lead em cada oferta, o lugar e os motivos",
        (*_SAFRA, "oferta", "uc_id"),
        (*_SAFRA, "oferta", "uc_id"),
    ),
    Listing(
        "perdas",
        "mart_perda_alimentador",
        "Perdas",
        "O balanço de energia do ano de cada alimentador",
        (*_SAFRA, "circuito"),
        (*_SAFRA, "circuito", "subestacao", "situacao"),
        ("perdas_kwh", "perdas_pct"),
    ),
    Listing(
        "perdas/mensais",
        "mart_perda_alimentador_mensal",
        "Perdas",
        "O balanço de energia de cada alimentador, mês a mês",
        (*_SAFRA, "circuito", "mes"),
        (*_SAFRA, "circuito", "mes"),
    ),
    Listing(
        "perdas/transformadores",
        "mart_transformador",
        "Perdas",
        "Cada transformador de distribuição: potência, unidades, carregamento",
        (*_SAFRA, "transformador"),
        (*_SAFRA, "circuito", "municipio_id", "transformador"),
        ("carregamento_maximo", "carregamento_medio"),
        geometry="geom",
    ),
    Listing(
        "perdas/balanco",
        "mart_balanco_distribuidora",
        "Perdas",
        "O balanço que a distribuidora declara, contra a soma das camadas",
        (*_SAFRA, "item"),
        (*_SAFRA, "item", "situacao"),
    ),
    Listing(
        "perdas/gtd",
        "mart_gtd_rede",
        "Perdas",
        "Onde a rede está perto do limite: transformadores e alimentadores",
        (*_SAFRA, "tipo", "codigo"),
        (*_SAFRA, "tipo", "circuito", "perto_do_limite"),
        ("carregamento_maximo", "perdas_pct", "gd_kw"),
    ),
    Listing(
        "qualidade/conjuntos",
        "mart_conjunto_continuidade",
        "Qualidade",
        "DEC e FEC apurados de cada conjunto (ANEEL), os limites, e o DIC e o FIC da BDGD",
        ("ano", "conjunto_id"),
        ("ano", "distribuidora_id", "conjunto_id", "situacao"),
        ("dec_sobre_limite", "fec_sobre_limite", "bdgd_media_dic_h"),
        by_safra=False,
    ),
    Listing(
        "enriquecimento",
        "lead_enrichment_log",
        "Safras",
        "De onde veio cada dado que a BDGD não diz, ou por que faltou",
        (*_SAFRA, "uc_id", "etapa"),
        (*_SAFRA, "uc_id", "etapa", "resultado"),
    ),
    Listing(
        "aicss/consumo/horas",
        "consumo_dispositivo_hora",
        "AICSS",
        "Energia de cada dispositivo por hora",
        ("dispositivo_id", "hora"),
        ("dispositivo_id",),
        ("hora",),
        by_safra=False,
        partners=False,
    ),
    Listing(
        "aicss/consumo/dias",
        "consumo_dispositivo_dia",
        "AICSS",
        "Energia de cada dispositivo por dia",
        ("dispositivo_id", "dia"),
        ("dispositivo_id",),
        ("dia",),
        by_safra=False,
        partners=False,
    ),
    Listing(
        "aicss/consumo/meses",
        "consumo_dispositivo_mes",
        "AICSS",
        "Energia e economia de cada dispositivo por mês, contra a base dita",
        ("dispositivo_id", "mes"),
        ("dispositivo_id",),
        ("mes",),
        by_safra=False,
        partners=False,
    ),
    Listing(
        "aicss/perfil",
        "mart_aicss_vs_perfil",
        "AICSS",
        "O mês de cada dispositivo ao lado do que a BDGD diz do seu município e classe",
        ("dispositivo_id", "mes", "classe"),
        ("dispositivo_id", "municipio_id", "classe"),
        ("mes",),
        nullable=frozenset({"classe"}),
        by_safra=False,
        partners=False,
    ),
    Listing(
        "aicss/alertas",
        "mart_alerta_aicss",
        "AICSS",
        "O que esteve errado com cada dispositivo: calado, travado, impossível, acima da média",
        ("dispositivo_id", "tipo", "dia"),
        ("dispositivo_id", "tipo", "atual"),
        ("dia",),
        by_safra=False,
        partners=False,
    ),
    Listing(
        "perfis",
        "mart_perfil_consumo",
        "Perfis",
        "Perfis de consumo: quantas unidades se parecem, quanto e quando consomem",
        (*_SAFRA, "grupo", "perfil_id"),
        (*_SAFRA, "grupo", "perfil_id"),
    ),
    Listing(
        "hexagonos",
        "mart_hexagono",
        "Mapa",
        "Leads, energia e DIC por hexágono",
        (*_SAFRA, "tamanho_m", "hexagono"),
        (*_SAFRA, "tamanho_m"),
        ("energia_anual_kwh",),
        geometry="geom",
    ),
    Listing(
        "clusters",
        "mart_cluster_geografico",
        "Mapa",
        "Onde há muita demanda, ou muita geração, perto uma da outra",
        (*_SAFRA, "tipo", "cluster_id"),
        (*_SAFRA, "tipo"),
        ("energia_anual_kwh", "quantidade_leads"),
        geometry="geom",
    ),
    Listing(
        "anomalias",
        "mart_anomalia",
        "Anomalias",
        "O que fugiu do esperado, por série e mês",
        (*_SAFRA, "nivel", "serie_id", "tipo", "mes"),
        (*_SAFRA, "nivel", "tipo", "serie_id", "uc_id"),
        ("escore",),
        nullable=frozenset({"mes"}),
    ),
    Listing(
        "empresas",
        "mart_empresa",
        "Empresas",
        "Empresas candidatas a donas de leads",
        ("cnpj_basico",),
        ("cnpj_basico", "porte"),
        by_safra=False,
    ),
    Listing(
        "aneel/consumo",
        "resumo_classe_mes",
        "ANEEL",
        "Energia por classe de consumo e mês, como a distribuidora declarou na BDGD",
        (*_SAFRA, "origem", "classe_consumo_id", "mes"),
        (*_SAFRA, "origem", "classe_consumo_id", "mes"),
        nullable=frozenset({"classe_consumo_id"}),
        by_safra=False,
    ),
    Listing(
        "aneel/consumo/samp",
        "mart_energia_bdgd_samp",
        "ANEEL",
        "Energia cativa da BDGD ao lado da que a distribuidora faturou (SAMP)",
        (*_SAFRA, "classe"),
        (*_SAFRA, "classe"),
        by_safra=False,
    ),
    Listing(
        "aneel/tarifas",
        "tarifa_vigente",
        "ANEEL",
        "Tarifas homologadas por distribuidora, subgrupo, modalidade, posto e vigência",
        ("tarifa_id",),
        ("distribuidora_id", "subgrupo_tarifario_id", "modalidade", "posto", "grandeza"),
        ("inicio",),
        by_safra=False,
    ),
    Listing(
        "analytics/previsao",
        "mart_previsao_energia",
        "Análises",
        "A energia dos doze meses depois da última safra, com faixas de 80 e 95 %",
        ("distribuidora_id", "nivel", "serie_id", "competencia"),
        ("distribuidora_id", "nivel", "serie_id"),
        by_safra=False,
    ),
    Listing(
        "analytics/previsao/desempenho",
        "mart_desempenho_modelo",
        "Análises",
        "Quanto erra cada modelo",
        (*_SAFRA, "tipo", "nivel", "serie_id", "modelo"),
        (*_SAFRA, "tipo", "nivel", "serie_id", "modelo"),
        nullable=frozenset({"serie_id"}),
        by_safra=False,
    ),
)
