"""When a reading was made: the forms of a time, and the day that a time of day is of.

Belongs here: times as devices and terminals write them. Not here: what else a record says
(leitura_aicss.py).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

FUSO = ZoneInfo("America/Sao_Paulo")
HALF_DAY, DAY = timedelta(hours=12), timedelta(days=1)
SALTO = timedelta(minutes=2)
"""After one wrong stamp, the next right one is this near to the last right one."""
PERTO_DA_MEIA_NOITE = timedelta(hours=1)
"""A clock that leaps ahead by almost a day was set back over midnight by less than this."""

_HORA = (
    r"(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,:](?P<fracao>\d{1,9}))?)?"
    r"(?:\s*(?P<ampm>[AaPp])\.?\s?[Mm]\b\.?)?"
)
SO_HORA = re.compile(_HORA)
_DATA = (
    r"(?:(?P<a>\d{4})(?P<sep>[-/.])(?P<mes>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})(?P<sep2>[-/.])(?P<mes2>\d{1,2})(?P=sep2)(?P<a2>\d{4}))"
)
_FUSO = r"\s*(?P<fuso>Z|[-+]\d{2}(?::?\d{2})?)?"
_HORARIO = re.compile(rf"{_DATA}(?:\s*[T,_;]\s*|\s+){_HORA}{_FUSO}")
_SO_DATA = re.compile(_DATA + _FUSO)
_SOLTO, _HORARIO_SOLTO = (
    re.compile(rf"(?<![\d:/-]){p}(?![\d:])") for p in (_HORA, _HORARIO.pattern)
)
_PARECE_DATA = re.compile(r"\d[-/.]\d{1,2}[-/.]\d|\b\d{9,13}\b")
_PARECE_HORA = re.compile(r"\d:\d\d")


class Ilegivel(Exception):
    """A record that is no reading; the message is the reason kept in ``raw.rejeitado``."""


@dataclass
class Relogio:
    """The clocks of a file's devices, from one reading to the next."""

    leituras: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)
    """Device → its latest reading's time and that of the one before."""

    def no_dia(self, dispositivo: str, hora: time, inicio: datetime) -> datetime:
        """The instant of a time of day: a fall by more than half a day is midnight."""
        anterior, penultima = (
            quando and quando.astimezone(FUSO).replace(tzinfo=None)
            for quando in self.leituras.get(dispositivo, (inicio, None))
        )
        lido = datetime.combine(anterior.date(), hora)
        if anterior - lido > HALF_DAY:
            # Back where it was before one stamp that leapt ahead: that stamp was wrong.
            volta = penultima and timedelta(0) <= lido - penultima <= SALTO
            lido += timedelta(0) if volta else DAY
        elif lido - anterior > DAY - PERTO_DA_MEIA_NOITE and anterior.date() > _dia(inicio):
            lido -= DAY
        return lido.replace(tzinfo=FUSO)

    def recuou(self, dispositivo: str, medido_em: datetime) -> bool:
        """Whether this reading is before the device's latest; takes it for the latest."""
        anterior, _ = self.leituras.get(dispositivo, (medido_em, None))
        self.leituras[dispositivo] = medido_em, anterior
        return medido_em < anterior


def no_prefixo(prefixo: str) -> str:
    """The time among what a terminal or a logger writes before a line; '' when there is none.

    What looks like a time and is none that we know comes whole: it is to be refused, not passed
    over for the time of arrival.
    """
    if achado := _HORARIO_SOLTO.search(prefixo):
        return achado[0].strip()
    if not _PARECE_DATA.search(prefixo) and (achado := _SOLTO.search(prefixo)):
        return achado[0].strip()
    parece = _PARECE_DATA.search(prefixo) or _PARECE_HORA.search(prefixo)
    return prefixo.strip(" \t[](),;|->") if parece else ""


def e_horario(texto: str) -> bool:
    """Whether it is an instant or a time of day by its form."""
    return bool(_HORARIO.fullmatch(texto) or SO_HORA.fullmatch(texto))


def hora_do_dia(valor: object) -> time | None:
    """A time without a date, or None when it is not one. Raises ``Ilegivel``."""
    partes = SO_HORA.fullmatch(str(valor).strip("[]() \t"))
    try:
        return _hora(partes) if partes else None
    except ValueError as erro:
        raise Ilegivel("horário ilegível") from erro


def horario(valor: object) -> datetime:
    """An instant from ISO 8601, ``dd/mm/yyyy hh:mm:ss`` or epoch (s or ms). Raises ``Ilegivel``.

    Without an offset the clock is São Paulo's.
    """
    texto = str(valor).strip("[]() \t")
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", texto):
            epoca = float(texto)
            return datetime.fromtimestamp(epoca / 1000 if epoca >= 1e11 else epoca, UTC)
        if partes := _HORARIO.fullmatch(texto):
            return datetime.combine(_data(partes), _hora(partes), _fuso(partes["fuso"]))
        if not re.match(r"\d{4}-?\d{2}-?\d{2}[T ]", texto):
            raise ValueError(texto)
        lido = datetime.fromisoformat(texto.replace(",", "."))
    except (ValueError, OverflowError, OSError) as erro:
        raise Ilegivel("horário ilegível") from erro
    return lido if lido.tzinfo else lido.replace(tzinfo=FUSO)


def meia_noite(texto: str) -> datetime | None:
    """The midnight that a date without a time begins with, or None when it is no such date.

    Without an offset the clock is São Paulo's. Raises ``Ilegivel``: no such day.
    """
    if not (partes := _SO_DATA.fullmatch(texto.strip())):
        return None
    try:
        return datetime.combine(_data(partes), time(), _fuso(partes["fuso"]))
    except ValueError as erro:
        raise Ilegivel("data que não existe") from erro


def _data(partes: re.Match[str]) -> date:
    """The day of a match of ``_DATA``; ValueError when there is no such day."""
    return date(*(int(partes[c] or partes[f"{c}2"]) for c in ("a", "mes", "d")))


def _hora(partes: re.Match[str]) -> time:
    """The time of day of a match of ``_HORA``; ValueError when there is no such time."""
    hora, metade = int(partes["h"]), (partes["ampm"] or "").lower()
    if metade:
        if not 1 <= hora <= 12:
            raise ValueError(partes[0])
        hora = hora % 12 + (12 if metade == "p" else 0)
    micro = (partes["fracao"] or "").ljust(6, "0")[:6]
    return time(hora, int(partes["min"]), int(partes["s"] or 0), int(micro))


def _fuso(texto: str | None) -> tzinfo:
    if texto is None:
        return FUSO
    if texto == "Z":
        return UTC
    desvio = timedelta(hours=int(texto[1:3]), minutes=int(texto[3:].strip(":") or 0))
    return timezone(-desvio if texto[0] == "-" else desvio)


def _dia(instante: datetime) -> date:
    return instante.astimezone(FUSO).date()
