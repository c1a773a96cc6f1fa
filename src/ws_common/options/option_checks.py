"""How each option is checked, and in which form it is kept."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast, get_args

from ws_common.options.backoff import ConnectionRetryInterval
from ws_common.options.compression import CompressionOptions
from ws_common.options.heartbeat import Heartbeat
from ws_common.options.interceptors import WSInterceptor
from ws_common.options.json_codec import Json
from ws_common.options.outbox import Outbox
from ws_common.options.platform import Overflow
from ws_common.vocabulary.checks import Check, must_be
from ws_common.vocabulary.durations import Seconds, to_optional_seconds, to_seconds
from ws_common.vocabulary.headers import TOKEN, check_headers, check_value
from ws_common.vocabulary.urls import find_fault, is_host, with_password

_LAST_PORT = 65_535
_PROXIES = ("http", "https", "socks5h", "socks5", "socks4a", "socks4")


def _optional(kind: type) -> Check:
    return must_be(
        f"{kind.__name__}, or None",
        lambda value: value is None or isinstance(value, kind),
        TypeError,
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_tls_context(value: Any) -> bool:
    # By name: `ssl` is not imported here, and not in every browser.
    return "SSLContext" in {kind.__name__ for kind in type(value).__mro__}


_flag = must_be("True or False", lambda value: isinstance(value, bool), TypeError)
_function = must_be(
    "callable, or None", lambda value: value is None or callable(value), TypeError
)
_optional_count = must_be(
    "an integer above 0", lambda value: value is None or _is_count(value)
)
_text = _optional(str)


def _retry_interval(name: str, value: Any) -> ConnectionRetryInterval | None:
    if value is None or isinstance(value, ConnectionRetryInterval):
        return value
    if isinstance(value, tuple):
        ends = cast("tuple[Seconds, ...]", value)
        if len(ends) == 2:  # noqa: PLR2004 - (min, max)
            return ConnectionRetryInterval(*ends)
    raise TypeError(
        f"{name} must be a ConnectionRetryInterval, (min, max) or None, not {value!r}"
    )


def _protocols(name: str, value: Any) -> tuple[str, ...]:
    protocols = _tuple(name, value)
    for protocol in protocols:
        if not isinstance(protocol, str) or not TOKEN.fullmatch(protocol):
            raise ValueError(
                f"{name}: {protocol!r} is not a token (RFC 6455 section 4.1)"
            )
    if len(set(protocols)) != len(protocols):
        raise ValueError(f"{name} must not name a subprotocol twice: {protocols!r}")
    return protocols


def _interceptors(name: str, value: Any) -> tuple[WSInterceptor, ...]:
    interceptors = _tuple(name, value)
    for one in interceptors:
        if not isinstance(one, WSInterceptor):
            raise TypeError(f"{name} must hold WSInterceptor objects, not {one!r}")
    return interceptors


def _tuple(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list or tuple, not {value!r}")
    return tuple(cast("Iterable[object]", value))


def _outbox(name: str, value: Any) -> Outbox:
    return _optional(Outbox)(name, value) or Outbox(max_messages=0)


def _headers(_name: str, value: Any) -> Any:
    return value if value is None or callable(value) else check_headers(value)


def _name(name: str, value: Any) -> str | None:
    if _text(name, value) is None or (value and value.isprintable()):
        return value  # type: ignore[no-any-return]
    raise ValueError(f"{name} must be a word or two for the log, not {value!r}")


def _hooks(name: str, value: Any) -> Any:
    """One function, None, or a tuple of functions."""
    if value is None or callable(value):
        return value
    if isinstance(value, list | tuple):
        hooks = tuple(cast("Iterable[Any]", value))
        if hooks and all(callable(one) for one in hooks):
            return hooks
    raise TypeError(
        f"{name} must be a function, a list of functions, or None, not {value!r}"
    )


def _header_value(name: str, value: Any) -> str | None:
    return None if value is None else check_value(name, value)


def _compression(name: str, value: Any) -> CompressionOptions:
    if isinstance(value, CompressionOptions):
        return value
    return CompressionOptions(enabled=_flag(name, value))


def _host(name: str, value: Any) -> str | None:
    # asyncio takes an empty name to mean that no name is checked.
    if not _text(name, value) or is_host(value):
        return value  # type: ignore[no-any-return]
    raise ValueError(f"{name} must be the name or the address of a host, not {value!r}")


def _path(name: str, value: Any) -> str | None:
    # On Linux, a leading NUL means a socket without a file.
    if _text(name, value) is None or (value and "\0" not in value[1:]):
        return value  # type: ignore[no-any-return]
    raise ValueError(f"{name} must be the path of a Unix socket, not {value!r}")


def _local_addr(name: str, value: Any) -> tuple[str, int] | None:
    match value:
        case None:
            return None
        case (str(host), int(port)) if is_host(host) and 0 <= port <= _LAST_PORT:
            return host, port
        case _:
            raise ValueError(
                f"{name} must be (host, port), the port from 0 (any) to {_LAST_PORT}, "
                f"or None, not {value!r}"
            )


def _proxy(name: str, value: Any) -> str | bool | None:
    if value is None or isinstance(value, bool):
        return value
    # The value is not shown: it may contain a password.
    wanted = f"{name} must be a URL such as http://host:8080, True or None"
    if not isinstance(value, str):
        raise TypeError(f"{wanted}, not {type(value).__name__}")
    fault = find_fault(value, _PROXIES)
    if not fault and not re.fullmatch(r"[^/]+//[^/?#]+/?", value):
        fault = "ends with its host and port: it has no path, query or fragment"
    if fault:
        raise ValueError(f"{wanted}: a proxy's URL {fault}")
    return with_password(value)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "after_connect": _function,
        "close_timeout": lambda name, value: to_seconds(value, name),
        "compression": _compression,
        "connection_retry_interval": _retry_interval,
        "custom_client": _function,
        "diagnose": _flag,
        "headers": _headers,
        "heartbeat": _optional(Heartbeat),
        "interceptors": _interceptors,
        "json": _optional(Json),
        "local_addr": _local_addr,
        "max_size": _optional_count,
        "name": _name,
        "on_event": _hooks,
        "origin": _header_value,
        "outbox": _outbox,
        "protocols": _protocols,
        "proxy": _proxy,
        "server_hostname": _host,
        "ssl": must_be(
            "an ssl.SSLContext, or None",
            lambda value: value is None or _is_tls_context(value),
            TypeError,
        ),
        "stream_capacity": _optional_count,
        "stream_overflow": must_be(
            f"one of {get_args(Overflow)}", lambda value: value in get_args(Overflow)
        ),
        "timeout": lambda name, value: to_optional_seconds(value, name),
        "unix_path": _path,
        "use_blob_for_binary": _flag,
        "user_agent": _header_value,
        "write_limit": must_be("an integer above 0", _is_count),
    }
)
"""Option by option."""
