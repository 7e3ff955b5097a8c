"""What an AICSS reading looks like: the device's shapes, and how a record becomes a reading.

Belongs here: lines → records → readings, computed. Not here: bytes and noise (aicss_text.py), the
database (aicss.py).
"""

import csv
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from loaders.aicss_clock import (
    SO_HORA,
    Ilegivel,
    Relogio,
    e_horario,
    hora_do_dia,
    horario,
    no_prefixo,
)
from loaders.aicss_text import MAX_REGISTRO

FAIXAS = {"luz": (0, 4095), "distancia_cm": (2, 400)}
SEM_ECO = 0
# Before this a clock was never set: an ESP32 without NTP counts from 1970.
MAIS_ANTIGO = datetime(2010, 1, 1, tzinfo=UTC)
RECUO = "recuo"
EMPATE = "empate"
"""Values of ``ressalva_horario``: see ``Leitura``."""
JSON_ILEGIVEL = "JSON ilegível"
NAO_OBJETO = "JSON que não é um objeto"
INCOMPLETA = "última linha incompleta: o arquivo acaba sem fim de linha"

SINONIMOS = {
    "dispositivo_id": "dispositivo_id dispositivo device_id device",
    "medido_em": "medido_em timestamp data_hora horario datetime",
    "data": "data",
    "hora": "hora",
    "luz": "luz light_level",
    "distancia_cm": "distancia_cm distancia distance",
    "consumo_interno": "consumo_interno internal_led led_interno",
    "consumo_externo": "consumo_externo external_led led_externo",
    "temperatura": "temperatura temperature",
    "movimento": "movimento motion",
    "energia_economizada_kwh": "energia_economizada_kwh energy_saved_kwh",
}
CAMPO_DE = {s: campo for campo, nomes in SINONIMOS.items() for s in nomes.split()}
NUMEROS = ("luz", "distancia_cm", "temperatura", "energia_economizada_kwh")
ESTADOS = ("consumo_interno", "consumo_externo", "movimento")
ESTADO_DE = dict.fromkeys(("1", "true", "on", "sim", "ligado"), True) | dict.fromkeys(
    ("0", "false", "off", "nao", "desligado"), False
)
_N = r"[-+]?\d+(?:[.,]\d+)?"
SERIAL = re.compile(
    rf"(?P<prefixo>.*?)\bLuz\s*:\s*(?P<luz>{_N})\s*\|"
    rf"\s*Dist\S{{0,4}}ncia\s*:\s*(?P<distancia>{_N})\s*(?:cm)?\s*$",
    re.IGNORECASE,
)
JSON_COM_PREFIXO = re.compile(r"(?P<prefixo>[^{}\"]*\w[^{}\"]*)(?P<json>\{.*\})\s*$")
PREFIXO_DE_TERMINAL = re.compile(r"\w\s*(?:[:>)\]]|->)")
ENTRE_JSON = re.compile(r"[\s,\[\]]*")
_TEXT = r'"(?:[^"\\]|\\.)*+"'
_PAIR = rf"{_TEXT}\s*:\s*(?:{_TEXT}|[-+.\w]+)"
WRAPPER = re.compile(rf"\{{\s*(?:{_PAIR}\s*,\s*)*{_TEXT}\s*:\s*\[(?=\s*\{{)")
"""``{"readings": [``, with single values before it that are of every reading in the list."""
WRAPPER_END = re.compile(rf"(?:{_PAIR}\s*,?\s*)*\}}")
OUTSIDE = "objeto fora da lista de leituras"
DEPOIS_DO_QUEBRADO = re.compile(r"\n|\}\s*,\s*(?=\{)")
OUTRA_LINHA = re.compile(r"luz\s*:|dist\S{0,4}ncia\s*:", re.IGNORECASE)
DATA_NO_NOME = re.compile(r"[-_. ]?\d{4}-?\d{2}-?\d{2}.*$")


@dataclass(frozen=True)
class Registro:
    """What stands at one line of a file: named values, or the reason why there are none.

    ``em_ordem``: a device wrote it before the records that follow, as it does on a serial line.
    """

    linha: int
    texto: str
    valores: dict[str, Any] | None = None
    motivo: str | None = None
    em_ordem: bool = False


