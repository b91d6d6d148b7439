"""When memory runs out, the kernel ends an agent and not us: who is started by us is offered to it first.

Linux alone can be told. Anybody may raise the number of a process, which what it starts inherits. The runner process
imports this file by itself, so it imports next to nothing.
"""

import os

# Of 1000, which is all memory: what is started counts as if it used half of it more than it does.
PREFERENCE = 500
_MOST = 1000


def offer_first(process: str) -> None:
    """Have the kernel end a process, and what it will start, before us.

    Args:
        process: Its process id, or ``self``.
    """
    try:
        descriptor = os.open(f"/proc/{process}/oom_score_adj", os.O_RDWR)
    except OSError:
        return  # it has ended, or this is no Linux
    try:
        now = int(os.read(descriptor, 16))
        os.pwrite(descriptor, b"%d" % min(now + PREFERENCE, _MOST), 0)
    except OSError:
        pass  # without it all goes on as well
    finally:
        os.close(descriptor)


def limit(size: int) -> None:
    """Limit what this process, and each that it starts, may write to: memory of its own, not files or libraries.

    Args:
        size: Bytes.
    """
    import resource  # in the copy that becomes the program alone, so that the runner process stays small

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    size = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
