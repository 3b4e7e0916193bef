"""The demo's source systems alone (hidden)."""

from fhir_bridge.demo.sources_command import demo_sources

__all__ = ["command"]

command = demo_sources