@dataclass(frozen=True)
class Origem:
    """What a file says about its readings beyond the readings themselves.

    Attributes:
        dispositivo: the device of a record that names none; None if unknown.
        inicio: instant of the first record; each record counts one second. None if unknown.
        recebido_em: arrival, the time of a record that has no other.
    """

    dispositivo: str | None
    inicio: datetime | None
    recebido_em: datetime


@dataclass(frozen=True)
class Leitura:
    """One reading; luz in ADC steps (0-4095), distancia in cm, temperatura in °C.

    ``ressalva_horario``: what is odd about ``medido_em``. ``recuo``: it is before that of the
    device's reading ahead of it, so its clock was set back; ``empate``: another reading of the file
    has the same instant and other values, and this one is kept microseconds later.
    """

    dispositivo_id: str
    medido_em: datetime
    origem_horario: str
    luz: float | None = None
    distancia_cm: float | None = None
    consumo_interno: bool | None = None
    consumo_externo: bool | None = None
    temperatura: float | None = None
    movimento: bool | None = None
    energia_economizada_kwh: float | None = None
    outros: dict[str, Any] | None = None
    fora_da_faixa: list[str] = field(default_factory=list)
    ressalva_horario: str | None = None


# ---- lines → records ---------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _nome(campo: str) -> str:
    """A field's name without accents, case, blanks, quotes and brackets."""
    sem_acento = unicodedata.normalize("NFKD", campo).encode("ascii", "ignore").decode()
    return re.sub(r"[\W_]+", "_", sem_acento.lower()).strip("_")


def _celulas(texto: str, separador: str) -> list[str]:
    try:
        return next(csv.reader([texto.strip("\n")], delimiter=separador, skipinitialspace=True))
    except csv.Error:
        return []


def _separador(cabecalho: str) -> str | None:
    """The delimiter of a CSV header of known names; None when the line is no such header."""
    for separador in (";", "\t", ",", "|"):
        if sum(_nome(c) in CAMPO_DE for c in _celulas(cabecalho, separador)) >= 2:
            return separador
    return None


def cabecalho(amostra: Iterable[str]) -> str:
    """The header of a CSV, the first line that names two known columns; '' when there is none."""
    return next((x.strip() for x in amostra if _separador(x)), "")


def formato(amostra: Iterable[str]) -> str | None:
    """``serial``, ``csv`` or ``json`` by the content of a file's first lines; None if unknown."""
    uteis = [x.strip() for x in amostra if x.strip()]
    if any(SERIAL.match(x) and x[0] != "{" for x in uteis):
        return "serial"
    if any(x[0] not in "{[" and _separador(x) for x in uteis):
        return "csv"
    if any(_json_com_prefixo(x) for x in uteis):
        return "serial"
    return "json" if any(x[0] in "{[" for x in uteis) else None


def _inteiras(entrada: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str | None]]:
    """Lines that are not blank, with the reason why one cannot be read as a line.

    Of an overlong line only the first piece comes.
    """
    linha, texto, pedacos = 0, "", 0
    for numero, pedaco in entrada:
        if pedacos and numero == linha:
            pedacos += 1
            texto = texto if not pedaco.endswith("\n") else texto.rstrip("\n") + "\n"
            continue
        if texto.strip():
            yield linha, texto, _defeito(texto, pedacos)
        linha, texto, pedacos = numero, pedaco, 1
    if texto.strip():
        yield linha, texto, _defeito(texto, pedacos)


def _defeito(texto: str, pedacos: int) -> str | None:
    if not texto.endswith("\n"):
        return INCOMPLETA
    return "linha longa demais" if pedacos > 1 else None


def registros_serial(entrada: Iterable[tuple[int, str]]) -> Iterator[Registro]:
    """Records of a serial log: every line that is not blank."""
    primeira: Registro | None = None
    for linha, texto, motivo in _inteiras(entrada):
        registro = _registro_serial(linha, texto, motivo)
        if primeira is not None:
            # A terminal attached in the middle of a line: the next line shows what is missing.
            yield _se_inteira(primeira, registro)
            primeira = None
        if linha == 1 and registro.valores:
            primeira = registro
        else:
            yield registro
    if primeira is not None:
        yield primeira


