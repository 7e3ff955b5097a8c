"""One made-up row of each list, for the specification and the docs.

Belongs here: reading examples.json, whose rows are of made-up geodatabases. Not here: whether they
have the columns of today (tests/integration/test_api_spec.py).
"""

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def _all() -> dict[str, dict[str, Any]]:
    return json.loads(resources.files("api").joinpath("examples.json").read_text(encoding="utf-8"))


def example_of(path: str) -> dict[str, Any]:
    """The example of what stands at a path; none: empty."""
    return _all().get(path, {})
