"""The check of each option, which also converts its value to its stored form."""

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
from ws_common.vocabulary.urls import add_empty_password, find_url_error, is_host

_MAX_PORT = 65_535
_PROXY_SCHEMES = ("http", "https", "socks5h", "socks5", "socks4a", "socks4")


def _check_optional_kind(kind: type) -> Check:
    return must_be(
        f"{kind.__name__}, or None",
        lambda value: value is None or isinstance(value, kind),
        TypeError,
    )


def _is_count(value: Any) -> bool:
    # `type()` and not `isinstance()`, because True is an `int`.
    return type(value) is int and value > 0


def _is_tls_context(value: Any) -> bool:
    # By name, because `ssl` does not exist in every Pyodide. A subclass is valid too.
    return "SSLContext" in {kind.__name__ for kind in type(value).__mro__}


_check_flag = must_be("True or False", lambda value: isinstance(value, bool), TypeError)
_check_function = must_be(
    "callable, or None", lambda value: value is None or callable(value), TypeError
)
_check_optional_count = must_be(
    "an integer above 0", lambda value: value is None or _is_count(value)
)
_check_text = _check_optional_kind(str)


def _check_retry_interval(name: str, value: Any) -> ConnectionRetryInterval | None:
    if value is None or isinstance(value, ConnectionRetryInterval):
        return value
    if isinstance(value, tuple):
        ends = cast("tuple[Seconds, ...]", value)
        if len(ends) == 2:  # noqa: PLR2004 - (min, max)
            return ConnectionRetryInterval(*ends)
    raise TypeError(
        f"{name} must be a ConnectionRetryInterval, (min, max) or None, not {value!r}"
    )


def _check_protocols(name: str, value: Any) -> tuple[str, ...]:
    protocols = _to_tuple(name, value)
    for protocol in protocols:
        if not isinstance(protocol, str) or not TOKEN.fullmatch(protocol):
            raise ValueError(
                f"{name}: {protocol!r} is not a token (RFC 6455 section 4.1)"
            )
    # RFC 6455 section 4.1: the values must be unique. A browser raises a SyntaxError.
    if len(set(protocols)) != len(protocols):
        raise ValueError(f"{name} must not name a subprotocol twice: {protocols!r}")
    return protocols


def _check_interceptors(name: str, value: Any) -> tuple[WSInterceptor, ...]:
    interceptors = _to_tuple(name, value)
    for one in interceptors:
        if not isinstance(one, WSInterceptor):
            raise TypeError(f"{name} must hold WSInterceptor objects, not {one!r}")
    return interceptors


def _to_tuple(name: str, value: Any) -> tuple[Any, ...]:
    # A string is iterable too: "chat" would become four subprotocols.
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list or tuple, not {value!r}")
    return tuple(cast("Iterable[object]", value))


def _check_outbox(name: str, value: Any) -> Outbox:
    # An outbox of no messages instead of None, so that its users need not distinguish.
    return _check_optional_kind(Outbox)(name, value) or Outbox(max_messages=0)


def _check_headers(_name: str, value: Any) -> Any:
    # What a provider returns is checked before each attempt, when it is called.
    return value if value is None or callable(value) else check_headers(value)


def _check_name(name: str, value: Any) -> str | None:
    if _check_text(name, value) is None or (value and value.isprintable()):
        return value  # type: ignore[no-any-return]
    raise ValueError(f"{name} must be a word or two for the log, not {value!r}")


def _check_hooks(name: str, value: Any) -> Any:
    """Return one function, None, or a tuple of functions."""
    if value is None or callable(value):
        return value
    if isinstance(value, list | tuple):
        hooks = tuple(cast("Iterable[Any]", value))
        if hooks and all(callable(one) for one in hooks):
            return hooks
    raise TypeError(
        f"{name} must be a function, a list of functions, or None, not {value!r}"
    )


def _check_header_value(name: str, value: Any) -> str | None:
    return None if value is None else check_value(name, value)


def _check_compression(name: str, value: Any) -> CompressionOptions:
    if isinstance(value, CompressionOptions):
        return value
    return CompressionOptions(enabled=_check_flag(name, value))


def _check_host(name: str, value: Any) -> str | None:
    # An empty name is valid: for asyncio it means that no name is checked.
    if not _check_text(name, value) or is_host(value):
        return value  # type: ignore[no-any-return]
    raise ValueError(f"{name} must be the name or the address of a host, not {value!r}")


def _check_path(name: str, value: Any) -> str | None:
    # On Linux a leading NUL character means an abstract socket, which has no file.
    if _check_text(name, value) is None or (value and "\0" not in value[1:]):
        return value  # type: ignore[no-any-return]
    raise ValueError(f"{name} must be the path of a Unix socket, not {value!r}")


def _check_local_addr(name: str, value: Any) -> tuple[str, int] | None:
    match value:
        case None:
            return None
        # Port 0 lets the system choose. An IPv6 address with a scope passes
        # `is_host()`.
        case (str(host), int(port)) if is_host(host) and 0 <= port <= _MAX_PORT:
            return host, port
        case _:
            raise ValueError(
                f"{name} must be (host, port), the port from 0 (any) to {_MAX_PORT}, "
                f"or None, not {value!r}"
            )


def _check_proxy(name: str, value: Any) -> str | bool | None:
    if value is None or isinstance(value, bool):
        return value
    # The message does not show the value, because it may contain a password.
    requirement = f"{name} must be a URL such as http://host:8080, True or None"
    if not isinstance(value, str):
        raise TypeError(f"{requirement}, not {type(value).__name__}")
    problem = find_url_error(value, _PROXY_SCHEMES)
    if not problem and not re.fullmatch(r"[^/]+//[^/?#]+/?", value):
        problem = (
            "must end with its host and port: it cannot have a path, query or fragment"
        )
    if problem:
        raise ValueError(f"{requirement}: a proxy's URL {problem}")
    return add_empty_password(value)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "after_connect": _check_function,
        "close_timeout": lambda name, value: to_seconds(value, name),
        "compression": _check_compression,
        "connection_retry_interval": _check_retry_interval,
        "custom_client": _check_function,
        "diagnose": _check_flag,
        "headers": _check_headers,
        "heartbeat": _check_optional_kind(Heartbeat),
        "interceptors": _check_interceptors,
        "json": _check_optional_kind(Json),
        "local_addr": _check_local_addr,
        "max_size": _check_optional_count,
        "name": _check_name,
        "on_event": _check_hooks,
        "origin": _check_header_value,
        "outbox": _check_outbox,
        "protocols": _check_protocols,
        "proxy": _check_proxy,
        "server_hostname": _check_host,
        "ssl": must_be(
            "an ssl.SSLContext, or None",
            lambda value: value is None or _is_tls_context(value),
            TypeError,
        ),
        "stream_capacity": _check_optional_count,
        "stream_overflow": must_be(
            f"one of {get_args(Overflow)}", lambda value: value in get_args(Overflow)
        ),
        "timeout": lambda name, value: to_optional_seconds(value, name),
        "unix_path": _check_path,
        "use_blob_for_binary": _check_flag,
        "user_agent": _check_header_value,
        "write_limit": must_be("an integer above 0", _is_count),
    }
)
"""The check of every option, by its name."""
