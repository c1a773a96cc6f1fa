"""Find old words of this project that standard terms have replaced.

`docs/glossary.md` says what to write instead. This check fails if one of the words
occurs in code, comments, docstrings or docs.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.common import ROOT, print_line, run_main

FOLDERS: Final = ("src", "tests", "tools", "web-demo", "docs")
FILES: Final = ("README.md", "CONTRIBUTING.md", "Makefile")
KINDS: Final = {".py", ".md", ".html", ".js", ".toml"}

ANYWHERE: Final = {
    r"sips?|sipping": "read while paused",
    r"surplus": "delivery after the peer's end",
    r"pulse|heart_?stopped|mercy": "keepalive, keepalive timeout, tolerated late check",
    r"sequel": "after_close",
    r"verdicts?": "retry decision",
    r"obeys?": "apply",
    r"addressed": "URL resolved",
    r"retir(?:e|es|ed|ing)": "close in the background",
    r"step(?:s|ped)? aside|stepped_aside|steppedaside": "replaced",
    r"out of sight": "in the background",
    r"at rest|at_rest": "idle or closed",
    r"for good": "permanently",
    r"way in|way out|inbound|outbound": "receive pipeline, send queue",
    r"hub": "broadcast",
    r"surroundings": "environment",
    r"inhabitants?": "environment listener",
    r"revive[sd]?|seal(?:s|ed)?": "reopen, close for writing",
    r"relieve[sd]?": "resume",
    r"unheard|nowhere": "discarded",
    r"onion": "the chain of interceptors",
    r"hearsay": "status_is_inferred",
    r"doomed": "closing",
    r"pump(?:s|ed|ing)?": "deliver pending",
    r"farewell|deafen(?:s|ed)?": "closing task, stop receiving",
    r"narrat(?:es|ed|e|ion|or)": "log message",
    r"under way": "in progress",
    r"owed": "unconfirmed",
}
"""Patterns of whole words, also inside names, and what to say instead."""

IN_NAMES: Final = {
    r"life": "client_state",
    r"shown": "public_state",
    r"settled?": "stable",
    r"era": "generation",
    r"gate": "send target",
    r"wish": "wait condition",
    r"flow": "receive pipeline",
    r"note|tell|told": "emit, report",
    r"leaving": "closing",
    r"behind": "supervisor",
    r"press|pressed|pressure": "pause, above the watermark",
    r"early": "before the connection is open",
}
"""The same for words that are good English in a sentence, but not in a name."""

PUBLIC: Final = {"add_note", "allSettled", "page_shown"}
"""Names of Python, of JavaScript and of causes that users know."""

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD: Final = re.compile(
    "|".join(rf"(?<![a-z])(?:{pattern})(?![a-z])" for pattern in ANYWHERE)
)
_PART: Final = re.compile("|".join(IN_NAMES))


def _list_files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in KINDS and "node_modules" not in path.parts:
                yield path
    for name in FILES:
        yield ROOT / name


def find_old_words(text: str, *, is_code: bool) -> Iterator[tuple[int, str]]:
    """Find old words in the text of a file.

    Args:
        text: The contents of the file.
        is_code: Whether to look for `IN_NAMES` too.

    Yields:
        The number of a line, and a word that was found in it.
    """
    for number, line in enumerate(text.splitlines(), 1):
        # The line is searched as it is, for phrases such as "at rest", and with its
        # names split into words, so that `close_code` and `CloseCode` count as two
        # words each.
        spaced = _PARTS.sub(lambda part: f" {part[0].lower()}", line)
        found = _WORD.findall(f"{line.lower()}\n{spaced}")
        yield from ((number, word) for word in dict.fromkeys(found))
        if is_code:
            # Comments are prose, in which the words of IN_NAMES are good English.
            code = line.partition("#")[0]
            for name in _NAME.findall(code):
                if name in PUBLIC or name.startswith("test_"):
                    continue
                parts = [part.lower() for part in _PARTS.findall(name)]
                # A name of a single word, such as a local variable `early`, is allowed:
                # it often is the plain English word.
                if len(parts) > 1 and any(map(_PART.fullmatch, parts)):
                    yield number, name


def main() -> int:
    """Print every old word that is found; return 1 if there is one, otherwise 0."""
    # This file and the glossary have to contain the words.
    this = Path(__file__).resolve()
    glossary = ROOT / "docs" / "glossary.md"
    count = 0
    for path in _list_files():
        if path in {this, glossary}:
            continue
        text = path.read_text(encoding="utf-8")
        for number, word in find_old_words(text, is_code=path.suffix == ".py"):
            print_line(
                f"{path.relative_to(ROOT)}:{number}: {word!r}: see docs/glossary.md"
            )
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(run_main(main))
