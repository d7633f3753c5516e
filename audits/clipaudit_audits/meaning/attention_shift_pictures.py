"""Maps laid over the pictures, in one colour scale for all that are shown together."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import ImageError
from clipaudit_audits.meaning.attention_shift_choices import ACCURATE, MISLEADING
from clipaudit_audits.meaning.attention_shift_items import Item
from clipaudit_audits.robustness.adversarial_pictures import Picture

if TYPE_CHECKING:
    from PIL import Image

    from clipaudit_audits.meaning.attention_shift_measures import Floats

VIEWS = ("image", ACCURATE, MISLEADING)
#: From no relevance to most: white to dark red-brown, falling in lightness, told apart by colour-blind eyes too.
STOPS = ("#ffffff", "#fee0b6", "#fdae61", "#f46d43", "#c23a1e", "#6b1409")
OVER = 0.6  # how much of the colour covers the picture beneath


def name(item: str, view: str) -> str:
    """Id of one view."""
    return f"{item}#{view}-map"


def top_of(shown: Sequence[Item]) -> float:
    """The end of the scale: the median, over all maps shown, of the largest share of one patch."""
    tops = [float(share.max()) for item in shown for view in VIEWS[1:] if (share := item.share(view)) is not None]
    return float(np.median(tops)) if tops else 1.0


def views(item: Item, top: float) -> list[Picture]:
    """The picture, and the maps of the accurate and the misleading prompt laid over it."""
    data = item.rows[ACCURATE]["picture"]
    made = [Picture(name(item.name, VIEWS[0]), data)]
    picture = made[0].load()
    for view in VIEWS[1:]:
        share = item.share(view)
        assert share is not None
        made.append(Picture(name(item.name, view), _file(laid_over(picture, share, top))))
    return made


def laid_over(picture: Image.Image, share: Floats, top: float) -> Image.Image:
    """The map in colour over the picture in grey; shares from 0 to `top` take the whole scale."""
    from PIL import Image as pil

    small = pil.fromarray((255 * np.clip(share / top, 0, 1)).astype(np.float32))
    levels = np.asarray(small.resize(picture.size, pil.Resampling.BILINEAR)) / 255
    grey = np.asarray(picture.convert("L"), np.float64)[..., None]
    return pil.fromarray((OVER * colours(levels) + (1 - OVER) * grey).round().clip(0, 255).astype(np.uint8))


def colours(levels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Colours (..., 3) from 0 to 255 of levels from 0 to 1, between the stops of the scale."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in STOPS], np.float64)
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(levels, at, stops[:, channel]) for channel in range(3)], axis=-1)


def _file(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    try:
        image.save(buffer, "WEBP", quality=85, method=4)
    except OSError as error:
        raise ImageError("a map could not be written as a picture") from error
    return buffer.getvalue()