def _json_com_prefixo(texto: str) -> dict[str, Any] | None:
    """The values of an object that a terminal wrote something before: the time, if it did."""
    achado = JSON_COM_PREFIXO.match(texto)
    if not achado or not PREFIXO_DE_TERMINAL.search(achado["prefixo"]):
        return None
    valores, _, motivo = _proximo_json(achado["json"], 0)
    if motivo or valores is None:
        return None
    tem_horario = any(CAMPO_DE.get(_nome(nome)) == "medido_em" for nome in valores)
    return valores if tem_horario else valores | {"medido_em": no_prefixo(achado["prefixo"])}


def _registro_serial(linha: int, texto: str, motivo: str | None) -> Registro:
    if not motivo and (valores := _json_com_prefixo(texto)):
        return Registro(linha, texto, valores, em_ordem=True)
    achado = SERIAL.match(texto)
    if motivo or achado is None or OUTRA_LINHA.search(achado["prefixo"]):
        return Registro(linha, texto, motivo=motivo or "linha ilegível")
    valores = {
        "medido_em": no_prefixo(achado["prefixo"]),
        "luz": achado["luz"],
        "distancia_cm": achado["distancia"],
    }
    return Registro(linha, texto, valores, em_ordem=True)


def _se_inteira(primeira: Registro, segunda: Registro) -> Registro:
    """The first line, unless its time is the second's with the beginning cut off."""
    horas = [str((r.valores or {}).get("medido_em", "")) for r in (primeira, segunda)]
    formas = [re.sub(r"\d", "9", hora) for hora in horas]
    antes_de_luz = [
        re.sub(r"\d", "9", re.split(r"\bluz", r.texto, flags=re.I)[0]) for r in (primeira, segunda)
    ]
    sem_hora = not horas[0] and not (horas[1] and antes_de_luz[1].endswith(antes_de_luz[0]))
    if formas[0] == formas[1] or sem_hora or not formas[1].endswith(formas[0]):
        return primeira
    partes = [SO_HORA.fullmatch(hora) for hora in horas]
    if all(partes) and horas[0].count(":") == horas[1].count(":"):
        antes, depois = (int(m["h"]) * 60 + int(m["min"]) for m in partes)
        if depois - antes < 600 or (depois - antes) % 600 > 1:
            return primeira  # 9:59:59, then 10:00:00: not 19:59:59 without its 1
    return Registro(primeira.linha, primeira.texto, motivo="linha cortada no começo")


def registros_csv(entrada: Iterable[tuple[int, str]]) -> Iterator[Registro]:
    """Records of a CSV with header; the header again (files put together) is no record."""
    cabecalho, separador, colunas = "", ",", []
    for linha, texto, motivo in _inteiras(entrada):
        if texto.strip() == cabecalho:
            continue
        if not cabecalho and (achado := _separador(texto)):
            cabecalho, separador = texto.strip(), achado
            colunas = _celulas(texto, separador)
            continue
        celulas = _celulas(texto, separador)
        if len(celulas) > len(colunas) and not any(map(str.strip, celulas[len(colunas) :])):
            celulas = celulas[: len(colunas)]
        if not cabecalho:
            motivo = "linha antes do cabeçalho"
        elif not motivo and len(celulas) != len(colunas):
            motivo = f"esperadas {len(colunas)} colunas, há {len(celulas)}"
        valores = None if motivo else dict(zip(colunas, celulas, strict=True))
        yield Registro(linha, texto, valores, motivo)


