"""MLLP framing as dialogues: bytes in, events out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge.hl7v2 import Frame, Framer, Oversize, Stray, Torn, frame

A, B = b"MSH|A", b"MSH|B"


def test_frames_are_cut_wherever_packets_end() -> None:
    """One byte at a time gives the same frames as all at once."""
    stream = frame(A) + frame(B)
    framer = Framer()

    bytewise = [event for byte in stream for event in framer.feed(bytes([byte]))]

    assert [Frame(A), Frame(B)] == bytewise == Framer().feed(stream)


def test_blanks_between_frames_are_skipped_and_other_bytes_reported() -> None:
    """Line ends between frames are harmless; other bytes are strays."""
    assert Framer().feed(b" \r\n" + frame(A) + b"\r\n\x00\x7f" + frame(B)) == [
        Frame(A),
        Stray(2),
        Frame(B),
    ]


def test_a_new_frame_cuts_off_the_one_before() -> None:
    """VT inside a payload: the torn part is reported, the next frame is whole."""
    assert Framer().feed(b"\x0bMSH|torn" + frame(A)) == [
        Torn(b"MSH|torn", restarted=True),
        Frame(A),
    ]


def test_fs_inside_a_payload_tears_the_frame() -> None:
    """What follows up to the next VT is stray."""
    assert Framer().feed(b"\x0bMSH|ha\x1clf|x\x1c\r" + frame(A)) == [
        Torn(b"MSH|ha", restarted=False),
        Stray(4),
        Frame(A),
    ]


def test_a_missing_last_cr_is_forgiven() -> None:
    """Before the next VT, before LF, or in silence."""
    framer = Framer()

    assert Framer().feed(b"\x0bA\x1c\x0bB\x1c\r") == [Frame(b"A"), Frame(b"B")]
    assert Framer().feed(b"\x0bA\x1c\n") == [Frame(b"A")]
    assert framer.feed(b"\x0bA\x1c") == []
    assert (framer.ending, framer.idle(), framer.idle()) == (True, [Frame(b"A")], [])


def test_a_payload_beyond_the_limit_closes_the_framer_and_frees_memory() -> None:
    """One event, then silence, however much follows."""
    framer = Framer(limit=10)

    assert framer.feed(b"\x0b0123456789") == []
    assert framer.feed(b"x") == [Oversize(b"0123456789x")]
    assert framer.feed(b"\x1c\r" + frame(A)) == []
    assert framer._pieces == []


def test_a_peer_that_leaves_tears_its_frame() -> None:
    """Half a frame is torn; a frame that lacks only CR is whole; nothing is nothing."""
    half, ending = Framer(), Framer()
    half.feed(b"\x0bMSH|")
    ending.feed(b"\x0bMSH|\x1c")

    assert half.close() == [Torn(b"MSH|", restarted=False)]
    assert ending.close() == [Frame(b"MSH|")]
    assert Framer().close() == []


_CHUNK = st.one_of(st.binary(max_size=6), st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\x1c\r"]))


@given(st.lists(_CHUNK, max_size=30), st.integers(1, 20))
def test_any_bytes_in_any_packets_give_the_same_frames(chunks: list[bytes], limit: int) -> None:
    """Frames depend on the stream alone, and no held payload exceeds the limit."""
    packets, whole = Framer(limit), Framer(limit)

    events = [event for chunk in chunks for event in packets.feed(chunk)]

    def frames(found: list[object]) -> list[object]:
        return [event for event in found if isinstance(event, Frame | Torn)]

    assert frames(list(events)) == frames(list(whole.feed(b"".join(chunks))))
    assert all(len(event.payload) <= limit for event in events if isinstance(event, Frame))


@given(st.lists(st.binary().filter(lambda data: not {0x0B, 0x1C} & set(data)), max_size=5))
def test_framed_payloads_come_back_byte_for_byte(payloads: list[bytes]) -> None:
    """Frame then feed is the identity."""
    stream = b"".join(frame(payload) for payload in payloads)

    assert Framer().feed(stream) == [Frame(payload) for payload in payloads]
