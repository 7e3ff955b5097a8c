"""Passwords by Argon2id; whoever is unknown costs as much as whoever is known.

Belongs here: hashing and checking. Not here: users (users.py).
"""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
_HASHER = PasswordHasher()


@cache
def nobodys() -> str:
    """A hash that nobody knows the password of, of the same cost as everybody's."""
    return _HASHER.hash(secrets.token_hex())


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def right(password: str, kept: str | None) -> bool:
    """Whether it is this password; with nothing kept, after the same work, no."""
    try:
        return _HASHER.verify(kept or nobodys(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
