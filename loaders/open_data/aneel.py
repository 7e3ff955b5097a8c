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
    caveat=(
        "Só DscBaseTarifaria «Tarifa de Aplicação» é preço que se paga; R$/kW ou R$/MWh, sem"
        " tributos."
    ),
    columns=(
        _GENERATED,
        Column("DscREH"),
        Column("SigAgente", needed=True),
        Column("NumCNPJDistribuidora"),
        Column("DatInicioVigencia", Kind.DATE, needed=True),
        Column("DatFimVigencia", Kind.DATE),  # blank: until the next resolution
        Column("DscBaseTarifaria", needed=True, says=("Tarifa de Aplicação",)),
        Column("DscSubGrupo", needed=True),
        Column("DscModalidadeTarifaria", needed=True),
        Column("DscClasse"),
        Column("DscSubClasse"),
        Column("DscDetalhe"),
        Column("NomPostoTarifario"),
        Column("DscUnidadeTerciaria", needed=True),
        Column("SigAgenteAcessante"),
        Column("VlrTUSD", Kind.NUMBER),
        Column("VlrTE", Kind.NUMBER),
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

BANDEIRAS = Dataset(
    id="bandeiras",
    title="Bandeiras tarifárias acionadas",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page("bandeiras-tarifarias"),
    period="mensal, desde 2015",
    caveat="O adicional é em R$/MWh, sobre a energia, antes de tributos.",
    columns=(
        _GENERATED,
        Column("DatCompetencia", Kind.DATE, needed=True),
        Column("NomBandeiraAcionada", needed=True),
        Column("VlrAdicionalBandeira", Kind.NUMBER),
    ),
    origin=Origin("datastore", CKAN, resources=("0591b8f6-fe54-437b-b72b-1aa2efd46e42",)),
    cron="15 6 * * 1",
    fresh_days=45,
)

SAMP = Dataset(
    id="samp",
    title="Mercado de energia das distribuidoras (SAMP)",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page("samp"),
    period="mensal; um arquivo por ano",
    caveat=(
        "Uma linha pode ser refaturamento (negativa) de meses antes; a unidade do valor está em"
        " DscDetalheMercado; não há município."
    ),
    columns=(
        _GENERATED,
        Column("NumCNPJAgenteDistribuidora"),
        Column("SigAgenteDistribuidora", needed=True),
        Column("NomAgenteDistribuidora"),
        Column("NomTipoMercado"),
        Column("DscModalidadeTarifaria"),
        Column("DscSubGrupoTarifario"),
        Column("DscClasseConsumoMercado"),
        Column("DscSubClasseConsumidor"),
        Column("DscDetalheConsumidor"),
        Column("IdeNucleoCeg", also=("IdeAgenteAcessante",)),
        Column("NumCNPJAgenteAcessante"),
        Column("NomAgenteAcessante"),
        Column("DscPostoTarifario"),
        Column("DscOpcaoEnergia"),
        Column("DscDetalheMercado", needed=True, says=("Energia TE (kWh)", "Energia TUSD (kWh)")),
        Column("DatCompetencia", Kind.DATE, needed=True),
        Column("VlrMercado", Kind.NUMBER, needed=True),
    ),
    origin=Origin(
        "ckan", CKAN, "3e153db4-a503-4093-88be-75d31b002dcf", choose=r"^(?!.*balan).*samp.*20\d\d"
    ),
    cron="30 5 8 * *",
    fresh_days=62,
    by_year="DatCompetencia",
    summed=True,
)

_CONJUNTO = (
    _GENERATED,
    Column("SigAgente", needed=True),
    Column("NumCNPJ"),
    Column("IdeConjUndConsumidoras", Kind.INTEGER, needed=True),
    Column("DscConjUndConsumidoras"),
    Column("SigIndicador", needed=True, says=("DEC", "FEC")),
)
_DEC_FEC = "indicadores-coletivos-de-continuidade-dec-e-fec"

CONTINUIDADE = Dataset(
    id="continuidade",
    title="Continuidade por conjunto: DEC, FEC e suas parcelas",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page(_DEC_FEC),
    period="mensal; um arquivo por década",
    caveat="O ano de um conjunto é a soma dos seus meses; um ano com menos de 12 ainda não acabou.",
    columns=(
        *_CONJUNTO,
        Column("AnoIndice", Kind.YEAR, needed=True),
        Column("NumPeriodoIndice", Kind.INTEGER, needed=True),
        Column("VlrIndiceEnviado", Kind.NUMBER, needed=True),
    ),
    origin=Origin("ckan", CKAN, _DEC_FEC, choose=r"^(?!.*(limite|atributo)).*20\d\d-20\d\d"),
    cron="45 5 5 * *",
    fresh_days=62,
    by_year="AnoIndice",
)

CONTINUIDADE_LIMITE = Dataset(
    id="continuidade_limite",
    title="Limites anuais de DEC e FEC por conjunto",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page(_DEC_FEC),
    period="anual",
    caveat="O limite é do ano inteiro: não se compara com um ano que ainda corre.",
    columns=(
        *_CONJUNTO,
        Column("AnoLimiteQualidade", Kind.YEAR, needed=True),
        Column("VlrLimite", Kind.NUMBER, needed=True),
    ),
    origin=Origin("ckan", CKAN, _DEC_FEC, choose=r"limite"),
    cron="45 5 6 * *",
    fresh_days=400,
    by_year="AnoLimiteQualidade",
)

GERACAO_DISTRIBUIDA = Dataset(
    id="geracao_distribuida",
    title="Empreendimentos de geração distribuída",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page("relacao-de-empreendimentos-de-geracao-distribuida"),
    period="semanal; o arquivo inteiro, perto de 1 GB",
    caveat=(
        "DthAtualizaCadastralEmpreend não é a data da conexão, e 1900 quer dizer nenhuma; o"
        " município vem com 6 ou 7 dígitos."
    ),
    columns=(
        _GENERATED,
        Column("AnmPeriodoReferencia"),
        Column("NumCNPJDistribuidora"),
        Column("SigAgente", needed=True),
        Column("NomAgente"),
        Column("CodClasseConsumo", optional=True),
        Column("DscClasseConsumo"),
        Column("CodSubGrupoTarifario", also=("CodSubGrupo",), optional=True),
        Column("DscSubGrupoTarifario", also=("DscSubGrupo",)),
        Column("CodUFibge", optional=True),
        Column("SigUF"),
        Column("CodRegiao", optional=True),
        Column("NomRegiao", optional=True),
        Column("CodMunicipioIbge", Kind.INTEGER),
        Column("NomMunicipio"),
        Column("CodCEP"),
        Column("SigTipoConsumidor"),
        Column("CodEmpreendimento", needed=True),
        Column("DthAtualizaCadastralEmpreend", Kind.DATE),
        Column("SigModalidadeEmpreendimento"),
        Column("QtdUCRecebeCredito", Kind.INTEGER),
        Column("SigTipoGeracao"),
        Column("DscFonteGeracao"),
        Column("DscPorte"),
        Column("NumCoordNEmpreendimento", Kind.DEGREES),
        Column("NumCoordEEmpreendimento", Kind.DEGREES),
        Column("MdaPotenciaInstaladaKW", Kind.NUMBER, needed=True, not_negative=True),
        Column("NomSubEstacao"),
        Column("NumCoordNSub", Kind.DEGREES),
        Column("NumCoordESub", Kind.DEGREES),
    ),
    origin=Origin(
        "ckan",
        CKAN,
        "5e0fafd2-21b9-4d5b-b622-40438d40aba2",
        resources=("b1bd71e7-d0ad-4214-9053-cbd58e9564a7",),
    ),
    cron="0 4 * * 0",
    fresh_days=30,
    private=("NumCPFCNPJ", "NomTitularEmpreendimento"),
)

SIGA = Dataset(
    id="siga",
    title="Usinas do Brasil (SIGA)",
    publisher="ANEEL",
    licence=_LICENCE,
    page=_page("siga-sistema-de-informacoes-de-geracao-da-aneel"),
    period="diária",
    caveat=(
        "Potência outorgada e fiscalizada são coisas diferentes; quem são os donos não aterrissa:"
        " pode haver pessoas."
    ),
    columns=(
        _GENERATED,
        Column("NomEmpreendimento"),
        Column("IdeNucleoCEG", Kind.INTEGER, needed=True),
        Column("CodCEG", needed=True),
        Column("SigUFPrincipal"),
        Column("SigTipoGeracao"),
        Column("DscFaseUsina"),
        Column("DscOrigemCombustivel"),
        Column("DscFonteCombustivel"),
        Column("DscTipoOutorga"),
        Column("NomFonteCombustivel"),
        Column("DatEntradaOperacao", Kind.DATE),
        Column("MdaPotenciaOutorgadaKw", Kind.NUMBER),
        Column("MdaPotenciaFiscalizadaKw", Kind.NUMBER),
        Column("MdaGarantiaFisicaKw", Kind.NUMBER),
        Column("IdcGeracaoQualificada"),
        Column("NumCoordNEmpreendimento", Kind.DEGREES),
        Column("NumCoordEEmpreendimento", Kind.DEGREES),
        Column("DatInicioVigencia", Kind.DATE),
        Column("DatFimVigencia", Kind.DATE),
        Column("DscSubBacia"),
        Column("DscMuninicpios", also=("DscMunicipios", "DscMuninicipios")),
    ),
    origin=Origin("ckan", CKAN, "siga-sistema-de-informacoes-de-geracao-da-aneel", choose=r"siga"),
    cron="20 6 * * 1",
    fresh_days=30,
    private=("DscPropriRegimePariticipacao", "DscPropriRegimeParticipacao"),
)

DATASETS = (
    TARIFAS,
    BANDEIRAS,
    SAMP,
    CONTINUIDADE,
    CONTINUIDADE_LIMITE,
    GERACAO_DISTRIBUIDA,
    SIGA,
)
