"""Settings come from the environment, have ceilings, and never open a door by accident."""

from pathlib import Path
from typing import Any

import pytest

from bicross.errors import UsageError
from bicross.server.settings import Settings

KEY, CERT = "a-key", {"ssl_certfile": Path("c.pem"), "ssl_keyfile": Path("k.pem")}
NETWORK = "0.0.0.0"  # noqa: S104  the case in question


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BICROSS_{name.upper()}", raising=False)


def test_defaults_bind_loopback_with_the_documented_limits() -> None:
    settings = Settings.read()
    assert (settings.host, settings.port) == ("127.0.0.1", 8380)
    assert settings.max_body_bytes == 8 << 20
    assert (settings.max_inputs, settings.max_documents) == (256, 1000)
    assert settings.max_text_bytes == 1 << 20
    assert (settings.max_request_tokens, settings.max_queue_tokens) == (524_288, 1_048_576)


def test_environment_is_read_and_an_option_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BICROSS_PORT", "9000")
    monkeypatch.setenv("BICROSS_MAX_INPUTS", "5")
    assert Settings.read(port=None).port == 9000
    assert Settings.read(port=9001).port == 9001
    assert Settings.read().max_inputs == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_body_bytes", 1 << 40),
        ("max_inputs", 0),
        ("port", 70_000),
        ("drain_s", 600),
        ("query_cache_mb", -1),
        ("score_cache_mb", 1 << 20),
    ],
)
def test_value_beyond_its_ceiling_is_refused_by_its_name(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"BICROSS_{name.upper()}"):
        Settings.read(**{name: value})


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ({"max_request_tokens": 2000, "max_queue_tokens": 1000}, "above max_queue_tokens"),
        ({"max_body_bytes": 1000}, "above max_body_bytes"),
        ({"ssl_certfile": Path("c.pem")}, "come together"),
        ({"api_key": KEY, "api_key_file": Path("f")}, "exclude each other"),
    ],
    ids=["tokens", "bytes", "tls", "keys"],
)
def test_settings_that_cannot_both_hold_are_refused(given: Any, fragment: str) -> None:
    with pytest.raises(UsageError, match=fragment):
        Settings.read(**given)


@pytest.mark.parametrize(
    ("text", "keys"),
    [("one", (b"one",)), ("one,two", (b"one", b"two")), (" one \n two\n\n", (b"one", b"two"))],
    ids=["one", "comma", "lines"],
)
def test_keys_are_split_at_commas_and_lines(
    text: str, keys: tuple[bytes, ...], tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    assert Settings.read(api_key=text).keys() == keys
    assert Settings.read(api_key_file=file).keys() == keys


@pytest.mark.parametrize("text", ["one,two,three", "", " , "], ids=repr)
def test_no_key_or_more_than_two_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(UsageError, match="one or 2 are accepted") as caught:
        Settings.read(api_key=text)
    assert "three" not in str(caught.value)


def test_key_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BICROSS_API_KEY_FILE: cannot be read"):
        Settings.read(api_key_file=tmp_path / "none")


def test_key_is_not_shown_by_its_settings() -> None:
    assert KEY not in repr(Settings.read(api_key=KEY))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_loopback_needs_no_key(host: str) -> None:
    Settings.read(host=host).require_secure_bind()


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ({}, "lacks an API key .* and TLS"),
        ({"api_key": KEY}, "lacks TLS"),
        (CERT, "lacks an API key"),
    ],
    ids=["neither", "key", "tls"],
)
@pytest.mark.parametrize("host", [NETWORK, "::", "10.0.0.5", "search.example"])
def test_network_bind_needs_key_and_tls(host: str, given: dict[str, Any], fragment: str) -> None:
    with pytest.raises(UsageError, match=fragment):
        Settings.read(host=host, **given).require_secure_bind()


@pytest.mark.parametrize(
    "given", [{"api_key": KEY, **CERT}, {"allow_insecure": True}], ids=["key and tls", "insecure"]
)
def test_network_bind_is_allowed_with_both_or_on_demand(given: dict[str, Any]) -> None:
    Settings.read(host=NETWORK, **given).require_secure_bind()
