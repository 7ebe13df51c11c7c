"""The table of settings: each one's environment name, type, default and meaning, and the one place that reads them.

Everything that can be configured is a row here; the other files of this package only turn rows into Django's names.
Knows nothing of Django, so that the supervisor and the tests can read it alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from models_service.sealed.errors import BadKey
from models_service.sealed.keys import keyring

PROJECT = Path(__file__).resolve().parents[2]
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")

Kind = Literal["text", "integer", "switch", "list", "folder", "choice"]


class SettingError(Exception):
    """A setting has a value that cannot be used; the sentence says which and what to write instead."""


@dataclass(frozen=True)
class Setting:
    name: str
    kind: Kind
    default: str
    help: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


TABLE: tuple[Setting, ...] = (
    Setting("WENDA_DATA_DIR", "folder", str(PROJECT / "var"),
            "where the database, documents, indexes, models and logs are kept"),
    Setting("WENDA_HOST", "text", "127.0.0.1", "the address that the web server listens on"),
    Setting("WENDA_PORT", "integer", "8000", "the port that the web server listens on", least=1, most=65535),
    Setting("WENDA_DEBUG", "switch", "off", "show error pages with source code; never on a shared machine"),
    Setting("WENDA_SECRET_KEY", "text", "", "signs sessions; made once and kept in the data folder when empty"),
    Setting("WENDA_ENCRYPTION_KEY", "text", "",
            "32 random bytes in base64 that uploaded files are encrypted with; of several, with commas, the first "
            "writes and all read; not encrypted when empty"),
    Setting("WENDA_ENCRYPTION_KEY_FILE", "text", "", "a file that holds the keys instead"),
    Setting("WENDA_ALLOWED_HOSTS", "list", "",
            "host names that the site answers to, with commas; the listening host and localhost when empty"),
    Setting("WENDA_TRUSTED_ORIGINS", "list", "",
            "origins such as https://wenda.example.org that a proxy serves the site under"),
    Setting("WENDA_HTTPS", "switch", "off", "the site is reached over HTTPS: secure cookies and HSTS"),
    Setting("WENDA_GUESTS", "choice", "auto",
            "may people chat without an account; auto: when the server listens on loopback only",
            choices=("auto", "on", "off")),
    Setting("WENDA_SIGN_UP", "choice", "auto",
            "may people make an account themselves; auto: when the server listens on loopback only",
            choices=("auto", "on", "off")),
    Setting("WENDA_UPLOAD_MB", "integer", "50", "the largest file that may be uploaded, in MB", least=1, most=200),
    Setting("WENDA_RECOGNISE_PAGES", "integer", "100",
            "pages of one document that are pictures and are read by text recognition; 0: none", least=0, most=2000),
    Setting("WENDA_FETCH", "switch", "on", "people may add documents by their web address"),
    Setting("WENDA_FETCH_PORTS", "list", "80,443", "the ports that such addresses may name, with commas"),
    Setting("WENDA_FETCH_PRIVATE_HOSTS", "list", "",
            "host names or IP addresses in a private network that may be fetched from nevertheless, with commas"),
    Setting("WENDA_PROXIES", "list", "127.0.0.1,::1",
            "addresses of the proxies in front of the site, which are believed about where a request comes from"),
    Setting("WENDA_EMAIL_URL", "text", "",
            "smtp://user:password@host:587 (STARTTLS) or smtps://… (TLS): the server that mails links for new "
            "passwords; none are mailed when empty"),
    Setting("WENDA_EMAIL_FROM", "text", "wenda@localhost", "the address that such mails come from"),
    Setting("WENDA_MASK_PERSONAL_DATA", "switch", "off",
            "mask mail addresses, telephone and card numbers in logs and in data sets made of corrected answers"),
    Setting("WENDA_KEEP_CONVERSATION_DAYS", "integer", "0",
            "days after its last question that a conversation is deleted; 0: never", least=0, most=36500),
    Setting("WENDA_KEEP_UPLOAD_DAYS", "integer", "0",
            "days after which documents and other uploads of people are deleted; 0: never", least=0, most=36500),
    Setting("WENDA_AUDIT_DAYS", "integer", "365", "how many days the audit log is kept; 0: for ever",
            least=0, most=36500),
    Setting("WENDA_REQUESTS_PER_MINUTE", "integer", "300", "requests that one person may make in a minute",
            least=1, most=1_000_000),
    Setting("WENDA_TOKENS_PER_DAY", "integer", "5000000", "tokens that one person may have read and written in a day",
            least=1, most=1_000_000_000),
    Setting("WENDA_AT_ONCE", "integer", "8",
            "answers, summaries and translations that one person may have under way at once", least=1, most=1_000),
    Setting("WENDA_JOBS_PER_DAY", "integer", "2000",
            "jobs that one person may start in a day: documents and files handed in, fine-tunes, evaluations",
            least=1, most=1_000_000),
    Setting("WENDA_LANGUAGE", "choice", "en", "the interface's language where a browser asks for none",
            choices=("en", "zh-hans")),
    Setting("WENDA_TIME_ZONE", "text", "UTC", "the time zone that pages show times in"),
    Setting("WENDA_LOG_LEVEL", "choice", "INFO", "how much is logged", choices=("DEBUG", "INFO", "WARNING", "ERROR")),
    Setting("WENDA_LOG_FORMAT", "choice", "auto",
            "json: each line of the log an object; line: for people; auto: json unless a terminal shows it",
            choices=("auto", "json", "line")),
    Setting("DATABASE_URL", "text", "",
            "postgresql://user:password@host:port/name; SQLite in the data folder when empty"),
    Setting("REDIS_URL", "text", "", "redis://host:port/0 or unix:///path; the embedded Redis when empty"),
    Setting("MODELS_SERVICE_URLS", "list", "",
            "ws:// addresses of model services, with commas; the one that `manage.py up` starts when empty"),
    Setting("WENDA_PROMOTE_MARGIN", "integer", "1",
            "points of F1, BLEU and the like by which a model that is promoted may be worse, with 95 % certainty",
            least=0, most=100),
    Setting("WENDA_MODEL_FORMS", "text", "",
            "NAME=FORM, with commas: an encoder or reader in float32, bfloat16 or int8; in the fastest when empty"),
    Setting("WENDA_GENERATOR", "text", "",
            "the text generator that writes the answers: a registered model's name or a folder; when empty one that "
            "was promoted, if any"),
    Setting("WENDA_GENERATOR_DTYPE", "choice", "auto", "the number format that such a generator computes in; "
            "int8 and nf4, 8 and 4 bits, need bitsandbytes",
            choices=("auto", "float32", "bfloat16", "float16", "int8", "nf4")),
    Setting("WENDA_GENERATOR_URL", "text", "",
            "base address of an OpenAI-compatible server that writes the answers instead"),
    Setting("WENDA_GENERATOR_MODEL", "text", "", "the name of the model on that server"),
    Setting("WENDA_GENERATOR_KEY", "text", "", "the key that the server asks for, if it does"),
)
BY_NAME = {setting.name: setting for setting in TABLE}
_SWITCHES = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def read(name: str, environment: Mapping[str, str] | None = None) -> Any:
    """The value of a setting, as its type; SettingError when it cannot be used.

    An empty environment variable counts as unset.
    """
    setting = BY_NAME[name]
    text = (environment if environment is not None else os.environ).get(name, "").strip() or setting.default
    if setting.kind == "integer":
        return _integer(setting, text)
    if setting.kind == "switch":
        if text.lower() not in _SWITCHES:
            raise SettingError(f"{name} is {text!r}; write on or off.")
        return _SWITCHES[text.lower()]
    if setting.kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if setting.kind == "folder":
        return Path(text).expanduser().resolve()
    if setting.kind == "choice":
        found = [choice for choice in setting.choices if choice.lower() == text.lower()]
        if not found:
            raise SettingError(f"{name} is {text!r}; write one of: {', '.join(setting.choices)}.")
        return found[0]
    return text


def _integer(setting: Setting, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise SettingError(f"{setting.name} is {text!r}; write a whole number.") from None
    if (setting.least is not None and number < setting.least) or (setting.most is not None and number > setting.most):
        raise SettingError(f"{setting.name} is {number}; write a number from {setting.least} to {setting.most}.")
    return number


def check_all(environment: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each setting that cannot be used, and for each WENDA_ name that does not exist."""
    environment = environment if environment is not None else os.environ
    problems = []
    for setting in TABLE:
        try:
            read(setting.name, environment)
        except SettingError as error:
            problems.append(str(error))
    problems += [*_generator_problems(environment), *_mail_problems(environment), *_key_problems(environment),
                 *_fetch_problems(environment)]
    for name in sorted(environment):
        if name.startswith("WENDA_") and name not in BY_NAME:
            problems.append(f"{name} is not a setting; the settings are: {', '.join(sorted(BY_NAME))}.")
    return problems


