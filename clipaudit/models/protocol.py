"""What the audits see of a model, and what an adapter has to provide.

Two levels:

- `Model` is what audits use: image *references* and texts in, unit vectors or scores out, with errors per
  item. Live, recorded and control models all implement it.
- `DualEncoder` is a neural network that adapters wrap: pixels and strings to torch tensors. The engine turns
  it into a `Model` (decoding, batching, precision, cache).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.images import ImageRef
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    import torch
    from PIL import Image

ScoreKind = Literal["cosine", "logit", "probability", "decision"]


@dataclass(frozen=True)
class Embedded:
    """Unit vectors, one per item asked for, in that order. Rows of items with an error are NaN.

    vectors: (n, d) float32 or float64, L2-normalised. errors: one line per failed item, else None.
    lengths: (n,) of the vectors before normalisation, for protocols that average those; None where they are not known.
    """

    vectors: NDArray[np.floating]
    errors: tuple[str | None, ...]
    lengths: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class Scores:
    """(n, m) scores of n images against m texts; rows of failed images are NaN.

    For kind "decision" the matrix is one-hot; a row of zeros decided for none of the texts. `text_source` says
    whether whole prompts were looked up or, for a recorded table, only class labels ("label": templates then
    have no effect).
    """

    values: NDArray[np.floating]
    kind: ScoreKind
    errors: tuple[str | None, ...]
    text_source: Literal["prompt", "label"] = "prompt"


@runtime_checkable
class Model(Protocol):
    """A dual encoder as audits see it."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def capabilities(self) -> frozenset[Need]: ...

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        """Embeddings of images. Raises NotSupported without Need.EMBEDDINGS."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        """Embeddings of texts. A text longer than the context is an error for that text, never truncated."""
        ...

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """Scores of images against labels, each label prompt-ensembled over `templates` ("a photo of a {}.").

        With embeddings: cosine to the renormalised mean of the unit prompt embeddings (Radford 2021, 3.1.4).
        With a recorded score table: the mean over the recorded prompts, or the column recorded under the bare label.
        """
        ...


@runtime_checkable
class KnowsSome(Protocol):
    """What a recorded table offers besides: scores of the pairs that it holds, where it does not hold all."""

    def score_known(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """As `Model.score_labels`, with NaN where a pair is not recorded; an image without any score is an error."""
        ...


@runtime_checkable
class DualEncoder(Protocol):
    """A network that an adapter provides. All tensors live on `device`; no caching, no batching here.

    `preprocess` ends in [0, 1] pixel space; `normalize` (mean/std) is separate, so that attacks can work on pixels.
    """

    @property
    def info(self) -> ModelInfo: ...

    @property
    def capabilities(self) -> frozenset[Need]: ...

    @property
    def device(self) -> torch.device: ...

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """(3, H, W) float32 in [0, 1]: resized and cropped, not normalised."""
        ...

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [0, 1] to what the image tower expects."""
        ...

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [0, 1] to (B, d) float32, not L2-normalised. Differentiable where gradients are offered."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """(B, d) float32, not L2-normalised. Cuts the batch at its longest text where the tower allows it."""
        ...

    def text_length(self, text: str) -> int:
        """Number of tokens with special tokens: to sort by, and to refuse what exceeds `info.context_length`."""
        ...
