"""Settings: where they come from, which wins, and what an operator reads when one is missing or wrong."""

from pathlib import Path

import pytest

from runtime.settings import load
from runtime.settings.keys import Key, SettingsError, read_options, read_url
from runtime.settings.table import KEYS

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
ENOUGH = {
    "VFC_PUBLIC_URL": "https://calls.example.com",
    "OPENAI_API_KEY": "key-1",
    "TWILIO_AUTH_TOKEN": "token-1",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its settings file."""
    return tmp_path / "vfc.toml"


def problems(file: Path | None, environment: dict[str, str], **options: object) -> tuple[str, ...]:
    """The lines an operator would read."""
    with pytest.raises(SettingsError) as told:
        load(file, environment, options)
    return told.value.problems


def test_three_variables_are_enough(file: Path) -> None:
    """An address, a key and a token in the environment make whole settings; everything else has a default."""
    file.write_text("")
    settings = load(file, ENOUGH)
    assert settings.public_url == "https://calls.example.com"
    assert settings.model.base_url == "https://api.openai.com/v1"
    assert (settings.listen.host, settings.listen.port) == ("127.0.0.1", 8080)


def test_the_environment_wins_over_the_file_and_an_option_over_both(file: Path) -> None:
    """Each later place overrides the one before."""
    file.write_text('[listen]\nport = 1111\nhost = "::1"\n[model]\nname = "from-file"\n')
    settings = load(
        file, ENOUGH | {"VFC_PORT": "2222", "VFC_MODEL": "from-environment"}, {"listen.port": 3333}
    )
    assert settings.listen.port == 3333
    assert settings.model.name == "from-environment"
    assert settings.listen.host == "::1"


def test_everything_missing_is_told_at_once_in_one_line_each(file: Path) -> None:
    """With nothing set, each required setting is one line: its name, where it may be set, what to write."""
    file.write_text("")
    address, key, token = problems(file, {})
    assert address == (
        "public_url is missing: set the environment variable VFC_PUBLIC_URL or `public_url` in vfc.toml to"
        " the address the telephone provider reaches, such as https://calls.example.com."
    )
    assert key.startswith(
        "model.api_key is missing: set the environment variable OPENAI_API_KEY or `api_key` under [model]"
    )
    assert token.startswith("telephony.auth_token is missing: set the environment variable TWILIO_AUTH_TOKEN")


@pytest.mark.parametrize(
    ("toml", "start"),
    [
        ('[listen]\nport = "many"', "listen.port must be a whole number from 0 to 65535, not 'many': set"),
        ("[listen]\nport = 70000", "listen.port must be a whole number from 0 to 65535, not 70000: set"),
        ("[listen]\nport = true", "listen.port must be a whole number"),
        ("listen = 5", "listen must be a table: write [listen] in vfc.toml."),
        ("[lisen]\nport = 1", "lisen is no setting: did you mean listen?"),
        ("[listen]\nprot = 1", "listen.prot is no setting: did you mean listen.port?"),
        ("[facts]\ncrm = 3", "facts.crm must be a table: write [facts.crm] in vfc.toml."),
        ('[numbers]\n"555" = "x"', "numbers.555 must give a flow to a number"),
        ('[model]\nbase_url = "api.openai.com"', "model.base_url must be a whole address that starts with"),
        ('[model]\nbase_url = "http://[::1"', "model.base_url must be a whole address that starts with"),
        ('[telephony]\nfallback_number = "911"', "telephony.fallback_number must be a number like"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(file: Path, toml: str, start: str) -> None:
    """A wrong value or an unknown key is one line that names it, and suggests a near miss."""
    file.write_text(toml)
    (line,) = problems(file, ENOUGH)
    assert line.startswith(start)
    assert "\n" not in line


@pytest.mark.parametrize(
    "content",
    [b"[listen", b"\xff\xfe", b"a = " + b"[" * 9_000, None],
    ids=["not TOML", "not UTF-8", "too deep", "no file"],
)
def test_a_file_that_cannot_be_read_is_one_line(file: Path, content: bytes | None) -> None:
    """A settings file that is absent or no TOML is told in one line with its path."""
    if content is not None:
        file.write_bytes(content)
    (line,) = problems(file, ENOUGH)
    assert str(file) in line


def test_secrets_are_never_shown(file: Path) -> None:
    """Neither the settings' repr nor a problem about a secret holds the secret."""
    file.write_text('[actions.book]\nheaders = {x = "in-the-file"}\n')
    shown = repr(load(file, ENOUGH | {"TWILIO_PREVIOUS_AUTH_TOKEN": "token-0"}))
    for secret in ("key-1", "token-1", "token-0", "in-the-file"):
        assert secret not in shown
    file.write_text("[telephony]\nauth_token = 12345678\n")
    lines = problems(file, {name: value for name, value in ENOUGH.items() if "TWILIO" not in name})
    assert not any("12345678" in line for line in lines)


def test_unsigned_requests_are_for_loopback_only(file: Path) -> None:
    """`--insecure` needs neither token nor address, and is refused on any host others can reach."""
    file.write_text("")
    options = {"telephony.insecure": True, "model.base_url": "http://127.0.0.1:1/v1"}
    assert load(file, {}, options).telephony.insecure
    (line,) = problems(file, {}, **options, **{"listen.host": "0.0.0.0"})
    assert line.startswith("telephony.insecure takes unsigned requests on loopback only")


def test_a_public_address_without_tls_is_refused(file: Path) -> None:
    """The provider opens media streams over TLS only, so a plain address is told at once."""
    file.write_text("")
    (line,) = problems(file, ENOUGH | {"VFC_PUBLIC_URL": "http://calls.example.com"})
    assert "https://calls.example.com" in line


def test_a_stand_in_needs_no_key(file: Path) -> None:
    """A speech model on this machine asks for no key."""
    file.write_text("")
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:9000/v1"} | ENOUGH
    del environment["OPENAI_API_KEY"]
    assert load(file, environment).model.api_key


def test_paths_are_relative_to_the_settings_file(file: Path) -> None:
    """A folder named in the file lies beside the file, wherever the command was started."""
    file.write_text('records = "calls"')
    assert load(file, ENOUGH).records == file.parent / "calls"


def test_a_named_table_is_read_by_its_own_keys() -> None:
    """A source or an executor states its options, and is told about in the same words."""
    keys = [Key("url", None, read_url("https"), "where to ask")]
    assert read_options("facts.crm", {"url": "https://crm.example.com/v1/"}, keys) == {
        "url": "https://crm.example.com/v1"
    }
    with pytest.raises(SettingsError) as told:
        read_options("facts.crm", {"urll": "x"}, keys)
    assert told.value.problems == (
        "facts.crm.urll is no setting: did you mean url?",
        "facts.crm.url is missing: set `url` under [facts.crm] in vfc.toml to where to ask.",
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_setting_is_documented(key: Key) -> None:
    """The page of settings has a row for each, with its variable."""
    row = next(line for line in DOCS.read_text().splitlines() if line.startswith(f"| `{key.path}`"))
    assert f"`{key.environment}`" in row or not key.environment


def test_another_provider_s_account_has_its_own_variables(tmp_path: Path) -> None:
    """With Vonage the secret and the account have Vonage's variables, and a missing one is named so."""
    (tmp_path / "vfc.toml").write_text('[telephony]\nprovider = "vonage"\n')
    environment = {"VFC_PUBLIC_URL": "https://calls.example.com", "OPENAI_API_KEY": "k"}
    theirs = {"VONAGE_SIGNATURE_SECRET": "s", "VONAGE_APPLICATION_ID": "app"}
    chosen = load(tmp_path / "vfc.toml", environment | theirs)
    assert (chosen.telephony.auth_token, chosen.telephony.account) == ("s", "app")
    with pytest.raises(SettingsError) as told:
        load(tmp_path / "vfc.toml", environment | {"TWILIO_AUTH_TOKEN": "t"})
    assert ["VONAGE_SIGNATURE_SECRET" in line for line in told.value.problems] == [True]


def test_a_provider_that_is_no_text_is_told_once(tmp_path: Path) -> None:
    """A wrong provider is one line, however many settings depend on it."""
    (tmp_path / "vfc.toml").write_text("[telephony]\nprovider = 3\n")
    with pytest.raises(SettingsError) as told:
        load(tmp_path / "vfc.toml", {"VFC_PUBLIC_URL": "https://c.example.com", "OPENAI_API_KEY": "k"})
    assert len([line for line in told.value.problems if "telephony.provider" in line]) == 1
