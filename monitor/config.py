"""The configuration: one TOML file, every key also from the environment, every fault named with its mend.

Order of precedence: environment (``POLLWATCH_DATABASE__URL``), then the file, then the defaults of `sections`.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import tomllib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from monitor import logs
from monitor.calendar import Calendar
from monitor.errors import ConfigError
from monitor.sections import (
    Assess,
    Daemon,
    Database,
    Digest,
    Election,
    Evidence,
    Fetch,
    Files,
    Learn,
    Logs,
    Publish,
    Retention,
    Rhythm,
    Smtp,
    Tips,
    Traces,
    Triage,
    Web,
    Workers,
)

DEFAULT_FILE = "pollwatch.toml"
ENV_PREFIX = "POLLWATCH_"
_HIDDEN = ("password", "token", "secret", "database.url")  # keys whose values no message shows
_SECRETS = (("smtp", "password"), ("web", "token"), ("web", "proxy_secret"))
RECEIVER_PREFIX = f"{ENV_PREFIX}RECEIVER_"  # addresses of receivers, see alerts.receivers


class Settings(BaseSettings):
    """The whole configuration, checked."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    database: Database = Database()
    fetch: Fetch = Fetch()
    election: Election = Election()
    rhythm: Rhythm = Rhythm()
    files: Files = Files()
    assess: Assess = Assess()
    tips: Tips = Tips()
    triage: Triage = Triage()
    evidence: Evidence = Evidence()
    learn: Learn = Learn()
    retention: Retention = Retention()
    digest: Digest = Digest()
    smtp: Smtp = Smtp()
    daemon: Daemon = Daemon()
    workers: Workers = Workers()
    logs: Logs = Logs()
    traces: Traces = Traces()
    web: Web = Web()
    publish: Publish = Publish()
    _folder: Path = PrivateAttr(Path())
    _file: str = PrivateAttr(DEFAULT_FILE)
    _sections: frozenset[str] = PrivateAttr(frozenset())  # that are there, be they empty

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file; nothing else is read."""
        return env_settings, init_settings

    @property
    def file(self) -> str:
        """The configuration file, as messages name it."""
        return self._file

    def path(self, relative: Path) -> Path:
        """A path of the configuration, made absolute; relative ones start at its file."""
        return (self._folder / relative).absolute()

    @property
    def database_url(self) -> str:
        """The database URL; a relative SQLite path starts at the configuration's folder."""
        prefix = "sqlite:///"
        url = self.database.url
        if self.database.password_file is not None:
            return self._with_password(url)
        if not url.startswith(prefix) or url == f"{prefix}:memory:":
            return url
        return prefix + str(self.path(Path(url.removeprefix(prefix))))

    def _with_password(self, url: str) -> str:
        """The address of a server, with the password that its file holds. Raises ConfigError."""
        scheme, _, rest = url.partition("://")
        user, _, place = rest.rpartition("@")
        if not scheme.startswith("postgresql") or not user or ":" in user:
            mend = "is for a url without a password: postgresql://user@host/name"
            raise ConfigError(self._file, "database.password_file", mend)
        password = self._secret("database.password_file", self.database.password_file, SecretStr(""))
        return f"{scheme}://{user}:{quote(password, safe='')}@{place}"

    @property
    def serves_web(self) -> bool:
        """Whether the section `[web]` is there, in the file or in the environment."""
        return "web" in self._sections

    @property
    def has_workers(self) -> bool:
        """Whether workers do what the daemon's clock calls for."""
        return self.workers.engine == "procrastinate"

    @property
    def calendar(self) -> Calendar:
        """The election's dates."""
        zone = ZoneInfo(self.election.timezone)

        def local(moment: datetime | None) -> datetime | None:
            return moment.replace(tzinfo=zone) if moment and moment.tzinfo is None else moment

        return Calendar(
            zone=zone,
            nomination_opens=self.election.nomination_opens,
            nomination_closes=self.election.nomination_closes,
            polling_opens=local(self.election.polling_opens),
            polling_closes=local(self.election.polling_closes),
            count_ends=local(self.election.count_ends),
        )

    @property
    def smtp_password(self) -> str:
        """The SMTP password from the environment or its file; empty when there is none."""
        return self._secret("smtp.password_file", self.smtp.password_file, self.smtp.password)

    @property
    def web_token(self) -> str:
        """What a reader of the pages must know; empty when there is none."""
        return self._secret("web.token_file", self.web.token_file, self.web.token)

    @property
    def web_proxy_secret(self) -> str:
        """What the proxy's header must say; empty when there is none."""
        return self._secret("web.proxy_secret_file", self.web.proxy_secret_file, self.web.proxy_secret)

    def _secret(self, key: str, file: Path | None, given: SecretStr) -> str:
        """What the file under ``key`` holds, else what was given. Raises ConfigError."""
        if file is None:
            logs.hide(given.get_secret_value())
            return given.get_secret_value()
        path = self.path(file)
        try:
            found = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigError(self.file, key, f"cannot read {path}: {why}") from error
        if not found:
            raise ConfigError(self.file, key, f"{path} is empty")
        logs.hide(found)
        return found