def registros_json(entrada: Iterable[tuple[int, str]]) -> Iterator[Registro]:
    """Records of an object, an array, or JSON lines; a broken object costs itself or its line.

    A file that begins as ``{"readings": [`` holds such lists, one or more.
    """
    pedacos = iter(entrada)
    lido, pos, linha, acabou = "", 0, 1, False
    first, wrapped, common = True, False, None
    while True:
        # A whole record ahead, or the end: what does not decode now never will.
        if not acabou and len(lido) - pos < MAX_REGISTRO:
            novo = "".join(texto for _, texto in islice(pedacos, 1000))
            lido, pos, acabou = lido[pos:] + novo, 0, not novo
            continue
        fim = ENTRE_JSON.match(lido, pos).end()
        linha, pos = linha + lido.count("\n", pos, fim), fim
        if pos == len(lido) and acabou:
            return
        if len(lido) - pos < MAX_REGISTRO and not acabou:
            continue
        if wrapped and common is not None and (end := WRAPPER_END.match(lido, pos)):
            _refuse_late(end[0], common)
            common, fim = None, end.end()
            linha, pos = linha + lido.count("\n", pos, fim), fim
            continue
        if (first or wrapped) and common is None and (opened := _wrapper(lido, pos)):
            common, fim = opened
            linha, pos = linha + lido.count("\n", pos, fim), fim
            first, wrapped = False, True
            continue
        first = False
        valor, fim, motivo = _proximo_json(lido, pos)
        if wrapped and valor is not None:
            valor, motivo = (common | valor, None) if common is not None else (None, OUTSIDE)
        if motivo and acabou and fim == len(lido) and not lido.endswith("\n"):
            motivo = INCOMPLETA
        yield Registro(linha, lido[pos:fim], valor, motivo)
        linha, pos = linha + lido.count("\n", pos, fim), fim


def in_a_list(amostra: Iterable[str]) -> bool:
    """Whether a JSON file's first lines say that its readings stand in ``{"readings": [``."""
    texto = "".join(amostra)
    return _wrapper(texto, ENTRE_JSON.match(texto).end()) is not None


def _wrapper(lido: str, pos: int) -> tuple[dict[str, Any], int] | None:
    """What an object says of every reading in its list, and where the list begins."""
    if not (found := WRAPPER.match(lido, pos)):
        return None
    whole, _, _ = _proximo_json(lido, pos)
    try:
        around = whole or json.loads(found[0] + "]}", parse_constant=str)
    except ValueError:
        return None
    reading, _, _ = _proximo_json(lido, ENTRE_JSON.match(lido, found.end()).end())
    if _measures(around) or not _measures(reading or {}):
        return None
    return {n: value for n, value in around.items() if not isinstance(value, list)}, found.end()


def _refuse_late(end: str, common: dict[str, Any]) -> None:
    """What stands after a list too long to be read at once came too late for its readings.

    Raises:
        Ilegivel: it is a device or a time.
    """
    after = _proximo_json("{" + end, 0)[0] or {}
    late = [name for name in after.keys() - common if _nome(name) in CAMPO_DE]
    if late:
        raise Ilegivel(
            f"{', '.join(sorted(late))} está depois da lista de leituras: ponha antes dela"
        )


def _measures(valores: dict[str, Any]) -> bool:
    return any(CAMPO_DE.get(_nome(nome)) in (*NUMEROS, *ESTADOS) for nome in valores)


def _proximo_json(lido: str, pos: int) -> tuple[dict[str, Any] | None, int, str | None]:
    """The value at a position, where it ends, and why it is no record (then the value is None)."""
    try:
        valor, fim = json.JSONDecoder(parse_constant=str).raw_decode(lido, pos)
    except (ValueError, RecursionError):
        achado = DEPOIS_DO_QUEBRADO.search(lido, pos)
        return None, achado.end() if achado else len(lido), JSON_ILEGIVEL
    if isinstance(valor, dict):
        return valor, fim, None
    return None, fim, NAO_OBJETO


LEITORES = {"serial": registros_serial, "csv": registros_csv, "json": registros_json}

# ---- records → readings ------------------------------------------------------------------------


def _vazio(valor: object) -> bool:
    return valor is None or (isinstance(valor, str) and not valor.strip())


def numero(campo: str, valor: object) -> float | None:
    """A finite number, decimal point or comma; None when blank. Raises ``Ilegivel``."""
    if _vazio(valor):
        return None
    try:
        lido = float(str(valor).strip().replace(",", "."))
    except ValueError:
        lido = math.nan
    if not math.isfinite(lido):
        raise Ilegivel(f"{campo} não é número")
    return lido


