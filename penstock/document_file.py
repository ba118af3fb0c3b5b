"""Reads the documents that commands are given: policies, nested policies, configurations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actions import LANGUAGE
from policy.compiled import Policy
from policy.container import Contained, ContainedPolicy, PolicyReference, find_policies
from policy.load import LoadOptions, Progress, load_policy_node
from policy.problem import Place, PolicyError, Problem, sorted_problems
from policy.source import DOCUMENT_LIMIT_BYTES, Mapping, Node, SourceTree, read_source
from proxy.assembly import assemble
from proxy.config import plan_of
from proxy.failure import Failure

# A document with any of these at its top is a configuration, not a policy.
CONFIGURATION_KEYS = ("endpoints", "listeners")


def problems_of(path: Path, progress: Progress | None = None) -> tuple[Problem, ...]:
    """Return everything that is wrong with a document, and with the files that it names.

    `progress` is told of the rules of each policy.
    """
    try:
        tree = read_tree(path)
    except PolicyError as error:
        return error.problems
    if is_configuration(tree.root):
        return sorted_problems(configuration_problems(tree, path, progress))
    return sorted_problems(policy_problems(tree, path, progress))


def load_policy_file(path: Path, progress: Progress | None = None) -> Policy:
    """Load the one policy that a file holds or names.

    Raises PolicyError with all its problems, Failure where there is none or more than one.
    """
    tree = read_tree(path)
    contained = find_policies(tree.root)
    files = [each for each in contained.references if each.is_file]
    match contained.policies, files:
        case [only], []:
            problems = (*tree.problems, *contained.problems)
            return load(only, path, problems, progress=progress)
        case [], [only]:
            return load_policy_file(path.parent / only.target.text, progress)
    if contained.problems or tree.problems:
        raise PolicyError([*tree.problems, *contained.problems])
    raise Failure(f"{path}: {what_it_holds(contained)}", hint="name a file with one policy in it")


def what_it_holds(contained: Contained) -> str:
    """Say which policies a document holds that has not just one."""
    places = [policy.path for policy in contained.policies]
    places += [reference.path for reference in contained.references]
    return f"holds {len(places)} policies ({', '.join(places)})" if places else "holds no policy"


def read_tree(path: Path) -> SourceTree:
    """Read a document; raises PolicyError, also when there is no such file."""
    name = str(path)
    try:
        with path.open("rb") as file:
            # One byte more than is allowed is enough to see that a document is too large.
            data = file.read(DOCUMENT_LIMIT_BYTES + 1)
    except OSError as error:
        place = Place(file=name, line=1, column=1, end_column=1, source_line="")
        raise PolicyError([unreadable(name, error, place)]) from None
    return read_source(data, name=name)


def unreadable(name: str, error: OSError, place: Place) -> Problem:
    """Say that a file can't be read."""
    reason = (error.strerror or str(error)).lower()
    return Problem(
        code="file-unusable",
        message=f"can't read {name!r}: {reason}",
        place=place,
        hint="name a file that exists and can be read",
    )


def is_configuration(root: Node | None) -> bool:
    """Tell a configuration such as penstock.yml from a policy."""
    return isinstance(root, Mapping) and any(root.get(key) for key in CONFIGURATION_KEYS)


def configuration_problems(
    tree: SourceTree, path: Path, progress: Progress | None
) -> tuple[Problem, ...]:
    """Return what is wrong with a configuration and with all files that it names."""
    try:
        plan = plan_of(tree.root, name=str(path), folder=path.parent)
        return (*tree.problems, *assemble(plan, progress).warnings)
    except PolicyError as error:
        return (*tree.problems, *error.problems)


def policy_problems(tree: SourceTree, path: Path, progress: Progress | None) -> Iterator[Problem]:
    """Return what is wrong with a document's policies, wherever in it they stand."""
    contained = find_policies(tree.root)
    yield from (*tree.problems, *contained.problems)
    for policy in contained.policies:
        try:
            yield from load(policy, path, progress=progress).warnings
        except PolicyError as error:
            yield from error.problems
    for reference in contained.references:
        if reference.is_file:
            yield from referenced_problems(reference, path, progress)


def referenced_problems(
    reference: PolicyReference, path: Path, progress: Progress | None
) -> tuple[Problem, ...]:
    """Return what is wrong with a policy file that a document names."""
    target = path.parent / reference.target.text
    if not target.exists():
        missing = FileNotFoundError(2, "no such file or directory")
        return (unreadable(str(target), missing, reference.target.place()),)
    return problems_of(target, progress)


def load(
    contained: ContainedPolicy,
    path: Path,
    problems: tuple[Problem, ...] = (),
    *,
    progress: Progress | None = None,
) -> Policy:
    """Load one policy of a document; raises PolicyError."""
    name = f"{path}: {contained.path}" if contained.path else str(path)
    return load_policy_node(
        contained.root,
        name=name,
        language=LANGUAGE,
        options=LoadOptions(progress=progress),
        problems=(*problems, *contained.problems),
    )
