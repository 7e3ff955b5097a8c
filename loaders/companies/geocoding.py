"""Where a company's address is: a Nominatim-compatible service, asked slowly, once an address.

Belongs here: the service, the cache raw.geocodificacao, whose addresses are asked. Not here: what a
place is used for (dbt). Off until INTEL_GEOCODIFICADOR has a service's address. Only the registry's
addresses leave the house, of sure companies of units that have no place of their own; LGRD never.
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import requests

from loaders.errors import InvalidInput, LoadError

_AGENT = "intel-lead (geocodificacao de enderecos de empresas)"
_FARTHEST_KM = 100.0
"""From a município's point: farther than that is another place of the same name."""
_AGAIN = frozenset({429, 500, 502, 503, 504})

# Asked and not yet known; one that is known under another CNPJ is copied, not asked.
_WANTED = """
    select distinct on (e.cnpj) e.cnpj, concat_ws(
        ', ', concat_ws(' ', r.tipo_logradouro, r.logradouro), r.numero, m.nome, m.uf, r.cep,
        'Brasil'
    ), m.latitude, m.longitude
    from intel_lead.lead_empresa as e
    inner join intel_lead.lead_com_coordenadas as c
        on e.uc_id = c.uc_id and e.ano = c.ano and e.distribuidora_id = c.distribuidora_id
    inner join raw.empresa_estabelecimento as r on e.cnpj = r.cnpj
    inner join intel_lead.municipio as m on r.municipio_id = m.id
    where e.confianca = 'alta' and r.logradouro is not null
        and coalesce(c.origem_coordenada, 'municipio') in ('municipio', 'geocodificacao')
    order by e.cnpj
"""
_KNOWN = "select endereco, latitude, longitude from raw.geocodificacao"
_KEEP = """
    insert into raw.geocodificacao (cnpj, endereco, latitude, longitude, servico)
    values (%s, %s, %s, %s, %s)
    on conflict (cnpj) do update set
        endereco = excluded.endereco, latitude = excluded.latitude, longitude = excluded.longitude,
        servico = excluded.servico, perguntado_em = clock_timestamp()
"""
_SIGN = """
    insert into controle.enriquecimento (etapa, ano, distribuidora_id, sinal)
    select 'geocodificacao', e.ano, e.distribuidora_id,
        md5(string_agg(distinct concat_ws(' ', g.cnpj, g.latitude, g.longitude), ' '))
    from intel_lead.lead_empresa as e inner join raw.geocodificacao as g on e.cnpj = g.cnpj
    where e.confianca = 'alta' group by e.ano, e.distribuidora_id
    on conflict (etapa, ano, distribuidora_id) do update set
        sinal = excluded.sinal, mudada_em = clock_timestamp()
        where enriquecimento.sinal <> excluded.sinal
"""

Place = tuple[float, float]


class ServiceFailure(LoadError):
    """The service does not answer as it should; what was answered before is kept."""

    code = 3


@dataclass(frozen=True)
class Service:
    """A Nominatim-compatible search.

    Attributes:
        url: of its ``search``.
        interval_s: least time between two questions; the public one allows one a second.
        stall_s: without a byte.
        attempts: of one question that it puts off.
    """

    url: str
    interval_s: float = 1.1
    stall_s: float = 20.0
    attempts: int = 4

    def find(
        self, session: requests.Session, address: str, *, sleep: Callable[[float], None]
    ) -> Place | None:
        """Latitude and longitude, degrees; None where it knows no such address.

        Raises:
            ServiceFailure: it refuses, puts off for too long, stalls, or answers no JSON.
        """
        for attempt in range(self.attempts):
            sleep(self.interval_s)
            try:
                answer = session.get(
                    self.url,
                    params={"q": address, "format": "jsonv2", "limit": 1, "countrycodes": "br"},
                    headers={"User-Agent": _AGENT},
                    timeout=self.stall_s,
                )
            except requests.RequestException as error:
                raise ServiceFailure(
                    f"{self.url}: o serviço não responde ({type(error).__name__}); o que já se"
                    " achou fica, repita mais tarde"
                ) from None
            if answer.status_code not in _AGAIN:
                return self._read(answer)
            sleep(_pause(answer, attempt))
        raise ServiceFailure(
            f"{self.url}: o serviço pede para esperar ({answer.status_code}) em {self.attempts}"
            " tentativas; o que já se achou fica, repita mais tarde"
        )

    def _read(self, answer: requests.Response) -> Place | None:
        try:
            if not answer.ok:
                raise ValueError(f"respondeu {answer.status_code}")
            found: Any = answer.json()
            if not isinstance(found, list):
                raise ValueError("a resposta não é uma lista")
            return (float(found[0]["lat"]), float(found[0]["lon"])) if found else None
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceFailure(
                f"{self.url}: não é um serviço compatível com o Nominatim ({error}); confira"
                " INTEL_GEOCODIFICADOR"
            ) from None


def _pause(answer: requests.Response, attempt: int) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said) if said.isdigit() else 2.0**attempt, 120.0)


def service() -> Service:
    """The service of the environment.

    Raises:
        InvalidInput: none is named: geocoding is off.
    """
    if url := os.environ.get("INTEL_GEOCODIFICADOR"):
        return Service(url)
    raise InvalidInput(
        "a geocodificação está desligada; para ligá-la, INTEL_GEOCODIFICADOR é o endereço de busca"
        " de um serviço compatível com o Nominatim, de preferência seu (docs/empresas.md)"
    )


def run(
    conn: psycopg.Connection,
    asked: Service,
    *,
    limit: int = 1000,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[int, int]:
    """Ask for the addresses that are not known yet; each answer is kept as it comes.

    Returns:
        how many were asked, and how many of them were found.

    Raises:
        InvalidInput: nothing is published yet.
        ServiceFailure: the service gave up; the answers so far are kept and counted.
    """
    if not conn.execute("select to_regclass('intel_lead.lead_empresa')").fetchone()[0]:
        raise InvalidInput("nenhuma empresa candidata foi publicada: antes, make build")
    known = {address: (lat, lon) for address, lat, lon in conn.execute(_KNOWN).fetchall()}
    wanted = list(_missing(conn, known))
    questions = found = 0
    try:
        with requests.Session() as session:
            for cnpj, address, *town in wanted:
                if address not in known:
                    if questions == limit:
                        break
                    questions += 1
                    place = asked.find(session, address, sleep=sleep)
                    inside = place and _distance_km(place, (town[0], town[1])) <= _FARTHEST_KM
                    known[address] = place if inside and place else (None, None)
                    found += known[address][0] is not None
                conn.execute(_KEEP, [cnpj, address, *known[address], asked.url])
    finally:
        conn.execute(_SIGN)
    return questions, found


def _missing(conn: psycopg.Connection, known: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    there = {cnpj: a for cnpj, a in conn.execute("select cnpj, endereco from raw.geocodificacao")}
    for row in conn.execute(_WANTED).fetchall():
        if there.get(row[0]) != row[1]:
            yield row


def _distance_km(one: Place, other: Place) -> float:
    """Great-circle distance."""
    lat1, lon1, lat2, lon2 = (math.radians(x) for x in (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * math.asin(min(1.0, math.sqrt(half)))
