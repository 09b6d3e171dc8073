# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Reading bodies whose size nothing is known of: decoded piece by piece, up to a limit, and parsed within bounds.

The libraries decode whole chunks, one encoding on top of another: a response of 1 MB may become 2 GB, or more.
"""

from __future__ import annotations

import json
import math
import typing as t
import zlib

from . import transport

#: bytes of a decoded body. The largest in use are pages of 100 rows; eight of them may be received at once, and all together
#: shall stay below 200 MiB.
MAX_BODY = 8 * 1024 * 1024
#: bytes of the body of an error, of which a message has a line
MAX_ERROR_BODY = 256 * 1024
#: values in a JSON body: each may take 80 bytes in memory, however few it takes on the way
MAX_VALUES = 500_000

_CHUNK = 65536


class TooLarge(Exception):
    """A body of more than :data:`MAX_BODY` bytes."""


def read_whole(raw: t.Any, received: list[bytes] | None = None) -> bytes:
    """The decoded body of a streamed response of urllib3.

    The connection can be used again if all of the body has been read, and else is closed.

    :param received: an empty list, which has pieces of what arrived if the body breaks off.
    :raises TooLarge: it is too large.
    :raises OSError: ``requests.RequestException``, if the body cannot be read or decoded, or is not complete.
    """
    pieces: list[bytes] = [] if received is None else received
    if _read(raw, MAX_BODY, pieces):
        raise TooLarge
    return b"".join(pieces)


def read_part(raw: t.Any, limit: int) -> tuple[bytes, bool]:
    """The first ``limit`` bytes of such a body, and whether there is more.

    :raises OSError: as :func:`read_whole`.
    """
    pieces: list[bytes] = []
    truncated = _read(raw, limit, pieces)
    return b"".join(pieces)[:limit], truncated


def _read(raw: t.Any, limit: int, pieces: list[bytes]) -> bool:
    """Append a body piece by piece, since one buffer that grows would take twice the memory.

    :returns: whether it has more than ``limit`` bytes, of which no more are read.
    """
    size = 0
    # as a matter of course since urllib3 2: half a body is no response
    raw.enforce_content_length = True
    try:
        decoder = _Decoder(raw.headers.get("Content-Encoding"))
        while size <= limit:
            # the chunked encoding is left to http.client, which limits the length of its lines
            data = raw.read(_CHUNK, decode_content=False)
            if not data:
                return False
            pieces.append(decoder.decode(data, limit + 1 - size))
            size += len(pieces[-1])
        return True
    except transport.requests.exceptions.ContentDecodingError:
        # which is one of the next kind, too
        raise
    except transport.urllib3.exceptions.HTTPError as exc:
        pieces.append(decoder.decode(_before_the_break(exc), limit + 1 - size))
        raise transport.requests.exceptions.ConnectionError(exc) from exc
    finally:
        # in this order: what has not been read to its end cannot be used again
        raw.close()
        raw.release_conn()


def _before_the_break(exc: Exception) -> bytes:
    """What http.client keeps of a body in chunks that breaks off."""
    cause = exc.args[-1] if exc.args else None
    partial = getattr(cause, "partial", None)
    return partial if isinstance(partial, bytes) else b""


def _shown(coding: str | None) -> str:
    """A content coding, or how long it is: a part of it could be one of a secret, which could not be recognised."""
    return repr(coding) if len(coding or "") <= 50 else f"a text of {len(coding or '')} characters"


class _Decoder:
    """Undoes a content coding (RFC 9110 section 8.4.1).

    :raises OSError: ``requests.exceptions.ContentDecodingError``, if it is not one of those accepted.
    """

    def __init__(self, coding: str | None) -> None:
        codings = [name.strip().lower() for name in (coding or "").split(",")]
        codings = [name for name in codings if name not in ("", "identity")]
        if codings and (len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate")):
            raise _undecodable(f"the body is encoded as {_shown(coding)}, though only {transport.ACCEPTED_CODINGS} were accepted")
        self._plain = not codings
        self._inflate = _inflater()

    def decode(self, data: bytes, limit: int) -> bytes:
        """The data without the coding; at least ``limit`` bytes of them if there are so many, and not much more."""
        if self._plain:
            return data
        decoded = bytearray()
        try:
            while data and len(decoded) < limit:
                decoded += self._inflate.decompress(data, limit - len(decoded))
                data = self._inflate.unconsumed_tail
                if self._inflate.eof:
                    data = self._inflate.unused_data
                    if not data.startswith(b"\x1f\x8b"):
                        # padding
                        break
                    self._inflate = _inflater()
        except zlib.error as exc:
            raise _undecodable(f"the body cannot be decoded: {exc}") from None
        return bytes(decoded)


def _inflater() -> t.Any:
    # 32: gzip or zlib, whichever it begins like
    return zlib.decompressobj(zlib.MAX_WBITS | 32)


def _undecodable(problem: str) -> Exception:
    error: Exception = transport.requests.exceptions.ContentDecodingError(problem)
    return error


class TooManyValues(ValueError):
    """A JSON body that would take too much memory."""


def parse_json(body: bytes) -> t.Any:
    """The value in a JSON body (RFC 8259), in which ``NaN`` and ``Infinity`` are none, and numbers that large are not either.

    :raises TooManyValues: it has more than :data:`MAX_VALUES` values.
    :raises ValueError: it is not JSON, or is nested too deep.
    """
    if sum(map(body.count, (b",", b":", b"[", b"{"))) > MAX_VALUES:
        raise TooManyValues(f"more than {MAX_VALUES:,} values")
    try:
        return json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits[:30])


def _refuse(constant: str) -> t.NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
