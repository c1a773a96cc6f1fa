"""Shows every option with its default in `help()`, editors and notebooks.

The functions that take options are typed with `**keywords: Unpack[AllOptions]`. Type
checkers understand that, but `help()` would show no single name. A `__signature__`
lists what may be given; nothing reads it when the function is called.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from ws_common.options.options import (
    CommonOptions,
    JsOptions,
    VmOptions,
    WebSocketOptions,
    get_default_options,
)
from ws_common.options.platform import current


def publish_signatures(*functions: Callable[..., Any]) -> None:
    """Show the options of this platform in the signatures of functions.

    Call it once the platform is bound, since defaults depend on it.

    Args:
        functions: Those that take `**keywords`, besides those of `WebSocketOptions`.
    """
    of_platform = VmOptions if current().name == "vm" else JsOptions
    for function in functions:
        publish_options(function, of_platform)
    for method, keywords in (
        (WebSocketOptions.__init__, CommonOptions),
        (WebSocketOptions.common, CommonOptions),
        (WebSocketOptions.vm, VmOptions),
        (WebSocketOptions.js, JsOptions),
    ):
        publish_options(method, keywords)


def publish_options(function: Callable[..., Any], keywords: Any) -> None:
    """Replace `**keywords` in the signature of a function by the single options.

    Args:
        function: A function or a class. It is changed.
        keywords: The `TypedDict` of its keywords.
    """
    defaults = get_default_options()
    options = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            # The one keyword that is no attribute, as it is short for another.
            default=False if name == "reconnect" else getattr(defaults, name),
        )
        # Without the types: some are so long that the names would drown in them.
        for name in keywords.__annotations__
    ]
    given = signature(function)
    named = [one for one in given.parameters.values() if one.kind != one.VAR_KEYWORD]
    # A bound method refuses attributes; its function, which is shown, takes them.
    target: Any = getattr(function, "__func__", function)
    if target is not function:
        first = Parameter("cls", Parameter.POSITIONAL_OR_KEYWORD)
        named = [first, *named]
    target.__signature__ = given.replace(parameters=[*named, *options])
