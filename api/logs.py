"""Logs: one JSON object a line on standard error, with the request's id.

Belongs here: how a line is written. Not here: what is said.
"""

import logging
import sys

import structlog


def configure() -> None:
    """Write all that the API says as JSON lines; repeated, it changes nothing."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="quando"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
