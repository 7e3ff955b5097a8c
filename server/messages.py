"""What a person is told of the clone's server: one line, or why there is none.

Belongs here: that. Not here: anything that starts, stops or asks. Standard library only.
"""

import sys


class PostgresError(Exception):
    """The server cannot be had; the message says what the person can do."""


def say(message: str) -> None:
    """Tell the person on stderr; stdout belongs to the URL."""
    print(message, file=sys.stderr, flush=True)
