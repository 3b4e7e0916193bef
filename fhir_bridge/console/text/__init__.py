"""Texts in the reader's language: words, names of codes and identifiers, issues, values."""
