"""Settings from `frontdesk.toml` and the environment. The only reader of the environment.

A value in the environment wins over the file: `FRONTDESK_PORT`, or nested with two underscores
`FRONTDESK_WECHAT__MAIN__APP_ID`; a list has commas between its values; `…_FILE` names a file that holds the value, for
secrets.
"""

import difflib
import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import SettingsError
from bot.settings import Settings

PREFIX = "FRONTDESK_"
OURS = ("CONFIG",)
"""Names with the prefix that are not settings."""

_SECRET = re.compile(r"secret|token|_key|password|database_url")
_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")
_SEE = "docs/settings.md says what each setting may be"


def read(environ: Mapping[str, str], *, directory: Path | None = None) -> Settings:
    """The settings of this process. Raises `SettingsError` that names what is wrong and how to mend it."""
    path = Path(environ.get(f"{PREFIX}CONFIG", (directory or Path()) / "frontdesk.toml"))
    values = _merge(_file(path, required=f"{PREFIX}CONFIG" in environ), _environment(environ))
    values = _shaped(values, Settings, "")
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{_sentence(error, values)}. {_SEE}.") from None
    _check_folder(settings)
    return settings


def _check_folder(settings: Settings) -> None:
    """A wrong folder would be found only when the service is half started."""
    folder = settings.knowledge_dir
    if folder is not None and not folder.is_dir():
        raise SettingsError(
            f"knowledge_dir is {str(folder)!r}, which is no folder: name one with articles (*.md), or leave it out"
        )


# -- what is wrong, in words ------------------------------------------------------------------------------------------


def _sentence(error: msgspec.ValidationError, values: Mapping[str, Any]) -> str:
    """Setting, value, and what it has to be; never the value of a secret."""
    said = str(error)
    found = _WHERE.search(said)
    if found is None:
        return said
    where, said = found[1], said[: found.start()]
    if "[...]" in where:
        where, said = _account(where, values)
    keys = re.sub(r"\[\d+\]", "", where).split(".")
    value, kind = _value(values, keys), _kind(keys)
    if value is None or isinstance(value, dict):
        return f"setting {where}: {said}"
    shown = "***" if _SECRET.search(keys[-1]) else repr(value)
    return f"setting {'.'.join(keys)} is {shown}; it must be {_words(kind)}"


def _account(where: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """An error in one of several named entries does not say in which: try them one by one, at every depth."""
    said = ""
    while "[...]" in where:
        outer = where.partition("[...]")[0]
        keys = outer.split(".")
        found = _first_wrong(_value(values, keys) or {}, typing.get_args(_kind(keys))[1])
        if found is None:
            return where, said
        name, said = found
        inner = _WHERE.search(said)
        where = f"{outer}.{name}" + (f".{inner[1]}" if inner and inner[1] else "")
        said = said[: inner.start()] if inner else said
    return where, said


def _first_wrong(entries: Mapping[str, Any], kind: Any) -> tuple[str, str] | None:
    """The name of the first entry that is not of this kind, and why."""
    for name, entry in entries.items():
        try:
            msgspec.convert(entry, kind, strict=False)
        except msgspec.ValidationError as error:
            return name, str(error)
    return None


def _value(values: Any, keys: list[str]) -> Any:
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _kind(keys: list[str]) -> Any:
    """The type of a setting."""
    kind: Any = Settings
    for key in keys:
        if typing.get_origin(kind) is dict:
            kind = typing.get_args(kind)[1]
        else:
            kind = next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == key)
    return kind


_PLAIN = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _words(kind: Any) -> str:
    """What a value of this type looks like."""
    meta = next((note for note in getattr(kind, "__metadata__", ()) if isinstance(note, msgspec.Meta)), None)
    if meta is not None and meta.description:
        return meta.description
    inner = [part for part in typing.get_args(kind) if part not in {type(None), ...}]
    if typing.get_origin(kind) is tuple and ... in typing.get_args(kind):
        return f"a list with commas, each {_words(inner[0])}"
    if typing.get_origin(kind) is tuple:
        return f"a list with commas, {len(inner)} times {_words(inner[0])}"
    if typing.get_origin(kind) is typing.Literal:
        return "one of " + ", ".join(inner)
    return _PLAIN.get(kind) or (_words(inner[0]) if inner else "of another kind")


def _decode(kind: type, value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, str):
        return kind(value).expanduser()
    raise msgspec.ValidationError(f"Expected `{kind.__name__}`")


def _file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise SettingsError(f"FRONTDESK_CONFIG names {path}, which does not exist") from None
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name.removeprefix(PREFIX) in OURS:
            continue
        key = name.removeprefix(PREFIX).lower()
        value = environ[name]
        if key.endswith("_file"):
            key, value = key.removesuffix("_file"), _secret(name, value)
        _put(values, key.split("__"), value, name)
    return values


def _secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name} names a file that cannot be read: {error.strerror}") from None


def _put(values: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    *outer, last = keys
    for key in outer:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{name}: {key} is given both as a value and as a group")
        values = inner
    values[last] = value


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
    return base


def _shaped(values: Mapping[str, Any], kind: Any, where: str) -> dict[str, Any]:
    """The values as their types want them written.

    An unknown key is refused, naming the nearest known one: a mistyped setting would silently be the default.
    """
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    shaped = {}
    for key, value in values.items():
        if key not in known:
            nearest = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {where}{nearest[0]}?" if nearest else ""
            raise SettingsError(f"unknown setting {where}{key}{hint} (docs/settings.md lists them all)")
        shaped[key] = _shape(value, known[key], f"{where}{key}.")
    return shaped


def _shape(value: Any, kind: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if isinstance(value, Mapping):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return _shaped(value, kind, where)
        if origin is dict:
            inner = typing.get_args(kind)[1]
            return {name: _shape(one, inner, f"{where}{name}.") for name, one in value.items()}
    if isinstance(value, str) and origin is tuple:
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, str) and origin is typing.Literal:
        return next((word for word in typing.get_args(kind) if word.lower() == value.strip().lower()), value)
    return value
