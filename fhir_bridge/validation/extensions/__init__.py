"""Extensions: what is known of them (`extension_definition`) and where they stand (`extension_context`)."""
