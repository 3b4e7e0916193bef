"""From bytes to the record: feeds, journal, and the pipeline that prints the order.

Read in this order: :mod:`.feed` (what is known of a source), :mod:`.intake` (durable
arrival), :mod:`.pipeline` (the order) in the thread of :mod:`.loop`, and its steps: :mod:`.reading`
(:mod:`.parse`, :mod:`.transform`), :mod:`.judging` (:mod:`.resolve` with :mod:`.naming`,
:mod:`.stating`, :mod:`.containers` and :mod:`.draft`; :mod:`.validate`), :mod:`.recorder` with
:mod:`.set_aside`; :mod:`.convert` (the same without a record),
:mod:`.replay` (again, after a map was mended).
"""

from __future__ import annotations

from .collected import collected
from .convert import Converted, convert, find_standard_feed
from .detect import detect
from .feed import Feed, Listener, find_map, get_feed
from .feed_file import load_feeds, parse_feed
from .intake import Intake, unavailable
from .keeper import PipelineProcess
from .naming import business_id
from .parse import message_types
from .pipeline import Pipeline
from .replay import Replay, Replayed
from .timings import STAGES, Timings
from .validate import Validation
from .working import pipeline_issues

__all__ = [
    "STAGES",
    "Converted",
    "Feed",
    "Intake",
    "Listener",
    "Pipeline",
    "PipelineProcess",
    "Replay",
    "Replayed",
    "Timings",
    "Validation",
    "business_id",
    "collected",
    "convert",
    "detect",
    "find_map",
    "find_standard_feed",
    "get_feed",
    "load_feeds",
    "message_types",
    "parse_feed",
    "pipeline_issues",
    "unavailable",
]
