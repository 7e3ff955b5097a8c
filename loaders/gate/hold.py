"""The landing gate: whether a delivery is whole beside what the distributor delivered before.

Belongs here: limits, comparison, hold and release of a safra. Not here: landing (bdgd.py), whether
values make sense (dagster_pipeline/expectativas.py, which holds a safra through ``reter``).
"""

import csv
import logging
import os
import pwd
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from loaders.ambiente import CLONE
from loaders.camadas import CAMADAS, CAMADAS_UC, CONJ
from loaders.erros import EntradaInvalida
from loaders.safra import Safra

LIMITES = Path(CLONE) / "seeds" / "limite_entrega.csv"
TOTAL = "TOTAL"
LIBERACAO = "liberar safra"
"""``acao`` in controle.auditoria."""

_MEDIDA = "ano, distribuidora_id, camada, import_id, completa, linhas, energia_kwh"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limite:
    """The least ratio to a reference that a layer's measure may have (seeds/limite_entrega).

    Attributes:
        camada: a layer, or TOTAL of the UC layers.
        medida: a field of ``Medida``.
        referencia: ``anterior``, the vintage before; ``ambas``, also the content that is replaced.
        minimo_linhas: with fewer rows in the reference a ratio says nothing.
    """

    camada: str
    medida: str
    referencia: str
    minimo_razao: float
    minimo_linhas: int


@dataclass(frozen=True)
class Medida:
    """What landed of one layer of one safra; ``energia_kwh`` over all its months."""

    linhas: int
    energia_kwh: float


@dataclass(frozen=True)
class Referencia:
    """What a delivery is compared with: ``nome`` says it to a person."""

    nome: str
    anterior: bool
    medidas: Mapping[str, Medida]


@dataclass(frozen=True)
class Queda:
    """A measure that fell below its limit."""

    limite: Limite
    agora: float
    antes: float
    referencia: str

    def __str__(self) -> str:
        """The comparison, in numbers."""
        unidade = "linhas" if self.limite.medida == "linhas" else "kWh"
        return (
            f"{self.limite.camada}: {self.agora:.0f} {unidade} são {self.agora / self.antes:.0%}"
            f" de {self.antes:.0f} ({self.referencia}); o mínimo é {self.limite.minimo_razao:.0%}"
        )


def ler_limites(caminho: Path = LIMITES) -> list[Limite]:
    """Read the seed."""
    with caminho.open(encoding="utf-8", newline="") as arquivo:
        return [
            Limite(
                camada=linha["camada"],
                medida=linha["medida"],
                referencia=linha["referencia"],
                minimo_razao=float(linha["minimo_razao"]),
                minimo_linhas=int(linha["minimo_linhas"]),
            )
            for linha in csv.DictReader(arquivo)
        ]


def comparar(
    medidas: Mapping[str, Medida], referencia: Referencia, limites: Iterable[Limite]
) -> list[Queda]:
    """What of a delivery fell below its limit."""
    atuais, anteriores = _com_total(medidas), _com_total(referencia.medidas)
    quedas = []
    for limite in limites:
        atual, anterior = atuais.get(limite.camada), anteriores.get(limite.camada)
        if atual is None or anterior is None or anterior.linhas < limite.minimo_linhas:
            continue
        agora, antes = getattr(atual, limite.medida), getattr(anterior, limite.medida)
        vale = limite.referencia == "ambas" or referencia.anterior
        if vale and antes > 0 and agora < limite.minimo_razao * antes:
            quedas.append(Queda(limite, agora, antes, referencia.nome))
    return quedas


def _com_total(medidas: Mapping[str, Medida]) -> dict[str, Medida]:
    """A file with every UC layer has a total."""
    de_ucs = [medidas[c.nome] for c in CAMADAS_UC if c.nome in medidas]
    if len(de_ucs) < len(CAMADAS_UC):
        return dict(medidas)
    total = Medida(sum(m.linhas for m in de_ucs), sum(m.energia_kwh for m in de_ucs))
    return {**medidas, TOTAL: total}


