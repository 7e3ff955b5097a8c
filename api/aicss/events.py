"""GET aicss/eventos: how devices are doing, told again each time that readings of theirs land.

Belongs here: waiting for PostgreSQL's notices, one connection a process, and handing them to who
listens. Not here: the notice (loaders/aicss/statements.py), what is told (status.sql). A stream
ends when its caller's credential does.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import orjson
import psycopg
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api import formats, problems
from api.aicss.routes import Watcher, statuses
from api.auth.caller import Caller, identify
from loaders.aicss.statements import CHANNEL

HEARTBEAT_S = 15
"""How often a stream says that it is there, and looks whether its caller still may listen."""
AGAIN_S = 2
STREAMS = 100
"""Of one process."""
log = structlog.get_logger()
router = APIRouter(prefix="/aicss", tags=["AICSS"])
Notice = frozenset[str] | None
"""Whose readings landed; None: anybody's."""


class Notices:
    """The notices of one process, for all who listen to them."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listening: set[asyncio.Queue[Notice]] = set()

    @property
    def full(self) -> bool:
        """Whether as many listen as may."""
        return len(self._listening) >= STREAMS

    @contextmanager
    def heard(self) -> Iterator[asyncio.Queue[Notice]]:
        """A queue of the notices from now on."""
        queue: asyncio.Queue[Notice] = asyncio.Queue()
        self._listening.add(queue)
        try:
            yield queue
        finally:
            self._listening.discard(queue)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the API runs: wait for notices, and for the database where it is away."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                log.error("sem avisos de leituras", error=type(error).__name__)
                await asyncio.sleep(AGAIN_S)

    async def _listen(self) -> None:
        name = "intel_lead api eventos"
        opened = psycopg.AsyncConnection.connect("", autocommit=True, application_name=name)
        async with await opened as conn:
            await conn.execute(f"listen {CHANNEL}")
            # What landed while nobody heard it is told too.
            self._tell(None)
            async for notice in conn.notifies():
                self._tell(frozenset(orjson.loads(notice.payload)) or None)

    def _tell(self, notice: Notice) -> None:
        for queue in self._listening:
            queue.put_nowait(notice)


@router.get(
    "/eventos",
    summary="O estado dos dispositivos, ao vivo (text/event-stream)",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        503: problems.DOCUMENTED,
    },
)
async def events(request: Request, caller: Watcher) -> StreamingResponse:
    """Um evento `estado` ao começar e a cada leitura que aterrissa: a lista de aicss/status.

    Acaba quando a credencial acaba; o EventSource do navegador volta sozinho.
    """
    if request.app.state.notices.full:
        raise problems.Refusal(problems.UPSTREAM, "transmissões demais; tente mais tarde")
    return StreamingResponse(
        _stream(request, caller),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, caller: Caller) -> AsyncIterator[bytes]:
    with request.app.state.notices.heard() as queue:
        yield b"retry: 2000\n\n" + await _told(request, caller, None)
        while True:
            notices = await _next(queue)
            if not await _may_still(request):
                return
            if not notices:
                yield b": aqui\n\n"
                continue
            devices = None if None in notices else frozenset().union(*notices)
            if caller.device is None or devices is None or caller.device in devices:
                yield await _told(request, caller, devices)


async def _next(queue: asyncio.Queue[Notice]) -> list[Notice]:
    """All notices that are there, once there is one; none for a heartbeat's time: none."""
    try:
        found = [await asyncio.wait_for(queue.get(), HEARTBEAT_S)]
    except TimeoutError:
        return []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found


async def _may_still(request: Request) -> bool:
    try:
        await run_in_threadpool(identify, request, None)
    except HTTPException:
        return False
    return True


async def _told(request: Request, caller: Caller, devices: Notice) -> bytes:
    found = await run_in_threadpool(statuses, request, caller.device)
    rows = [row for row in found if devices is None or row["dispositivo_id"] in devices]
    request.state.rows = getattr(request.state, "rows", 0) + len(rows)
    return b"event: estado\ndata: " + formats.as_json(rows) + b"\n\n"
