"""``python -m fhir_bridge.demo``: the source systems alone, against a server that runs."""

from fhir_bridge.demo.sources_command import demo_sources

if __name__ == "__main__":
    demo_sources(prog_name="python -m fhir_bridge.demo")
