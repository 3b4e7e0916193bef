"""Tests of the pipeline and its steps."""
