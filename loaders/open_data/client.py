"""One HTTP client for all sources: patience, limits, streams to disk.

Belongs here: requests, retries, what is no answer. Not here: which addresses (sources.py), what the
content means (content.py).
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from loaders.errors import SourceFailure

BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/130.0 Safari/537.36"
)
"""The portals' firewall cuts off what does not say it is a browser."""
REMEDY = "Tente mais tarde, ou baixe o arquivo e use --arquivo"
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_PARTIAL, _NOT_MODIFIED, _BEYOND = 206, 304, 416
_BLOCK = 2**14
_SIP = 2**10
"""Bytes of a file, and of an answer, between two looks at the clock: a server may drip."""
_MOST_JSON = 2**28


@dataclass(frozen=True)
class Patience:
    """How long a source is waited for.

    Attributes:
        attempts: of one request.
        first_s, longest_s: pause after the first failure, doubled up to the longest; a quarter
            more or less, so that many clients do not come back together.
        connect_s, stall_s: to connect; without a byte.
        whole_s: for one download.
        answer_s: for one answer that is no file.
    """

    attempts: int = 5
    first_s: float = 2.0
    longest_s: float = 120.0
    connect_s: float = 15.0
    stall_s: float = 60.0
    whole_s: float = 3 * 3600.0
    answer_s: float = 600.0


class _Passing(Exception):
    """A failure that may be gone at the next attempt."""

    def __init__(self, said: str, retry_after_s: float = 0.0) -> None:
        super().__init__(said)
        self.retry_after_s = retry_after_s


class TooLarge(SourceFailure):
    """More comes than is taken; what came of it stays where it was put."""


@dataclass(frozen=True)
class Downloaded:
    """A file on disk, and the date that its server gives it."""

    path: Path
    last_modified: str | None


