"""Declarations of IBGE's data, and of the two social tables that a person gives as a file.

Belongs here: columns, addresses, licence, period. Not here: the answers' shapes (reshaping.py).
"""

from loaders.open_data.dataset import Column, Dataset, Kind, Origin

_LICENCE = "livre, com citação da fonte (IBGE)"
_WHOLE = 5500
"""Municípios of a whole answer: there are 5,571; with fewer it is half a page."""

MUNICIPIOS = Dataset(
    id="municipios",
    title="Localidades: municípios e as suas divisões",
    publisher="IBGE",
    licence=_LICENCE,
    page="https://servicodados.ibge.gov.br/api/docs/localidades",
    period="quando um município é instalado",
    caveat="Município novo não tem microrregião: a divisão que vale é a região imediata.",
    columns=(
        Column("id", Kind.INTEGER, needed=True),
        Column("nome", needed=True),
        Column("uf_sigla", needed=True),
        Column("uf_nome"),
        Column("regiao_nome"),
        Column("regiao_imediata"),
        Column("regiao_intermediaria"),
        Column("microrregiao"),
        Column("mesorregiao"),
    ),
    origin=Origin("url", "https://servicodados.ibge.gov.br/api/v1/localidades/municipios"),
    cron="10 7 1 * *",
    fresh_days=400,
    rows=_WHOLE,
    shape="localidades",
)

_SIDRA = (
    Column("nc"),
    Column("nn"),
    Column("mc"),
    Column("mn"),
    Column("v", Kind.NUMBER, not_negative=True),
    Column("d1c", Kind.INTEGER, needed=True),
    Column("d1n"),
    Column("d2c"),
    Column("d2n"),
    Column("d3c", Kind.YEAR, needed=True),
    Column("d3n"),
)


def _sidra(table: str, variable: str) -> Origin:
    return Origin(
        "url",
        f"https://apisidra.ibge.gov.br/values/t/{table}/n6/all/v/{variable}/p/last%203",
    )


POPULACAO = Dataset(
    id="populacao",
    title="População residente estimada dos municípios (SIDRA 6579)",
    publisher="IBGE",
    licence=_LICENCE,
    page="https://sidra.ibge.gov.br/tabela/6579",
    period="anual, em agosto",
    caveat="Estimativa de 1º de julho; em ano de Censo não há.",
    columns=_SIDRA,
    origin=_sidra("6579", "9324"),
    cron="20 7 1 * *",
    fresh_days=400,
    by_year="d3c",
    rows=_WHOLE,
    shape="sidra",
    variable="9324",
)

PIB = Dataset(
    id="pib",
    title="PIB dos municípios a preços correntes (SIDRA 5938)",
    publisher="IBGE",
    licence=_LICENCE,
    page="https://sidra.ibge.gov.br/tabela/5938",
    period="anual, em dezembro, com dois anos de atraso",
    caveat="Mil reais correntes; por habitante é divisão nossa pela população do ano mais próximo.",
    columns=_SIDRA,
    origin=_sidra("5938", "37"),
    cron="30 7 1 * *",
    fresh_days=400,
    by_year="d3c",
    rows=_WHOLE,
    shape="sidra",
    variable="37",
)

_ATLAS = (
    Column("codmun7", Kind.INTEGER, needed=True, also=("codigo", "cod_ibge", "municipio_id")),
    Column("ano", Kind.YEAR, needed=True),
)
_ATLAS_PAGE = "http://www.atlasbrasil.org.br/acervo/biblioteca"

IDHM = Dataset(
    id="idhm",
    title="IDH-M dos municípios (Atlas do Desenvolvimento Humano)",
    publisher="PNUD, Ipea e FJP",
    licence="livre, com citação da fonte (Atlas Brasil)",
    page=_ATLAS_PAGE,
    period="decenal, com o Censo",
    caveat="De 0 a 1; o do Censo de 2010 é o último completo.",
    columns=(*_ATLAS, Column("idhm", Kind.NUMBER)),
    origin=None,
    cron="",
    fresh_days=0,
    by_year="ano",
)

RENDA = Dataset(
    id="renda",
    title="Renda domiciliar por pessoa dos municípios (Atlas do Desenvolvimento Humano)",
    publisher="PNUD, Ipea e FJP",
    licence="livre, com citação da fonte (Atlas Brasil)",
    page=_ATLAS_PAGE,
    period="decenal, com o Censo",
    caveat="R$ por mês, a preços de agosto de 2010: compare municípios, não anos de outra fonte.",
    columns=(*_ATLAS, Column("rdpc", Kind.NUMBER, also=("renda_per_capita", "renda"))),
    origin=None,
    cron="",
    fresh_days=0,
    by_year="ano",
)

DATASETS = (MUNICIPIOS, POPULACAO, PIB, IDHM, RENDA)
