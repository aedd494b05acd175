"""Where the local node keeps its files."""

import os
from pathlib import Path

import platformdirs

ASSETS = Path(__file__).parent / "assets"


def state_folder() -> Path:
    """Folder of the nodes' homes and data: $BICROSS_HOME, else the user's data folder."""
    chosen = os.environ.get("BICROSS_HOME")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("bicross")


def jar_cache() -> Path:
    """Folder of verified jars named by sha256: under $BICROSS_HOME, else the user's cache."""
    chosen = os.environ.get("BICROSS_HOME")
    base = (
        Path(chosen).expanduser() / "cache" if chosen else platformdirs.user_cache_path("bicross")
    )
    return base / "jars"


def nodes_folder() -> Path:
    return state_folder() / "local"


def node_home(version: str) -> Path:
    """Home of the node that the command line starts; one per version, since data do not go back."""
    return nodes_folder() / version


def launcher_jar(version: str) -> Path:
    return ASSETS / version / "launcher.jar"


def standins_jar(version: str) -> Path:
    return ASSETS / version / "standins.jar"


def plugin_zip(version: str) -> Path:
    return ASSETS / version / "bicross.zip"