def avaliar(
    conn: psycopg.Connection, safra: Safra, medidas: Mapping[str, Medida], *, completa: bool
) -> list[Queda]:
    """Compare a delivery with the content it replaces and with the previous vintage.

    Only contents of one kind are compared: a CSV of legal persons is no truncated geodatabase.
    """
    limites = ler_limites()
    return [
        queda
        for referencia in _referencias(conn, safra, completa=completa)
        for queda in comparar(medidas, referencia, limites)
    ]


def _referencias(conn: psycopg.Connection, safra: Safra, *, completa: bool) -> list[Referencia]:
    linhas = conn.execute(
        """
        select ano, camada, linhas, energia_kwh
        from controle.entrega as e
        where distribuidora_id = %(dist)s and aceita and completa = %(completa)s and ano in (
            %(ano)s,
            (select max(ano) from controle.entrega
             where distribuidora_id = %(dist)s and aceita and completa = %(completa)s
                and ano < %(ano)s)
        )
        order by ano desc
        """,
        {"dist": safra.distribuidora_id, "ano": safra.ano, "completa": completa},
    )
    por_ano: dict[int, dict[str, Medida]] = {}
    for ano, camada, quantas, kwh in linhas:
        por_ano.setdefault(ano, {})[camada] = Medida(quantas, kwh)
    nomes = {safra.ano: "o conteúdo que substitui"}
    return [
        Referencia(
            nomes.get(ano, f"a safra {safra.distribuidora_id}-{ano}"), ano < safra.ano, medidas
        )
        for ano, medidas in por_ano.items()
    ]


def medir_antigas(conn: psycopg.Connection, safra: Safra) -> None:
    """Measure the distributor's safras from before the gate; before one of them is replaced."""
    antigas = conn.execute(
        "select ano from controle.safra_importada as s where distribuidora_id = %(dist)s"
        " and not exists (select from controle.entrega as e"
        "  where (e.ano, e.distribuidora_id) = (s.ano, s.distribuidora_id))",
        {"dist": safra.distribuidora_id},
    ).fetchall()
    for (ano,) in antigas:
        for camada in CAMADAS:
            if camada == CONJ:
                continue
            kwh = " + ".join(f"coalesce({coluna}, 0)" for coluna in camada.colunas_energia) or "0"
            folha = f"{camada.tabela}_{safra.distribuidora_id}_{ano}"
            conn.execute(
                sql.SQL(
                    "insert into controle.entrega"
                    " (ano, distribuidora_id, camada, import_id, completa, linhas, energia_kwh)"
                    " select %(ano)s, %(dist)s, %(camada)s, coalesce(max(import_id), 0),"
                    " exists (select from intel_lead.import_status where camada = 'PONNOT'"
                    "  and (ano, distribuidora_id) = (%(ano)s, %(dist)s) and status = 'completed'),"
                    " count(*), coalesce(sum({}), 0) from {} on conflict do nothing"
                ).format(sql.SQL(kwh), sql.Identifier("raw_safra", folha)),
                {"ano": ano, "dist": safra.distribuidora_id, "camada": camada.nome},
            )


def registrar(
    conn: psycopg.Connection,
    safra: Safra,
    medidas: Mapping[str, Medida],
    ids: Mapping[str, int],
    *,
    completa: bool,
    aceita: bool,
) -> None:
    """Remember what landed; a held delivery does not replace the accepted one as reference."""
    if aceita:
        _guardar_aceitas(conn, safra, medidas)
    conn.execute(
        "delete from controle.entrega where (ano, distribuidora_id) = (%s, %s)"
        " and camada = any(%s) and (%s or not aceita)",
        [safra.ano, safra.distribuidora_id, list(medidas), aceita],
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into controle.entrega (ano, distribuidora_id, camada, import_id, completa,"
            " linhas, energia_kwh, aceita) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (safra.ano, safra.distribuidora_id, c, ids[c], completa, m.linhas, m.energia_kwh)
                + (aceita,)
                for c, m in medidas.items()
            ],
        )


