"""Tests of the MLLP server and the folder watcher."""
