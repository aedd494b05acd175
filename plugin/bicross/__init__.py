"""Bi- and cross-encoders beside Elasticsearch: bundles, their server, and the cluster state."""

import os
from importlib.metadata import version

__all__ = ["__version__"]

# onnxruntime's builds for Linux send usage events to their maker unless this stands before they are
# imported; `disable_telemetry_events()` comes too late, since importing opens the store of events.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = version("bicross")
