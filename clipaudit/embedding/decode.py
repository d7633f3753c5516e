"""Images to pixels in worker threads while the model computes: order kept, a bounded number ahead, no image aborts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from clipaudit.errors import ImageError
from clipaudit.images import ImageRef
from clipaudit.redact import hidden

if TYPE_CHECKING:
    import torch
    from PIL import Image

_HASH_CHUNK = 64


def decoded(
    images: Sequence[ImageRef], preprocess: Callable[[Image.Image], torch.Tensor], *, workers: int, ahead: int
) -> Generator[torch.Tensor | str]:
    """Preprocessed images in order; for one that cannot be read, one line that says why.

    At most `ahead` images are held at any time, however many there are and however slow the consumer.
    """

    def read(image: ImageRef) -> torch.Tensor | str:
        try:
            return preprocess(image.load())
        except Exception as error:  # an ImageRef may be a third party's: nothing it raises may end the run
            return one_line(image, error)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    waiting: deque[Future[torch.Tensor | str]] = deque()
    try:
        for image in images:
            waiting.append(pool.submit(read, image))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def content_digests(images: Sequence[ImageRef], *, workers: int) -> tuple[list[str | None], list[str | None]]:
    """(digests, errors), one of each per image: exactly one of the two is None."""

    def read(chunk: Sequence[ImageRef]) -> list[tuple[str | None, str | None]]:
        return [_digest(image) for image in chunk]

    chunks = [images[start : start + _HASH_CHUNK] for start in range(0, len(images), _HASH_CHUNK)]
    with ThreadPoolExecutor(workers, thread_name_prefix="digest") as pool:
        pairs = [pair for part in pool.map(read, chunks) for pair in part]
    return [digest for digest, _ in pairs], [error for _, error in pairs]


def _digest(image: ImageRef) -> tuple[str | None, str | None]:
    try:
        return image.digest, None
    except Exception as error:
        return None, one_line(image, error)


def one_line(image: ImageRef, error: Exception) -> str:
    """The error row's text: the reader's own line, or the name of an unexpected exception with the image's id."""
    text = hidden(" ".join(str(error).split()))
    return text if isinstance(error, ImageError) and text else f"{image.id}: {type(error).__name__}: {text}"
