"""What holds for single resource types, beside their structure.

`bundle` and `document` (between entries) · `questionnaire_response` with `questionnaire_limits` and `enable_when` ·
`measure_report` · `structure_definition` with `definition_order`.
"""