def _guardar_aceitas(conn: psycopg.Connection, safra: Safra, camadas: Iterable[str]) -> None:
    """Keep what is about to be replaced; what no verdict has confirmed does not replace it."""
    conn.execute(
        "insert into controle.entrega_anterior"
        f" select {_MEDIDA} from controle.entrega where (ano, distribuidora_id) = (%s, %s)"
        " and aceita and camada = any(%s) on conflict do nothing",
        [safra.ano, safra.distribuidora_id, list(camadas)],
    )


def confirmar(conn: psycopg.Connection, safra: Safra, import_id: int) -> None:
    """The verdict on an import has passed: what it replaced is no reference any more."""
    conn.execute(
        "delete from controle.entrega_anterior where (ano, distribuidora_id) = (%(ano)s, %(dist)s)"
        " and exists (select from controle.safra_importada where not retida"
        "  and (ano, distribuidora_id, import_id) = (%(ano)s, %(dist)s, %(import_id)s))",
        {"ano": safra.ano, "dist": safra.distribuidora_id, "import_id": import_id},
    )


def pendencia(conn: psycopg.Connection, safra: Safra, camadas: Iterable[str]) -> str | None:
    """Why a safra stays held whatever lands in ``camadas``: other layers of it wait."""
    linha = conn.execute(
        "select motivo_retencao from controle.safra_importada as s"
        " where (ano, distribuidora_id) = (%s, %s) and retida and exists ("
        "  select from controle.entrega as e"
        "  where (e.ano, e.distribuidora_id) = (s.ano, s.distribuidora_id)"
        "   and not aceita and camada <> all(%s))",
        [safra.ano, safra.distribuidora_id, list(camadas)],
    ).fetchone()
    return linha[0] if linha else None


def remedio(chave: str) -> str:
    """What a person does about a held safra."""
    return (
        "confira o arquivo e carregue o certo, ou aceite este:"
        f' python -m loaders liberar {chave} --motivo "…"'
    )


def retidas(conn: psycopg.Connection, chaves: Iterable[str]) -> dict[str, str]:
    """Of these safras, the held ones, with the reason."""
    return dict(
        conn.execute(
            "select distribuidora_id || '-' || ano, motivo_retencao from controle.safra_importada"
            " where retida and distribuidora_id || '-' || ano = any(%s) order by 1",
            [list(chaves)],
        ).fetchall()
    )


def reter(
    conn: psycopg.Connection, safra: Safra, import_id: int, motivo: str, camadas: Iterable[str]
) -> bool:
    """Hold a landed safra; False when it was landed again, is held, or a person released this.

    A release is of the reason that the person read: who let a short file pass saw no structure.
    Not accepted are the files of ``camadas``, those that failed: no other has to land again, and
    the measures that they replaced are the reference once more.
    """
    with conn.transaction():
        mudou = conn.execute(
            "update controle.safra_importada as s set retida = true, motivo_retencao = %(motivo)s"
            " where (ano, distribuidora_id, import_id) = (%(ano)s, %(dist)s, %(import_id)s)"
            " and not retida and not exists (select from controle.auditoria where acao = %(acao)s"
            "  and objeto = %(chave)s and detalhes ->> 'import_id' = %(import_id)s::text"
            "  and detalhes ->> 'retencao' = %(motivo)s)",
            {
                "motivo": motivo,
                "ano": safra.ano,
                "dist": safra.distribuidora_id,
                "import_id": import_id,
                "acao": LIBERACAO,
                "chave": safra.chave,
            },
        ).rowcount
        if mudou:
            _recusar(conn, safra, list(camadas), f"safra retida: {motivo}")
    return bool(mudou)


