"""The first steps of the pipeline, ``parse`` and ``transform``, of the entries of the journal.

Records are read one by one, as they are asked for: a large file is never held as trees.  What
cannot be read or mapped goes on with its issues and is set aside with the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhir_bridge.errors import BridgeError
from fhir_bridge.journal import JournalMessage

from .feed import Feed, get_feed
from .parse import Record, parse
from .timings import Timings
from .transform import Transformer
from .unread import Unread
from .work import Work, fault

__all__ = ["Reading"]


class Reading:
    """From entries to records that are mapped."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        transformer: Transformer,
        unread: Unread,
        timings: Timings,
    ) -> None:
        self._feeds = feeds
        self._transformer = transformer
        self._unread = unread
        self._timings = timings

    def parse(self, entry: JournalMessage) -> Iterator[Work]:
        """One work for each record of `entry`; trouble is one more work with its issues."""
        try:
            feed = get_feed(self._feeds, entry.feed)
            records = parse(entry.data, feed)
            while True:
                with self._timings.stage("parse"):
                    record = next(records, None)
                if record is None:
                    return
                self._timings.records += 1
                yield Work(entry, feed, record, issues=list(record.issues))
        except BridgeError as error:
            yield Work(entry, None, None, issues=list(error.issues))
        except MemoryError:
            raise
        except Exception as error:  # a fault of ours must not hold up the others
            yield Work(entry, None, None, issues=[fault(entry, error)])

    def transform(self, work: Work) -> Work:
        """The record mapped by its feed's map; its tree is let go of."""
        feed, record = work.feed, work.record
        if feed is None or record is None:
            return work
        try:
            with self._timings.stage("transform"):
                work.mapped = self._transformer.transform(record, feed)
            work.issues += work.mapped.issues
            if not work.refused:
                self._look(work, feed, record)
        except BridgeError as error:
            work.issues += error.issues
        except MemoryError:
            raise
        except Exception as error:  # as above
            work.issues.append(fault(work.entry, error))
        record.let_go()
        return work

    def again(self, work: Work) -> Work:
        """The same record read anew: resolving had changed its Bundle in place."""
        if work.feed is None or work.record is None or work.refused:
            return work
        with self._timings.stage("parse"):
            record = next(parse(work.record.data, work.feed))
        record.where = work.record.where
        anew = Work(work.entry, work.feed, record, issues=list(record.issues), tally=work.tally)
        anew.last = work.last
        return self.transform(anew)

    def _look(self, work: Work, feed: Feed, record: Record) -> None:
        """Note what of the record no rule of its map took over."""
        if work.mapped.structure_map:
            with self._timings.stage("transform"):
                work.left = self._unread.look(
                    record.tree, feed.format, feed.name, work.mapped.structure_map, work.issues
                )
