"""A key set: the keys of one issuer, and which tokens were found to be signed with them.

What a set remembers is gone with it: a set that replaces it, because a key was added or taken
away, starts with nothing remembered (JW-19).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final

from actions.jose.algorithm import Algorithm
from actions.jose.key import Key, UnfitKey, read_key
from actions.jose.strict_json import JsonError, parse_object
from policy.effect import BadDocument

MAX_KEYS: Final = 100
MAX_KEY_SET_VALUES: Final = 20_000
MAX_REMEMBERED: Final = 8192

NO_KEY_SET: Final = "no-key-set"
NO_USABLE_KEY: Final = "no-usable-key"
MIXED_KEY_SET: Final = "secrets-among-public-keys"


class _Held:
    """One result, and from when until when it holds, in nanoseconds."""

    __slots__ = ("from_ns", "until_ns", "value")

    def __init__(self, from_ns: int, until_ns: int, value: Any) -> None:
        self.from_ns: Final = from_ns
        self.until_ns: Final = until_ns
        self.value: Final = value


class Remembered:
    """Results of checks that need not be made again before their time is over. Bounded.

    Times are the machine's own, which may be set back: before its beginning a result does not hold
    either, so that no jump of the clock makes it hold for longer.
    """

    __slots__ = ("_entries", "_limit")

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        # Not a dict: finding the first of one takes long once many have been taken from its front.
        self._entries: OrderedDict[Hashable, _Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Hashable, now_ns: int) -> Any:
        """Return what is remembered and still holds, else None."""
        found = self._entries.get(key)
        if found is None:
            return None
        if found.from_ns <= now_ns < found.until_ns:
            return found.value
        del self._entries[key]
        return None

    def keep(self, key: Hashable, value: Any, *, from_ns: int, until_ns: int) -> None:
        """Remember a result; the oldest makes room."""
        if len(self._entries) >= self._limit:
            self._entries.popitem(last=False)
        self._entries[key] = _Held(from_ns, until_ns, value)


class KeySet:
    """Usable keys in their order. `refused` says why members were left out."""

    __slots__ = ("_fitting", "keys", "refused", "remembered")

    def __init__(self, keys: Iterable[Key], refused: Iterable[str] = ()) -> None:
        self.keys = tuple(keys)
        self.refused = tuple(refused)
        self.remembered = Remembered()
        # Keys by the name of the algorithm that they fit. There are few algorithms.
        self._fitting: dict[str, list[Key]] = {}

    def candidates(self, kid: str | None, algorithm: Algorithm) -> Sequence[Key]:
        """Return the keys that may have signed: the one of that id, else those without any.

        A token without `kid` may be signed by any key that fits (JW-4). An id that two keys for
        the same algorithm have names neither of them.
        """
        fitting = self._fitting.get(algorithm.name)
        if fitting is None:
            fitting = [key for key in self.keys if key.fits(algorithm)]
            self._fitting[algorithm.name] = fitting
        if kid is None:
            return fitting
        named = [key for key in fitting if key.kid == kid]
        if len(named) > 1:
            return []
        return named or [key for key in fitting if key.kid is None]


def parse_key_set(data: bytes) -> KeySet:
    """Read a key set from the network; raises BadDocument when no key of it can be used."""
    return _key_set(_document(data), is_local=False)


def parse_local_key_set(data: bytes) -> KeySet:
    """Read a key set of the operator's own, which may hold secrets. Raises BadDocument."""
    return _key_set(_document(data), is_local=True)


def read_inline_key_set(document: object) -> KeySet:
    """Read a key set that stands in a policy: public keys only. Raises BadDocument."""
    return _key_set(document, is_local=False)


def _document(data: bytes) -> object:
    try:
        return parse_object(data, max_values=MAX_KEY_SET_VALUES)
    except JsonError:
        raise BadDocument(NO_KEY_SET) from None


def _key_set(document: object, *, is_local: bool) -> KeySet:
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise BadDocument(NO_KEY_SET)
    distinct = [each for index, each in enumerate(members) if each not in members[:index]]
    shared = {kid for kid, count in Counter(map(_identity, distinct)).items() if kid and count > 1}
    keys: list[Key] = []
    refused: list[str] = []
    for member in distinct:
        number = members.index(member) + 1
        if _identity(member) in shared:
            refused.append(f"key {number}: its kid is another key's too")
            continue
        try:
            keys.append(read_key(member, is_local=is_local))
        except UnfitKey as unfit:
            refused.append(f"key {number}: {unfit}")
    if not keys:
        raise BadDocument(NO_USABLE_KEY)
    if len({key.key_type == "oct" for key in keys}) > 1:
        # Two kinds of trust in one place: the way to take a public key for a secret (D1-3).
        raise BadDocument(MIXED_KEY_SET)
    return KeySet(keys, refused)


def _identity(member: object) -> str:
    """Return what a token can tell a key by; "" for a member without an id."""
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str):
        return ""
    return repr([member.get(name) for name in ("kid", "kty", "use", "alg")])
