"""The settings of a deployment, one row each: where it is set, how it is read, what to write, what it is
otherwise.
"""

from typing import Final

from runtime.settings.keys import (
    Key,
    read_hosts,
    read_optional,
    read_optional_number,
    read_text,
    read_token,
    read_url,
    read_whole,
    read_yes,
)

# A default of None means that the setting is required.
KEYS: Final[tuple[Key, ...]] = (
    Key(
        "public_url",
        "VFC_PUBLIC_URL",
        read_url("https", "http"),
        "the address the telephone provider reaches, such as https://calls.example.com",
    ),
    Key("listen.host", "VFC_HOST", read_text, "the address to listen on", "127.0.0.1"),
    Key("listen.port", "VFC_PORT", read_whole(0, 65535), "the port to listen on", 8080),
    Key(
        "model.base_url",
        "OPENAI_BASE_URL",
        read_url("https", "http", "wss", "ws"),
        "where the speech model answers",
        "https://api.openai.com/v1",
    ),
    Key(
        "model.api_key",
        "OPENAI_API_KEY",
        read_text,
        "your key for the speech model; a `vfc stand-in` takes any",
        secret=True,
    ),
    Key("model.name", "VFC_MODEL", read_text, "the speech model", "gpt-realtime-2.1"),
    Key(
        "model.transcription",
        "VFC_TRANSCRIPTION_MODEL",
        read_text,
        "the model that writes down what callers say",
        "gpt-transcribe",
    ),
    Key(
        "model.voice",
        "VFC_VOICE",
        read_optional,
        "a voice for all flows, instead of the one each flow names",
        "",
    ),
    Key(
        "model.speech",
        "VFC_SPEECH_MODEL",
        read_text,
        "the model that speaks exact words beforehand",
        "gpt-4o-mini-tts",
    ),
    Key("telephony.provider", "VFC_PROVIDER", read_text, "the telephone provider", "twilio"),
    Key(
        "telephony.audio",
        "VFC_AUDIO",
        read_optional,
        "what the line carries, `audio/pcmu` or `audio/pcm`, where the provider offers both",
        "",
    ),
    Key(
        "telephony.auth_token",
        "TWILIO_AUTH_TOKEN",
        read_text,
        "the secret your provider signs its requests with (Twilio: the auth token)",
        secret=True,
    ),
    Key(
        "telephony.previous_auth_token",
        "TWILIO_PREVIOUS_AUTH_TOKEN",
        read_optional,
        "the token before this one, while you rotate it",
        "",
        secret=True,
    ),
    Key(
        "telephony.account", "TWILIO_ACCOUNT_SID", read_optional, "the one account whose calls are taken", ""
    ),
    Key(
        "telephony.fallback_number",
        "VFC_FALLBACK_NUMBER",
        read_optional_number,
        "a person to ring when we fail",
        "",
    ),
    Key(
        "telephony.insecure",
        "VFC_INSECURE",
        read_yes,
        "true takes unsigned requests, on loopback only",
        False,
    ),
    Key(
        "limits.calls",
        "VFC_MAX_CALLS",
        read_whole(1, 10_000),
        "how many calls one process carries at once",
        25,
    ),
    Key(
        "limits.start_ms",
        None,
        read_whole(1, 60_000),
        "how long a media stream may take to say which call it is",
        5000,
    ),
    Key(
        "limits.drain_ms",
        "VFC_DRAIN_MS",
        read_whole(0, 3_600_000),
        "how long live calls may go on after SIGTERM",
        300_000,
    ),
    Key(
        "store.url",
        "VFC_STORE_URL",
        read_optional,
        "a PostgreSQL address such as postgresql://vfc@db.example.com/vfc; otherwise a file in `records`",
        "",
        secret=True,
    ),
    Key(
        "desk.token",
        "VFC_DESK_TOKEN",
        read_token,
        "a secret of at least 16 characters that human agents enter at `/desk`; without it there is no desk",
        "",
        secret=True,
    ),
    Key(
        "outbound.hosts",
        "VFC_OUTBOUND_HOSTS",
        read_hosts,
        "the hosts that facts, actions and handoffs may ask; empty: those the settings name",
        (),
    ),
    Key(
        "outbound.private_hosts",
        "VFC_PRIVATE_HOSTS",
        read_hosts,
        "hosts of your own network or machine that may be asked, also without TLS",
        (),
    ),
    Key(
        "rollout.human_number",
        "VFC_HUMAN_NUMBER",
        read_optional_number,
        "the human line, for callers outside the assistant's share of a rollout",
        "",
    ),
    Key(
        "rollout.check_ms",
        None,
        read_whole(10, 3_600_000),
        "how often a server reads its rollouts and looks at the guards",
        10_000,
    ),
    Key(
        "rollout.session_success_percent",
        None,
        read_whole(0, 100),
        "a rollout goes back when fewer calls end as meant",
        97,
    ),
    Key(
        "rollout.latency_p95_ms",
        None,
        read_whole(1, 60_000),
        "a rollout holds when model and bridge take longer in more than 5 of 100 answers",
        2000,
    ),
    Key(
        "rollout.negative_percent",
        None,
        read_whole(0, 100),
        "a rollout goes back when more callers are displeased at the end",
        15,
    ),
    Key(
        "rollout.handoff_rise_percent",
        None,
        read_whole(0, 100),
        "a rollout holds when the share of calls that go to people rises by more points",
        10,
    ),
    Key("keep_sound", "VFC_KEEP_SOUND", read_yes, "true keeps each call's sound beside its record", False),
    Key("records", "VFC_RECORDS", read_text, "the folder of the call records", "records"),
)
# What a setting is called in the environment when another provider than Twilio carries the calls.
PROVIDER_VARIABLES: Final = {
    "signalwire": {
        "telephony.auth_token": "SIGNALWIRE_SIGNING_KEY",
        "telephony.previous_auth_token": "SIGNALWIRE_PREVIOUS_SIGNING_KEY",
        "telephony.account": "SIGNALWIRE_PROJECT_ID",
    },
    "vonage": {
        "telephony.auth_token": "VONAGE_SIGNATURE_SECRET",
        "telephony.previous_auth_token": "VONAGE_PREVIOUS_SIGNATURE_SECRET",
        "telephony.account": "VONAGE_APPLICATION_ID",
    },
}
NAMED: Final = ("numbers", "facts", "actions", "handoffs")
