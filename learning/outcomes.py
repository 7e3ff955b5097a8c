"""Outcomes beside the criteria of their unit, as the vintage before the outcome has them.

Belongs here: which vintage, which unit, which word counts; why a row has no unit. Not here: weights
(weights.py), writing (publish.py), which company is a unit's (dbt: lead_empresa).
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import psycopg

_CASES = """
    with acompanhados as (
        select distinct on (distribuidora_id, cod_id, oferta) *
        from app.acompanhamento
        order by distribuidora_id, cod_id, oferta, id desc
    ),
    -- Of one day what sales said in the panel stands above a file: null comes first.
    contados as (
        select distribuidora_id, cod_id, cnpj, oferta, resultado, data, arquivo_id, linha
        from raw.resultado_lead
        union all
        select distribuidora_id, cod_id, null, oferta, situacao, resultado_em, null, id
        from acompanhados
        where situacao in ('ganho', 'perdido')
    ),
    ditos as (
        select distinct on (distribuidora_id, coalesce(cod_id, cnpj), cod_id is null, oferta)
            distribuidora_id, cod_id, case when cod_id is null then cnpj end as cnpj, oferta,
            resultado, data, arquivo_id, linha
        from contados
        order by distribuidora_id, coalesce(cod_id, cnpj), cod_id is null, oferta,
            data desc, arquivo_id desc, linha desc
    ),
    safras as (
        select d.*, (
            select max(s.ano) from intel_lead.safra_publicada as s
            where s.distribuidora_id = d.distribuidora_id and s.ano < extract(year from d.data)
        ) as ano
        from ditos as d
    ),
    achadas as (
        select s.*, u.uc_id, u.unidade
        from safras as s
        left join lateral (
            select l.uc_id, l.origem || ' ' || l.cod_id as unidade from marts.mart_lead_safra as l
            where (l.ano, l.distribuidora_id, l.cod_id) = (s.ano, s.distribuidora_id, s.cod_id)
            order by l.origem limit 1
        ) as u on true
        where s.cnpj is null
        union all
        select s.*, u.uc_id, u.unidade
        from safras as s
        left join lateral (
            select l.uc_id, l.origem || ' ' || l.cod_id as unidade from marts.mart_lead_empresa as e
            inner join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)
            where (e.ano, e.distribuidora_id, e.cnpj_basico, e.cnpj)
                = (s.ano, s.distribuidora_id, left(s.cnpj, 8), s.cnpj) and e.confianca = 'alta'
        ) as u on true
        where s.cnpj is not null
    ),
    -- A unit that one row names and another's company has: the newer word, then its own name's.
    unidades as (
        select distinct on (
            distribuidora_id, oferta, unidade, case when unidade is null then cod_id end,
            case when unidade is null then cnpj end
        ) *
        from achadas
        order by distribuidora_id, oferta, unidade, case when unidade is null then cod_id end,
            case when unidade is null then cnpj end,
            data desc, cnpj is not null, arquivo_id desc, linha desc
    )
    select
        u.oferta, u.ano, u.data, u.resultado = 'ganho' as ganho,
        case
            when u.ano is null then 'sem safra publicada de antes do resultado'
            when u.uc_id is null and u.cnpj is not null
                then 'CNPJ que não é a empresa certa de nenhuma unidade da safra de antes'
            when u.uc_id is null then 'unidade que não está na safra de antes'
            when k.valores is null then 'unidade a quem a oferta não se faz'
        end as motivo,
        k.criterios, k.valores
    from unidades as u
    left join lateral (
        select array_agg(c.criterio order by c.criterio) as criterios,
            array_agg(c.valor_normalizado order by c.criterio) as valores
        from marts.mart_lead_criterio as c
        where (c.uc_id, c.ano, c.distribuidora_id, c.oferta)
            = (u.uc_id, u.ano, u.distribuidora_id, u.oferta)
    ) as k on true
"""
_SEED = "select oferta_id, criterio_id, peso from seeds.oferta_criterio order by 1, 2"


class Leak(Exception):
    """A criterion is of the year of its outcome, or later: the unit may show it already."""


@dataclass(frozen=True)
class Cases:
    """An offer's outcomes whose unit is known, oldest first.

    Attributes:
        criteria: the offer's, in the order of ``seed`` and of the columns of ``values``.
        seed: the seed's weights, which sum to 1.
        values: cases × criteria, each 0 to 1, as ``mart_lead_criterio.valor_normalizado``.
        vintage: year of the safra that a case's values are of.
        day: of the outcome.
        won: whether it was sold.
        told: units of which there is an outcome, and rows that name none: a CNPJ's counts once for
            each unit whose sure company it is.
        unmatched: why others have none → how many.
        words: what was said, in short: the same as long as no outcome comes, goes or changes,
            whatever is published meanwhile.
    """

    offer: str
    criteria: tuple[str, ...]
    seed: np.ndarray
    values: np.ndarray
    vintage: np.ndarray
    day: np.ndarray
    won: np.ndarray
    told: int
    unmatched: dict[str, int]
    words: str = ""

    def __post_init__(self) -> None:
        """Refuse what a later vintage would tell.

        Raises:
            Leak: a vintage is not older than its outcome.
        """
        years = self.day.astype("datetime64[Y]").astype(int) + 1970
        if (self.vintage >= years).any():
            raise Leak(f"{self.offer}: uma safra do ano do resultado, ou de depois dele")


def read(conn: psycopg.Connection) -> list[Cases]:
    """Each offer of which there are outcomes, by name."""
    rows = conn.execute(_CASES).fetchall()
    seed: dict[str, dict[str, float]] = {}
    for offer, criterion, weight in conn.execute(_SEED):
        seed.setdefault(offer, {})[criterion] = weight
    return [
        _of_offer(offer, seed[offer], [row for row in rows if row[0] == offer])
        for offer in sorted({row[0] for row in rows} & seed.keys())
    ]


def _of_offer(offer: str, seed: dict[str, float], rows: list[tuple]) -> Cases:
    criteria = tuple(sorted(seed))
    unmatched: dict[str, int] = {}
    known = []
    for row in rows:
        reason = row[4]
        if not reason and set(row[5]) != set(criteria):
            reason = "safra de outros critérios, a construir de novo"
        if reason:
            unmatched[reason] = unmatched.get(reason, 0) + 1
        else:
            known.append((row[2], row[1], row[3], dict(zip(row[5], row[6], strict=True))))
    known.sort(key=lambda case: case[0])
    return Cases(
        offer,
        criteria,
        np.array([seed[c] for c in criteria]),
        np.array([[of[c] for c in criteria] for *_, of in known]).reshape(
            len(known), len(criteria)
        ),
        np.array([year for _, year, *_ in known], dtype=int),
        np.array([day for day, *_ in known], dtype="datetime64[D]"),
        np.array([won for _, _, won, _ in known], dtype=bool),
        len(rows),
        unmatched,
        hashlib.md5(repr(sorted((row[2], row[3]) for row in rows)).encode()).hexdigest(),
    )
