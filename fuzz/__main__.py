"""Fuzz the parsers with atheris, one after the other: python -m fuzz [--seconds N] [TARGET ...].

An input that fails is kept in build/fuzz; once its cause is mended it goes to tests/cases/fuzz,
where the tests play it. What has been learnt about inputs is kept beside it for the next run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["policy", "actions", "proxy", "penstock"]):
    from fuzz.targets import TARGETS

BUILD = Path(__file__).resolve().parent.parent / "build" / "fuzz"
SLOWEST_INPUT_S = 10
MOST_MEMORY_MB = 2048
LONGEST_INPUT_BYTES = 4096


def main() -> None:
    """Fuzz the named targets, each in its own process; end with 1 if one of them failed."""
    by_name = {target.name: target for target in TARGETS}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(by_name))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.targets) - set(by_name)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if options.alone:
        fuzz(options.targets[0], options.seconds)
        return
    failed = [
        name
        for name in options.targets or by_name
        if subprocess.call(
            [sys.executable, "-m", "fuzz", "--alone", "--seconds", str(options.seconds), name]
        )
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; the inputs are in {BUILD}")


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process, which ends with it."""
    target = next(each for each in TARGETS if each.name == name)
    folder = BUILD / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(target.seeds):
        (corpus / f"seed-{index}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), "utf-8")
    sys.stderr.write(f"--- {name}\n")
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-timeout={SLOWEST_INPUT_S}",
            f"-rss_limit_mb={MOST_MEMORY_MB}",
            f"-max_len={LONGEST_INPUT_BYTES}",
            *([f"-dict={words}"] if target.words else []),
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            "-verbosity=0",
            str(corpus),
        ],
        target.run,
    )
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(
        character
        if character.isalnum()
        else "".join(f"\\x{byte:02x}" for byte in character.encode())
        for character in word
    )


if __name__ == "__main__":
    main()
