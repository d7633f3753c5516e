"""Bytes of an image file to pixels: what is readable becomes correct, what is not becomes one line.

Colours are taken as stored: embedded ICC profiles are not applied, as in the preprocessing of the models audited.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from typing import TYPE_CHECKING

from clipaudit.errors import ImageError
from clipaudit.text import printable

if TYPE_CHECKING:
    from PIL import Image

# Pillow can do more; PostScript, for one, would run an outside program on a file from anywhere.
_FORMATS = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO", "TGA")
_SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N")
_LARGE = 16_000_000  # pixels: images above are decoded one at a time, so that threads do not multiply their memory
_ROWS = 256
_opening, _large = threading.Lock(), threading.Lock()


def decode(data: bytes, name: str) -> Image.Image:
    """First frame, upright by its EXIF orientation, 8 bits a channel: RGBA where something is transparent, else RGB.

    Raises ImageError with one line that begins with `name`.
    """
    name = printable(name)
    if not data:
        raise ImageError(f"{name}: the file is empty (0 bytes)")
    image = _open(data, name)
    try:
        with _large if image.width * image.height > _LARGE else nullcontext():
            image.load()
            return _upright(eight_bit(image, name))
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise anything
        raise ImageError(f"{name}: the image is damaged or cut short ({printable(error, limit=120)})") from error


def eight_bit(image: Image.Image, name: str = "image") -> Image.Image:
    """RGB or RGBA, 8 bits a channel. 16-bit greys are scaled (v / 257), not clipped; EXIF is kept.

    Raises ImageError for pixels without a defined range (float, 32-bit).
    """
    if image.mode in (*_SIXTEEN, "I", "F"):
        image = _from_deep(image, name)
    if not image.has_transparency_data:
        return image.convert("RGB")
    converted = image.convert("RGBA")
    low, _ = converted.getchannel("A").getextrema()
    return converted if low < 255 else converted.convert("RGB")  # type: ignore[operator]


def _from_deep(image: Image.Image, name: str) -> Image.Image:
    import numpy as np
    from PIL import Image as pil

    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ImageError(f"{name}: {image.mode} pixels have no defined range; save the image with 8 or 16 bits")
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _ROWS):  # in parts, for the quotients take four times the memory of the image
        scaled[top : top + _ROWS] = np.round(values[top : top + _ROWS] / 257)
    grey = pil.fromarray(scaled)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(pil.fromarray(np.where(values == clear, np.uint8(0), np.uint8(255))))
    grey.info["exif"] = image.info.get("exif", b"")
    return grey


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    with suppress(Exception), _quiet():  # broken EXIF does not make the pixels unreadable
        ImageOps.exif_transpose(image, in_place=True)
    return image


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow's warnings of skipped tags are nothing that a user could act on; that of a bomb is an error. The filters
    are the process's, so one thread at a time."""
    from PIL import Image as pil

    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", pil.DecompressionBombWarning)
        yield


def _open(data: bytes, name: str) -> Image.Image:
    """The image with its header read."""
    from PIL import Image as pil
    from PIL import UnidentifiedImageError

    try:
        with _quiet():
            return pil.open(io.BytesIO(data), formats=_formats())
    except (pil.DecompressionBombWarning, pil.DecompressionBombError) as error:
        raise ImageError(
            f"{name}: more pixels than the limit of {pil.MAX_IMAGE_PIXELS} (a decompression bomb?); shrink the image"
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name}: not an image that can be read (PNG, JPEG, WebP, GIF, TIFF, BMP ...)") from error
    except Exception as error:  # headers of damaged files raise anything
        raise ImageError(f"{name}: the image's header is damaged ({printable(error, limit=120)})") from error


@cache
def _formats() -> tuple[str, ...]:
    from PIL import Image as pil

    pil.init()
    return tuple(name for name in _FORMATS if name in pil.OPEN)