def estado(campo: str, valor: object) -> bool | None:
    """An on/off state; None when blank. Raises ``Ilegivel``."""
    if _vazio(valor):
        return None
    lido = ESTADO_DE.get(_nome(str(valor)).removesuffix("_0"))
    if lido is None:
        raise Ilegivel(f"{campo} não é ligado/desligado")
    return lido


def _medido_em(
    valor: object, ordem: int, origem: Origem, relogio: Relogio, dispositivo: str
) -> tuple[datetime, str]:
    """When the reading was made, and whether that is the record's word, derived, or arrival."""
    if not _vazio(valor):
        if not (lida := hora_do_dia(valor)):
            return horario(valor), "campo"
        if origem.inicio is None:
            raise Ilegivel("horário sem data: informe --inicio")
        return relogio.no_dia(dispositivo, lida, origem.inicio), "derivado"
    if origem.inicio is not None:
        return origem.inicio + timedelta(seconds=ordem), "derivado"
    # One microsecond apart: records that arrive together are still different readings.
    return origem.recebido_em + timedelta(microseconds=ordem), "chegada"


def leitura(registro: Registro, ordem: int, origem: Origem, relogio: Relogio) -> Leitura:
    """The reading in the ``ordem``-th record (from 0) of a source. Raises ``Ilegivel``.

    ``relogio`` is the file's: it remembers this reading.
    """
    conhecidos, outros = _campos(registro)
    medidas = {c: numero(c, conhecidos.get(c)) for c in NUMEROS}
    medidas |= {c: estado(c, conhecidos.get(c)) for c in ESTADOS}
    if all(v is None for v in medidas.values()):
        raise Ilegivel("nenhuma medida")
    nome = conhecidos.get("dispositivo_id")
    dispositivo = origem.dispositivo if _vazio(nome) else str(nome).strip()
    if not dispositivo:
        raise Ilegivel("sem dispositivo: informe --dispositivo")
    if not dispositivo.isprintable() or "\\u0000" in json.dumps(outros):
        raise Ilegivel("texto com caracteres de controle")
    quando = conhecidos.get("medido_em")
    medido_em, origem_horario = _medido_em(quando, ordem, origem, relogio, dispositivo)
    if not MAIS_ANTIGO <= medido_em <= origem.recebido_em + timedelta(days=1):
        raise Ilegivel("horário implausível")
    recuo = (registro.em_ordem or SO_HORA.fullmatch(str(quando).strip("[]() "))) and relogio.recuou(
        dispositivo, medido_em
    )
    return Leitura(
        dispositivo,
        medido_em,
        origem_horario,
        **medidas,
        outros=outros or None,
        fora_da_faixa=[c for c, (de, ate) in FAIXAS.items() if _fora(c, medidas[c], de, ate)],
        ressalva_horario=RECUO if recuo else None,
    )


def _campos(registro: Registro) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record's values by our names, and those whose names we do not know."""
    conhecidos: dict[str, Any] = {}
    outros: dict[str, Any] = {}
    for nome, valor in (registro.valores or {}).items():
        campo = CAMPO_DE.get(_nome(nome))
        if campo is None:
            outros[nome] = valor
        elif _vazio(conhecidos.get(campo)):
            conhecidos[campo] = valor
    partes = {c: conhecidos.pop(c) for c in ("data", "hora") if c in conhecidos}
    if partes and _vazio(conhecidos.get("medido_em")):
        junto = " ".join(str(valor).strip() for _, valor in sorted(partes.items()))
        if e_horario(junto):
            return conhecidos | {"medido_em": junto}, outros
    return conhecidos, outros | partes


def _fora(campo: str, valor: float | None, de: float, ate: float) -> bool:
    if valor is None or (campo == "distancia_cm" and valor == SEM_ECO):
        return False
    return not de <= valor <= ate


def dispositivo_do_nome(caminho: Path) -> str:
    """The device that a file is named after, without the date a logger appends."""
    return DATA_NO_NOME.sub("", caminho.stem) or caminho.stem