class _OfFile(Settings):
    """The configuration of a file alone."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing else is read."""
        return (init_settings,)


def find_file(given: str | None) -> Path | None:
    """The configuration file to use: the one given, else $POLLWATCH_CONFIG, else ./pollwatch.toml if there is one."""
    named = given or os.environ.get(f"{ENV_PREFIX}CONFIG")
    if named:
        return Path(named)
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None


def load(given: str | None) -> Settings:
    """Read and check the configuration. Raises ConfigError naming file, key and mend."""
    path = find_file(given)
    if path is None:
        raise ConfigError(DEFAULT_FILE, "", "no configuration here; run `pollwatch init` or name one with -c FILE")
    return load_file(path)


def load_file(path: Path, *, environment: bool = True) -> Settings:
    """Read and check one configuration file. Raises ConfigError.

    Without ``environment`` no variable reaches it: a drill's folder must never lead to the store of the desk.
    """
    data = read_toml(path)
    for section, key in _SECRETS:
        if isinstance(table := data.get(section), dict) and key in table:
            variable = f"{ENV_PREFIX}{section}__{key}".upper()
            raise ConfigError(
                str(path), f"{section}.{key}", f"secrets do not belong here; use {variable} or {key}_file"
            )
    if environment:
        _check_environment()
    try:
        settings = Settings(**data) if environment else _OfFile(**data)
    except ValidationError as error:
        raise _config_error(str(path), error) from None
    except SettingsError as error:  # a list that is not JSON
        variable = next((name for name in _given() if _not_json(name)), f"{ENV_PREFIX}…")
        raise ConfigError("environment", variable, "not JSON; a list is given as '[\"127.0.0.0/8\"]'") from error
    settings._folder, settings._file = path.parent.absolute(), str(path)
    with contextlib.suppress(ValueError):  # whoever opens it says what is wrong
        logs.hide(urlsplit(settings.database.url).password or "")
    settings._sections = frozenset(data) | settings.model_fields_set
    if settings.has_workers and not settings.database.url.startswith("postgresql"):
        mend = "workers need a store on a server: set database.url to postgresql://user:password@host/name"
        raise ConfigError(str(path), "workers.engine", mend)
    return settings


def _given() -> list[str]:
    """The variables that set a key, as they are spelt."""
    others = {f"{ENV_PREFIX}{name}" for name in ("CONFIG", "LANGUAGE", "REVIEWER", "SHARED")}
    mine = (name for name in os.environ if name.upper().startswith(ENV_PREFIX) and name.upper() not in others)
    return sorted(name for name in mine if not name.upper().startswith(RECEIVER_PREFIX))


def _check_environment() -> None:
    """A misspelt variable must not be ignored: on polling day nobody would notice. Raises ConfigError."""
    known = {
        f"{ENV_PREFIX}{section}__{key}".upper()
        for section, table in Settings.model_fields.items()
        for key in _keys(table.annotation)
    }
    for name in _given():
        if name.upper() not in known:
            raise ConfigError("environment", name, f"no such key{_meant(name.upper(), known)}")


def _keys(table: Any) -> list[str]:
    return list(table.model_fields)


def _not_json(name: str) -> bool:
    section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
    field = Settings.model_fields[section].annotation.model_fields[key]  # type: ignore[union-attr]  # checked before
    try:
        json.loads(os.environ[name])
    except ValueError:
        return "tuple" in str(field.annotation)
    return False


def _all_keys() -> list[str]:
    return [f"{section}.{key}" for section, table in Settings.model_fields.items() for key in _keys(table.annotation)]


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(str(path), "", "no such file; run `pollwatch init` to write one") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from None


def validate(model: type[BaseModel], data: dict[str, Any], file: str) -> Any:
    """``data`` as ``model``. Raises ConfigError naming the first wrong key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _config_error(file, error) from None


def _config_error(file: str, error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    variable = ENV_PREFIX + "__".join(str(part) for part in first["loc"][:2]).upper()
    where = "environment" if variable in {name.upper() for name in os.environ} else file
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"no such key{_meant(key, _all_keys())}"
    elif first["type"] != "value_error" and not key.endswith(_HIDDEN) and key.split(".")[0] != "receiver":
        shown = json.dumps(first.get("input"), default=str, ensure_ascii=False)
        message = f"{message} (found {shown[:80]})"
    return ConfigError(where, variable if where == "environment" else key, message)
