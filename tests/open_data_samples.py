"""Small files and answers of each source's documented shape, made up: no row of them is real.

Belongs here: what a well-behaved source gives. Not here: misbehaviour (fake_portal.py), any claim.
"""

import csv
import io
import json
import zipfile
from functools import cache
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]


def table(header: str, *rows: str) -> bytes:
    """Lines of a CSV, each field as it stands."""
    return "\n".join([header, *rows, ""]).encode()


TARIFAS = table(
    "DatGeracaoConjuntoDados;DscREH;SigAgente;NumCNPJDistribuidora;DatInicioVigencia;DatFimVigencia;"
    "DscBaseTarifaria;DscSubGrupo;DscModalidadeTarifaria;DscClasse;DscSubClasse;DscDetalhe;"
    "NomPostoTarifario;DscUnidadeTerciaria;SigAgenteAcessante;VlrTUSD;VlrTE",
    "2024-01-05;RESOLUÇÃO Nº 0;MUXENERGIA;97578090000134;2023-12-22;2024-12-21;Tarifa de Aplicação;"
    "A4;Verde;Não se aplica;Não se aplica;Não se aplica;Ponta;MWh;Não se aplica;1310,00;470,00",
    "2024-01-05;RESOLUÇÃO Nº 0;MUXENERGIA;97578090000134;2023-12-22;2024-12-21;Tarifa de Aplicação;"
    "A4;Verde;Não se aplica;Não se aplica;Não se aplica;Não se aplica;kW;Não se aplica;24,50;,00",
)
BANDEIRAS = {
    "success": True,
    "result": {
        "total": 3,
        "fields": [{"id": "_id", "type": "int"}],
        "records": [
            {
                "_id": n,
                "DatGeracaoConjuntoDados": "2024-03-01",
                "DatCompetencia": f"2024-0{n}-01",
                "NomBandeiraAcionada": name,
                "VlrAdicionalBandeira": value,
            }
            for n, name, value in ((1, "Verde", ",00"), (2, "Amarela", "18,85"), (3, "Verde", "0"))
        ],
    },
}
SAMP = table(
    "DatGeracaoConjuntoDados;NumCNPJAgenteDistribuidora;SigAgenteDistribuidora;"
    "NomAgenteDistribuidora;NomTipoMercado;DscModalidadeTarifaria;DscSubGrupoTarifario;"
    "DscClasseConsumoMercado;DscSubClasseConsumidor;DscDetalheConsumidor;IdeNucleoCeg;"
    "NumCNPJAgenteAcessante;NomAgenteAcessante;DscPostoTarifario;DscOpcaoEnergia;DscDetalheMercado;"
    "DatCompetencia;VlrMercado",
    "2025-02-01;97578090000134;MUXENERGIA;EXEMPLO;Regular;Convencional;B1;Residencial;Residencial;"
    "Não se aplica;;;;Não se aplica;CATIVO;Energia TE (kWh);2024-01-01;1500,5",
    "2025-02-01;97578090000134;MUXENERGIA;EXEMPLO;Refaturamento;Convencional;B1;Residencial;"
    "Residencial;Não se aplica;;;;Não se aplica;CATIVO;Energia TE (kWh);2024-01-01;-100,5",
    "2025-02-01;97578090000134;MUXENERGIA;EXEMPLO;Regular;Convencional;B1;Residencial;Residencial;"
    "Não se aplica;;;;Não se aplica;CATIVO;Número de consumidores;2024-01-01;10",
)
_CONTINUIDADE = "DatGeracaoConjuntoDados;SigAgente;NumCNPJ;IdeConjUndConsumidoras;"
_CONTINUIDADE += "DscConjUndConsumidoras;SigIndicador;"
CONTINUIDADE = table(
    _CONTINUIDADE + "AnoIndice;NumPeriodoIndice;VlrIndiceEnviado",
    *(
        f"2025-01-05;MUXENERGIA;97578090000134;12722;TAPEJARA;{what};{year};{month};{value}"
        for year in (2023, 2024)
        for what, value in (("DEC", "0,50"), ("FEC", ",25"))
        for month in range(1, 13)
    ),
)
CONTINUIDADE_LIMITE = table(
    _CONTINUIDADE + "AnoLimiteQualidade;VlrLimite",
    "2025-01-05;MUXENERGIA;97578090000134;12722;TAPEJARA;DEC;2024;7,00",
    "2025-01-05;MUXENERGIA;97578090000134;12722;TAPEJARA;FEC;2024;5,00",
)
_GD = (
    "DatGeracaoConjuntoDados;AnmPeriodoReferencia;NumCNPJDistribuidora;SigAgente;NomAgente;"
    "CodClasseConsumo;DscClasseConsumo;CodSubGrupoTarifario;DscSubGrupoTarifario;CodUFibge;SigUF;"
    "CodRegiao;NomRegiao;CodMunicipioIbge;NomMunicipio;CodCEP;SigTipoConsumidor;NumCPFCNPJ;"
    "NomTitularEmpreendimento;CodEmpreendimento;DthAtualizaCadastralEmpreend;"
    "SigModalidadeEmpreendimento;QtdUCRecebeCredito;SigTipoGeracao;DscFonteGeracao;DscPorte;"
    "NumCoordNEmpreendimento;NumCoordEEmpreendimento;MdaPotenciaInstaladaKW;NomSubEstacao;"
    "NumCoordNSub;NumCoordESub"
)
GERACAO_DISTRIBUIDA = table(
    _GD,
    "2024-06-01;06/2024;97578090000134;MUXENERGIA;EXEMPLO;1;Residencial;1;B1;43;RS;4;Sul;4320909;"
    "Tapejara;99950-000;PF;***.111.222-**;PESSOA INVENTADA;GD.RS.000.000.001;1900-01-01 00:00:00;P;"
    "1;UFV;Radiação solar;Microgeracao;-28,06;-52,01;8,25;;;",
    "2024-06-01;06/2024;97578090000134;MUXENERGIA;EXEMPLO;2;Comercial;1;A4;43;RS;4;Sul;432090;"
    "Tapejara;99950-000;PJ;00.000.000/0001-91;EMPRESA INVENTADA;GD.RS.000.000.002;2024-02-29;R;3;"
    "UFV;Radiação solar;Minigeracao;-28,06;-52,01;150;;;",
)
SIGA = (
    table(
        "DatGeracaoConjuntoDados;NomEmpreendimento;IdeNucleoCEG;CodCEG;SigUFPrincipal;SigTipoGeracao;"
        "DscFaseUsina;DscOrigemCombustivel;DscFonteCombustivel;DscTipoOutorga;NomFonteCombustivel;"
        "DatEntradaOperacao;MdaPotenciaOutorgadaKw;MdaPotenciaFiscalizadaKw;MdaGarantiaFisicaKw;"
        "IdcGeracaoQualificada;NumCoordNEmpreendimento;NumCoordEEmpreendimento;DatInicioVigencia;"
        "DatFimVigencia;DscPropriRegimePariticipacao;DscSubBacia;DscMuninicpios",
        "2024-06-01;USINA INVENTADA;1;UHE.PH.RS.000001-1.01;RS;UHE;Operação;Hídrica;Potencial;"
        "Concessão;Potencial hidráulico;15/03/1990;1000,00;900,00;;Não;-28,06;-52,01;01/01/1990;"
        "01/01/2030;100% para DONO INVENTADO;70;Tapejara - RS",
    )
    .decode()
    .encode("latin-1")
)
PLD = table(
    "MES_REFERENCIA;SUBMERCADO;PERIODO_COMERCIALIZACAO;DIA;HORA;PLD_HORA",
    "202401;SUDESTE;1;1;0;61.07",
    "202401;SUDESTE;25;2;0;70.93",
    "202401;SUL;1;1;0;61.07",
)
CCEE_CONSUMO = (
    table(
        "MES_REFERENCIA;COD_PERF_AGENTE;SIGLA_PERFIL_AGENTE;NOME_EMPRESARIAL;COD_PARCELA_CARGA;"
        "SIGLA_PARCELA_CARGA;CNPJ_CARGA;CIDADE;ESTADO_UF;RAMO_ATIVIDADE;SUBMERCADO;DATA_MIGRACAO;"
        "COD_PERF_AGENTE_CONECTADO;SIGLA_PERFIL_AGENTE_CONECTADO;CAPACIDADE_CARGA;CONSUMO_ACL;"
        "CONSUMO_CATIVO_PARC_LIVRE;CONSUMO_TOTAL",
        "202401;1;AG 1;EMPRESA INVENTADA;10;CARGA 1;00000000000191;TAPEJARA;RS;ALIMENTÍCIOS;SUL;"
        "2019-07-01;2;MUX;4.5;1741.25;0;1741.25",
    )
    + "202401;3;AG 2;INDÚSTRIA INVENTADA;11;CARGA 2;00000000000191;IBIAÇÁ;RS;ALIMENTÍCIOS;SUL;"
    "2020-01-01;2;MUX;1;258.75;0;258.75\n".encode("latin-1")
)
IDHM = table("ANO;UF;Codmun6;Codmun7;Município;IDHM;RDPC", "2010;43;432090;4320909;TAPEJARA;0,760;")
RENDA = table("ANO;Codmun7;RDPC", "2010;4320909;915,33")


