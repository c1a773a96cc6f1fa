"""What happened: one event for everything that a program or an operator may ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """Something happened. Handed to `on_event`.

    Attributes:
        name: What; the names are listed in the documentation.
        at: When, UTC.
        details: The facts, by name. No secrets.
    """

    name: str
    at: datetime
    details: Mapping[str, Any]
