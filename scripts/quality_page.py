"""The page of data quality: what the landing gate saw of each safra, as one static HTML file.

Belongs here: the page. Not here: the figures (intel_lead.qualidade_validacao, written by
loaders/gate/expectations.py). ``python -m scripts.quality_page``
"""

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from html import escape
from itertools import groupby
from pathlib import Path

import psycopg

from loaders import connection as db
from loaders import environment
from loaders.errors import DatabaseFailure

PAGE = Path(environment.CLONE) / ".local" / "docs" / "qualidade.html"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left }
.numero { text-align: right; white-space: nowrap } .estrutura { color: #a40000; font-weight: 600 }
.plausibilidade { color: #8a5a00 } .bom { color: #006b3c } .retida { color: #a40000 }
"""
QUERY = """
    with ultimas as (
        select distinct on (distribuidora_id, ano) distribuidora_id, ano, import_id
        from intel_lead.qualidade_validacao
        order by distribuidora_id, ano, import_id desc
    )
    select
        q.distribuidora_id || '-' || q.ano, max(q.executada_em) over safra,
        count(*) over safra, count(*) filter (where not q.sucesso) over safra,
        i.import_id = q.import_id, coalesce(i.retida, false), i.motivo_retencao,
        q.sucesso, q.camada, q.expectativa, q.coluna, q.severidade, q.descricao,
        q.inesperados, q.total, left(q.observado ->> 'observed_value', 8)
    from intel_lead.qualidade_validacao as q
    inner join ultimas using (distribuidora_id, ano, import_id)
    left join controle.safra_importada as i using (distribuidora_id, ano)
    window safra as (partition by q.distribuidora_id, q.ano)
    order by q.distribuidora_id, q.ano desc, q.severidade, q.camada, q.expectativa, q.coluna
"""


def rows(conn: psycopg.Connection) -> list[tuple]:
    """The newest verdict on each safra, one row per expectation; nothing where none was given."""
    if conn.execute("select to_regclass('intel_lead.qualidade_validacao')").fetchone()[0] is None:
        return []
    return conn.execute(QUERY).fetchall()


def page(found: Iterable[Sequence]) -> str:
    """The page of these rows: a section per safra, its failures first."""
    sections = [_section(key, list(group)) for key, group in groupby(found, key=lambda r: r[0])]
    body = "".join(sections) or "<p>Nenhuma safra passou ainda pelo portão de entrada.</p>"
    return (
        '<!doctype html><html lang="pt-BR"><head><meta charset="utf-8">'
        f"<title>Qualidade das safras</title><style>{STYLE}</style></head><body>"
        "<h1>Qualidade das safras</h1><p>O que o portão de entrada viu nos dados brutos de cada"
        " safra. Uma falha de <b>estrutura</b> retém a safra; uma de <b>plausibilidade</b> avisa."
        " Fonte: <code>intel_lead.qualidade_validacao</code>.</p>"
        f"{body}</body></html>\n"
    )


def _section(key: str, found: list[Sequence]) -> str:
    _, when, total, failed, current, held, reason, *_ = found[0]
    notes = []
    if held:
        notes.append(f'<p class="retida">Retida: {escape(reason or "")}</p>')
    if not current:
        notes.append("<p>A safra aterrissou de novo depois desta validação.</p>")
    failures = "".join(_line(row[8:]) for row in found if not row[7])
    table = (
        "<table><tr><th>camada<th>expectativa<th>coluna<th>severidade<th>visto<th>linhas</tr>"
        f"{failures}</table>"
        if failures
        else '<p class="bom">Nenhuma falha.</p>'
    )
    return (
        f"<h2>Safra {escape(key)}</h2><p>{total} expectativas, {failed} falhas,"
        f" em {when:%d/%m/%Y %H:%M}.</p>{''.join(notes)}{table}"
    )


def _line(row: Sequence) -> str:
    layer, rule, column, severity, description, unexpected, total, observed = row
    seen = f"{unexpected} fora" if unexpected is not None else observed or ""
    return (
        f"<tr><td>{escape(layer)}<td><b>{escape(rule)}</b><br>{escape(description)}"
        f'<td>{escape(column)}<td class="{escape(severity)}">{escape(severity)}'
        f'<td class="numero">{escape(seen)}<td class="numero">{total}</tr>'
    )


def main() -> None:
    """Make the page and say where it is."""
    with closing(db.connect()) as conn:
        text = page(rows(conn))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(f"qualidade dos dados: abra {PAGE}")


if __name__ == "__main__":
    try:
        main()
    except DatabaseFailure as error:
        sys.exit(str(error))
