"""The pages in a real browser: headless Chromium, named by FHIR_BRIDGE_TEST_CHROMIUM."""
