"""Reads the documents that commands are given: policies, nested policies, configurations."""

from __future__ import annotations

from pathlib import Path

from actions import LANGUAGE
from policy.compiled import Policy
from policy.load import load_policy_node
from policy.problem import Place, PolicyError, Problem, has_errors, sorted_problems
from policy.source import DOCUMENT_LIMIT_BYTES, Mapping, Node, SourceTree, read_source
from proxy.assembly import assemble
from proxy.config import plan_of

# A document with any of these at its top is a configuration, not a policy.
CONFIGURATION_KEYS = ("endpoints", "listeners")


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Return everything that is wrong with a document, in document order."""
    name = str(path)
    try:
        tree = read_tree(path)
        if is_configuration(tree.root):
            return sorted_problems(configuration_problems(tree, path))
        policy = load_policy_node(tree.root, name=name, language=LANGUAGE, problems=tree.problems)
    except PolicyError as error:
        return error.problems
    return policy.warnings


def load_policy_file(path: Path) -> Policy:
    """Load the policy in a file; raises PolicyError with all its problems."""
    tree = read_tree(path)
    return load_policy_node(tree.root, name=str(path), language=LANGUAGE, problems=tree.problems)


def read_tree(path: Path) -> SourceTree:
    """Read a document; raises PolicyError, also when there is no such file."""
    name = str(path)
    try:
        with path.open("rb") as file:
            # One byte more than is allowed is enough to see that a document is too large.
            data = file.read(DOCUMENT_LIMIT_BYTES + 1)
    except OSError as error:
        raise PolicyError([unreadable(name, error)]) from None
    return read_source(data, name=name)


def unreadable(name: str, error: OSError) -> Problem:
    """Say that a file can't be read."""
    reason = (error.strerror or str(error)).lower()
    return Problem(
        code="file-unusable",
        message=f"can't read {name!r}: {reason}",
        place=Place(file=name, line=1, column=1, end_column=1, source_line=""),
        hint="name a file that exists and can be read",
    )


def is_configuration(root: Node | None) -> bool:
    """Tell a configuration such as penstock.yml from a policy."""
    return isinstance(root, Mapping) and any(root.get(key) for key in CONFIGURATION_KEYS)


def configuration_problems(tree: SourceTree, path: Path) -> tuple[Problem, ...]:
    """Return what is wrong with a configuration and with all files that it names."""
    if has_errors(tree.problems):
        return tree.problems
    try:
        plan = plan_of(tree.root, name=str(path), folder=path.parent)
        return (*tree.problems, *assemble(plan).warnings)
    except PolicyError as error:
        return (*tree.problems, *error.problems)
