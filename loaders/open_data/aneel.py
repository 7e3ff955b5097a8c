"""Declarations of ANEEL's open data (CKAN).

Belongs here: columns, addresses, licence, period. Not here: the shapes (dataset.py).
"""

from loaders.open_data.dataset import Column, Dataset, Kind, Origin

CKAN = "https://dadosabertos.aneel.gov.br"
_LICENCE = "ODbL (Open Database License)"
_GENERATED = Column("DatGeracaoConjuntoDados", Kind.DATE, optional=True)


def _page(name: str) -> str:
    return f"{CKAN}/dataset/{name}"


TARIFAS = Dataset(
    id="tarifas",
    title="Tarifas homologadas das distribuidoras",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page("tarifas-distribuidoras-energia-eletrica"),
    period="a cada resolução homologatória; o arquivo é renovado toda semana",
    caveat="Só DscBaseTarifaria «Tarifa de Aplicação» é preço que se paga; R$/kW ou R$/MWh, sem tributos.",
    columns=(
        _GENERATED,
        Column("DscREH"),
        Column("SigAgente", needed=True),
        Column("NumCNPJDistribuidora"),
        Column("DatInicioVigencia", Kind.DATE, needed=True),
        Column("DatFimVigencia", Kind.DATE, needed=True),
        Column("DscBaseTarifaria", needed=True),
        Column("DscSubGrupo", needed=True),
        Column("DscModalidadeTarifaria", needed=True),
        Column("DscClasse"),
        Column("DscSubClasse"),
        Column("DscDetalhe"),
        Column("NomPostoTarifario"),
        Column("DscUnidadeTerciaria", needed=True),
        Column("SigAgenteAcessante"),
        Column("VlrTUSD", Kind.NUMBER, needed=True),
        Column("VlrTE", Kind.NUMBER, needed=True),
    ),
    origin=Origin(
        "ckan",
        CKAN,
        "5a583f3e-1646-4f67-bf0f-69db4203e89e",
        resources=("fcf2906c-7c32-4b9b-a637-054e7a5234f4",),
    ),
    cron="15 5 * * 1",
    fresh_days=30,
)

DATASETS = (TARIFAS,)
