"""Which tables and views have golden values, what names their rows, which have none and why.

Belongs here: a new one's line. Not here: what is right, comparing.
"""

_LEAD, _MONTH = ("uc_id",), ("uc_id", "mes")
_SAFRA = ("ano", "distribuidora_id")
_OFFER = ("uc_id", "oferta")
_FINDING = (*_SAFRA, "tipo", "nivel", "serie_id", "mes")
_CELL = (  # noqa: SIM905
    "municipio_id bairro conjunto_id segmento_mercado_id subgrupo_tarifario_id classe_consumo_id"
).split()
_FEEDER = (*_SAFRA, "circuito")
_OF_A_LEAD = ("vw_lead_completo_detalhado", "lead_com_coordenadas")
_OF_A_MONTH = ("lead_energia_mensal", "lead_demanda_mensal", "lead_qualidade_mensal")
LEADS_OF_READERS = tuple(f"marts.{name}" for name in (*_OF_A_LEAD, *_OF_A_MONTH))
"""Of intel_lead's rows the legal persons'."""
KEYS: dict[str, tuple[str, ...]] = {
    "lead_bruto": _LEAD,
    "lead_historico": ("uc_id", "linha"),
    "lead_serie": _LEAD,
    "lead_energia_mensal": _MONTH,
    "lead_demanda_mensal": _MONTH,
    "lead_qualidade_mensal": _MONTH,
    "lead_enrichment_log": ("uc_id", "etapa"),
    "lead_resumo_anual": _LEAD,
    "lead_com_coordenadas": _LEAD,
    "vw_lead_com_cnae_desc": _LEAD,
    "vw_lead_completo_detalhado": _LEAD,
    "vw_lead_status_enriquecimento": _LEAD,
    "ponto_notavel": ("ano", "distribuidora_id", "cod_id"),
    "conjunto": ("ano", "distribuidora_id", "conjunto_id"),
    "qualidade_excecao": ("ano", "distribuidora_id", "camada", "coluna", "valor"),
    "carga_resumo": ("ano", "distribuidora_id", "origem", "mes"),
    "safra_resumo": ("ano", "distribuidora_id", "municipio_id", "origem"),
    "safra_publicada": _SAFRA,
    "resumo_energia_por_municipio": ("ano", "municipio_id"),
    "resumo_leads_distribuidora": _SAFRA,
    "resumo_leads_ano_camada": ("ano", "camada"),
    "vw_import_status_resumido": ("ano", "distribuidora_id", "camada"),
    "leitura_sensor": ("leitura_id",),
    "leitura_estado": ("leitura_id",),
    "marts.consumo_dispositivo_hora": ("dispositivo_id", "hora"),
    "curva_carga": (*_SAFRA, "tipo_curva_carga", "tipo_dia"),
    "alimentador": _FEEDER,
    "alimentador_geometria": _FEEDER,
    "alimentador_energia": (*_FEEDER, "origem"),
    "geracao": (*_SAFRA, "origem", "linha"),
    "iluminacao_publica": (*_FEEDER, "municipio_id"),
    "transformador": (*_SAFRA, "transformador"),
    "subestacao": (*_SAFRA, "subestacao"),
    "area_atuacao": (*_SAFRA, "area_atuacao"),
    "balanco_energia": (*_SAFRA, "subgrupo", "origem_energia"),
    "perda_nao_tecnica": (*_SAFRA, "subgrupo"),
    "safra_camada": (*_SAFRA, "camada"),
    "marts.mart_safra_camada": (*_SAFRA, "camada"),
    "marts.mart_perda_alimentador": _FEEDER,
    "marts.mart_perda_alimentador_mensal": (*_FEEDER, "mes"),
    "marts.mart_balanco_distribuidora": (*_SAFRA, "item"),
    "marts.mart_transformador": (*_SAFRA, "transformador"),
    "marts.safra_publicada": _SAFRA,
    "marts.resumo_municipio": ("ano", "municipio_id"),
    "marts.resumo_distribuidora": _SAFRA,
    "marts.resumo_camada": ("ano", "camada"),
    "calendario_mensal": (*_SAFRA, "mes"),
    "curva_participacao": (*_SAFRA, "nivel", "chave"),
    "desempenho_estimativa": (*_SAFRA, "modelo"),
    "lead_perfil": _LEAD,
    "lead_tendencia": _LEAD,
    "lead_mercado": _LEAD,
    "lead_elegivel": _OFFER,
    "marts.lead_excluido": _OFFER,
    "marts.mart_lead_oferta": _OFFER,
    "marts.mart_lead_criterio": (*_OFFER, "criterio"),
    "marts.mart_lead_score": _OFFER,
    "marts.mart_lead_safra": _LEAD,
    "marts.mart_lead": _LEAD,
    "marts.mart_lead_historico": _LEAD,
    "tarifa_mensal": (*_SAFRA, "mes", "subgrupo_tarifario_id", "modalidade"),
    "marts.mart_custo_lead": ("uc_id", "mes", "modalidade"),
    "marts.mart_gtd_rede": (*_SAFRA, "tipo", "codigo"),
    "safra_celula": (*_SAFRA, "dimensao", "origem", *_CELL),
    "safra_celula_oferta": (*_SAFRA, "dimensao", "oferta", *_CELL),
    "safra_classe_mes": (*_SAFRA, "origem", "classe_consumo_id", "mes"),
    "safra_serie": (*_SAFRA, "nivel", "serie_id"),
    "marts.resumo_bairro": (*_SAFRA, "municipio_id", "bairro"),
    "marts.resumo_conjunto": (*_SAFRA, "conjunto_id"),
    "marts.resumo_segmento": (*_SAFRA, "segmento_mercado_id"),
    "marts.resumo_subgrupo": (*_SAFRA, "subgrupo_tarifario_id"),
    "marts.resumo_classe": (*_SAFRA, "classe_consumo_id"),
    "marts.resumo_classe_mes": (*_SAFRA, "origem", "classe_consumo_id", "mes"),
    "lead_perfil_consumo": _LEAD,
    "previsao_faixa": (*_SAFRA, "perfil_id"),
    "marts.mart_perfil_consumo": (*_SAFRA, "perfil_id"),
    "marts.mart_perfil_consumo_lead": _LEAD,
    "marts.mart_previsao_lead": ("uc_id", "competencia"),
    "marts.mart_desempenho_modelo": (*_SAFRA, "tipo", "nivel", "serie_id", "modelo"),
    "anomalia": _FINDING,
    "marts.mart_anomalia": _FINDING,
    "municipio_geometria": ("municipio_id",),
    "marts.mart_contorno": (*_SAFRA, "tipo", "codigo"),
    "marts.mart_hexagono": (*_SAFRA, "tamanho_m", "hexagono"),
    "marts.mart_cluster_geografico": (*_SAFRA, "tipo", "cluster_id"),
    **{f"marts.{name}": _LEAD for name in _OF_A_LEAD},
    **{f"marts.{name}": _MONTH for name in _OF_A_MONTH},
}
"""Table or view → the columns that name a row. One of another schema than intel_lead says so."""
DOMAIN_KEY = ("id",)
OPEN_DATA = (  # noqa: SIM905
    "bandeira_tarifaria clima_mensal consumo_ccee_mensal consumo_samp_mensal continuidade_conjunto"
    " distribuidora_sem_chave geracao_distribuida municipio_divisao municipio_estacao"
    " municipio_indicador pld_horario usina marts.mart_conjunto_continuidade"
    " marts.mart_contexto_municipio marts.mart_energia_bdgd_samp"
).split()
COMPANIES = ("lead_empresa", "marts.mart_lead_empresa", "marts.mart_empresa")
DEVICES = (  # noqa: SIM905
    "dispositivo_vigencia aicss_lido marts.consumo_dispositivo_dia marts.consumo_dispositivo_mes"
    " marts.mart_aicss_vs_perfil marts.mart_alerta_aicss"
).split()
NOT_COMPARED = {
    "import_status": "the ledger itself; its last rows are vw_import_status_resumido",
    "qualidade_validacao": "what the gate found: test_gate.py",
    "previsao_energia": "empty until forecasting/ runs: test_forecasts.py",
    "previsao_desempenho": "empty until forecasting/ runs: test_forecasts.py",
    "marts.mart_previsao_energia": "empty until forecasting/ runs: test_forecasts.py",
    "marts.mart_alerta": "what is judged on other tables: test_alerts_built.py",
    "marts.mart_lead_score_mudanca": "empty where nothing was published: test_leads.py",
    "peso_criterio": "the seed's rows, or what was learned: test_learning.py",
    "marts.mart_aprendizado": "the seed's rows, or what was learned: test_learning.py",
    "tarifa_vigente": "the file's rows, told apart: test_tariffs.py",
    "tarifa_recusada": "the file's rows, told apart: test_tariffs.py",
    **dict.fromkeys(COMPANIES, "empty without the CNPJ registry: test_companies.py"),
    **dict.fromkeys(DEVICES, "sums of the hours: dbt's unit tests, test_landing_aicss.py"),
    "previsao_externa_desempenho": "empty until a prediction comes from R: test_exchange.py",
    **dict.fromkeys(OPEN_DATA, "empty without open data: test_open_data.py, dbt's unit tests"),
}
"""Table or view of the product → why it has no golden values, and what has instead."""
COLUMNS_LEFT_OUT = {
    # What a loader or the gate says to a person: their own tests' business.
    "vw_import_status_resumido": {"mensagem"},
    "marts.mart_safra_camada": {"observacoes"},
}
