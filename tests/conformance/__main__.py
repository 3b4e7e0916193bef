"""Runs one public suite over a tree and prints what a reader needs to judge it.

``python -m tests.conformance SUITE TREE [--failures FILE] [--verbose] [--all]`` prints
``SUITE: cases N, passed P, failed F, skipped S`` and writes the ids of the failed and
skipped cases, with notes, to a file.  Exit code 0 when nothing failed, 1 otherwise.
``--all`` judges the cases of the register of exclusions too and names those that pass.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.conformance.result import Result, judge_all, listed


def main(arguments: list[str] | None = None) -> int:
    """Run the suite named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("suite", help="name of a module of tests/conformance, - for _")
    parser.add_argument("tree", type=Path, help="folder in the suite's published format")
    parser.add_argument("--failures", type=Path, help="where the ids of failed cases go")
    parser.add_argument("--verbose", action="store_true", help="print each failed case")
    parser.add_argument("--all", action="store_true", help="judge the excluded cases as well")
    chosen = parser.parse_args(arguments)
    if chosen.all:
        judge_all()
    if not chosen.tree.is_dir():
        parser.error(f"no folder {chosen.tree}")
    try:
        suite = importlib.import_module(f"tests.conformance.{chosen.suite.replace('-', '_')}")
    except ModuleNotFoundError as missing:
        parser.error(f"no suite {chosen.suite}: {missing}")
    results = list(suite.run(chosen.tree))
    if chosen.all:
        passed = {result.case_id for result in results if result.outcome == "passed"}
        for case in sorted(passed & listed(chosen.suite).keys()):
            print(f"passes and is excluded: {case}")
    failures = chosen.failures or Path(tempfile.gettempdir()) / f"{chosen.suite}-failures.txt"
    return _report(chosen.suite, results, failures, verbose=chosen.verbose)


def _report(suite: str, results: list[Result], failures: Path, *, verbose: bool) -> int:
    """Print the totals, by group where the suite has groups, and list what did not pass."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.group].append(result)
    if len(groups) > 1:
        for group, members in groups.items():
            print(f"  {group}: {_totals(members)}")
    others = [result for result in results if result.outcome != "passed"]
    lines = [f"{result.outcome}\t{result.case_id}\t{result.note}" for result in others]
    failures.write_text("\n".join([*lines, ""]), encoding="utf-8")
    if verbose:
        print("\n".join(lines))
    print(f"{suite}: {_totals(results)}")
    if others:
        print(f"(cases that did not pass: {failures})", file=sys.stderr)
    # A tree without a single case proves nothing, so it is not a success.
    return 1 if not results or any(result.outcome == "failed" for result in results) else 0


def _totals(results: Iterable[Result]) -> str:
    tally = Counter(result.outcome for result in results)
    return (
        f"cases {tally.total()}, passed {tally['passed']}, "
        f"failed {tally['failed']}, skipped {tally['skipped']}"
    )


if __name__ == "__main__":
    sys.exit(main())
