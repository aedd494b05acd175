"""What the server may be told, where each setting's ceiling lies, and which pairs are refused."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bicross.errors import UsageError

MIB = 1 << 20
MAX_KEYS = 2


def _bounded(default: int, ceiling: int) -> Any:  # noqa: ANN401  pydantic's Field is untyped
    return Field(default=default, ge=1, le=ceiling)


class Settings(BaseSettings):
    """Each is read from the environment as BICROSS_ and its name in capitals.

    `*_bytes`, `*_mb`, `*_tokens`, `*_s` and `*_ms` are in the unit that they name.
    """

    model_config = SettingsConfigDict(env_prefix="BICROSS_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8380
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    allow_insecure: bool = False
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    docs: bool | None = None
    watch: bool = False

    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    engine: str | None = None
    precision: str | None = None
    streams: Annotated[int, Field(ge=1, le=256)] | None = None
    search_weight: int = _bounded(4, 64)
    ingest_run_ms: int = _bounded(20, 60_000)
    # A run's time per token is the same from 256 to 4,096 tokens (MiniLM-L6, two cores); a search
    # waits for the run before it, so the smaller batch wins.
    batch_tokens: int = _bounded(512, 1 << 20)
    batch_rows: int = _bounded(64, 4096)

    query_cache_mb: Annotated[int, Field(ge=0, le=65_536)] = 32
    score_cache_mb: Annotated[int, Field(ge=0, le=65_536)] = 0

    max_body_bytes: int = _bounded(8 * MIB, 256 * MIB)
    max_inputs: int = _bounded(256, 8192)
    max_documents: int = _bounded(1000, 10_000)
    max_text_bytes: int = _bounded(MIB, 64 * MIB)
    max_request_tokens: int = _bounded(524_288, 1 << 26)
    max_queue_tokens: int = _bounded(1_048_576, 1 << 28)
    request_timeout_s: int = _bounded(120, 3600)
    body_timeout_s: int = _bounded(10, 600)
    drain_s: int = _bounded(15, 17)
    slow_request_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 5000

    @model_validator(mode="after")
    def limits_agree(self) -> Self:
        """Pairs under which some allowed request could never be answered."""
        if self.max_request_tokens > self.max_queue_tokens:
            raise ValueError("max_request_tokens is above max_queue_tokens")
        if self.max_text_bytes > self.max_body_bytes:
            raise ValueError("max_text_bytes is above max_body_bytes")
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise ValueError("ssl_certfile and ssl_keyfile come together")
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("api_key and api_key_file exclude each other")
        return self

    @classmethod
    def read(cls, **given: Any) -> Self:  # noqa: ANN401  pydantic checks them
        """From `given`, where not None, and from the environment.

        Raises `UsageError` that names the setting, never a value.
        """
        try:
            settings = cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = f"BICROSS_{'_'.join(map(str, first['loc'])).upper()}: " if first["loc"] else ""
            raise UsageError(f"{name}{first['msg']}") from None
        settings.keys()
        return settings

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def docs_shown(self) -> bool:
        return self.loopback if self.docs is None else self.docs

    def keys(self) -> tuple[bytes, ...]:
        """The accepted API keys, none, one, or two while one replaces the other."""
        if self.api_key is not None:
            source, text = "BICROSS_API_KEY", self.api_key.get_secret_value()
        elif self.api_key_file is not None:
            source = "BICROSS_API_KEY_FILE"
            try:
                text = self.api_key_file.read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{source}: cannot be read: {type(error).__name__}") from None
        else:
            return ()
        keys = [key.strip().encode() for key in re.split(r"[,\n]", text) if key.strip()]
        if not 1 <= len(keys) <= MAX_KEYS:
            raise UsageError(f"{source} holds {len(keys)} keys; one or {MAX_KEYS} are accepted")
        return tuple(keys)

    def require_secure_bind(self) -> None:
        """Raises `UsageError` where texts or vectors would cross a network in the open."""
        if self.loopback or self.allow_insecure:
            return
        lacking = []
        if not self.keys():
            lacking.append("an API key (BICROSS_API_KEY or BICROSS_API_KEY_FILE)")
        if self.ssl_certfile is None:
            lacking.append("TLS (--ssl-certfile and --ssl-keyfile)")
        if lacking:
            raise UsageError(
                f"--host {self.host} is reachable from the network but lacks "
                f"{' and '.join(lacking)}; give it, or pass --allow-insecure"
            )