class Client:
    """A session with the patience of all its requests."""

    def __init__(
        self, patience: Patience | None = None, *, agent: str = BROWSER, remedy: str = REMEDY
    ) -> None:
        """Nothing is asked yet; ``remedy``: what a person can do where a source does not answer."""
        self._patience = patience or Patience()
        self._remedy = remedy
        self._session = requests.Session()
        self._session.headers["User-Agent"] = agent

    def json(
        self,
        url: str,
        params: Mapping[str, object] | None = None,
        *,
        refused: Callable[[Any], str] = lambda _: "",
    ) -> Any:  # noqa: ANN401
        """An answer in JSON.

        Args:
            url: where.
            params: the query.
            refused: why what came is an error that may pass, though the server called it well.

        Raises:
            SourceFailure: none after all attempts, or it is no JSON.
        """

        def ask() -> Any:  # noqa: ANN401
            with self._answer(url, params) as answer:
                body = self._body(answer)
                try:
                    found = json.loads(body)
                except (ValueError, RecursionError):
                    page = body.lstrip()[:1] == b"<"
                    what = "uma página HTML" if page else "uma resposta cortada ou sem JSON"
                    raise _Passing(f"devolveu {what}") from None
                if reason := refused(found):
                    raise _Passing(reason)
                return found

        return self._patiently(ask, url)

    def _body(self, answer: requests.Response) -> bytes:
        begun, parts, size = time.monotonic(), [], 0
        for block in answer.iter_content(_SIP):
            parts.append(block)
            size += len(block)
            if size > _MOST_JSON:
                raise _Passing(f"mandou mais de {_MOST_JSON >> 20} MiB de JSON")
            if time.monotonic() - begun > self._patience.answer_s:
                raise _Passing("demorou demais")
        return b"".join(parts)

    def propfind(self, url: str) -> str:
        """What a WebDAV server says of a folder and what is in it, as XML.

        Raises:
            SourceFailure: no answer after all attempts, or it knows no such request.
        """

        def ask() -> str:
            with self._answer(url, None, {"Depth": "1"}, method="PROPFIND") as answer:
                return answer.text

        return self._patiently(ask, url)

    def download(
        self,
        url: str,
        target: Path,
        *,
        most_bytes: int,
        since: str | None = None,
        begun_of: str = "",
        keeps_tag: bool = False,
        refused: Callable[[bytes], str] = lambda _: "",
        progress: Callable[[int], None] = lambda _: None,
    ) -> Downloaded | None:
        """Stream a file to disk; None where it has not changed since that date.

        Args:
            url: of the file.
            target: where it goes.
            most_bytes: of it; more is refused.
            since: the date of what is there already, as its server gave it.
            begun_of: entity tag of the file that ``target`` may be the beginning of: what is there
                is gone on with, at the next attempt too, where the server can and has it still.
            keeps_tag: the tag is the one that the server gave with that beginning, kept beside it.
            refused: why a file's first bytes are an error that may pass, though the server called
                it well.
            progress: told of bytes as they are on disk.

        Raises:
            SourceFailure: it did not come whole after all attempts, or is `TooLarge`.
        """
        told = 0
        note = target.with_name(f"{target.name}.tag")

        def fetch() -> Downloaded | None:
            nonlocal told
            begun = time.monotonic()
            headers = {"If-Modified-Since": since} if since else {}
            tag = note.read_text() if keeps_tag and note.exists() else begun_of
            had = target.stat().st_size if tag and target.exists() else 0
            if had:
                headers |= {"Range": f"bytes={had}-", "If-Range": tag}
            with self._answer(url, None, headers) as answer:
                if answer.status_code == _NOT_MODIFIED:
                    return None
                if answer.status_code == _BEYOND:
                    target.unlink(missing_ok=True)
                    raise _Passing("já não tem o que começou a vir")
                had = had if answer.status_code == _PARTIAL else 0
                _refuse_other_part(answer, had)
                received = had
                if keeps_tag and not had:
                    note.write_text(_validator(answer))
                with target.open("ab" if had else "wb") as out:
                    for block in answer.iter_content(_BLOCK):
                        if received == 0 and (reason := refused(block)):
                            raise _Passing(reason)
                        received += len(block)
                        if received > most_bytes:
                            raise TooLarge(
                                f"{url}: passa do limite de {most_bytes >> 20} MiB; nada mudou"
                            )
                        if time.monotonic() - begun > self._patience.whole_s:
                            raise _Passing("demorou demais")
                        out.write(block)
                        progress(received - told)
                        told = received
                _refuse_short(answer, received - had)
                note.unlink(missing_ok=True)
                return Downloaded(target, answer.headers.get("Last-Modified"))

        return self._patiently(fetch, url)

    @contextmanager
    def _answer(
        self,
        url: str,
        params: Mapping[str, object] | None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
    ) -> Iterator[requests.Response]:
        """An answer whose head is well; a stall or a cut while its body is read is passing too."""
        wait = (self._patience.connect_s, self._patience.stall_s)
        try:
            with self._session.request(
                method,
                url,
                params=params,  # type: ignore[arg-type]
                headers=headers,
                timeout=wait,
                stream=True,
            ) as answer:
                if answer.status_code in _AGAIN:
                    raise _Passing(f"respondeu {answer.status_code}", _retry_after(answer))
                if not answer.ok and answer.status_code not in (_NOT_MODIFIED, _BEYOND):
                    raise SourceFailure(f"{url}: respondeu {answer.status_code}; nada mudou")
                yield answer
        except requests.exceptions.Timeout:
            raise _Passing("parou de responder") from None
        except requests.RequestException as error:
            raise _Passing(f"a conexão falhou ({type(error).__name__})") from None

    def _patiently(self, ask: Any, url: str) -> Any:  # noqa: ANN401
        attempts = Retrying(
            retry=retry_if_exception_type(_Passing),
            wait=self._pause,
            stop=stop_after_attempt(self._patience.attempts),
            reraise=True,
        )
        try:
            return attempts(ask)
        except _Passing as error:
            raise SourceFailure(
                f"{url}: {error}, em {self._patience.attempts} tentativas; o que estava carregado"
                f" continua. {self._remedy}"
            ) from None

    def _pause(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.retry_after_s if isinstance(failure, _Passing) else 0.0
        doubled = self._patience.first_s * 2 ** (state.attempt_number - 1)
        spread = doubled * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        return min(max(asked, spread), self._patience.longest_s)


def _validator(answer: requests.Response) -> str:
    """What If-Range may name: a strong entity tag, else the date; nothing: begin anew."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _retry_after(answer: requests.Response) -> float:
    """Seconds to wait, which the server says in seconds or as a date."""
    said = answer.headers.get("Retry-After", "")
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def _refuse_other_part(answer: requests.Response, had: int) -> None:
    said = answer.headers.get("Content-Range", "")
    if had and said and not said.startswith(f"bytes {had}-"):
        raise _Passing(f"mandou outro pedaço do arquivo ({said})")


def _refuse_short(answer: requests.Response, received: int) -> None:
    """``requests`` says nothing of a body that ends early; a packed one has another length."""
    said = answer.headers.get("Content-Length", "")
    packed = answer.headers.get("Content-Encoding")
    if said.isascii() and said.isdigit() and not packed and received != int(said):
        raise _Passing(f"cortou o arquivo: {received} de {said} bytes")
