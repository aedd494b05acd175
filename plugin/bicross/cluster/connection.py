"""The official client, one installed version against every server version that is supported.

A client of 9.x asks for `compatible-with=9`, which an 8.19 server refuses (400
media_type_header_exception). So the first request, `GET /`, carries no version, and every later
one carries the older of the client's and the server's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elastic_transport import HttpHeaders, Transport, TransportApiResponse, TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError
from elasticsearch import __version__ as client_version
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bicross.cluster.config import ClusterTable, addresses
from bicross.errors import EnvironmentProblem, UsageError

CLIENT_MAJOR = client_version[0]
OLDEST_SERVER = (8, 19)
REQUEST_TIMEOUT_S = 120.0
REASON_LENGTH = 500


class Credentials(BaseSettings):
    """From the environment: BICROSS_ES_API_KEY, or BICROSS_ES_USERNAME and BICROSS_ES_PASSWORD."""

    model_config = SettingsConfigDict(env_prefix="BICROSS_ES_")

    api_key: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None

    def client_arguments(self) -> dict[str, Any]:
        """Raises `UsageError` for two kinds of credentials, or half of one."""
        if self.api_key is not None and (self.username is not None or self.password is not None):
            raise UsageError(
                "BICROSS_ES_API_KEY and BICROSS_ES_USERNAME or BICROSS_ES_PASSWORD are set; "
                "keep one kind"
            )
        if self.api_key is not None:
            return {"api_key": self.api_key.get_secret_value()}
        if (self.username is None) != (self.password is None):
            raise UsageError("set both BICROSS_ES_USERNAME and BICROSS_ES_PASSWORD, or neither")
        if self.username is not None and self.password is not None:
            return {"basic_auth": (self.username, self.password.get_secret_value())}
        return {}


class VersionedTransport(Transport):
    """Writes the media type version that the server speaks; none while that is unknown."""

    server_major: int | None = None

    def perform_request(
        self,
        method: str,
        target: str,
        *,
        headers: Any = None,  # noqa: ANN401 # as the class above has it
        **options: Any,  # noqa: ANN401 # passed on as they come
    ) -> TransportApiResponse:
        spoken = HttpHeaders(headers or {})
        for name in ("accept", "content-type"):
            if name in spoken:
                spoken[name] = media_type(spoken[name], self.server_major)
        return super().perform_request(method, target, headers=spoken, **options)


def media_type(wanted: str, server_major: int | None) -> str:
    """`wanted` in the older of two versions; the plain type while the server's is unknown."""
    if server_major is None:
        kind, _, _ = wanted.partition("; compatible-with=")
        return kind.replace("application/vnd.elasticsearch+", "application/")
    newest = f"compatible-with={CLIENT_MAJOR}"
    return wanted.replace(newest, f"compatible-with={min(CLIENT_MAJOR, server_major)}")


@dataclass(frozen=True)
class Cluster:
    """A cluster that answered: its version and licence were read once."""

    client: Elasticsearch
    name: str
    uuid: str
    version: str
    licence: str

    def describe(self) -> dict[str, str]:
        return {"name": self.name, "version": self.version, "licence": self.licence}


@contextmanager
def connect(
    table: ClusterTable,
    credentials: Credentials | None = None,
    request_timeout_s: float = REQUEST_TIMEOUT_S,
) -> Iterator[Cluster]:
    """The cluster, checked to be one that is supported; its connections close with the block.

    Raises `EnvironmentProblem` where it does not answer, is not Elasticsearch, or is too old.
    """
    hosts = addresses(table.url)
    if table.ca_certs and not Path(table.ca_certs).is_file():
        raise UsageError(f"cluster.ca_certs {table.ca_certs} is not a file")
    arguments: Mapping[str, Any] = {
        "request_timeout": request_timeout_s,
        **({"ca_certs": table.ca_certs} if table.ca_certs else {}),
        **(credentials or Credentials()).client_arguments(),
    }
    try:
        client = Elasticsearch(hosts, transport_class=VersionedTransport, **arguments)
    except (ValueError, OSError) as error:
        raise UsageError(f"cluster.url {hosts}: {error}") from None
    try:
        with cluster_errors(f"the cluster at {', '.join(hosts)}"):
            cluster = _introduce(client)
            yield cluster
    finally:
        client.close()


def _introduce(client: Elasticsearch) -> Cluster:
    greeting = client.info()
    version = str(greeting["version"]["number"])
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) < OLDEST_SERVER:
        raise EnvironmentProblem(
            f"the cluster runs Elasticsearch {version}; bicross needs "
            f"{'.'.join(map(str, OLDEST_SERVER))} or newer"
        )
    assert isinstance(client.transport, VersionedTransport)  # noqa: S101 # narrows the type
    client.transport.server_major = major
    return Cluster(
        client=client,
        name=str(greeting["cluster_name"]),
        uuid=str(greeting["cluster_uuid"]),
        version=version,
        licence=_licence(client),
    )


def _licence(client: Elasticsearch) -> str:
    """`unknown` where the distribution has no licence module or the caller may not read it."""
    try:
        return str(client.license.get()["license"]["type"])
    except ApiError:
        return "unknown"


@contextmanager
def cluster_errors(where: str) -> Iterator[None]:
    """Turns what the client raises into `EnvironmentProblem`: which cluster, what it said."""
    try:
        yield
    except UnsupportedProductError:
        raise EnvironmentProblem(
            f"{where} is not Elasticsearch; bicross needs Elasticsearch 8.19 or newer"
        ) from None
    except ApiError as error:
        raise EnvironmentProblem(f"{where} refused: {api_reason(error)}") from None
    except TransportError as error:
        raise EnvironmentProblem(
            f"{where} does not answer ({error.message}); check cluster.url in bicross.toml and "
            "that the node runs"
        ) from None


def api_reason(error: ApiError) -> str:
    """The status, and the type and reason of the innermost cause, at most 500 characters."""
    body = error.body if isinstance(error.body, dict) else {}
    return f"{error.meta.status} {cause_of(body.get('error', error.message))[:REASON_LENGTH]}"


def cause_of(error: object) -> str:
    """`type: reason` of what is at the bottom of an Elasticsearch error.

    A retriever's own error is attached as suppressed, a shard's below `failed_shards`; what stands
    above them says only that something failed.
    """
    if not isinstance(error, dict):
        return str(error)
    shards = [shard.get("reason") for shard in error.get("failed_shards") or ()]
    below = [error.get("caused_by"), *(error.get("suppressed") or ()), *shards]
    if "reason" not in error:
        below.extend(error.get("root_cause") or ())
    deeper = next((cause for cause in below if isinstance(cause, dict)), None)
    return cause_of(deeper) if deeper else f"{error.get('type')}: {error.get('reason')}"
