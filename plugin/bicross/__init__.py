"""Bi- and cross-encoders beside Elasticsearch: bundles, their server, and the cluster state."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("bicross")
