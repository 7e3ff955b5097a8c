"""Rules and acknowledgements over HTTP. The list of alerts is one of listings/.

Belongs here: translating HTTP. Not here: what a rule may be (alerts/rules.py), judging.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import psycopg
from fastapi import APIRouter, Path, Request, Response
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerts import rules
from alerts.metrics import METRICS
from api import problems
from api.auth.caller import Caller, Insider, Salesperson
from api.auth.users import Role
from api.listings.parameters import WHOLE, Integer, Text

router = APIRouter(prefix="/alertas", tags=["Alertas"])
Key = Annotated[
    str, Path(alias="chave", pattern=r"^[a-z][a-z0-9_]*$", max_length=100, examples=["dic_alto"])
]
Alert = Annotated[int, Path(alias="alerta_id", ge=1, le=2**63 - 1)]
Figure = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_SEEN = """
    select r.alerta_id, u.nome as por, r.quando, r.nota
    from app.alerta_reconhecido as r inner join app.usuario as u on u.id = r.usuario_id
    order by r.quando desc, r.alerta_id desc limit 5000"""
_SEE = """
    insert into app.alerta_reconhecido (alerta_id, usuario_id, nota) values (%s, %s, %s)
    on conflict (alerta_id) do nothing"""


class Metric(BaseModel):
    """What a rule may be about."""

    name: str = Field(serialization_alias="metrica", examples=["dic_sobre_mediana"])
    title: str = Field(serialization_alias="titulo", examples=["DIC médio ÷ mediana do conjunto"])
    levels: list[str] = Field(serialization_alias="niveis", examples=[["conjunto", "municipio"]])
    windows: list[int] = Field(
        serialization_alias="janelas_meses", description="As que servem.", examples=[[12]]
    )


class Change(BaseModel):
    """All of a rule but its key."""

    model_config = ConfigDict(extra="forbid")
    title: Annotated[Text, StringConstraints(min_length=1)] = Field(
        alias="titulo", examples=["DIC do conjunto acima do dobro da mediana"]
    )
    metric: Text = Field(
        alias="metrica", description="Uma de GET alertas/metricas.", examples=["dic_sobre_mediana"]
    )
    level: Text = Field(alias="nivel", description="Um dos da métrica.", examples=["conjunto"])
    distributor: Integer | None = Field(
        None, alias="distribuidora_id", description="Só esta; nula: todas."
    )
    things: list[Text] | None = Field(
        None,
        alias="alvos",
        min_length=1,
        max_length=500,
        description="Só estes alvos, como em alertas; nulo: todos.",
    )
    operator: Literal[">", ">=", "<", "<="] = Field(">", alias="operador")
    limit: Figure = Field(alias="limite", description="Na unidade da métrica.", examples=[2])
    window: Annotated[int, Field(ge=1, le=12), WHOLE] = Field(12, alias="janela_meses")
    hysteresis: Annotated[Figure, Field(ge=0)] = Field(
        0,
        alias="histerese",
        description="Quanto deve voltar para aquém do limite até fechar.",
        examples=[0.2],
    )
    recipients: list[Text] = Field(
        [],
        alias="destinatarios",
        max_length=50,
        description="E-mails e nomes de webhook.",
        examples=[["painel"]],
    )
    active: bool = Field(
        True, alias="ativa", description="Desligada, os seus alertas abertos fecham."
    )


class Said(BaseModel):
    """A rule as it stands."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    key: str = Field(alias="chave", examples=["dic_alto"])
    title: str = Field(alias="titulo", examples=["DIC do conjunto acima do dobro da mediana"])
    active: bool = Field(alias="ativa")
    problem: str = Field(
        alias="problema", description="Por que não se julga; vazio: julga-se.", examples=[""]
    )


