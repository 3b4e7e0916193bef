"""Public test suites, run as published: ``python -m tests.conformance SUITE TREE``.

Each suite is a module of this package with ``run(tree) -> Iterator[Result]``.  A tree is
a folder in the suite's own format; any tree of the same format can be given.
"""
