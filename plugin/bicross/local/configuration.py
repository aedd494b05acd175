"""elasticsearch.yml, the JVM's arguments and the two ways to start: all pure."""

import json

from bicross.local.choice import Choice
from bicross.local.releases import BRIDGE
from bicross.local.spec import ENDPOINT_NAME, NodeSpec, SettingValue

# Modules that the server uses where the platform has them but that none of its modules requires.
WANTED_MODULES = ("jdk.net", "jdk.management.agent", "jdk.incubator.vector")
NATIVE_MODULES = ("org.elasticsearch.nativeaccess", "org.apache.lucene.core")
# From 9.5 native calls go through a module of their own.
FOREIGN_MODULE = "org.elasticsearch.foreign"

LAUNCHER = "launcher.jar"
BRIDGE_READERS = "org.elasticsearch.entitlement,java.logging,java.net.http,java.naming,jdk.net"
SERVER_MAIN = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch"

CONSOLE_LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = {level}
rootLogger.appenderRef.console.ref = console
"""


def node_settings(spec: NodeSpec, *, with_plugin: bool) -> dict[str, SettingValue]:
    """Lines of elasticsearch.yml; the spec's own settings win.

    The plugin's settings stand there only with the plugin: a node refuses unknown settings.
    """
    settings: dict[str, SettingValue] = {
        "cluster.name": "bicross-local",
        "node.name": spec.name,
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": spec.port,
        "transport.port": spec.transport_port or "9300-9400",
        "path.data": str(spec.data_folder),
        "path.logs": str(spec.home / "logs"),
        # Without it, and without a logging configuration, the node says errors only.
        "logger.level": spec.log_level,
        # A laptop's disk is often fuller than 90 %; a node of one's own should take writes still.
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    if with_plugin and spec.endpoints:
        settings[f"bicross.endpoint.{ENDPOINT_NAME}.urls"] = list(spec.endpoints)
    return {**settings, **spec.settings}


def as_yaml(settings: dict[str, SettingValue]) -> str:
    """The settings as YAML, every value written as JSON, which YAML contains."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


def jvm_arguments(spec: NodeSpec, choice: Choice) -> list[str]:
    """What every JVM of the node takes, however it is started."""
    return [
        f"-Xms{spec.heap}",
        f"-Xmx{spec.heap}",
        *_module_arguments(spec, choice),
        # Elastic's vector library is not published. Looked for in vain, it takes all native access
        # with it, zstd included; switched off, the JVM's vector API does its work.
        "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
        f"-Des.path.home={spec.home}",
        f"-Des.path.conf={spec.home / 'config'}",
        "-Des.distribution.type=tar",
        f"-Djava.io.tmpdir={spec.home / 'tmp'}",
        "-Djava.awt.headless=true",
        "-Dlog4j2.disable.jmx=true",
        "-Dio.netty.noUnsafe=true",
        *spec.jvm_options,
    ]


def _module_arguments(spec: NodeSpec, choice: Choice) -> list[str]:
    platform = [name for name in WANTED_MODULES if name in choice.runtime.modules]
    if not choice.on_module_path:
        return [f"--add-modules={','.join(platform)}", "--enable-native-access=ALL-UNNAMED"]
    native = [*NATIVE_MODULES]
    if any(":elasticsearch-foreign-" in jar.coordinate for jar in choice.release.jars):
        native.append(FOREIGN_MODULE)
    return [
        "--module-path",
        str(spec.home / "lib"),
        f"--add-modules={','.join(['ALL-MODULE-PATH', *platform])}",
        f"--enable-native-access={','.join(native)}",
    ]


def launcher_command(spec: NodeSpec, choice: Choice) -> list[str]:
    """The quick way: our launcher, no entitlements."""
    launcher = str(spec.home / LAUNCHER)
    class_path = launcher if choice.on_module_path else f"{launcher}:{spec.home / 'lib'}/*"
    java = str(choice.runtime.java)
    return [java, *jvm_arguments(spec, choice), "-cp", class_path, "org.bicross.local.Launch"]


def enforced_command(spec: NodeSpec, choice: Choice) -> list[str]:
    """The server's own main class, with entitlements enforced."""
    bridge = next((spec.home / BRIDGE).glob("*.jar"))
    launcher = spec.home / LAUNCHER
    return [
        str(choice.runtime.java),
        *jvm_arguments(spec, choice),
        f"-Duser.home={spec.home / 'tmp'}",
        "-Des.entitlements.enabled=true",
        f"-Des.entitlement.agentJar={launcher}",
        "-XX:+EnableDynamicAgentLoading",
        "-Djdk.attach.allowAttachSelf=true",
        f"--patch-module=java.base={bridge}",
        f"--add-exports=java.base/org.elasticsearch.entitlement.bridge={BRIDGE_READERS}",
        "-m",
        SERVER_MAIN,
    ]
