"""Turning pages while what is on them moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actions.login.session import Person, Session
from penstock.people.admin_client import AdminClient
from policy.store import StoreEffect, StoreFind
from proxy.settings_types import SocketAddress
from proxy.store.memory import ProcessMemory
from tests.penstock.people.rig import terminal
from tests.proxy.people import TOKEN, put_session, session

MANY = 250


def of_user(number: int) -> Session:
    person = Person(subject=str(number))
    return session(f"as_{number}", user=f"au_{number}", person=person)


class Busy(ProcessMemory):
    """A store whose oldest sessions are used as soon as the first page was read."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = 0

    def answer(self, effect: StoreEffect) -> Any:
        answer = super().answer(effect)
        if isinstance(effect, StoreFind) and self.moves < 2:
            first = 30 * self.moves
            self.moves += 1
            for number in range(first, first + 30):
                super().answer(put_session(of_user(number)))
        return answer


def test_nothing_is_missed_or_listed_twice(tmp_path: Path) -> None:
    store = Busy()
    for number in range(MANY):
        store.answer(put_session(of_user(number)))
    with terminal(tmp_path, store) as at:
        client = AdminClient(address=SocketAddress("127.0.0.1", at.port), token=TOKEN)
        found = [each["id"] for each in client.everything("/app/sessions", "application_sessions")]
    assert sorted(found) == sorted(f"as_{number}" for number in range(MANY))
