"""Every message about documents that hold policies inside."""

from __future__ import annotations

from policy.problem import Problem, Severity
from policy.source import Node, Scalar, describe


def policy_not_text(node: Scalar, path: str) -> Problem:
    """Report a policy that is neither a map nor text."""
    return Problem(
        code="wrong-type",
        message=f"{path} is a policy, as a map or as text, found {describe(node)}",
        place=node.place(),
        reference="ERR_NGROK_2236",
    )


def reference_not_text(node: Node, path: str) -> Problem:
    """Report a name of a file or object that is no text."""
    return Problem(
        code="wrong-type",
        message=f"{path} is a name, found {describe(node)}",
        place=node.place(),
        reference="ERR_NGROK_2236",
    )


def given_twice(node: Node, names: list[str]) -> Problem:
    """Report a policy that is given in two ways: which one counts would be a guess."""
    return Problem(
        code="policy-given-twice",
        message=f"a policy is given by {' and by '.join(repr(name) for name in names)}",
        place=node.place(),
        hint="keep one of them",
        reference="ERR_NGROK_2236",
    )


def module_disabled(node: Scalar) -> Problem:
    """Warn of a policy that its holder switches off."""
    return Problem(
        code="policy-disabled",
        message="the policy is switched off here and is not read",
        place=node.place(),
        severity=Severity.WARNING,
        hint="write 'enabled: true', or leave the line out",
    )


def unknown_kind(node: Node, kind: str, known: tuple[str, ...]) -> Problem:
    """Report a Kubernetes object that holds no policy."""
    return Problem(
        code="unknown-kind",
        message=f"an object of kind {kind!r} holds no policy",
        place=node.place(),
        hint=f"policies are in {', '.join(known)}",
        reference="ERR_NGROK_2236",
    )


def no_policy_in_object(node: Node, kind: str) -> Problem:
    """Report a Kubernetes object without the policy that it is for."""
    hint = "put it below 'spec'"
    if kind == "NgrokTrafficPolicy":
        hint = "put it below 'spec:' and 'policy:'"
    return Problem(
        code="no-policy",
        message=f"this {kind} holds no policy",
        place=node.place(),
        hint=hint,
        reference="ERR_NGROK_2236",
    )
