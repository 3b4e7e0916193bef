"""``python -m fhir_bridge``: the same as the command ``fhir-bridge``."""

from fhir_bridge.cli import main

if __name__ == "__main__":
    main()
