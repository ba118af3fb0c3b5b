from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic_core import PydanticCustomError

from actions.header_names import check_added, check_removed, check_written

REFUSED: dict[str, tuple[Callable[[str], str], str, str]] = {
    "add user-agent": (check_added, "User-Agent", "ERR_NGROK_2219"),
    "add content-length": (check_added, "Content-Length", "ERR_NGROK_2219"),
    "add connection": (check_added, "connection", "ERR_NGROK_2219"),
    "add folded framing": (check_added, "Transfer_Encoding", "ERR_NGROK_2219"),
    "add folded forwarding": (check_added, "X_Forwarded_For", "ERR_NGROK_2219"),
    "write the error code": (check_written, "Ngrok-Error-Code", "ERR_NGROK_2219"),
    "remove user-agent": (check_removed, "user-agent", "ERR_NGROK_2219"),
    "remove host": (check_removed, "Host", "ERR_NGROK_398"),
    "remove framing": (check_removed, "Content-Length", "ERR_NGROK_2219"),
}


@pytest.mark.parametrize(("check", "name", "reference"), REFUSED.values(), ids=REFUSED)
def test_a_name_of_the_proxy_is_refused(
    check: Callable[[str], str], name: str, reference: str
) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        check(name)
    context = refused.value.context
    assert context is not None
    assert context["reference"] == reference


@pytest.mark.parametrize("name", ["host", "Authorization", "X_Custom", "x-forwarded-for", "Cookie"])
def test_other_names_are_the_policys(name: str) -> None:
    assert check_added(name) == name
    assert check_written(name) == name


@pytest.mark.parametrize("name", ["Authorization", "X-Forwarded-For", "X_Forwarded_For"])
def test_other_names_can_be_removed(name: str) -> None:
    assert check_removed(name) == name
