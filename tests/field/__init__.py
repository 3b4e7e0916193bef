"""Inputs as the field sends them, with what is right: `expected` holds the facts."""
