"""The bell: no call is lost, and many are one."""

import threading
from collections import deque

from agentrelay_core.journal.bell import Bell


def test_many_rings_are_one_call() -> None:
    """A hundred rings before the answer are answered once, and the next one rings again."""
    bell = Bell()
    for _ in range(100):
        bell.ring()
    assert bell._rings.qsize() == 1
    bell.answer()
    assert bell._rings.empty()
    bell.ring()
    bell.wait()


def test_no_ring_is_lost() -> None:
    """What four threads lay ready and ring for is all taken by a thread that sleeps without end in between."""
    bell, ready, taken = Bell(), deque[int](), list[int]()
    each, ringing = 5_000, 4

    def lay_and_ring() -> None:
        for number in range(each):
            ready.append(number)
            bell.ring()

    def take() -> None:
        while len(taken) < ringing * each:
            if not ready:
                bell.wait()
            bell.answer()
            while ready:
                taken.append(ready.popleft())

    threads = [threading.Thread(target=work, daemon=True) for work in (take, *[lay_and_ring] * ringing)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == ringing * each


def test_a_wait_ends_by_itself() -> None:
    """A sleep with a limit ends though nobody rings."""
    Bell().wait(0.001)
