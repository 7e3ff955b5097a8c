"""Declarations of CCEE's open data (CKAN) and of INMET's station files.

Belongs here: columns, addresses, licence, period. Not here: the station files' shape (stations.py).
"""

from loaders.open_data.dataset import Column, Dataset, Kind, Origin

CKAN = "https://dadosabertos.ccee.org.br"
_LICENCE = "CC BY 4.0 (CCEE)"

CONSUMO = Dataset(
    id="ccee_consumo",
    title="Consumo das cargas do mercado livre, por agente e ramo",
    publisher="CCEE",
    licence=_LICENCE,
    page=f"{CKAN}/dataset/parcela_carga_consumo",
    period="mensal; um arquivo por ano",
    caveat=(
        "MWh no mês; a carga está na cidade que o agente informou, por nome; linhas do mesmo"
        " arquivo podem vir em codificações diferentes."
    ),
    columns=(
        Column("MES_REFERENCIA", Kind.MONTH, needed=True),
        Column("COD_PERF_AGENTE"),
        Column("SIGLA_PERFIL_AGENTE"),
        Column("NOME_EMPRESARIAL"),
        Column("COD_PARCELA_CARGA"),
        Column("SIGLA_PARCELA_CARGA"),
        Column("CNPJ_CARGA"),
        Column("CIDADE"),
        Column("ESTADO_UF"),
        Column("RAMO_ATIVIDADE"),
        Column("SUBMERCADO"),
        Column("DATA_MIGRACAO", optional=True),
        Column("COD_PERF_AGENTE_CONECTADO", optional=True),
        Column("SIGLA_PERFIL_AGENTE_CONECTADO", optional=True),
        Column("CAPACIDADE_CARGA", Kind.NUMBER, optional=True),
        Column("CONSUMO_ACL", Kind.NUMBER),
        Column("CONSUMO_CATIVO_PARC_LIVRE", Kind.NUMBER),
        Column("CONSUMO_TOTAL", Kind.NUMBER),
    ),
    origin=Origin("ckan", CKAN, "parcela_carga_consumo", choose=r"20\d\d"),
    cron="15 6 25 * *",
    fresh_days=62,
    by_year="MES_REFERENCIA",
    summed=True,
)

PLD = Dataset(
    id="pld",
    title="Preço de liquidação das diferenças, por hora (PLD)",
    publisher="CCEE",
    licence=_LICENCE,
    page=f"{CKAN}/dataset/pld_horario",
    period="diária; um arquivo por ano",
    caveat="R$/MWh; a hora é o período dentro do mês, a partir de 1, quando DIA e HORA não vêm.",
    columns=(
        Column("MES_REFERENCIA", Kind.MONTH, needed=True),
        Column("SUBMERCADO", needed=True),
        Column("PERIODO_COMERCIALIZACAO", Kind.INTEGER),
        Column("DIA", Kind.INTEGER, optional=True),
        Column("HORA", Kind.INTEGER, optional=True),
        Column("PLD_HORA", Kind.NUMBER, also=("PLD",), needed=True),
    ),
    origin=Origin("ckan", CKAN, "pld_horario", choose=r"20\d\d"),
    cron="40 6 * * *",
    fresh_days=10,
    by_year="MES_REFERENCIA",
)

CLIMA = Dataset(
    id="clima",
    title="Estações meteorológicas automáticas, por hora",
    publisher="INMET",
    licence="livre, com citação da fonte (INMET)",
    page="https://portal.inmet.gov.br/dadoshistoricos",
    period="mensal; um zip por ano, um arquivo por estação",
    caveat="Hora UTC; -9999 é sem medida; a estação mais próxima de um município pode ser longe.",
    columns=(
        Column("estacao", needed=True),
        Column("nome"),
        Column("uf"),
        Column("latitude", Kind.DEGREES, needed=True),
        Column("longitude", Kind.DEGREES, needed=True),
        Column("altitude", Kind.NUMBER),
        Column("data", Kind.DATE, needed=True),
        Column("hora_utc"),
        Column("precipitacao_mm", Kind.NUMBER),
        Column("temperatura_c", Kind.NUMBER),
        Column("umidade_pct", Kind.NUMBER),
    ),
    origin=Origin("url", "https://portal.inmet.gov.br/uploads/dadoshistoricos/{ano}.zip"),
    cron="50 6 10 * *",
    fresh_days=62,
    by_year="data",
    shape="estacoes",
)

DATASETS = (CONSUMO, PLD, CLIMA)
