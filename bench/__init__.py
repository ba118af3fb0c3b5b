"""Benchmarks: each is a script that prints ratios against named peers. See docs/benchmarks.md."""
