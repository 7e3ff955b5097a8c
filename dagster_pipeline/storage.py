"""Where Dagster keeps runs and events: its own PostgreSQL storage, with connections that stay open.

Dagster opens a connection for each statement. Measured with 100 checks on a busy machine,
2026-11-28: 25 s without the pool, 6 to 9 with it (CPU 1.5 s and 0.46); a batch of 50 safras tells
of about 3,300. Nor does it wait for the disk at each statement: a crash of the server may take the
last half second of events; which safras are published, the next run tells again (defs/safras.tell).
It replaces a private name (`_engine`): test_dagster_storage.py fails without that.
Belongs here: that pool, and the schema that its connections work in. Not here: which (place.py).
"""

from contextlib import closing
from typing import Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import (
    create_pg_engine,
    get_token_provider_from_config,
    pg_url_from_config,
)
from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin

from loaders import connection as db
from server import place

IDLE = 1
"""Connections that each of the three storages keeps; more are opened, and closed after use."""

PLUGIN = "dagster_schema"
plugins.register(PLUGIN, __name__, "SchemaPlugin")


class SchemaPlugin(CreateEnginePlugin):
    """Every connection of an engine works in the schema that its URL names (``?dagster_schema=…``).

    By a statement, not by libpq's ``options``: a pooler refuses those.
    """

    def __init__(self, url: URL, kwargs: dict[str, Any]) -> None:
        """As the parent."""
        super().__init__(url, kwargs)
        self.schema = url.query[PLUGIN]

    def update_url(self, url: URL) -> URL:
        """Without what is ours."""
        return url.difference_update_query([PLUGIN])

    def engine_created(self, engine: Engine) -> None:
        """Begin to listen for new connections."""

        @event.listens_for(engine, "connect")
        def _work_there(connection: Any, _record: object) -> None:  # noqa: ANN401
            with connection.cursor() as cursor:
                cursor.execute("select set_config('search_path', %s, false)", [self.schema])
            connection.commit()


class PooledPostgresStorage(DagsterPostgresStorage):
    """``DagsterPostgresStorage``; a connection that the server dropped meanwhile is replaced."""

    def __init__(self, postgres_url: str, **options: Any) -> None:  # noqa: ANN401
        """As the parent; ``options`` are its others."""
        super().__init__(postgres_url, **options)
        for storage in (self.run_storage, self.event_log_storage, self.schedule_storage):
            storage._engine = _engine(postgres_url, options.get("token_provider"))

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "PooledPostgresStorage":  # noqa: ANN401
        """From dagster.yaml, which names the warehouse's database; place.py says which is meant."""
        with closing(db.connect()) as conn:
            found = place.find(conn)
        url = make_url(pg_url_from_config(config_value)).set(database=found.database)
        if found.schema != "public":
            url = url.update_query_dict({"plugin": PLUGIN, PLUGIN: found.schema})
        return cls(
            url.render_as_string(hide_password=False),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )


def _engine(url: str, token_provider: Any) -> Engine:  # noqa: ANN401
    engine = create_pg_engine(
        url,
        token_provider,
        isolation_level="AUTOCOMMIT",
        pool_size=IDLE,
        max_overflow=-1,
        pool_pre_ping=True,
    )

    @event.listens_for(engine, "connect")
    def _do_not_wait_for_the_disk(connection: Any, _record: object) -> None:  # noqa: ANN401
        with connection.cursor() as cursor:
            cursor.execute("set synchronous_commit = off")
        connection.commit()

    return engine