class Note(BaseModel):
    """What is said of an alert."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] | None = Field(
        None, alias="nota", description="Texto puro: não é HTML.", examples=["Já falamos com eles."]
    )


class Seen(BaseModel):
    """That somebody has seen an alert."""

    alert: int = Field(alias="alerta_id", examples=[7])
    by: str = Field(alias="por", examples=["ana"])
    when: datetime = Field(alias="quando")
    note: str | None = Field(alias="nota")


@router.get("/metricas", summary="Do que uma regra de alerta pode tratar")
def list_metrics(request: Request, caller: Insider) -> list[Metric]:
    """Com os níveis e as janelas que servem a cada uma."""
    request.state.rows = len(METRICS)
    return [
        Metric(name=name, title=m.title, levels=[*m.queries], windows=[*m.windows])
        for name, m in METRICS.items()
    ]


@router.get("/regras", summary="As regras de alerta")
def list_rules(request: Request, caller: Insider) -> list[Said]:
    """Todas, também as desligadas; a quem avisam só se diz a quem pode mudá-las."""
    with request.app.state.pools.app.connection() as conn:
        found = rules.read(conn)
    request.state.rows = len(found)
    return [_said(rule, caller) for rule in found]


def _said(rule: rules.Rule, caller: Caller) -> Said:
    names = {name: field.alias for name, field in Change.model_fields.items()}
    row: dict[str, Any] = {names[name]: getattr(rule, name) for name in names}
    if caller.role not in (Role.SALES, Role.ADMIN):
        row["destinatarios"] = None
    more = {"alterada_em": rule.changed_at, "alterada_por": rule.changed_by}
    return Said.model_validate({"chave": rule.key, "problema": rule.problem, **row, **more})


@router.put(
    "/regras/{chave}",
    summary="Cria ou muda uma regra de alerta",
    responses={201: {"model": Said, "description": "Criada"}},
)
def write_rule(
    request: Request, response: Response, caller: Salesperson, key: Key, change: Change
) -> Said:
    """Vale na próxima vez que as regras se julgam: depois de cada publicação, ou make alerts."""
    rule = rules.Rule(key=key, **change.model_dump())
    if rule.problem:
        raise problems.Refusal(problems.INVALID, rule.problem)
    with request.app.state.pools.app.connection() as conn:
        try:
            created, kept = rules.write(conn, rule, caller.name)
        except (psycopg.IntegrityError, psycopg.DataError):
            raise problems.Refusal(problems.INVALID, "um valor não serve") from None
    request.state.rows = 1
    response.status_code = 201 if created else 200
    return _said(kept, caller)


@router.delete("/regras/{chave}", status_code=204, summary="Desliga uma regra de alerta")
def stop_rule(request: Request, caller: Salesperson, key: Key) -> None:
    """Ela fica, desligada; os seus alertas abertos fecham na próxima vez que se julga."""
    with request.app.state.pools.app.connection() as conn:
        if not rules.stop(conn, key, caller.name):
            raise problems.Refusal(problems.NOT_FOUND, "não há esta regra")
    request.state.rows = 1


@router.get("/reconhecimentos", summary="Que alertas alguém já viu")
def list_seen(request: Request, caller: Insider) -> list[Seen]:
    """Quem, quando e com que nota; o mais novo primeiro, até 5.000."""
    with request.app.state.pools.app.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(_SEEN).fetchall()
    request.state.rows = len(found)
    return [Seen.model_validate(row) for row in found]


@router.put("/{alerta_id}/reconhecimento", status_code=204, summary="Diz que viu um alerta")
def see(request: Request, caller: Salesperson, alert: Alert, note: Note) -> None:
    """Vale o primeiro que o disse; o alerta continua aberto enquanto a métrica não volta."""
    with request.app.state.pools.app.connection() as conn:
        try:
            conn.execute(_SEE, [alert, caller.id, note.note])
        except psycopg.errors.ForeignKeyViolation:
            raise problems.Refusal(problems.NOT_FOUND, "não há este alerta") from None
    request.state.rows = 1


@router.delete("/{alerta_id}/reconhecimento", status_code=204, summary="Volta atrás nisso")
def unsee(request: Request, caller: Salesperson, alert: Alert) -> None:
    """O alerta volta a estar por ver."""
    query = "delete from app.alerta_reconhecido where alerta_id = %s"
    with request.app.state.pools.app.connection() as conn:
        if not conn.execute(query, [alert]).rowcount:
            raise problems.Refusal(problems.NOT_FOUND, "ninguém disse ter visto este alerta")
    request.state.rows = 1
