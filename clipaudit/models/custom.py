"""`py:module:factory`: a model of the user's own."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from clipaudit.errors import ClipAuditError, ModelError, nearest
from clipaudit.models.hub import first_line
from clipaudit.models.protocol import DualEncoder, Model


def load_custom(rest: str) -> DualEncoder | Model:
    """Call `module:factory` and check what it returns: a DualEncoder (a network) or a Model (finished embeddings)."""
    module_name, _, factory_name = rest.partition(":")
    if not module_name or not factory_name:
        raise ModelError(f"py:{rest}: write py:module:factory, where module.factory() returns the model")
    factory = _find(module_name, factory_name)
    try:
        made = factory()
    except ClipAuditError:
        raise
    except Exception as error:
        raise ModelError(f"py:{rest}: the factory failed: {type(error).__name__}: {first_line(error)}") from error
    if isinstance(made, DualEncoder | Model):
        return made
    raise ModelError(
        f"py:{rest}: returned {type(made).__name__}, which is no DualEncoder (lacks {_missing(made, DualEncoder)}) "
        f"and no Model (lacks {_missing(made, Model)}); see clipaudit.models.protocol"
    )


def _find(module_name: str, factory_name: str) -> Any:
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        where = "; install it, or name its folder in PYTHONPATH" if error.name == module_name.partition(".")[0] else ""
        raise ModelError(f"module {module_name!r} cannot be imported: {first_line(error)}{where}") from error
    except Exception as error:  # the user's module may fail in any way while it is imported
        raise ModelError(f"module {module_name!r} cannot be imported: {first_line(error)}") from error
    factory = getattr(module, factory_name, None)
    if not callable(factory):
        names = [name for name, value in vars(module).items() if inspect.isfunction(value) or inspect.isclass(value)]
        raise ModelError(f"module {module_name!r} has no factory {factory_name!r}; {nearest(factory_name, names)}")
    return factory


def _missing(made: object, protocol: type) -> str:
    wanted = sorted(name for name in vars(protocol) if not name.startswith("_"))
    return ", ".join(name for name in wanted if not hasattr(made, name))
