"""The same six no-op steps in DBOS, a library for durable execution, with its SQLite database.

Run as ``python peer_dbos.py COUNT wide|chain`` in an empty directory; prints the CPU seconds per task. A process of its
own, because DBOS keeps its configuration in globals.
"""

import asyncio
import sys
import time

from dbos import DBOS, DBOSConfig

STEPS = 6

CONFIG: DBOSConfig = {
    "name": "benchmark",
    "system_database_url": "sqlite:///peer.sqlite",
    "log_level": "ERROR",
    "run_admin_server": False,
}
DBOS(config=CONFIG)


@DBOS.step()
async def step(number: int) -> int:
    """Do nothing."""
    return number


@DBOS.workflow()
async def life(number: int) -> int:
    """Go through the steps."""
    for _ in range(STEPS):
        await step(number)
    return number


async def main(count: int, shape: str) -> None:
    """Run the tasks, one after another or all at once."""
    DBOS.launch()
    await life(-1)
    began = time.process_time()
    if shape == "chain":
        for number in range(count):
            await life(number)
    else:
        await asyncio.gather(*(life(number) for number in range(count)))
    print((time.process_time() - began) / count)
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
