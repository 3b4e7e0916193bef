"""From bytes to the record: feeds, journal, and the pipeline that prints the order.

Read in this order: :mod:`.feed` (what is known of a source).
"""

from __future__ import annotations

from .feed import Feed, find_map, get_feed, load_feeds, parse_feed

__all__ = ["Feed", "find_map", "get_feed", "load_feeds", "parse_feed"]
