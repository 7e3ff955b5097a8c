"""Faults that change nothing anybody can see, each with the argument: not planted.

Belongs here: what no test could notice. Not here: what none notices yet; that is a survivor.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    """Of ``where`` (a pattern), with this operator, the changes whose lines match ``lines``."""

    where: str
    operator: str
    lines: str
    reason: str

    def covers(self, where: str, operator: str, lines: str) -> bool:
        """Whether it is about this change."""
        return bool(
            re.fullmatch(self.where, where)
            and re.fullmatch(self.operator, operator)
            and re.search(self.lines, lines)
        )


OF_ONE_SAFRA = (
    r"mart_(balanco_distribuidora|perda_alimentador(_mensal)?|transformador|gtd_rede|lead_oferta"
    r"|lead_criterio|hexagono|cluster_geografico)|curva_participacao|lead_perfil|lead_mercado"
    r"|safra_celula|safra_serie|alimentador_energia|desempenho_estimativa|mart_custo_lead"
    r"|tarifa_mensal|anomalia|lead_serie|ponto_notavel|previsao_faixa"
)
"""Models of whose build every table is read as one safra has it; no view of all safras."""
EQUIVALENT = (
    Equivalent(
        r"alimentador_energia|anomalia|desempenho_estimativa|lead_perfil_consumo|lead_tendencia"
        r"|mart_perfil_consumo|previsao_faixa|safra_serie|mart_transformador",
        "left for inner",
        r"-.*join (\{\{ ref\('lead_(perfil|serie|resumo_anual)'\) \}\}|series|anual) as \w",
        "each lead has exactly one row there: a foreign key and doze_meses_por_uc say so",
    ),
    Equivalent(
        r"mart_perfil_consumo|previsao_faixa",
        "left for inner",
        r"-.*'lead_bruto'",
        "a foreign key: a lead's profile is a lead's",
    ),
    Equivalent(
        r"lead_tendencia|lead_mercado",
        "left for inner",
        r"-.*join (\{\{ ref\('classe_consumo'\) \}\}|classes) as c",
        "who has no class is left out by pessoa_juridica",
    ),
    Equivalent(
        r"lead_mercado",
        "left for inner",
        r"-.*'criticidade_cnae'",
        "a division without one has the default, as one whose value is null has",
    ),
    Equivalent(
        r"tarifa_mensal",
        "left for inner",
        r"-.*join (dias_do_mes as m|desdes as d|tarifas as t)",
        "of the same days; one without a price has no post, and the last where asks for one",
    ),
    Equivalent(
        r"tarifa_mensal",
        "(min|avg) for max",
        r"-.*filter \(where posto = '",
        "a pivot: a post has one row of its energy and one of its demand",
    ),
    Equivalent(
        r"mart_lead_oferta",
        "left for inner",
        r"-.*join (calendarios|deslocaveis|leads|contas|\{\{ ref\('tarifa_mensal'\))",
        "all are of lead_mercado's units and their safra; the where leaves out who has no bill",
    ),
    Equivalent(
        r"mart_lead_criterio|mart_lead_score|mart_lead_score_mudanca",
        "left for inner",
        r"-.*join (leads as l on [eo]\.|ofertas|somas|\{\{ ref\('(criterio|peso_criterio)'\))",
        "foreign keys: who is eligible is a lead, with sizes and criteria, which have weights",
    ),
    Equivalent(
        r"mart_lead_score",
        "inner for left",
        r"-.*join ressalvas",
        "every lead has its row there, with or without a text",
    ),
    Equivalent(
        r"anomalia",
        "left for inner",
        r"-.*join (ano_anterior|anteriores|mad_d\w_\w+|totais|unidades|\{\{ ref\('anomalia_tipo')",
        "made of the same units, or what is missing is null, and marks nothing",
    ),
    Equivalent(
        r"consumo_dispositivo_hora",
        "left for inner",
        r"-.*join (alcance|leitura|vigencia)",
        "a known device has settings at every instant; without a reach there are no hours",
    ),
    Equivalent(
        r"curva_participacao",
        "left for inner",
        r"-.*join (dias|medias|formas|safras) as",
        "the calendar has every safra; a curve without a mean or points is left out",
    ),
    Equivalent(
        r"mart_transformador",
        "(left for inner|inner for left)",
        r"-.*join (dias|horas) as",
        "the calendar has every month of every safra",
    ),
    Equivalent(
        r"mart_energia_bdgd_samp|resumo_municipio",
        "left for inner",
        r"-.*'distribuidora'",
        "a foreign key: the code is always there",
    ),
    Equivalent(
        r"mart_diferenca_safra",
        "left for inner",
        r"-.*'distribuidora'",
        "counted of lead_bruto's units, whose distributor is a foreign key",
    ),
    Equivalent(
        r"mart_contexto_municipio",
        "left for inner",
        r"-.*'municipio_indicador'",
        "without a population all of its figures are null either way",
    ),
    Equivalent(
        r"mart_cluster_geografico",
        "left for inner",
        r"-.*join limites as m",
        "the limits are of the safra's own leads",
    ),
    Equivalent(
        r"mart_aicss_vs_perfil",
        "left for inner",
        r"-.*'consumo_dispositivo_mes'",
        "a device without a month has no days to price",
    ),
    Equivalent(
        r"mart_balanco_distribuidora",
        "left for inner",
        r"-.*join (fatores as f|itens as i)",
        "every feeder has its factor, every layer of their energies is in one item",
    ),
    Equivalent(
        r"mart_perda_alimentador",
        "inner for left",
        r"-.*join camadas as c",
        "every safra has layers",
    ),
    Equivalent(
        r"vw_lead_\w+|safra_resumo|lead_resumo_anual|lead_demanda_mensal|lead_historico"
        r"|mart_custo_lead|lead_mercado|lead_perfil",
        "left for inner",
        r"resumo_anual|anual as|anuais as|enriquecimento as|leads as|energia as|series as s"
        r"|'(distribuidora|lead_perfil)'",
        "each lead has exactly one row there: a foreign key and doze_meses_por_uc say so",
    ),
    Equivalent(
        r"resumo_leads_distribuidora|resumo_(bairro|classe|classe_mes|conjunto|segmento|subgrupo)"
        r"|leitura_estado|consumo_dispositivo_(hora|dia|mes)|mart_alerta_aicss"
        r"|leitor_safra_publicada|lead_mercado|mart_alerta",
        "left for inner",
        r"'(distribuidora|dispositivo|regra_alerta)'",
        "a foreign key: the code is always there",
    ),
    Equivalent(
        r"vw_lead_status_enriquecimento|vw_lead_completo_detalhado|lead_demanda_mensal|safra_resumo"
        r"|leitor_lead_\w+_mensal",
        "condition dropped",
        r"-\s+and \w+\.(ano|distribuidora_id) = [al]\.(ano|distribuidora_id)",
        "beside the same uc_id, which holds both in clear: they only prune partitions",
    ),
    Equivalent(
        OF_ONE_SAFRA,
        "condition dropped",
        r"\A-\s+and \w+\.(ano|distribuidora_id) = \w+\.(ano|distribuidora_id)\s*(\n\+\s*)?\Z",
        "a build reads one safra's leaves (macros/safra.sql): every row has the same two",
    ),
    Equivalent(
        r"lead_com_coordenadas",
        "condition dropped",
        r"-\s+and l\.(ano|distribuidora_id) = g\.",
        "beside the same uc_id, which holds both in clear",
    ),
    Equivalent(
        r"lead_enrichment_log",
        "condition dropped",
        r"-\s+and l\.distribuidora_id = p\.distribuidora_id",
        "a build reads the poles of one safra (macros/safra.sql)",
    ),
    Equivalent(
        OF_ONE_SAFRA,
        "or for and",
        r"\+.* on \w+\.ano = \w+\.ano or \w+\.distribuidora_id = \w+\.distribuidora_id\s*\Z",
        "a build reads one safra's leaves (macros/safra.sql): every row has the same two",
    ),
    Equivalent(
        r"balanco_energia|perda_nao_tecnica|iluminacao_publica|alimentador(_geometria)?",
        "min for max",
        r"-.*max\(import_id\)",
        "a layer of a safra has one import",
    ),
    Equivalent(
        r"mart_perda_alimentador(_mensal)?",
        "(max|min|avg) for sum",
        r"-.*filter \(where (e\.)?origem = '",
        "a feeder has one row of each layer (primary key)",
    ),
    Equivalent(
        r"mart_alerta_aicss|mart_lead_safra|anomalia|mart_contexto_municipio",
        "(min|avg) for max",
        r"-\s+max\(.*\) filter \(where (id|oferta|tipo|indicador) = '",
        "a pivot: one row of each (parametro_aicss, mart_lead_score, anomalia_tipo, mais_novos)",
    ),
    Equivalent(
        r".*",
        "branches of coalesce turned",
        r"\+.*coalesce\([^()]*\) is (not )?null",
        "whether one of them is there does not depend on their order",
    ),
    Equivalent(
        r"sigla_agente\(\)|sem_acento\(\)",
        "word changed",
        r"\+.*'(AAAA|aaaa)\w+~'",
        "what translate() turns nothing into is not read",
    ),
    Equivalent(
        r"sigla_agente\(\)",
        "word changed",
        r"\+.*'ÁÀ\w+~'",
        "a tilde is no letter, and left out anyhow",
    ),
    Equivalent(
        r"data_br\(\)",
        "word changed",
        r"\+.*OCTNOVDEC~'",
        "three letters are looked for in the text, none of them after its end",
    ),
    Equivalent(
        r"lead_bruto",
        "edge moved, >",
        r"-\s+having count\(\*\) > 1",
        "the sum of one row is what the row says: only fewer rows are read",
    ),
    Equivalent(
        r"mart_hexagono",
        "cleaning left out",
        r"-.*/ nullif\(sum\(leads_com_dic\)",
        "where nobody says one the sum is null, and null over zero is null",
    ),
    Equivalent(
        r"calendario_mensal",
        "left for inner",
        r"-.*'posto_tarifario_hora'",
        "the seed has hours for everybody",
    ),
    Equivalent(
        r"lead_perfil",
        "branches of coalesce turned",
        r"\+\s+coalesce\((s\.energia_ponta.*, s\.energia_total|.*fora_ponta.*?, s\.energia_ponta)",
        "a layer has the total or the posts; of posts that do not add up one is missing",
    ),
    Equivalent(
        r"lead_mercado",
        "branches of coalesce turned",
        r"\+.*coalesce\(ce\.(descricao|id), (cn|l)\.",
        "a company's CNAE is joined where the unit has none",
    ),
    Equivalent(
        r"mart_custo_lead|alimentador_energia",
        "branches of coalesce turned",
        r"\+.*(coalesce\(s\.demanda_total\[|p\.fora_ponta, p\.ponta\))",
        "a layer has the total or the posts; of posts that do not add up one is missing",
    ),
    Equivalent(
        r"mart_energia_bdgd_samp|mart_perda_alimentador",
        "branches of coalesce turned",
        r"\+.*coalesce\((s|p)\.(\w+), (b|a)\.\2\)",
        "the keys of a full join: where both are there they are the same",
    ),
    Equivalent(
        r"mart_custo_lead",
        "left for inner",
        r"-.*'tarifa_mensal'",
        "without a tariff nothing off peak has a price, and the last where asks for one",
    ),
    Equivalent(
        r"stg_conj",
        "cleaning left out",
        r"\+.* then cod_id::integer",
        "PostgreSQL passes over blanks around a number",
    ),
    Equivalent(
        r"mart_lead_safra",
        "asc for desc",
        r"-.*array_agg\(score order by",
        "offers that only their names tell apart have the same score",
    ),
    Equivalent(
        r"consumo_dispositivo_dia|mart_empresa|mart_alerta_aicss",
        "left for inner",
        r"-.*join (\{\{ ref\('leitura_sensor'|nomes as n|ultimo on|dia as a)",
        "of the same rows; a day without readings, or others before it, says nothing either way",
    ),
    Equivalent(
        r"mart_transformador",
        "left for inner",
        r"-.*join (divisores|formas) as",
        "a curve without energy is left out by the where, one without hours has none to unnest",
    ),
    Equivalent(
        r"previsao_faixa",
        "left for inner",
        r"-.*join (chaves_anteriores|estacao_\d|tipicos_|\{\{ source)",
        "of the same units; who is missing has no safra, or no measures, and is joined to nothing",
    ),
    Equivalent(
        r"lead_empresa",
        "left for inner",
        r"-.*(join leads as l on|join estabelecimentos as e on o\.|'classe_consumo')",
        "pairs are made of leads and establishments; who has no class is no legal person",
    ),
    Equivalent(
        r"mart_contorno|mart_aicss_vs_perfil",
        "left for inner",
        r"-.*(ref\('municipio'\)|join aparelho as a)",
        "a polygon is a município's; who has no município is joined to nothing next",
    ),
    Equivalent(
        r"lead_tendencia",
        "left for inner",
        r"-.*join anteriores as a",
        "who was not there before has no months, and the where asks for ten",
    ),
    Equivalent(
        r"lead_(demanda|qualidade)_mensal",
        "condition dropped|or for and",
        r"-\s*where (demanda_total|s\.dic) is not null or (demanda_ponta|s\.fic) is not null",
        "of no array no month is unnested: who has none is left out early",
    ),
    Equivalent(
        r"unidade_do_id\(\)",
        "constant changed",
        r"\+.*, 28\)",
        "the hyphen before, which every key has there",
    ),
    Equivalent(
        r"curva_carga",
        "avg for sum",
        r"-.*sum\(p\.kw\)",
        "only whether it is more than nothing counts",
    ),
    Equivalent(
        r"resumo_(distribuidora|municipio)",
        "inner for left",
        r"-.*join medidas as m",
        "the measures are of the same cells",
    ),
    Equivalent(
        r"resumo_municipio",
        "max for min",
        r"-.*min\(d\.nome\)",
        "of one distributor alone: having count(*) = 1",
    ),
    Equivalent(
        r"lead_perfil_consumo|lead_mercado",
        "inner for left",
        r"\A-\s*left join\n",
        "a lateral aggregate has one row, always",
    ),
    Equivalent(
        r"safra_serie",
        "inner for left",
        r"-.*join (municipios_escondidos|do_municipio|da_classe) as o",
        "who is not there has no person and is not small: it would be left out next",
    ),
    Equivalent(
        r"calendario_mensal",
        "asc for desc",
        r"-\s+p\.distribuidora_id asc nulls last",
        "hours are the distributor's own or everybody's, which are the nulls",
    ),
    Equivalent(
        r"curva_participacao",
        "distinct dropped",
        r"-\s+select distinct grupo",
        "of the same group twice the first candidate is taken",
    ),
    Equivalent(
        r"anomalia",
        "(min|avg) for max",
        r"-.*< \(select max\(u\.ano\) from unidades",
        "a build has the units of one safra, of one year",
    ),
    Equivalent(
        r"segmento_da_unidade\(\)",
        "branches of coalesce turned",
        r"\+\s+coalesce\(ce\.",
        "a company's CNAE is joined where the unit has none, and so no segment by it",
    ),
    Equivalent(
        r"mart_lead_oferta|mart_lead_score",
        "(min|avg) for max",
        r"-\s+max\((economia_brl|frase)\) filter \(where (modalidade|ordem) = ",
        "a pivot: a lead has one row of each modality, of each place of a reason",
    ),
    Equivalent(
        r"mart_balanco_distribuidora",
        "(min|avg) for max",
        r"-.*max\(fator_unidade\)",
        "every feeder of a safra has the same factor",
    ),
    Equivalent(
        r"mart_lead_score",
        "min for max",
        r"-.*max\(origem_pesos\)",
        "an offer's weights are learned or the seed's, all of them (peso_criterio)",
    ),
    Equivalent(
        r"lead_resumo_anual",
        "min for max",
        r"-.*max\(g\.created_at\)",
        "one build writes all steps of a unit at one instant",
    ),
    Equivalent(
        r"curva_participacao",
        "(max|min|avg) for sum",
        r"-.*filter \(where t\.tipo_dia = '",
        "a pivot: a curve has one row of each kind of day",
    ),
    Equivalent(
        r"mart_balanco_distribuidora",
        "left for inner",
        r"camadas as c",
        "the safras are those of the same table",
    ),
    Equivalent(
        r"mart_lead_oferta",
        "(min|avg) for max",
        r"fim_ponta - inicio_ponta",
        "every month of a safra has the same peak hours",
    ),
    Equivalent(
        r"desempenho_estimativa",
        "left for inner",
        r"join classes as c",
        "who has no class is left out by pessoa_juridica",
    ),
    Equivalent(
        r"curva_participacao",
        "edge moved, >|condition dropped",
        r"-.*where e\.util > 0",
        "a curve of zeros is none of formas, and the seed has none",
    ),
    Equivalent(
        r"safra_serie",
        "edge moved, >|condition dropped",
        r"-.*where m\.leads > 0",
        "a month that nobody has hides nothing, and is of no sum",
    ),
    Equivalent(
        r"anomalia",
        "edge moved, >",
        r"\+.*energia_mes\[c\.mes - 1\] >= 0",
        "the month before a run of zeros is no zero",
    ),
    Equivalent(
        r"mart_lead_historico",
        "left for inner",
        r"join safras as s",
        "the where after it asks for the safra's year before",
    ),
    Equivalent(
        r"mart_transformador|anomalia",
        "left for inner",
        r"join (formas_do_mes as f|grupos as g)",
        "without one there are no hours to unnest, or no centre that the where compares with",
    ),
    Equivalent(
        r"dispositivo",
        "edge moved, <=",
        r"valido_de < now\(\)",
        "a validity that begins in the microsecond of the build",
    ),
    Equivalent(
        r"municipio_geometria",
        "(min|avg) for max|branch.* of coalesce .*|edge moved, >|condition .*|constant .*",
        r"feita\.malha_id",
        "more files again: delete+insert writes their polygons as they are",
    ),
    Equivalent(
        r"mart_hexagono",
        "constant changed|asc for desc",
        r"\+.*(limit 2|order by g\.i)",
        "two cells have a point on their edge alone: of degrees turned into metres, by chance",
    ),
    Equivalent(
        r"resumo_leads_\w+|resumo_energia_por_municipio",
        "cleaning left out",
        r"-.*/ nullif\(sum\(s?\.?leads_com_",
        "where nobody says one the sum is null, and null over zero is null",
    ),
    Equivalent(
        r"lead_historico",
        "condition dropped",
        r"-\s+and u\.(ano|distribuidora_id) = l\.(ano|distribuidora_id)",
        "a build looks a row's number up in the safra's own leaves (macros/safra.sql)",
    ),
    Equivalent(
        r"leitor_lead_\w+",
        "left for inner",
        r"'(classe_consumo|lead_bruto)'",
        "every month has its lead, and who has no class is left out by pessoa_juridica",
    ),
    Equivalent(
        r"mart_perfil_consumo_lead",
        "left for inner",
        r"'mart_perfil_consumo'",
        "a lead's row in lead_perfil_consumo is one of those that its cell was made of",
    ),
    Equivalent(
        r"mart_perfil_consumo",
        "left for inner",
        r"'perfil_centro'",
        "every profile is in the seed (tests/unit/test_profile_centres.py)",
    ),
    Equivalent(
        r"safra_classe_mes|safra_celula",
        "left for inner",
        r"'lead_perfil'|perfis as p|anual as a",
        "every unit has its row there: a foreign key and doze_meses_por_uc say so",
    ),
    Equivalent(
        r"mart_previsao_lead",
        "left for inner",
        r"'lead_perfil_consumo'",
        "every unit has its row there, of lead_bruto and lead_perfil, which have them all",
    ),
    Equivalent(
        r"previsao_faixa",
        "left for inner",
        r"ano_anterior",
        "the where after it asks for its year",
    ),
    Equivalent(
        r"previsao_faixa|anomalia",
        "(min|avg) for max",
        r"\+.*\((\w\.)?ano\) as ano",
        "the safra before is one leaf, of one year",
    ),
    Equivalent(
        r"previsao_faixa",
        "edge moved, <",
        r"a\.ano <= e\.ano",
        "the safra before is of a year before",
    ),
    Equivalent(
        r"previsao_faixa",
        "edge moved, <=",
        r"bastam",
        "of more than two thousand units, one less is looked at",
    ),
    Equivalent(
        r"resumo_municipio",
        "left for inner",
        r"divididos|pequenos",
        "a município without persons has no part that esconde_complementos looks at",
    ),
    Equivalent(
        r"cnae",
        "max for min",
        r"\+.*then max",
        "where the least and the greatest are the same",
    ),
    Equivalent(
        r"esconde_complementos\(\)",
        "word changed",
        r"partition by ~'",
        "~ano is PostgreSQL's bitwise not: other numbers, the same parts",
    ),
    Equivalent(
        r"esconde_complementos\(\)",
        "word changed",
        r"-.*set antes = ",
        "how two CTEs are called that nothing but this macro reads",
    ),
    Equivalent(
        r"esconde_complementos\(\)",
        "branch of coalesce lost",
        r"bool_and\(falta\)",
        "whoever uses it takes null for not hidden",
    ),
    Equivalent(
        r"lead_bruto|ponto_notavel|lead_serie|conjunto|area_atuacao|curva_carga|subestacao"
        r"|transformador|safra_camada|lead_mercado|calendario_mensal|bandeira_tarifaria",
        "asc for desc",
        r"\+\s*(order by (uc_id|ano|cod_id|cn\.id|competencia) |s\.(ano|distribuidora_id) desc)",
        "the order of what distinct on tells apart, not of what it chooses from",
    ),
    Equivalent(
        r"continuidade_conjunto|municipio_indicador|municipio_divisao|municipio_estacao|pld_horario"
        r"|usina|geracao_distribuida|dispositivo_vigencia",
        "asc for desc",
        r"\+.*order by",
        "the order of what distinct on tells apart, not of what it chooses from",
    ),
    Equivalent(
        r"dispositivo",
        "asc for desc",
        r"\+.*order by c\.dispositivo_id desc",
        "the order of what distinct on tells apart, not of what it chooses from",
    ),
    Equivalent(
        r"mart_contexto_municipio|mart_empresa|tarifa_mensal",
        "asc for desc",
        r"\+.*\b(municipio_id|indicador|order by estacao|cnpj_basico|d\.ano|distribuidora_id|d\.dia"
        r"|subgrupo_tarifario_id|modalidade|posto|grandeza) desc",
        "the order of what distinct on tells apart, not of what it chooses from",
    ),
    Equivalent(
        r"stg_complemento",
        "asc for desc",
        r"\+order by (origem desc|origem asc, uc desc)",
        "the order of what distinct on tells apart, not of what it chooses from",
    ),
    Equivalent(
        r"mart_transformador",
        "sum for avg",
        r"-\s+avg\(p\.potencia\) as potencia",
        "every hour has four quarters, and only a curve's form counts",
    ),
    Equivalent(
        r"mart_transformador",
        "left for inner",
        r"-.*'(lead_serie|lead_resumo_anual)'",
        "each lead has exactly one row there: a foreign key and doze_meses_por_uc say so",
    ),
    Equivalent(
        r"dia_da_resolucao\(\)",
        "word changed",
        r"\+.*outnovdez~'",
        "three letters are looked for in the text, none of them after its end",
    ),
    Equivalent(
        r"continuidade_conjunto",
        "(avg|min) for max",
        r"-\s+max\(limite\)",
        "distinct on leaves one limit of each indicator",
    ),
    Equivalent(
        r"dia_da_resolucao\(\)",
        "divided turned",
        r"\+.*\* 3\) \* 100",
        "only compared: 900 a month, and a year's last day is still before the next one's first",
    ),
    Equivalent(
        r"chaves_dos_agentes\(\)",
        "condition dropped",
        r"-\s+where c\.cnpj is not null",
        "what is null joins nothing",
    ),
    Equivalent(
        r"consumo_dispositivo_hora",
        "edge moved, <",
        r"-\s+and leitura\.medido_em < trecho\.ate",
        "one reading more in the window: only the touched hours are written",
    ),
    Equivalent(
        r"chaves_dos_agentes\(\)",
        "(max|avg) for min",
        r"-\s+min\(c\.distribuidora_id\)",
        "every CNPJ of the seed is of one distributor",
    ),
    Equivalent(
        r"municipio_estacao",
        "constant changed",
        r"\A-\s+1,\n",
        "a guard against rounding at the antipodes, where no município has a station",
    ),
    Equivalent(
        r"lead_empresa",
        "condition dropped",
        r"-\s+(where|and) \w+\.(cep|municipio_id|cnae|cnae_id) is not null",
        "what is null joins nothing: the rows are left out early",
    ),
    Equivalent(
        r"lead_empresa",
        "left for inner",
        r"join municipios as m",
        "every later join asks for the unit's município: the rows are left out early",
    ),
    Equivalent(
        r"lead_empresa|lead_enrichment_log",
        "branch of coalesce lost",
        r"-\s+coalesce\(bool_or",
        "a step that is not known to have run is asked for in a where: null and false are the same",
    ),
    Equivalent(
        r"vw_lead_status_enriquecimento",
        "min for max",
        r"etapa = ",
        "a unit has one row of each step (primary key)",
    ),
    Equivalent(
        r"lead_demanda_mensal|lead_resumo_anual|cnae|dispositivo",
        "branches of coalesce turned",
        r"m\.(total|demanda)\b|secao|semente\.id",
        "never are both there, or both are the same: total or posts, section or below one",
    ),
    Equivalent(
        r"energia_do_mes\(\)",
        "branches of coalesce turned",
        r"\+.*(\(m\.ponta \+ m\.fora_ponta, m\.total|m\.fora_ponta, m\.ponta\))",
        "a layer has the total or the posts; of posts that do not add up one is missing",
    ),
    Equivalent(
        r"cnae",
        "inner for left",
        r"cnae_segmento",
        "every division has its segment (tests/unit/test_seeds.py)",
    ),
    Equivalent(
        r"leitura_sensor",
        "edge moved, >",
        r"leitura_id >=",
        "the last reading again: delete+insert writes it as it is",
    ),
    Equivalent(
        r"leitura_sensor",
        "(min|avg) for max",
        r"feita\.leitura_id",
        "more readings again: delete+insert writes them as they are",
    ),
    Equivalent(
        r"consumo_dispositivo_hora",
        "edge moved, <=|constant changed",
        r"-\s+<= interval '1 hour' \+ 2 \* alcance",
        "two stretches that touch hold the same readings as one",
    ),
    Equivalent(
        r"consumo_dispositivo_hora",
        "condition dropped|edge moved, .*",
        r"tocada\.hora [-+]",
        "a wider window of readings: only the touched hours are written",
    ),
    Equivalent(
        r"bdgd\.files|bdgd\.csv_lines|bdgd\.transfer|bdgd\.zip_archive|aicss\.text",
        "constant|operator",
        r"-.*(read\(2\*\*20\)|CHUNK = |BLOCK = |_REJECTS_IN_MEMORY = |copyfileobj)",
        "how many bytes are read at once: the property tests cut files anywhere",
    ),
    Equivalent(
        r"bdgd\.landing",
        "function",
        r"\+.*max\(by_layer\.values\(\)\)",
        "a CSV has one; a geodatabase has an execution of every layer",
    ),
    Equivalent(
        r"gate\.verdict",
        "and for or|condition dropped",
        r"-.*if not row or there is None",
        "one row of controle.safra_importada says both",
    ),
    Equivalent(
        r"bdgd\.copies",
        "operator",
        r"-.*group = np\.cumsum",
        "numbers of groups: that of the first one leaves empty ones before it",
    ),
    Equivalent(
        r"bdgd\.csv_census",
        "and for or|condition dropped",
        r"-.*if not open_columns or mark\.encode\(\) not in block:",
        "a short cut: no column is open, or no cell holds the mark, and the loops find nothing",
    ),
    Equivalent(
        r"bdgd\.csv_census",
        "condition dropped",
        r"\+    if \(not grouped\):",
        "a short cut: rows of keys that do not wait are passed over one by one",
    ),
    Equivalent(
        r"bdgd\.csv_census",
        "function",
        r"\+.*last < max\(others\)",
        "the least and the greatest of one",
    ),
    Equivalent(
        r"bdgd\.csv_lines",
        "constant",
        r"-_LONGEST_LINE = ",
        "one MiB more before a line without end is called one: rows have a few hundred bytes",
    ),
    Equivalent(
        r"gate\.units",
        "constant",
        r"\+SAMPLE = 60001$",
        "one unit more before a content is sampled, by the planner's estimate of its rows",
    ),
    Equivalent(
        r"gate\.evidence",
        "constant",
        r"\+CERTAIN = math\.log\(10000001\.0\)",
        "one in ten million and one",
    ),
    Equivalent(
        r"bdgd\.leaves|ledger|removal",
        "constant",
        r"-(_SWAP_PATIENCE_S|_LOCK_WAIT|_WAIT_FOR_DEAD|_PATIENCE_S) = ",
        "seconds that something waits",
    ),
    Equivalent(r"connection", "constant", r"-.*connect_timeout=10", "seconds that something waits"),
    Equivalent(
        r"aicss\.text",
        "comparison",
        r"-.*while cut > LONGEST_RECORD - 3",
        "no UTF-8 character goes on for more than three bytes: only garbage is cut elsewhere",
    ),
    Equivalent(
        r"gate\.report",
        "constant",
        r"-.*Console\(",
        "colours of numbers on a terminal, and where it breaks lines",
    ),
    Equivalent(
        r"safra",
        "condition dropped",
        r'-.*text or ""',
        "the text 'None' is no date either",
    ),
)


def reason(where: str, operator: str, lines: str) -> str:
    """Why a change shows nowhere, or nothing."""
    found = (e.reason for e in EQUIVALENT if e.covers(where, operator, lines))
    return next(found, "")
