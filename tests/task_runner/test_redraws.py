"""What a program prints anew, and what it only draws again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentrelay_core.task_runner.redraws import MOST_SEEN, Screen

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def shown(*parts):
    """For each part of an output whether it shows more; what a part leaves over comes before the next."""
    screen, left, answers = Screen(), b"", []
    for part in parts:
        output = left + part.encode()
        more, taken = screen.shows_more(output)
        left = output[taken:]
        answers.append(more)
    return answers


@pytest.mark.parametrize(
    "parts",
    [
        ["waiting\n", "waiting\n", "waiting\n"],
        ["waiting\r\n", "waiting\r\n"],
        [".", ".", "."],
        ["12:30:01\n", "12:30:02\n"],
        ["\x1b[32mok\x1b[0m\n", "\x1b[32mok\x1b[0m\n"],
    ],
    ids=["equal lines", "of a terminal", "dots", "digits", "colours"],
)
def test_plain_output_is_always_new(parts):
    """Who prints lines, or dots, is at work, even when they are equal; colours are no movement."""
    assert shown(*parts) == [True] * len(parts)


@pytest.mark.fault("A12")
@pytest.mark.parametrize(
    "frame",
    [
        "\r{glyph} Thinking… ({second}s · esc to interrupt)",
        "\x1b[2K\x1b[1G{glyph} Thinking {second}",
        "{glyph} Thinking\n  {second}s, esc to stop\n\x1b[2A",
        "\x1b[?25l{glyph} Thinking\x08\x08\x08",
        "\x1b]0;{glyph} title\x07\r{glyph}",
    ],
)
def test_a_spinner_shows_nothing_new(frame):
    """Frames, and seconds that are counted beside them, are the same text drawn again."""
    frames = [frame.format(glyph=SPINNER[second % 10], second=second) for second in range(60)]
    assert not any(shown(*["".join(frames[start : start + 6]) for start in range(0, 60, 6)])[1:])


@pytest.mark.fault("A12")
def test_a_percentage_that_grows_is_new():
    """A download draws its bar again, and gets on."""
    assert shown(*(f"\r{percent}% [####    ] {percent}s left" for percent in range(4)), "\r")[1:] == [True] * 4
    assert shown(*(f"\r{done}/40 files" for done in range(3)), "\r")[1:] == [True] * 3
    assert shown("\r7% of it", "\r7% of it", "\r7% of it", "\r7% of it")[2:] == [False, False]


def test_new_text_among_redraws_is_new():
    """A terminal program that says something else has got on."""
    assert shown("\r* Thinking\r", "\r/ Thinking\r", "\rReading setup.py\r", "\r* Thinking\r") == [
        True,
        False,
        True,
        False,
    ]


def test_an_unfinished_frame_belongs_to_the_next_part():
    """Wherever a frame is cut in two, the half of it is not taken for new text."""
    frame = "\r| Thinking very hard"
    for cut in range(1, len(frame)):
        assert not any(shown(frame * 3, frame[:cut], frame[cut:] + frame, "\r")[1:]), cut


def test_what_is_not_to_be_seen_is_nothing_new():
    """Titles, colours and blank lines alone are no output."""
    assert shown("\x1b]0;a\x07", "\n\n", "\x1b[31m\x1b[0m") == [False, False, False]


def test_what_is_remembered_has_a_limit():
    """A program that never shows the same twice costs no more memory for it."""
    screen = Screen()
    for number in range(3 * MOST_SEEN):
        name = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        assert screen.shows_more(f"\rstep {name}\r".encode())[0]
    assert len(screen._seen) == MOST_SEEN


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\r", b"\x1b[2A", b"\x1b", b"\n", b"\xe2\xa0"])))
def test_any_bytes_are_taken(parts):
    """Whatever is printed, no more is taken in than there is, and nothing is raised."""
    screen, left = Screen(), b""
    for part in parts:
        output = left + part
        _, taken = screen.shows_more(output)
        assert 0 <= taken <= len(output)
        left = output[taken:]
