"""JSON texts of many small values: the encoder's own parts are made once, and not once for each text.

`json.JSONEncoder.encode` makes them anew for every text, which for a small one costs as much as the text itself.
"""

import json
from collections.abc import Callable
from typing import Any


def encoder(default: Callable[[Any], Any], *, sort_keys: bool = False) -> Callable[[Any], str]:
    """Make what gives the compact JSON text of a dictionary or list.

    Args:
        default: Gives what stands for a value that JSON does not know.
        sort_keys: Whether keys are in the order of the alphabet.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # Python without its C parts
        return json.JSONEncoder(default=default, sort_keys=sort_keys, separators=(",", ":")).encode
    parts = make(None, default, json.encoder.encode_basestring_ascii, None, ":", ",", sort_keys, False, True)

    def encode(value: Any) -> str:
        return "".join(parts(value, 0))

    return encode
