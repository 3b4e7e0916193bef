"""Versions, index rows and change log: `writer` adds them, `collect` clears up after the replaced."""
