"""When a usage limit ends, from what Claude Code says of it: a time of day in a zone, or seconds since the epoch."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_RESETS: Final = re.compile(
    r"resets(?: at)? (?:(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2})(?:,| at)? )?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>am|pm)(?: \((?P<zone>[\w/+-]+)\))?",
)
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# A time of day that is a little past is today's: it passed while the text was on its way to us.
_JUST_PAST: Final = timedelta(minutes=10)
# What is told is cut to a minute, or to an hour; the limit may end at the last moment of that minute.
_WHOLE_MINUTE: Final = timedelta(minutes=1)


def reset_in(text: str, now: float | None = None) -> float | None:
    """Find when a limit ends.

    Args:
        text: What Claude Code said, for example ``You've hit your limit · resets 9:59am (UTC)``.
        now: Seconds since the epoch; default the clock's.

    Returns:
        Seconds since the epoch, at the end of the minute that is told; `None` where the text does not say.
    """
    found = _RESETS.search(text)
    if found is None:
        return None
    try:
        zone = ZoneInfo(found["zone"]) if found["zone"] else datetime.now().astimezone().tzinfo or UTC
        today = datetime.fromtimestamp(time.time() if now is None else now, zone)
        hour = int(found["hour"]) % 12 + (12 if found["half"] == "pm" else 0)
        reset = today.replace(hour=hour, minute=int(found["minute"] or 0), second=0, microsecond=0)
        if found["month"]:
            reset = reset.replace(month=_MONTHS.index(found["month"]) + 1, day=int(found["day"]))
            if reset < today - timedelta(days=180):
                reset = reset.replace(year=reset.year + 1)
        elif reset < today - _JUST_PAST:
            reset += timedelta(days=1)
    except (ValueError, KeyError):  # an hour, a month or a zone that there is not
        return None
    return (reset + _WHOLE_MINUTE).timestamp()
