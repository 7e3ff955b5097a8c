"""Superset's configuration, read by Superset at its start (SUPERSET_CONFIG_PATH).

Belongs here: settings. Not here: what it shows (dashboards/), what starts it (bi/process.py), which
gives the addresses and secrets by environment. Nothing is asked of any other machine: no tiles, no
fonts, no counting of users; the policy of content keeps even what Superset tries.
"""

import os

from sqlalchemy.engine.url import URL

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["INTEL_BI_METADATA"]


def password_of(url: URL) -> str | None:
    """The password of an address that Superset keeps without one: the warehouse's."""
    return os.environ["BI_LEITOR_PASSWORD"] if url.username == "bi_leitor" else url.password


SQLALCHEMY_CUSTOM_PASSWORD_STORE = password_of

BABEL_DEFAULT_LOCALE = "pt_BR"
LANGUAGES = {"pt_BR": {"flag": "br", "name": "Português"}, "en": {"flag": "us", "name": "English"}}


def in_brazil(common: dict) -> dict[str, str]:
    """Of ``pt_BR`` pages are told the language alone, and ask for Portugal's half-empty words."""
    return {"locale": "pt_BR"} if common["locale"] == "pt" else {}


COMMON_BOOTSTRAP_OVERRIDES_FUNC = in_brazil
D3_FORMAT = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["R$ ", ""]}
D3_TIME_FORMAT = {
    "dateTime": "%d/%m/%Y %H:%M",
    "date": "%d/%m/%Y",
    "time": "%H:%M:%S",
    "periods": ["AM", "PM"],
    "days": ["domingo", "segunda", "terça", "quarta", "quinta", "sexta", "sábado"],
    "shortDays": ["dom", "seg", "ter", "qua", "qui", "sex", "sáb"],
    "months": [
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho"),
        *("julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
    ],
    "shortMonths": [
        *("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"),
    ],
}
APP_NAME = "intel-lead"
MAPBOX_API_KEY = ""
DECKGL_BASE_MAP = [["", "Sem fundo"]]

TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
ENABLE_CORS = False
WTF_CSRF_ENABLED = True
SESSION_COOKIE_SAMESITE = "Strict"
PREVENT_UNSAFE_DB_CONNECTIONS = True

ROW_LIMIT = 10_000
SQL_MAX_ROW = 100_000
SUPERSET_WEBSERVER_TIMEOUT = 60
RATELIMIT_STORAGE_URI = "memory://"
FEATURE_FLAGS = {"ALERT_REPORTS": False, "DASHBOARD_RBAC": False}
