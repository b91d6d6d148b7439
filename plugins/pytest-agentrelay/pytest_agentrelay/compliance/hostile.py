"""What is hard to hand over, and hard to read: instructions and lines that break whatever is careless with them."""

import random
from typing import Final

_HOSTILE: Final = (
    "first line\n\n\t\"double\" 'single' `back` $HOME $(id) \\n %s {braces} ; semicolon;\r\nÄöü € 語 🧪 \u202e\n"
)
INSTRUCTIONS_SIZE: Final = 64 * 1024


def hostile_instructions() -> bytes:
    """Instructions of 64 KiB with everything that is lost, doubled or run when text is typed instead of handed over."""
    line = _HOSTILE.encode()
    return (line * (INSTRUCTIONS_SIZE // len(line) + 1))[: INSTRUCTIONS_SIZE - 1] + b"\n"


def hostile_lines() -> list[str]:
    """Lines as agents have been seen to print them, and some that nobody has seen yet; the same at every call."""
    chance = random.Random(4)
    noise = [bytes(chance.randrange(256) for _ in range(200)).decode(errors="replace") for _ in range(20)]
    return [
        "",
        " ",
        "\0",
        "\ud800 lone surrogate",
        "\x1b[31mred\x1b[0m \x1b]0;title\x07 \r over",
        "null",
        "true",
        "17",
        '"text"',
        "[]",
        "{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"type": null, "message": {"content": [null, 3, {"type": 7}]}}',
        '{"type": ["list"], "subtype": {}, "result": 1e999, "usage": "no"}',
        '{"type": "result", "is_error": "maybe"}',
        '{"type": "assistant", "message": "not an object"}',
        '{"type": "assistant", "message": {"content": "text"}}',
        f'{{"n": {"9" * 5000}}}',
        '{"half": "an obj',
        "x" * 1_000_000,
        *noise,
    ]