def answers_to_any_name(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the site takes whatever name a browser asks for: "any address" is none that it could ask for."""
    names = read("WENDA_ALLOWED_HOSTS", environment)
    return "*" in names if names else read("WENDA_HOST", environment) in ("0.0.0.0", "::")


def _mail_problems(environment: Mapping[str, str]) -> list[str]:
    if not read("WENDA_EMAIL_URL", environment) or not answers_to_any_name(environment):
        return []
    return ["WENDA_ALLOWED_HOSTS must name the site where WENDA_EMAIL_URL is set: the links that are mailed begin "
            "with the name that was asked for, which anyone could choose."]


def _key_problems(environment: Mapping[str, str]) -> list[str]:
    try:
        keyring(environment)
    except BadKey as problem:
        return [str(problem)]
    return []


def _fetch_problems(environment: Mapping[str, str]) -> list[str]:
    problems = [f"WENDA_FETCH_PORTS names {port!r}; write numbers from 1 to 65535, with commas."
                for port in read("WENDA_FETCH_PORTS", environment)
                if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)]
    return problems + [f"WENDA_FETCH_PRIVATE_HOSTS names {host!r}; write a host alone, without scheme, port or path."
                       for host in read("WENDA_FETCH_PRIVATE_HOSTS", environment) if set(host) & set("/@*")]


def has_generator(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the settings name a text generator; without, one that was promoted in the registry still writes."""
    return bool(read("WENDA_GENERATOR_URL", environment) or read("WENDA_GENERATOR", environment))


def _generator_problems(environment: Mapping[str, str]) -> list[str]:
    url, model, key = (read(f"WENDA_GENERATOR_{name}", environment) for name in ("URL", "MODEL", "KEY"))
    own = read("WENDA_GENERATOR", environment)
    if own and url:
        return ["WENDA_GENERATOR and WENDA_GENERATOR_URL are both set; one generator writes: empty one of them."]
    if "/" in own and not Path(own).is_dir():
        return [f"WENDA_GENERATOR is {own}, which is no folder; write a folder or a registered model's name."]
    if not url:
        return [] if not (model or key) else ["WENDA_GENERATOR_URL is empty; write the address of the server, too."]
    problems = []
    if not _is_web_address(url):
        problems.append("WENDA_GENERATOR_URL is no address; write one such as http://127.0.0.1:8001/v1 and put a key "
                        "into WENDA_GENERATOR_KEY.")
    if not model:
        problems.append("WENDA_GENERATOR_MODEL is empty; write the name of the model on that server.")
    if not key.isascii() or any(character.isspace() for character in key):
        problems.append("WENDA_GENERATOR_KEY holds characters that no key has; write it without spaces.")
    return problems


def _is_web_address(url: str) -> bool:
    """With a host, and with no name or password in it."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


def listens_on_loopback_only(environment: Mapping[str, str] | None = None) -> bool:
    """Whether only this machine can reach the web server."""
    return read("WENDA_HOST", environment) in LOOPBACK_HOSTS


def open_to_all(name: str, environment: Mapping[str, str] | None = None) -> bool:
    """The meaning of an auto/on/off setting: auto opens it when only this machine can reach the server."""
    value = read(name, environment)
    return listens_on_loopback_only(environment) if value == "auto" else value == "on"
