"""Lays out a node's home: jars, modules, plugins, stand-ins, configuration."""

import os
import platform
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bicross.errors import EnvironmentProblem, UsageError
from bicross.local import places
from bicross.local.choice import Choice
from bicross.local.configuration import CONSOLE_LOGGING, LAUNCHER, as_yaml, node_settings
from bicross.local.jars import link
from bicross.local.releases import LIB, TRANSPORT
from bicross.local.spec import NodeSpec

MODULES = "modules"
STANDINS = "modules/standins"
PLUGINS = "plugins"
CONFIG = "config"
# Where the server's main class looks for its console; the launcher's jar has an empty one.
ANSI_CONSOLE = "lib/tools/ansi-console"
# Written anew at each start. Data and logs stay.
REBUILT = (LIB, MODULES, PLUGINS, CONFIG, "entitlement-bridge", "tmp")

OUR_PLUGIN = "bicross"
DATA_MARKS = {"node.lock", "_state", "nodes", "indices", "snapshot_cache"}

ZSTD_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


@dataclass(frozen=True)
class Layout:
    """What came out of it: is our plugin there, and what the user should know."""

    with_plugin: bool
    notes: tuple[str, ...]


def lay_out(spec: NodeSpec, choice: Choice, files: dict[str, Path]) -> Layout:
    """Makes `spec.home` a home of the chosen release from verified `files` (by sha256).

    Raises `EnvironmentProblem` where the launcher or a plugin is missing or does not fit.
    """
    release = choice.release
    for asset in (places.launcher_jar(release.version), places.standins_jar(release.version)):
        if not asset.is_file():
            raise EnvironmentProblem(
                f"{asset} is missing; a release brings it, a checkout builds it with "
                f"`make -C plugin/elasticsearch/local-node ES={release.version}`"
            )
    for name in REBUILT:
        shutil.rmtree(spec.home / name, ignore_errors=True)
        (spec.home / name).mkdir(parents=True)
    for folder in (spec.home / "logs", spec.data_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for jar in release.jars:
        link(files[jar.sha256], spec.home / jar.folder / jar.file_name)
    _modules_and_launcher(spec.home, choice)
    notes = [note for note in (_zstd(spec.home), _install_plugins(spec)) if note]
    with_plugin = any(_plugin_name(path) == OUR_PLUGIN for path in (spec.home / PLUGINS).iterdir())
    config = spec.home / CONFIG
    (config / "elasticsearch.yml").write_text(
        as_yaml(node_settings(spec, with_plugin=with_plugin)), encoding="utf-8"
    )
    (config / "log4j2.properties").write_text(
        CONSOLE_LOGGING.replace("{level}", spec.log_level), encoding="utf-8"
    )
    return Layout(with_plugin, tuple(notes))


def wipe_data(folder: Path) -> None:
    """Removes a node's data; refuses a folder that holds anything else, with `UsageError`."""
    if not folder.is_dir():
        return
    strangers = sorted({path.name for path in folder.iterdir()} - DATA_MARKS)
    if strangers:
        raise UsageError(
            f"--fresh would delete {folder}, which holds {strangers[0]!r}: not a node's data; "
            "give an empty folder or remove it by hand"
        )
    shutil.rmtree(folder)


def _modules_and_launcher(home: Path, choice: Choice) -> None:
    version = choice.release.version
    link(places.launcher_jar(version), home / LAUNCHER)
    link(places.launcher_jar(version), home / ANSI_CONSOLE / LAUNCHER)
    standins = home / STANDINS / "standins.jar"
    link(places.standins_jar(version), standins)
    for jar in (standins, next((home / TRANSPORT).glob("transport-netty4-*.jar"))):
        _unpack_descriptor(jar, as_java_module=choice.on_module_path)


def _unpack_descriptor(jar: Path, *, as_java_module: bool) -> None:
    """A module's jar carries its descriptor and policy under META-INF/es-plugins."""
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.startswith("META-INF/es-plugins/") and not name.endswith("/"):
                lines = archive.read(name).splitlines(keepends=True)
                if not as_java_module:
                    lines = [line for line in lines if not line.startswith(b"modulename=")]
                (jar.parent / Path(name).name).write_bytes(b"".join(lines))


def _zstd(home: Path) -> str | None:
    """Links the system's zstd to where the node looks for its own, which is not published."""
    machine = platform.machine()
    found = next((path for path in _zstd_candidates(machine) if path.is_file()), None)
    if found is None:
        return (
            "libzstd was not found: indices with codec best_compression will not start on 9.x; "
            "Debian's package is libzstd1"
        )
    folder = home / LIB / "platform" / f"linux-{'aarch64' if machine == 'aarch64' else 'x64'}"
    folder.mkdir(parents=True)
    (folder / "libzstd.so").symlink_to(found)
    return None


def _zstd_candidates(machine: str) -> list[Path]:
    folders = [f"{base}/{machine}-linux-gnu" for base in ("/lib", "/usr/lib")]
    return [Path(folder, "libzstd.so.1") for folder in (*folders, *ZSTD_FOLDERS)]


def _install_plugins(spec: NodeSpec) -> str | None:
    wanted = spec.plugins
    if wanted is None:
        own = places.plugin_zip(spec.version)
        if not own.is_file():
            return (
                f"the bicross plugin is not in this node: {own} is missing; a release brings it, "
                "a checkout builds it with `make assets`"
            )
        wanted = (own,)
    for number, source in enumerate(wanted):
        target = spec.home / PLUGINS / (source.stem if number == 0 else f"{source.stem}-{number}")
        if source.is_dir():
            shutil.copytree(source, target)
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(target)
        else:
            raise EnvironmentProblem(
                f"plugin {source} is neither a zip nor a folder; build it with "
                f"`make zip ES={spec.version}` in plugin/elasticsearch"
            )
    return None


def _plugin_name(folder: Path) -> str | None:
    descriptor = folder / "plugin-descriptor.properties"
    if not descriptor.is_file():
        return None
    for line in descriptor.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "name":
            return value.strip()
    return None


def hand_over(spec: NodeSpec, uid: int, gid: int) -> None:
    """Gives the folders that the node writes to the user it runs as."""
    for folder in (spec.home / CONFIG, spec.home / "logs", spec.home / "tmp", spec.data_folder):
        os.chown(folder, uid, gid)
        for path in folder.rglob("*"):
            os.chown(path, uid, gid, follow_symlinks=False)
