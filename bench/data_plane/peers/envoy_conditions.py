"""The decisions of `ten.yml` as Envoy takes them: syntax trees of CEL, in JSON.

Envoy's RBAC filter can only refuse, so each condition says when a request is refused. The last
two rules of ours apply to every request here; their conditions stand negated, and what they do
with headers stands in the route.
"""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


def attribute(path: str) -> Node:
    """Return what reads an attribute such as `request.method`."""
    name, *fields = path.split(".")
    node: Node = {"ident_expr": {"name": name}}
    for field in fields:
        node = {"select_expr": {"operand": node, "field": field}}
    return node


def text(value: str) -> Node:
    return {"const_expr": {"string_value": value}}


def call(function: str, *arguments: Node) -> Node:
    return {"call_expr": {"function": function, "args": list(arguments)}}


def method(target: Node, function: str, argument: Node) -> Node:
    return {"call_expr": {"target": target, "function": function, "args": [argument]}}


def both(left: Node, right: Node) -> Node:
    return call("_&&_", left, right)


def equal(left: Node, value: str) -> Node:
    return call("_==_", left, text(value))


def negated(node: Node) -> Node:
    return call("!_", node)


def starts(node: Node, prefix: str) -> Node:
    return method(node, "startsWith", text(prefix))


METHOD, PATH = attribute("request.method"), attribute("request.url_path")
AGENT, HEADERS = attribute("request.useragent"), attribute("request.headers")
# "ADDRESS:PORT"; there is no function for networks.
PEER = attribute("source.address")

CONDITIONS = {
    "01 blocked networks": call(
        "_||_",
        call("_||_", starts(PEER, "192.0.2."), starts(PEER, "198.51.100.")),
        starts(PEER, "[2001:db8:"),
    ),
    "02 no dot files": starts(PATH, "/.git"),
    "03 admin is not for the outside": both(
        starts(PATH, "/admin"), negated(starts(PEER, "10.0.0.1:"))
    ),
    "04 no deletes below /api": both(equal(METHOD, "DELETE"), starts(PATH, "/api/")),
    "05 no scanners": method(AGENT, "matches", text("(?i)sqlmap|nikto|masscan")),
    "06 no cross-site writes": both(
        equal(METHOD, "POST"), equal(call("_[_]", HEADERS, text("sec-fetch-site")), "cross-site")
    ),
    "07 moved": equal(PATH, "/old"),
    "08 beta": both(call("@in", text("x-beta"), HEADERS), starts(PATH, "/beta")),
    "09 tell the upstream": negated(starts(PATH, "/api/")),
    "10 no versions": equal(METHOD, "OPTIONS"),
}
