"""Around every request: its id, its log line, its row of the audit, its limits of size and time.

Belongs here: ASGI middleware. Not here: who calls (auth/), what is answered.
"""

import asyncio
import re
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import psycopg
import structlog
from fastapi import FastAPI
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from api import panel, problems

BODY_BYTES, READINGS_BYTES = 64 * 1024, 16 * 1024 * 1024
READINGS_PATH = "/api/v1/aicss/dados"
ADDRESS_BYTES = 8 * 1024
"""Of a path with its query; beyond some 64 kB uvicorn's parser refuses by itself, in English."""
BODY_S = 20
"""How long a body may take to come whole."""
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
"""Of every answer that does not say otherwise."""
LICENCE = '<https://opendatacommons.org/licenses/odbl/1-0/>; rel="license"'
SOURCE = "BDGD, ANEEL, ODbL 1.0"

_AUDIT = """
    insert into app.auditoria (pedido, usuario_id, usuario, papel, ip, metodo, caminho, consulta,
        status, linhas, duracao_ms)
    values (%s, %s, %s, %s, %s::inet, %s, %s, %s, %s, %s, %s)"""
_IP = re.compile(r"[0-9a-f.:]+")
log = structlog.get_logger()


@dataclass
class Observed:
    """An app whose requests are logged, audited and limited; the app's state is ``app.state``."""

    inner: FastAPI
    state: Any

    def spec(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return self.inner.openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        began, number = perf_counter(), uuid4()
        state["request_id"] = str(number)
        status = 500
        started = False

        async def sending(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = str(number)
                headers.append("Link", LICENCE)
                headers["X-Fonte"] = SOURCE
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        body = _Body(scope, receive)
        app = self.inner if _length(scope) <= ADDRESS_BYTES else _too_long
        try:
            await app(scope, body.receive, sending)
        except Exception:
            log.error("falha", pedido=str(number), exc_info=True)
            if not started:
                refusal = problems.answer(str(number), problems.BROKEN, "erro inesperado")
                await refusal(scope, receive, sending)
        finally:
            spent = round(1000 * (perf_counter() - began))
            await run_in_threadpool(self._record, scope, number, status, spent)

    def _record(self, scope: Scope, number: UUID, status: int, spent_ms: int) -> None:
        caller, rows = scope["state"].get("caller"), scope["state"].get("rows")
        query = scope["query_string"].decode("latin-1").replace("\0", "")[:2000]
        who = (caller.id, caller.name, caller.role) if caller else (None, None, None)
        ip = scope["client"][0] if scope.get("client") else None
        path = scope["path"].replace("\0", "")[:500]
        values = [number, *who, ip if ip and _IP.fullmatch(ip) else None, scope["method"], path]
        values += [query or None, status, rows, spent_ms]
        said = {"pedido": str(number), "usuario": who[1], "metodo": scope["method"]}
        said |= {"caminho": path, "status": status, "linhas": rows, "ms": spent_ms}
        if not path.startswith(panel.OURS):
            log.info("painel", **said)
            return
        try:
            with self.state.pools.app.connection() as conn:
                conn.execute(_AUDIT, values)
        except (psycopg.Error, PoolTimeout) as error:
            log.error("sem auditoria", error=type(error).__name__, consulta=query, **said)
        else:
            log.info("chamada", **said)


def _length(scope: Scope) -> int:
    return len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])


async def _too_long(scope: Scope, receive: Receive, send: Send) -> None:
    detail = f"o endereço passa de {ADDRESS_BYTES} bytes"
    refusal = problems.answer(scope["state"]["request_id"], problems.TOO_LONG, detail)
    await refusal(scope, receive, send)


class _Body:
    """A body as it comes, counted and timed."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._most = READINGS_BYTES if scope["path"] == READINGS_PATH else BODY_BYTES
        self._came, self._done = 0, False
        self._end: float | None = None
        declared = Headers(scope=scope).get("content-length", "0")
        self._declared = int(declared) if declared.isdecimal() else 0

    async def receive(self) -> Message:
        """The next part.

        Raises:
            Refusal: too much came, or too slowly.
        """
        if self._done:
            return await self._receive()
        loop = asyncio.get_running_loop()
        self._end = self._end or loop.time() + BODY_S
        if self._declared > self._most:
            raise self._refusal()
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError:
            detail = f"o corpo não chegou inteiro em {BODY_S} s"
            raise problems.Refusal(problems.SLOW_BODY, detail, {"Connection": "close"}) from None
        self._came += len(message.get("body", b""))
        self._done = not message.get("more_body", False)
        if self._came > self._most:
            raise self._refusal()
        return message

    def _refusal(self) -> problems.Refusal:
        detail = f"o corpo passa de {self._most} bytes"
        return problems.Refusal(problems.TOO_LARGE, detail, {"Connection": "close"})
