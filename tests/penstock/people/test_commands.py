"""`penstock sessions` and `penstock identities`, against an admin listener on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.login.session import IDENTITIES, SESSIONS, Person
from penstock.people import options
from policy.store import StoreEffect, StoreFind, StoreUnavailable
from proxy.store.memory import ProcessMemory
from tests.e2e.processes import free_port
from tests.penstock.people.rig import Terminal, terminal
from tests.proxy.people import SESSION, TOKEN, identity, put_identity, put_session, session

LINUS = Person(subject="linus", email="linus@example.com", name="Linus")


@pytest.fixture
def store() -> ProcessMemory:
    """Two users, of whom one is logged in twice."""
    store = ProcessMemory()
    store.answer(put_session(SESSION))
    store.answer(put_session(session("as_2", user="au_2", person=LINUS, agent="")))
    store.answer(put_session(session("as_3")))
    store.answer(put_identity(identity()))
    store.answer(put_identity(identity("au_2", LINUS)))
    return store


@pytest.fixture
def at(tmp_path: Path, store: ProcessMemory) -> Iterator[Terminal]:
    with terminal(tmp_path, store) as made:
        yield made


def sessions(store: ProcessMemory) -> set[str]:
    return {each.value.id for each in store.answer(StoreFind(kind=SESSIONS))}


def users(store: ProcessMemory) -> set[str]:
    return {each.value.id for each in store.answer(StoreFind(kind=IDENTITIES))}


def test_sessions_are_listed_for_a_person(at: Terminal) -> None:
    result = at.run("sessions", "list")
    assert result.exit_code == 0
    head, *rows = result.output.splitlines()
    assert head.split("  ")[0] == "SESSION"
    assert [row.split()[:3] for row in rows] == [
        ["as_3", "ada@example.com", "au_1"],
        ["as_2", "linus@example.com", "au_2"],
        ["as_1", "ada@example.com", "au_1"],
    ]
    assert "Mobile Safari on iOS" in rows[0]
    assert len({row.index("2026-03-01") for row in rows}) == 1


def test_sessions_are_listed_for_programs(at: Terminal) -> None:
    found = json.loads(at.run("sessions", "list", "--json").output)
    assert [each["id"] for each in found] == ["as_3", "as_2", "as_1"]
    assert found[0]["application_user"]["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["--user", "au_1"], ["as_3", "as_1"]),
        (["--email", "Linus@Example.com"], ["as_2"]),
        (["--user", "au_1", "--email", "linus@example.com"], []),
    ],
    ids=["user", "e-mail in other case", "both"],
)
def test_sessions_are_chosen(at: Terminal, chosen: list[str], expected: list[str]) -> None:
    found = json.loads(at.run("sessions", "list", "--json", *chosen).output)
    assert [each["id"] for each in found] == expected


def test_identities_are_listed(at: Terminal) -> None:
    result = at.run("identities", "list", "--email", "ada@example.com")
    (row,) = result.output.splitlines()[1:]
    assert row.split()[:4] == ["au_1", "ada@example.com", "Ada", "id.example.net"]
    assert [each["id"] for each in json.loads(at.run("identities", "list", "--json").output)] == [
        "au_2",
        "au_1",
    ]


REVOKED = {
    "one session": (["sessions", "revoke", "as_1"], {"as_2", "as_3"}, {"au_1", "au_2"}),
    "two sessions": (["sessions", "revoke", "as_1", "as_2"], {"as_3"}, {"au_1", "au_2"}),
    "sessions of a user": (["sessions", "revoke", "--user", "au_1"], {"as_2"}, {"au_1", "au_2"}),
    "sessions of an address": (
        ["sessions", "revoke", "--email", "ada@example.com"],
        {"as_2"},
        {"au_1", "au_2"},
    ),
    "all sessions": (["sessions", "revoke", "--all", "--yes"], set(), {"au_1", "au_2"}),
    "a user": (["identities", "revoke", "au_1"], {"as_2"}, {"au_2"}),
    "a user by address": (
        ["identities", "revoke", "--email", "linus@example.com"],
        {"as_1", "as_3"},
        {"au_1"},
    ),
    "all users": (["identities", "revoke", "--all", "--yes"], set(), set()),
}


@pytest.mark.parametrize(("command", "sessions_left", "users_left"), REVOKED.values(), ids=REVOKED)
def test_what_was_chosen_is_ended_and_nothing_else(
    at: Terminal,
    store: ProcessMemory,
    command: list[str],
    sessions_left: set[str],
    users_left: set[str],
) -> None:
    result = at.run(*command)
    assert result.exit_code == 0, result.output
    assert (sessions(store), users(store)) == (sessions_left, users_left)
    ended = {"as_1", "as_2", "as_3"} - sessions_left
    if command[0] == "sessions":
        assert {line.split()[1] for line in result.stdout.splitlines()} == ended


def test_what_is_not_there_ends_the_command_with_1(at: Terminal, store: ProcessMemory) -> None:
    result = at.run("sessions", "revoke", "as_9", "as_1", "../users/au_1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "revoked": ["as_1"],
        "not_found": ["as_9", "../users/au_1"],
    }
    assert users(store) == {"au_1", "au_2"}
    gone = at.run("sessions", "revoke", "as_1")
    assert (gone.exit_code, "no such session: as_1" in gone.stderr) == (1, True)


@pytest.mark.parametrize("group", ["sessions", "identities"])
def test_an_address_that_nobody_has_ends_the_command_with_1(at: Terminal, group: str) -> None:
    result = at.run(group, "revoke", "--email", "nobody@example.com")
    assert (result.exit_code, "to revoke" in result.stderr) == (1, True)


def test_all_of_nothing_is_fine(at: Terminal, store: ProcessMemory) -> None:
    assert at.run("identities", "revoke", "--all", "--yes").exit_code == 0
    assert at.run("identities", "revoke", "--all", "--yes").exit_code == 0
    listed = at.run("sessions", "list")
    assert (listed.exit_code, listed.output) == (0, "nobody is logged in\n")
    assert at.run("identities", "list").output == "nobody has logged in\n"
    assert sessions(store) == set()


MISUSE = {
    "nobody chosen": ["sessions", "revoke"],
    "id and all": ["sessions", "revoke", "as_1", "--all", "--yes"],
    "user and e-mail": ["sessions", "revoke", "--user", "au_1", "--email", "a@example.com"],
    "no user chosen": ["identities", "revoke"],
    "all with nobody to ask": ["sessions", "revoke", "--all"],
    "no address": ["sessions", "list", "--admin", "nowhere", "--token-file", "x"],
    "unknown option": ["sessions", "list", "--everybody"],
}


@pytest.mark.parametrize("command", MISUSE.values(), ids=MISUSE)
def test_misuse_ends_the_command_with_2(
    at: Terminal, store: ProcessMemory, command: list[str]
) -> None:
    assert at.run(*command).exit_code == 2
    assert len(sessions(store)) == 3


class OfAPerson:
    """Standard input that somebody types into."""

    class stdin:  # noqa: N801 - as it is called there
        @staticmethod
        def isatty() -> bool:
            return True


@pytest.mark.parametrize(("typed", "left"), [("y\n", 0), ("n\n", 3), ("\n", 3)])
def test_all_is_asked_about_first(
    at: Terminal, store: ProcessMemory, monkeypatch: pytest.MonkeyPatch, typed: str, left: int
) -> None:
    monkeypatch.setattr(options, "sys", OfAPerson)
    result = at.run("sessions", "revoke", "--all", typed=typed)
    assert (result.exit_code, len(sessions(store))) == (int(left > 0), left)
    assert "End 3 sessions, of everyone?" in result.stderr


def test_without_a_configuration_the_listener_is_named(at: Terminal) -> None:
    token = str(at.folder / "admin.token")
    named = at.run("sessions", "list", "--admin", f"127.0.0.1:{at.port}", "--token-file", token)
    assert (named.exit_code, "as_1" in named.output) == (0, True)


def test_what_names_say_reaches_no_terminal(at: Terminal, store: ProcessMemory) -> None:
    evil = Person(subject="e", email="e@example.com\x1b[2J\n", name="")
    store.answer(put_session(session("as_4", person=evil)))
    shown = at.run("sessions", "list").output
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 5


# --- why it can't be asked ---------------------------------------------------------------------


def test_nothing_runs(at: Terminal) -> None:
    at.config.write_text(at.config.read_text().replace(str(at.port), str(free_port())))
    message = at.failure("sessions", "list")
    assert "can't be asked: connection refused" in message
    assert "is Penstock running" in message


def test_the_token_is_another(at: Terminal) -> None:
    (at.folder / "admin.token").write_text("x" * 40)
    message = at.failure("identities", "list")
    assert "does not take this token" in message
    assert "x" * 40 not in message


def test_the_listener_shows_no_people(tmp_path: Path, store: ProcessMemory) -> None:
    with terminal(tmp_path, store, shows_people=False) as at:
        assert "does not show users and sessions" in at.failure("sessions", "list")


class NoStore(ProcessMemory):
    """A store that can't be asked."""

    def answer(self, _effect: StoreEffect) -> StoreUnavailable:
        return StoreUnavailable(reason="store-unreachable")