def municipality_codes() -> list[tuple[int, str, str]]:
    """Code, name, state of every município, from the seed."""
    with (CLONE / "seeds" / "municipio_dominio.csv").open(encoding="utf-8") as file:
        return [(int(r["id"]), r["nome"], r["uf"]) for r in csv.DictReader(file)]


def localidades() -> list[dict[str, object]]:
    """IBGE's answer; the first município is so new that it has no microrregião."""
    rows: list[dict[str, object]] = []
    for code, name, acronym in municipality_codes():
        state = {"id": code // 10**5, "sigla": acronym, "nome": acronym, "regiao": {"nome": "R"}}
        micro = {"id": 1, "nome": "micro", "mesorregiao": {"id": 1, "nome": "meso", "UF": state}}
        region = {"id": 1, "nome": "inter", "UF": state}
        rows.append(
            {
                "id": code,
                "nome": name,
                "microrregiao": micro if rows else None,
                "regiao-imediata": {"id": 1, "nome": "imediata", "regiao-intermediaria": region},
            }
        )
    return rows


def sidra(variable: str, years: tuple[int, ...] = (2024,)) -> list[dict[str, str]]:
    """SIDRA's answer: the first row is the header; a value may be a sign."""
    names = ("NC", "NN", "MC", "MN", "V", "D1C", "D1N", "D2C", "D2N", "D3C", "D3N")
    header = dict.fromkeys(names, "")
    header |= {"V": "Valor", "D1C": "Município (Código)", "D1N": "Município"}
    header |= {"D2C": "Variável (Código)", "D2N": "Variável", "D3C": "Ano (Código)", "D3N": "Ano"}
    rows = [header]
    for year in years:
        for n, (code, name, _) in enumerate(municipality_codes()):
            value = {0: "...", 1: "X"}.get(n, str(1000 + n))
            row = ("6", "Município", "45", "Pessoas", value, str(code), name, variable, "x")
            rows.append(dict(zip(names, (*row, str(year), str(year)), strict=True)))
    return rows


def station() -> str:
    """One of INMET's station files: two hours, one of them without a measure."""
    return "\r\n".join(
        [
            "REGIAO:;S",
            "UF:;RS",
            "ESTACAO:;INVENTADA",
            "CODIGO (WMO):;A001",
            "LATITUDE:;-28,1",
            "LONGITUDE:;-52,0",
            "ALTITUDE:;650",
            "DATA DE FUNDACAO:;07/05/00",
            "Data;Hora UTC;PRECIPITAÇÃO TOTAL, HORÁRIO (mm);RADIACAO GLOBAL (Kj/m²);"
            "TEMPERATURA DO AR - BULBO SECO, HORARIA (°C);UMIDADE RELATIVA DO AR, HORARIA (%);",
            "2024/01/01;0000 UTC;1,2;;20,5;80;",
            "2024/01/01;0100 UTC;-9999;;-9999;-9999;",
            "",
        ]
    )


def stations() -> bytes:
    """A yearly zip of INMET's."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        text = station()
        member = zipfile.ZipInfo("2024/INMET_S_RS_A001_INVENTADA.CSV")
        archive.writestr(member, text.encode("latin-1"))
    return packed.getvalue()


@cache
def samples() -> dict[str, bytes]:
    """Dataset → a whole file of it."""
    return {
        "tarifas": TARIFAS,
        "bandeiras": json.dumps(BANDEIRAS).encode(),
        "samp": SAMP,
        "continuidade": CONTINUIDADE,
        "continuidade_limite": CONTINUIDADE_LIMITE,
        "geracao_distribuida": GERACAO_DISTRIBUIDA,
        "siga": SIGA,
        "municipios": json.dumps(localidades()).encode(),
        "populacao": json.dumps(sidra("9324")).encode(),
        "pib": json.dumps(sidra("37")).encode(),
        "idhm": IDHM,
        "renda": RENDA,
        "ccee_consumo": CCEE_CONSUMO,
        "pld": PLD,
        "clima": stations(),
    }
