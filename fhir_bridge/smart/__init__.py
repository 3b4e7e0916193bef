"""SMART App Launch 2.2: how apps are let at the record.

https://hl7.org/fhir/smart-app-launch/STU2.2/.  What an app may ask for is read in
`fhir_bridge.access`.
"""
