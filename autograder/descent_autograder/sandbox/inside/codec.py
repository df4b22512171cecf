"""Plain data as bytes and back: an encoder and a decoder that share their handles."""

from __future__ import annotations

from .decoder import Arguments, Decoder
from .encoder import Encoder
from .wire import MAX_FRAME, Handles, MalformedError, UnsendableError

__all__ = ["MAX_FRAME", "Arguments", "Codec", "Handles", "MalformedError", "UnsendableError"]


class Codec:
    """Encodes values to bytes and decodes them, with handles for what isn't plain data.

    A message is a value, or the arguments of a call.

    Args:
        handles: numbers objects and finds them again.
        owns: whether containers of other types than Python's, and arrays of objects, are sent with
            a handle, by which they come back as what they were.
    """

    def __init__(self, handles: Handles, owns: bool = False) -> None:
        encoder, decoder = Encoder(handles, owns), Decoder(handles)
        self.encode, self.encode_call = encoder.encode, encoder.encode_call
        self.decode, self.decode_call = decoder.decode, decoder.decode_call
        self.decode_from = decoder.decode_from

    def changed(self, given: Arguments) -> bool:
        """Return whether arguments are no longer what their message says."""
        if given.arrays is None:
            now = self.encode_call(given.args, given.kwargs)
            return now != given.frame[given.start :]
        return any(a.tobytes() != given.frame[i:j] for a, i, j in given.arrays)
