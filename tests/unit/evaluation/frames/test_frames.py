"""A source of frames and what became of them."""

from semseg.evaluation.frames.frames import Frames, Outcome, Unreadable


def test_the_first_frames_read_no_others():
    def produce():
        yield Unreadable("a", "")
        yield Unreadable("b", "")
        raise AssertionError("one too many was read")

    first = Frames(9, produce).first(2)
    assert len(first) == 2 and [each.name for each in first] == ["a", "b"]


def test_an_outcome_names_what_was_skipped():
    outcome = Outcome(2, [Unreadable("b", "cut off")])
    assert str(outcome) == "2 of 3 frames\nskipped b: cut off"
