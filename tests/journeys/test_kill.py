"""kill -9 in the middle of the stream: what was acknowledged is there, once."""

import signal

from fhir_bridge.demo.hospital_messages import registrations, results
from fhir_bridge.demo.referrals import referrals

RESIDENTS = 600


def test_a_killed_service_loses_and_doubles_nothing_that_it_acknowledged(site, tmp_path):
    """Kill, start again, send again: every acknowledged message is in the journal once."""
    acknowledged = tmp_path / "acknowledged.tsv"
    service = site.serve()
    arguments = ("demo-sources", "--mllp", f"127.0.0.1:{site.mllp_port}", "--residents", RESIDENTS)
    sources = site.start(*arguments, "--acknowledged", acknowledged, "--window", 8)
    site.until(lambda: acknowledged.exists() and acknowledged.stat().st_size > 2_000, sources)
    service.send_signal(signal.SIGKILL)
    service.wait()
    assert sources.poll() is None, "the sources were done before the kill"

    service = site.serve()
    assert sources.wait(timeout=120) == 0
    again = site.start(*arguments, "--acknowledged", acknowledged, "--resend")
    assert again.wait(timeout=120) == 0
    site.close()

    messages = _journalled(site)
    settled = {
        line.split("\t")[1]
        for line in acknowledged.read_text().splitlines()
        if line.split("\t")[2] == "AA"
    }
    assert settled
    assert settled <= {control_id for control_id, _ in messages}
    assert len(messages) == len(set(messages))
    sent = {
        message.control_id
        for stream in (registrations, results, referrals)
        for message in stream(RESIDENTS, 1)
    }
    assert sent <= settled


def _journalled(site) -> list[tuple[str, bytes]]:
    """(control id, digest) of every message in the journal."""
    from fhir_bridge.fhir import definitions
    from fhir_bridge.search import Registry
    from fhir_bridge.store import open_store

    store = open_store(
        f"sqlite:///{site.data / 'record.sqlite3'}", registry=Registry(definitions())
    )
    try:
        found, before = [], 0
        while page := store.journal.latest(limit=500, before=before):
            found += [(message.control_id, message.digest) for message in page]
            before = page[-1].message_id
        return found
    finally:
        store.close()
