"""How a server logs: one line of JSON on stderr for each thing worth telling."""

import sys

import structlog


def log_json(level: str, **always: object) -> None:
    """Log so from here on, each line with `always`; what a command says to a person is on stdout."""
    structlog.configure(
        processors=[
            lambda logger, name, line: {**always, **line},
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
