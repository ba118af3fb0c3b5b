"""What nearly every action decides: to go on with the next one."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

R = TypeVar("R")


class Continue(Generic[R]):
    """Go on with the next action. Two that say the same are equal.

    `admitted_until_ns` is for actions that admit by something that ends, such as a token or a
    session: nanoseconds since the epoch, None for no end. A request that became a WebSocket or an
    event stream is decided again then, as the client sent it, by the policy that runs by then
    (`Exchange.is_readmission` tells). What is let through goes on until the time it is given
    anew; anything else ends the stream. Of several actions the earliest time counts. What can be
    withdrawn before its end (a session, by a logout) gives a time a few seconds away.
    """

    __slots__ = ("admitted_until_ns", "result")

    def __init__(self, result: R | None = None, admitted_until_ns: int | None = None) -> None:
        self.result: Final = result
        self.admitted_until_ns: Final = admitted_until_ns

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Continue)
            and self.result == other.result
            and self.admitted_until_ns == other.admitted_until_ns
        )

    __hash__ = None  # type: ignore[assignment]  # results may be changed

    def __repr__(self) -> str:
        return f"Continue({self.result!r}, admitted_until_ns={self.admitted_until_ns})"
