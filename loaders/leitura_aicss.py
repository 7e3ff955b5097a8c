"""What an AICSS reading looks like: the device's shapes, and how a record becomes a reading.

Belongs here: bytes → records → readings, computed. Not here: the database (aicss.py).
"""

import codecs
import csv
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as hora_do_dia
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

FUSO = ZoneInfo("America/Sao_Paulo")
FAIXAS = {"luz": (0, 4095), "distancia_cm": (2, 400)}
SEM_ECO = 0
# Before this a clock was never set: an ESP32 without NTP counts from 1970.
MAIS_ANTIGO = datetime(2010, 1, 1, tzinfo=UTC)
MAX_REGISTRO = 64 * 1024

SINONIMOS = {
    "dispositivo_id": "dispositivo_id dispositivo device_id device",
    "medido_em": "medido_em timestamp data_hora horario",
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
ENTRE_JSON = re.compile(r"[\s,\[\]]*")
DEPOIS_DO_QUEBRADO = re.compile(r"\n|\}\s*,\s*(?=\{)")
SO_HORA = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?")
DATA_NO_NOME = re.compile(r"[-_. ]?\d{4}-?\d{2}-?\d{2}.*$")


class Ilegivel(Exception):
    """A record that is no reading; the message is the reason kept in ``raw.rejeitado``."""


@dataclass(frozen=True)
class Registro:
    """What stands at one line of a file: named values, or the reason why there are none."""

    linha: int
    texto: str
    valores: dict[str, Any] | None = None
    motivo: str | None = None


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
    """One reading; luz in ADC steps (0-4095), distancia in cm, temperatura in °C."""

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


# ---- bytes → records ---------------------------------------------------------------------------


def linhas(arquivo: BinaryIO) -> Iterator[tuple[int, str]]:
    """Numbered lines of a seekable file, each UTF-8 or else latin-1 (noise spoils single lines).

    A line longer than ``MAX_REGISTRO`` comes in pieces that share its number.
    """
    arquivo.seek(0)
    if arquivo.read(3) != codecs.BOM_UTF8:
        arquivo.seek(0)
    numero = 1
    while pedaco := arquivo.readline(MAX_REGISTRO):
        sobra = 0 if pedaco.endswith(b"\n") else _caractere_cortado(pedaco)
        if sobra and len(pedaco) == MAX_REGISTRO:
            arquivo.seek(-sobra, 1)
            pedaco = pedaco[:-sobra]
        try:
            texto = pedaco.decode("utf-8")
        except UnicodeDecodeError:
            texto = pedaco.decode("latin-1")
        yield numero, texto.replace("\x00", "\ufffd")
        numero += texto.endswith("\n")


def _caractere_cortado(pedaco: bytes) -> int:
    """Bytes at the end that begin a UTF-8 character; the rest of it is in the next piece."""
    return next((n for n in (1, 2, 3) if pedaco[-n:][0] >= 0xC0), 0)


def _nome(campo: str) -> str:
    """A field's name without accents, case and blanks."""
    sem_acento = unicodedata.normalize("NFKD", campo).encode("ascii", "ignore").decode()
    return re.sub(r"\W+", "_", sem_acento.strip().lower())


def _celulas(texto: str, separador: str) -> list[str]:
    try:
        return next(csv.reader([texto], delimiter=separador))
    except csv.Error:
        return []


def _separador(cabecalho: str) -> str | None:
    """The delimiter of a CSV header of known names; None when the line is no such header."""
    for separador in (";", "\t", ","):
        if sum(_nome(c) in CAMPO_DE for c in _celulas(cabecalho, separador)) >= 2:
            return separador
    return None


def formato(amostra: Iterable[str]) -> str | None:
    """``serial``, ``csv`` or ``json`` by the content of a file's first lines; None if unknown."""
    uteis = [x.strip() for x in amostra if x.strip()]
    if any(SERIAL.match(x) and x[0] != "{" for x in uteis):
        return "serial"
    if uteis and uteis[0][0] not in "{[" and _separador(uteis[0]):
        return "csv"
    return "json" if any(x[0] in "{[" for x in uteis) else None


def registros_serial(entrada: Iterable[tuple[int, str]]) -> Iterator[Registro]:
    """Records of a serial log: every line that is not blank."""
    for linha, texto in entrada:
        if not texto.strip():
            continue
        achado = SERIAL.match(texto)
        if achado is None:
            yield Registro(linha, texto, motivo="linha ilegível")
            continue
        horario = achado["prefixo"].strip(" \t[](),;|->")
        valores = {"medido_em": horario, "luz": achado["luz"], "distancia_cm": achado["distancia"]}
        yield Registro(linha, texto, valores)


def registros_csv(entrada: Iterable[tuple[int, str]]) -> Iterator[Registro]:
    """Records of a CSV with header; the header again (files put together) is no record."""
    cabecalho, separador, colunas = "", ",", []
    for linha, texto in entrada:
        if not texto.strip() or texto.strip() == cabecalho:
            continue
        if not cabecalho:
            cabecalho, separador = texto.strip(), _separador(texto) or ","
            colunas = _celulas(texto, separador)
            continue
        celulas = _celulas(texto, separador)
        if len(celulas) == len(colunas):
            yield Registro(linha, texto, dict(zip(colunas, celulas, strict=True)))
        else:
            motivo = f"esperadas {len(colunas)} colunas, há {len(celulas)}"
            yield Registro(linha, texto, motivo=motivo)


def registros_json(entrada: Iterable[tuple[int, str]]) -> Iterator[Registro]:
    """Records of an object, an array, or JSON lines; a broken object costs itself or its line."""
    pedacos = iter(entrada)
    lido, pos, linha, acabou = "", 0, 1, False
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
        valor, fim, motivo = _proximo_json(lido, pos)
        yield Registro(linha, lido[pos:fim], valor, motivo)
        linha, pos = linha + lido.count("\n", pos, fim), fim


def _proximo_json(lido: str, pos: int) -> tuple[dict[str, Any] | None, int, str | None]:
    """The value at a position, where it ends, and why it is no record (then the value is None)."""
    try:
        valor, fim = json.JSONDecoder(parse_constant=str).raw_decode(lido, pos)
    except (ValueError, RecursionError):
        achado = DEPOIS_DO_QUEBRADO.search(lido, pos)
        return None, achado.end() if achado else len(lido), "JSON ilegível"
    if isinstance(valor, dict):
        return valor, fim, None
    return None, fim, "JSON que não é um objeto"


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


def horario(valor: object) -> datetime:
    """An instant from ISO 8601, ``dd/mm/yyyy hh:mm:ss`` or epoch (s or ms). Raises ``Ilegivel``.

    Without an offset the clock is São Paulo's.
    """
    texto = str(valor).strip()
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", texto):
            epoca = float(texto)
            return datetime.fromtimestamp(epoca / 1000 if epoca >= 1e11 else epoca, UTC)
        if re.match(r"\d{2}/\d{2}/\d{4} ", texto):
            texto = f"{texto[6:10]}-{texto[3:5]}-{texto[:2]}{texto[10:]}"
        if not re.match(r"\d{4}-?\d{2}-?\d{2}[T ]", texto):
            raise ValueError(texto)
        lido = datetime.fromisoformat(texto.replace(",", "."))
    except (ValueError, OverflowError, OSError) as erro:
        raise Ilegivel("horário ilegível") from erro
    return lido if lido.tzinfo else lido.replace(tzinfo=FUSO)


def _medido_em(valor: object, ordem: int, origem: Origem) -> tuple[datetime, str]:
    """When the reading was made, and whether that is the record's word, derived, or arrival."""
    if not _vazio(valor):
        if not (hora := SO_HORA.fullmatch(str(valor).strip())):
            return horario(valor), "campo"
        if origem.inicio is None:
            raise Ilegivel("horário sem data: informe --inicio")
        inicio = origem.inicio.astimezone(FUSO)
        lido = datetime.combine(inicio.date(), hora_do_dia.fromisoformat(hora[0]), FUSO)
        return lido + timedelta(days=lido < inicio.replace(microsecond=0)), "derivado"
    if origem.inicio is not None:
        return origem.inicio + timedelta(seconds=ordem), "derivado"
    # One microsecond apart: records that arrive together are still different readings.
    return origem.recebido_em + timedelta(microseconds=ordem), "chegada"


def leitura(valores: dict[str, Any], ordem: int, origem: Origem) -> Leitura:
    """The reading in the ``ordem``-th record (from 0) of a source. Raises ``Ilegivel``."""
    conhecidos: dict[str, Any] = {}
    outros: dict[str, Any] = {}
    for nome, valor in valores.items():
        campo = CAMPO_DE.get(_nome(nome))
        if campo is None:
            outros[nome] = valor
        elif _vazio(conhecidos.get(campo)):
            conhecidos[campo] = valor
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
    medido_em, origem_horario = _medido_em(conhecidos.get("medido_em"), ordem, origem)
    if not MAIS_ANTIGO <= medido_em <= origem.recebido_em + timedelta(days=1):
        raise Ilegivel("horário implausível")
    return Leitura(
        dispositivo,
        medido_em,
        origem_horario,
        **medidas,
        outros=outros or None,
        fora_da_faixa=[c for c, (de, ate) in FAIXAS.items() if _fora(c, medidas[c], de, ate)],
    )


def _fora(campo: str, valor: float | None, de: float, ate: float) -> bool:
    if valor is None or (campo == "distancia_cm" and valor == SEM_ECO):
        return False
    return not de <= valor <= ate


def dispositivo_do_nome(caminho: Path) -> str:
    """The device that a file is named after, without the date a logger appends."""
    return DATA_NO_NOME.sub("", caminho.stem) or caminho.stem