def test_the_store_is_away(tmp_path: Path) -> None:
    with terminal(tmp_path, NoStore()) as at:
        assert "nothing was ended" in at.failure("identities", "revoke", "--all", "--yes")


NOT_SET_UP = {
    "no listener": ("", "has no admin listener"),
    "no token": ("admin: 127.0.0.1:4041", "names no token"),
    "any port": ("admin: {address: '127.0.0.1:0', token_file: t}", "leaves the port"),
    "no such token file": ("admin: {address: '127.0.0.1:1', token_file: t}", "no such file"),
}


@pytest.mark.parametrize(("admin", "message"), NOT_SET_UP.values(), ids=NOT_SET_UP)
def test_the_configuration_lacks_something(at: Terminal, admin: str, message: str) -> None:
    at.config.write_text(f"endpoints: [{{upstream: {{url: 8080}}}}]\n{admin}\n")
    assert message in at.failure("sessions", "list")


def test_a_broken_configuration_says_what_is_wrong_with_it(at: Terminal) -> None:
    at.config.write_text("endpoints: [{upstream: {url: 8080}}]\nadmin: {adress: x}\n")
    assert "did you mean 'address'?" in str(at.run("sessions", "list").exception)


def test_the_token_is_in_no_representation(at: Terminal) -> None:
    assert TOKEN not in repr(options.client_for(at.config, None, None))
