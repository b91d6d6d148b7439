"""A program with a prompt, as bad as they come: `terminal_program.py <file for what arrived> <trouble> <seconds>`.

Troubles: none; drops (one Enter in three, the first among them); dialog (a question first, which swallows all until
Enter); redraws (for ever); late (takes no input for so many seconds, and loses what was typed by then); deaf (submits
nothing); trust (a question that Claude Code asks, and nobody answers).
"""

import json
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable
from pathlib import Path

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
CLEAR = b"\x15"
QUESTIONS = {"dialog": b"Do you trust this folder?", "trust": b"Do you trust the files in this folder?"}


def main(
    arrived: str,
    trouble: str,
    seconds: float,
    ready: Callable[[], None] = lambda: None,
    submitted: Callable[[], None] = lambda: None,
) -> None:
    """Take lines until one says quit; tell when input is taken, and when a line has arrived."""
    if trouble == "late":
        os.write(1, b"starting\r\n")
        time.sleep(seconds)
    tty.setraw(0, termios.TCSAFLUSH)
    os.write(1, b"\x1b[2J\x1b[H\x1b[?2004h" + (QUESTIONS[trouble] + b"\r\n" if trouble in QUESTIONS else b"> "))
    if trouble != "trust":
        ready()
    asks, enters, written, waiting, frame = trouble in QUESTIONS, 0, b"", b"", 0
    while True:
        if not select.select([0], [], [], 0.02 if trouble == "redraws" else None)[0]:
            frame += 1
            os.write(1, b"\x1b7\x1b[20;1H%c working\x1b8" % b"-\\|/"[frame % 4])
            continue
        waiting += os.read(0, 65536)
        while waiting:
            if waiting.startswith(BEGIN):
                if END not in waiting:
                    break
                pasted, _, waiting = waiting.removeprefix(BEGIN).partition(END)
                if not asks:
                    written += pasted
                    os.write(1, pasted[-60:].replace(b"\n", b"\r\n"))
                continue
            if BEGIN.startswith(waiting):
                break
            key, waiting = waiting[:1], waiting[1:]
            if key == CLEAR:
                written = b""
                os.write(1, b"\r\x1b[2K> ")
            elif key != b"\r":
                written += b"" if asks else key
            elif asks:
                asks = trouble == "trust"
                os.write(1, b"\x1b[2J\x1b[H> ")
            else:
                enters += 1
                if trouble == "deaf" or (trouble == "drops" and enters % 3 == 1) or not written:
                    continue
                with Path(arrived).open("a") as file:
                    file.write(json.dumps(written.decode()) + "\n")
                submitted()
                if written == b"quit":
                    return
                os.write(1, b"\r\n* ok\r\n> ")
                written = b""


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
