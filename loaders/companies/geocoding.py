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

from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Client, Patience

_AGENT = "intel-lead (geocodificacao de enderecos de empresas)"
_FARTHEST_KM = 100.0
"""From a município's point: farther than that is another place of the same name."""

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


@dataclass(frozen=True)
class Service:
    """A Nominatim-compatible search.

    Attributes:
        url: of its ``search``.
        interval_s: least time between two questions; the public one allows one a second.
        patience: with one question.
    """

    url: str
    interval_s: float = 1.1
    patience: Patience = Patience(attempts=4, connect_s=20.0, stall_s=20.0)  # noqa: RUF009 - frozen

    def client(self) -> Client:
        """What asks it."""
        return Client(
            self.patience, agent=_AGENT, remedy="Repita mais tarde, ou confira INTEL_GEOCODIFICADOR"
        )

    def find(self, client: Client, address: str, *, sleep: Callable[[float], None]) -> Place | None:
        """Latitude and longitude, degrees; None where it knows no such address.

        Raises:
            SourceFailure: it refuses, puts off for too long, stalls, or answers something else.
        """
        sleep(self.interval_s)
        asked = {"q": address, "format": "jsonv2", "limit": 1, "countrycodes": "br"}
        found: Any = client.json(self.url, asked)
        try:
            if not isinstance(found, list):
                raise TypeError("a resposta não é uma lista")
            return (float(found[0]["lat"]), float(found[0]["lon"])) if found else None
        except (ValueError, KeyError, TypeError) as error:
            raise SourceFailure(
                f"{self.url}: não é um serviço compatível com o Nominatim ({error}); confira"
                " INTEL_GEOCODIFICADOR"
            ) from None


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
        SourceFailure: the service gave up; the answers so far are kept and counted.
    """
    if not conn.execute("select to_regclass('intel_lead.lead_empresa')").fetchone()[0]:
        raise InvalidInput("nenhuma empresa candidata foi publicada: antes, make build")
    known = {address: (lat, lon) for address, lat, lon in conn.execute(_KNOWN).fetchall()}
    wanted = list(_missing(conn, known))
    questions = found = 0
    try:
        client = asked.client()
        for cnpj, address, *town in wanted:
            if address not in known:
                if questions == limit:
                    break
                questions += 1
                place = asked.find(client, address, sleep=sleep)
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
