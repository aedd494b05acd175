"""The server's log."""

import logging.config


def configure_log() -> None:
    """To stderr, one line per event; a request is counted, never logged."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "loggers": {
                "bicross": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
                "opentelemetry": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
                "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            },
        }
    )
