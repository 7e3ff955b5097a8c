"""Refusals as problem+json (RFC 9457): a stable ``type``, what happened, what to do about it.

Belongs here: every kind of refusal, and the handlers that write one. Not here: deciding to refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of refusal: its stable name, status, title and the usual remedy."""

    name: str
    status: int
    title: str
    remedy: str


INVALID = Kind("pedido-invalido", 422, "O pedido não se entende", "Corrija o que o detalhe diz.")
BAD_BODY = Kind("corpo-ilegivel", 400, "O corpo não se lê", "Envie o formato que a rota documenta.")
NO_LOGIN = Kind(
    "sem-credencial",
    401,
    "Falta credencial válida",
    "Entre por POST /api/v1/sessoes e envie Authorization: Bearer …",
)
FORBIDDEN = Kind(
    "sem-permissao", 403, "Este papel não pode isto", "Peça o papel a quem administra a API."
)
NOT_FOUND = Kind("nao-encontrado", 404, "Não há isto aqui", "Confira o endereço e o identificador.")
NOT_ALLOWED = Kind("metodo-nao-aceito", 405, "A rota não aceita este método", "Veja /api/v1/docs.")
NOT_ACCEPTABLE = Kind(
    "formato-indisponivel", 406, "Não há este formato", "Peça um dos que o detalhe diz."
)
SLOW_BODY = Kind("corpo-lento", 408, "O corpo demorou demais", "Envie de novo, inteiro.")
TOO_LARGE = Kind("corpo-grande", 413, "O corpo é grande demais", "Divida em pedidos menores.")
TOO_LONG = Kind(
    "endereco-longo", 414, "O endereço é longo demais", "Use menos filtros, ou POST onde há."
)
TOO_MANY = Kind(
    "limite-excedido", 429, "Pedidos demais", "Espere o que o detalhe e Retry-After dizem."
)
BROKEN = Kind(
    "erro-interno", 500, "A API falhou", "Tente de novo; se persistir, informe o `pedido`."
)
UPSTREAM = Kind(
    "servico-fora",
    503,
    "Um serviço de que isto depende não responde",
    "Tente de novo em instantes.",
)
OF_STATUS = {
    kind.status: kind
    for kind in (
        BAD_BODY,
        NO_LOGIN,
        FORBIDDEN,
        NOT_FOUND,
        NOT_ALLOWED,
        NOT_ACCEPTABLE,
        INVALID,
        TOO_LARGE,
        TOO_LONG,
        TOO_MANY,
    )
}


