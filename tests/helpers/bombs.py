"""Image files that are small and ask for much: `BOMBS`, by name. Each is made when it is called for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, bits: int = 1, colour: int = 0, extra: bytes = b"", rows: bool = False) -> bytes:
    """A PNG of zeros; without `rows` its pixels are absent."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(9)
    data = b""
    if rows:
        row = bytes(1 + (width * bits * channels + 7) // 8)
        data = b"".join(packer.compress(row) for _ in range(height))
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + _chunk(b"IDAT", data + packer.flush()) + _chunk(b"IEND", b"")


def _zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


def _tiff(entries: list[tuple[int, int, int, int]]) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + body + struct.pack("<I", 0)


_BASE = [
    (256, 4, 1, 8),
    (257, 4, 1, 8),
    (258, 3, 1, 8),
    (259, 3, 1, 1),
    (262, 3, 1, 1),
    (277, 3, 1, 1),
    (279, 4, 1, 64),
]
_HUGE_TAGS = [(tag, 5, 0xFFFFFFFF, 8) for tag in range(300, 400)]


def _frames(form: str, count: int, **more: Any) -> bytes:
    """An animation of `count` frames of 64 x 64, each of another grey."""
    out = io.BytesIO()
    pictures = [Image.new("L", (64, 64), i % 256) for i in range(count)]
    pictures[0].save(out, form, save_all=True, append_images=pictures[1:], **more)
    return out.getvalue()


def _icon() -> bytes:
    inner = png(12_000, 12_000, rows=True)
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


def _jpeg(exif: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 8), (9, 9, 9)).save(out, "JPEG")
    plain = out.getvalue()
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif + plain[2:]


def _webp() -> bytes:
    """A solid lossless image of 16,383 x 16,383 pixels in a few bytes: its header, and no more."""
    head = b"\x2f" + struct.pack("<I", 16_382 | 16_382 << 14) + bytes(64)
    return b"RIFF" + struct.pack("<I", len(head) + 12) + b"WEBPVP8L" + struct.pack("<I", len(head)) + head


_DEEP_EXIF = _tiff([(0x0112, 3, 1, 6), (0x8769, 4, 1, 8), (0xA005, 4, 1, 8), *_HUGE_TAGS])

#: name -> (the file, whether it is readable all the same)
BOMBS: dict[str, tuple[Callable[[], bytes], bool]] = {
    "png of 50,000 x 50,000": (lambda: png(50_000, 50_000), False),
    "png of 20,000 x 20,000 with its rows": (lambda: png(20_000, 20_000, rows=True), False),
    "png of 2^31 x 2^31": (lambda: png(2**31 - 1, 2**31 - 1), False),
    "largest grey png": (lambda: png(9_400, 9_400, rows=True), True),
    "png of 16 bits": (lambda: png(5_000, 5_000, bits=16, rows=True), True),
    "png with 100 MB of compressed text": (lambda: png(8, 8, rows=True, extra=_chunk(b"zTXt", b"a\0\0" + _zeros(100 << 20))), False),
    "png with a 100 MB profile": (lambda: png(8, 8, rows=True, extra=_chunk(b"iCCP", b"a\0\0" + _zeros(100 << 20))), False),
    "png with 20,000 texts": (lambda: png(8, 8, rows=True, extra=_chunk(b"tEXt", b"k\0" + b"v" * 9000) * 20_000), False),
    "png cut short": (lambda: png(64, 64, rows=True)[:-30], False),
    "apng of 3,000 frames": (lambda: _frames("PNG", 3_000), True),
    "gif of 3,000 frames": (lambda: _frames("GIF", 3_000), True),
    "webp of 500 frames": (lambda: _frames("WEBP", 500), True),
    "gif of 65,535 x 65,535": (lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b",", False),
    "webp of 16,383 x 16,383": (_webp, False),
    "icon with a png of 12,000 x 12,000 inside": (_icon, False),
    "ppm of 99,999 x 99,999": (lambda: b"P6 99999 99999 255\n", False),
    "bmp of 2^31 x 2^31": (lambda: b"BM" + struct.pack("<IHHIIiiHHIIiiII", 90, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0), False),
    "tga of 65,535 x 65,535": (lambda: struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 65_535, 65_535, 24, 0) + bytes(64), False),
    "tiff with tags of 2^32 values": (lambda: _tiff([*_BASE, (273, 4, 1, 8), *_HUGE_TAGS]), True),
    "tiff of 2^31 x 2^31": (lambda: _tiff([(256, 4, 1, 2**31 - 1), (257, 4, 1, 2**31 - 1), *_BASE[2:], (273, 4, 1, 8)]), False),
    "tiff of 2^16 channels": (lambda: _tiff([*_BASE[:5], (277, 3, 1, 65_535), (279, 4, 1, 64), (273, 4, 1, 8)]), False),
    "tiff that leads to itself": (lambda: _tiff([*_BASE, (273, 4, 1, 8)])[:-4] + struct.pack("<I", 8), True),
    "jpeg with tags of 2^32 values": (lambda: _jpeg(_DEEP_EXIF), True),
    "jpeg with an orientation that is none": (lambda: _jpeg(_tiff([(0x0112, 3, 1, 77)])), True),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', False),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/x) (w) file\n", False),
    "html": (lambda: b"<html><img src=x></html>", False),
    "nothing": (lambda: b"", False),
}  # fmt: skip