def _recusar(conn: psycopg.Connection, safra: Safra, camadas: list[str], erro: str) -> None:
    onde = {"ano": safra.ano, "dist": safra.distribuidora_id}
    recusadas = conn.execute(
        """
        with da_safra as (
            select e.camada, e.import_id, i.sha256
            from controle.entrega as e left join intel_lead.import_status as i using (import_id)
            where (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s) and e.aceita
        )
        update controle.entrega as e set aceita = false from da_safra as d
        where (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s) and e.camada = d.camada
            and (d.camada = any(%(camadas)s)
                or d.sha256 in (select sha256 from da_safra where camada = any(%(camadas)s)))
        returning e.camada, e.import_id
        """,
        onde | {"camadas": camadas},
    ).fetchall()
    conn.execute(
        "update intel_lead.import_status set status = 'failed', erro = %s"
        " where import_id = any(%s) and status = 'completed'",
        [erro, [import_id for _, import_id in recusadas]],
    )
    conn.execute(
        "with voltam as (delete from controle.entrega_anterior"
        "  where (ano, distribuidora_id) = (%(ano)s, %(dist)s) and camada = any(%(camadas)s)"
        f"  returning {_MEDIDA})"
        f" insert into controle.entrega ({_MEDIDA}) select {_MEDIDA} from voltam",
        onde | {"camadas": [camada for camada, _ in recusadas]},
    )


def liberar(conn: psycopg.Connection, safra: Safra, motivo: str) -> None:
    """Accept a held safra as it is; who, when and why go to controle.auditoria.

    The caller holds the safra's lock.

    Raises:
        EntradaInvalida: it is not held.
    """
    onde = {"ano": safra.ano, "dist": safra.distribuidora_id}
    with conn.transaction():
        linha = conn.execute(
            "select import_id, motivo_retencao from controle.safra_importada"
            " where (ano, distribuidora_id) = (%(ano)s, %(dist)s) and retida for update",
            onde,
        ).fetchone()
        if not linha:
            raise EntradaInvalida(f"safra {safra.chave}: não está retida, nada a liberar")
        import_id, retencao = linha
        conn.execute(
            "update controle.safra_importada set retida = false, motivo_retencao = null"
            " where (ano, distribuidora_id) = (%(ano)s, %(dist)s)",
            onde,
        )
        usuario = usuario_do_sistema()
        conn.execute(
            "update intel_lead.import_status as i set status = 'completed', erro = null,"
            " observacoes = concat_ws('; ', observacoes, %(nota)s::text)"
            " from controle.entrega as e where i.import_id = e.import_id and not e.aceita"
            " and (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s)",
            onde | {"nota": f"retida e liberada por {usuario}: {motivo}"},
        )
        conn.execute(
            "delete from raw.rejeitado as r using controle.entrega as e"
            " where not e.aceita and (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s)"
            " and (r.ano, r.distribuidora_id, r.origem) = (e.ano, e.distribuidora_id, e.camada)"
            " and r.import_id <> e.import_id",
            onde,
        )
        recusadas = conn.execute(
            "select camada from controle.entrega"
            " where (ano, distribuidora_id) = (%(ano)s, %(dist)s) and not aceita",
            onde,
        ).fetchall()
        _guardar_aceitas(conn, safra, [camada for (camada,) in recusadas])
        conn.execute(
            "delete from controle.entrega as a where (ano, distribuidora_id) = (%(ano)s, %(dist)s)"
            " and aceita and exists (select from controle.entrega as n where not n.aceita and"
            "  (n.ano, n.distribuidora_id, n.camada) = (a.ano, a.distribuidora_id, a.camada))",
            onde,
        )
        conn.execute(
            "update controle.entrega set aceita = true"
            " where (ano, distribuidora_id) = (%(ano)s, %(dist)s)",
            onde,
        )
        auditar(
            conn,
            acao=LIBERACAO,
            objeto=safra.chave,
            detalhes={"motivo": motivo, "retencao": retencao, "import_id": import_id},
        )
    log.warning("safra %s: liberada por %s: %s", safra.chave, usuario, motivo)


def auditar(
    conn: psycopg.Connection, *, acao: str, objeto: str, detalhes: Mapping[str, object]
) -> None:
    """Write who did what to what; the database adds its own user and the time."""
    conn.execute(
        "insert into controle.auditoria (usuario_so, acao, objeto, detalhes)"
        " values (%s, %s, %s, %s)",
        [usuario_do_sistema(), acao, objeto, Jsonb(dict(detalhes))],
    )


def usuario_do_sistema() -> str:
    """Who runs this process; the number where a container gives it no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