class Refusal(HTTPException):
    """Answer this request with a problem; FastAPI lets it through while it reads a body.

    Args:
        kind: which.
        detail: what happened, for a person, in Portuguese.
        headers: more headers of the answer.
    """

    def __init__(self, kind: Kind, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """See the class."""
        super().__init__(kind.status, detail, headers)
        self.kind = kind


class Problem(BaseModel):
    """What every refusal looks like."""

    type: str = Field(examples=["urn:intel-lead:problema:nao-encontrado"])
    title: str = Field(examples=["Não há isto aqui"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["não há lead com este uc_id"])
    remedy: str = Field(
        serialization_alias="remedio", examples=["Confira o endereço e o identificador."]
    )
    request_id: str | None = Field(None, serialization_alias="pedido")
    errors: list[dict[str, object]] | None = Field(None, serialization_alias="erros")


SCHEMA = Problem.model_json_schema(mode="serialization")
DOCUMENTED = {"description": "Recusa", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
"""A refusal in the specification."""


def answer(
    request_id: str | None,
    kind: Kind,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, object]] | None = None,
) -> JSONResponse:
    """The response that says a problem."""
    problem = Problem(
        type=f"urn:intel-lead:problema:{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        remedy=kind.remedy,
        request_id=request_id,
        errors=errors,
    )
    body = problem.model_dump(by_alias=True, exclude_none=True)
    more = {"WWW-Authenticate": "Bearer"} if kind.status == 401 else {}
    return JSONResponse(
        body,
        kind.status,
        headers={**(headers or {}), **more, "Cache-Control": "no-store"},
        media_type=MEDIA_TYPE,
    )


_REASONS = {
    "missing": "falta",
    "extra_forbidden": "não se conhece aqui",
    "greater_than": "maior que {gt}",
    "greater_than_equal": "no mínimo {ge}",
    "less_than": "menor que {lt}",
    "less_than_equal": "no máximo {le}",
    "string_too_short": "pelo menos {min_length} caracteres",
    "string_too_long": "no máximo {max_length} caracteres",
    "string_pattern_mismatch": "não tem a forma que se espera",
    "too_short": "pelo menos {min_length}",
    "too_long": "no máximo {max_length}",
    "finite_number": "é um número finito",
    "value_error": "{error}",
}
"""pydantic's types of error, in words, with what it says of the limit."""
_KINDS = {
    "int": "é um número inteiro",
    "float": "é um número",
    "decimal": "é um número",
    "bool": "é sim ou não (true, false)",
    "date": "é um dia: 2026-11-30",
    "datetime": "é um instante com fuso: 2026-11-30T10:00:00-03:00",
    "timezone": "é um instante com fuso: 2026-11-30T10:00:00-03:00",
    "uuid": "é um identificador",
    "string": "é um texto",
    "list": "é uma lista",
    "tuple": "é uma lista",
    "model": "é um objeto",
    "dict": "é um objeto",
}
"""Of errors of other types, by what comes before their first underline."""


def _field(error: Mapping[str, Any]) -> str:
    """The name of what does not serve, without where in the request it stood."""
    names = [str(part) for part in error["loc"][1:] if not isinstance(part, int)]
    return ".".join(names) or str(error["loc"][0])


def _reason(error: Mapping[str, Any]) -> str:
    """Why it does not serve: never with what was sent."""
    kind = error["type"]
    given = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in error.get("ctx", {}).items()
    }
    if kind in ("enum", "literal_error"):
        return "é um de: " + str(given["expected"]).replace(" or ", ", ").replace("'", "")
    return _REASONS.get(kind, _KINDS.get(kind.split("_")[0], "não serve")).format(**given)


def _methods(request: Request) -> str:
    """What a path takes, of all its routes: the router knows those of the first."""
    for path, methods in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            return ", ".join(sorted(method.upper() for method in methods))
    return ""


def install(app: FastAPI) -> None:
    """Make every refusal of the app a problem."""

    def id_of(request: Request) -> str | None:
        return request.scope.get("state", {}).get("request_id")

    @app.exception_handler(Refusal)
    def refused(request: Request, error: Refusal) -> JSONResponse:
        return answer(id_of(request), error.kind, error.detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not repeated: it may be a password.
        found = error.errors()[:20]
        if any(e["type"] == "json_invalid" for e in found):
            return answer(id_of(request), BAD_BODY, "o corpo não é JSON")
        errors = [
            {"onde": ".".join(map(str, e["loc"])), "tipo": e["type"], "motivo": _reason(e)}
            for e in found
        ]
        said = [f"{_field(e)}: {_reason(e)}" for e in found]
        return answer(id_of(request), INVALID, "; ".join(dict.fromkeys(said)), errors=errors)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        kind = OF_STATUS.get(error.status_code, BROKEN)
        headers = {**(error.headers or {})}
        if kind is NOT_ALLOWED and (methods := _methods(request)):
            headers["Allow"] = methods
        return answer(id_of(request), kind, kind.title.lower(), headers=headers)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> JSONResponse:
        return answer(id_of(request), BROKEN, "erro inesperado")

    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(PoolTimeout)
    def no_database(request: Request, error: Exception) -> JSONResponse:
        log.error("banco", error=type(error).__name__, pedido=id_of(request))
        late = isinstance(error, psycopg.errors.QueryCanceled)
        detail = "a consulta passou do tempo" if late else "o banco não responde"
        return answer(id_of(request), UPSTREAM, detail, headers={"Retry-After": "5"})
