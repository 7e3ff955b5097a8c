"""Access tokens: signed by the newest private key, checked by the one that their ``kid`` names.

Belongs here: the file of keys, signing, checking. Not here: whether a session still holds
(sessions.py). Keys are looked up by name in memory: no ``kid`` is ever part of a path or a query.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from loaders.errors import InvalidInput

ALGORITHM = "ES256"
ISSUER, AUDIENCE = "intel-lead", "intel-lead-api"
LONGEST = 4096
"""Characters of a token; ours have some 400."""
_REQUIRED = ("exp", "iat", "sub", "sid")


class Rejected(Exception):  # noqa: N818 - a token may be anything
    """This is no access token of ours that holds."""


@dataclass
class Keys:
    """The keys of a file, read again when it changes: a running server follows a rotation."""

    path: Path
    _seen: tuple[int, int] = (0, 0)
    _keys: dict[str, ECKey] | None = None

    def all(self) -> dict[str, ECKey]:
        """Name → key, the newest first.

        Raises:
            InvalidInput: the file is no set of keys.
        """
        stat = self.path.stat()
        if self._keys is None or self._seen != (stat.st_mtime_ns, stat.st_size):
            try:
                found = json.loads(self.path.read_text(encoding="utf-8"))["keys"]
                self._keys = {k["kid"]: ECKey.import_key(k) for k in found}
            except (ValueError, KeyError, TypeError, JoseError) as error:
                raise InvalidInput(f"{self.path}: não são chaves da API ({error})") from None
            self._seen = (stat.st_mtime_ns, stat.st_size)
        return self._keys


def rotate(path: Path, *, keep: int = 2) -> list[str]:
    """Put a new key before the others and keep the newest ones; the names of all.

    Args:
        path: the file, readable by its owner alone; made when it is missing.
        keep: how many keys stay: tokens of an older one hold no longer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(path.read_text(encoding="utf-8"))["keys"] if path.exists() else []
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
    key = ECKey.generate_key("P-256", {"kid": name, "use": "sig"}, private=True)
    keys = [key.as_dict(private=True), *old][:keep]
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"keys": keys}, file)
    new.replace(path)
    return [k["kid"] for k in keys]


def sign(keys: Keys, user: UUID, session: UUID, life: timedelta) -> str:
    """An access token of a session."""
    name, key = next(iter(keys.all().items()))
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user),
        "sid": str(session),
        "iat": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        "jti": uuid4().hex,
    }
    return jwt.encode({"alg": ALGORITHM, "kid": name, "typ": "at+jwt"}, claims, key)


def check(keys: Keys, token: str) -> UUID:
    """The session that an access token belongs to.

    Raises:
        Rejected: not ours, of another algorithm or key, for somebody else, expired, unreadable.
    """
    known = keys.all()

    def find(obj: object) -> ECKey:
        name = obj.headers().get("kid")  # type: ignore[attr-defined]
        if not isinstance(name, str) or name not in known:
            raise Rejected
        return known[name]

    if len(token) > LONGEST:
        raise Rejected
    try:
        decoded = jwt.decode(token, find, algorithms=[ALGORITHM])
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            **{name: {"essential": True} for name in _REQUIRED},
        )
        registry.validate(decoded.claims)
        if decoded.header.get("typ") != "at+jwt":
            raise Rejected
        return UUID(decoded.claims["sid"])
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Rejected from error
