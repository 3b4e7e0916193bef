"""FHIRPath rules: their judgement (`invariants`), and rules without an answer (`null_safety`, `minimal_instance`)."""
