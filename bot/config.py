"""Settings from `frontdesk.toml` and the environment. The only reader of the environment.

A value in the environment wins over the file: `FRONTDESK_PORT`, or nested with two underscores
`FRONTDESK_WECHAT__MAIN__APP_ID`;
`…_FILE` names a file that holds the value, for secrets.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import SettingsError
from bot.settings import Settings

PREFIX = "FRONTDESK_"
OURS = ("CONFIG",)
"""Names with the prefix that are not settings."""


def read(environ: Mapping[str, str], *, directory: Path | None = None) -> Settings:
    """The settings of this process. Raises `SettingsError` that names what is wrong and how to mend it."""
    path = Path(environ.get(f"{PREFIX}CONFIG", (directory or Path()) / "frontdesk.toml"))
    values = _merge(_file(path, required=f"{PREFIX}CONFIG" in environ), _environment(environ))
    _check_names(values, Settings, "")
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings: {error}. See docs/settings.md.") from None


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


def _check_names(values: Mapping[str, Any], kind: Any, where: str) -> None:
    """Refuse an unknown key, naming the nearest known one; a mistyped setting would silently be the default."""
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in values.items():
        if key not in known:
            nearest = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {where}{nearest[0]}?" if nearest else ""
            raise SettingsError(f"unknown setting {where}{key}{hint} (docs/settings.md lists them all)")
        _check_inner(value, known[key], f"{where}{key}.")


def _check_inner(value: Any, kind: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        return
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        _check_names(value, kind, where)
    elif getattr(kind, "__origin__", None) is dict:
        for name, inner in value.items():
            _check_inner(inner, kind.__args__[1], f"{where}{name}.")
