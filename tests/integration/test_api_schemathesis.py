"""The whole specification, asked with what it allows and with what it does not: it keeps its word.

Not here: hostile requests of our own (test_api_attacks.py).
"""

from collections.abc import Callable

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.integration.api_client import Api
from tests.integration.dagster_page import Page
from tests.integration.test_api_attacks import serving
from tests.integration.test_api_sync import page

__all__ = ["page"]
UNSAID = {
    ("PUT", "/api/v1/aicss/config"),
    ("POST", "/api/v1/aicss/dados"),
    ("PUT", "/api/v1/leads/{uc_id}/acompanhamento/{oferta}"),
    ("GET", "/api/v1/leads"),
    ("POST", "/api/v1/leads/busca"),
    ("GET", "/api/v1/analytics/consumo"),
    ("POST", "/api/v1/analytics/relatorios"),
    ("POST", "/api/v1/analytics/relatorios/agenda"),
    ("POST", "/api/v1/buscas"),
    ("GET", "/api/v1/novidades"),
    ("PUT", "/api/v1/alertas/regras/{chave}"),
    ("POST", "/api/v1/operacao/safras/{safra}/liberacao"),
}
"""What takes less than a schema can say: a result with its day, ranges in order, a known device or
município."""


EXAMPLES = settings(
    max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)


def asked(
    operation: schemathesis.APIOperation, headers: dict[str, str], excluded: list[Callable]
) -> Callable[[], None]:
    """A route, asked a dozen times with what its specification allows."""

    @EXAMPLES
    @given(case=operation.as_strategy())
    def answers(case: schemathesis.Case) -> None:
        # A cursor is a list's own: test_api_lists.py, and forged ones test_api_attacks.py.
        (case.query or {}).pop("cursor", None)
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    return answers


def test_every_route_answers_as_the_specification_says(api: Api, page: Page) -> None:
    """No 5xx, no status or body that is not documented, nothing refused that is allowed."""
    wrong, routes = [], 0
    with serving(api) as port:
        spec = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/api/v1/openapi.json")
        # A stream without an end: test_api_events.py.
        spec = spec.exclude(path="/api/v1/aicss/eventos")
        for found in spec.get_all_operations():
            operation = found.ok()
            route = operation.method.upper(), operation.path
            # An administrator's session would end with the first of its own.
            role = "parceiro" if route == ("DELETE", "/api/v1/sessoes/atual") else "admin"
            excluded = [positive_data_acceptance] if route in UNSAID else []
            routes += 1
            try:
                asked(operation, api.bearer(role), excluded)()
            except (Exception, BaseExceptionGroup) as failure:
                wrong.append(f"{' '.join(route)}: {failure}")
    assert routes > 40
    assert wrong == []
