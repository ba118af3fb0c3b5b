"""Takes the mask off a client's payload (RFC 6455, section 5.3), in C where there is C for it.

aiohttp brings the loop as an extension module that needs nothing else of aiohttp. It is loaded
on its own: the whole of aiohttp takes a fifth of a second, and most proxies never need the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TypeAlias, cast

# Changes the payload in place.
MaskInPlace: TypeAlias = Callable[[bytes, bytearray], None]

_FOLDER, _MODULE, _FUNCTION = "_websocket", "mask", "_websocket_mask_cython"


def _load_mask_in_place() -> MaskInPlace | None:
    """Return aiohttp's loop; None where it is built without one, or keeps it elsewhere."""
    package = find_spec("aiohttp")
    folders = package.submodule_search_locations if package is not None else None
    for folder in folders or ():
        for suffix in EXTENSION_SUFFIXES:
            path = Path(folder, _FOLDER, _MODULE + suffix)
            spec = spec_from_file_location(f"aiohttp.{_FOLDER}.{_MODULE}", path)
            if spec is not None and spec.loader is not None and path.is_file():
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                return cast("MaskInPlace | None", getattr(module, _FUNCTION, None))
    return None


def unmasked_by_integers(payload: bytes, key: bytes) -> bytes:
    """Return the payload without its mask, by one operation on two large integers."""
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    plain = int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")
    return plain.to_bytes(size, "little")


_mask_in_place = _load_mask_in_place()


def unmasked(payload: bytes, key: bytes) -> bytes | bytearray:
    """Return the payload without its mask, or with it: the same operation does both.

    `key` has four bytes and its first belongs to the first of the payload.
    """
    if _mask_in_place is None:
        return unmasked_by_integers(payload, key)
    plain = bytearray(payload)
    _mask_in_place(key, plain)
    return plain
