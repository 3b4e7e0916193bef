"""kill -9 in the middle of the stream: what was acknowledged has its effect, once."""

import hashlib
import signal
from collections import Counter
from pathlib import Path

from fhir_bridge.demo.hospital_messages import registrations, results
from fhir_bridge.demo.referrals import referrals

RESIDENTS = 600
SID = "https://fhir-bridge.org/fhir/sid"
VISITS = f"{SID}/hospital/visit-number"


def test_a_killed_service_loses_and_doubles_nothing_that_it_acknowledged(site, tmp_path):
    """Kill, start again, send all again: each message is journalled once and recorded once."""
    acknowledged = tmp_path / "acknowledged.tsv"
    service = site.serve()
    arguments = ("demo-sources", "--mllp", f"127.0.0.1:{site.mllp_port}", "--residents", RESIDENTS)
    sources = site.start(*arguments, "--acknowledged", acknowledged, "--window", 8)
    site.until(lambda: acknowledged.exists() and acknowledged.stat().st_size > 2_000, sources)
    children = _children(service.pid)
    service.send_signal(signal.SIGKILL)
    service.wait()
    assert sources.poll() is None, "the sources were done before the kill"
    before_kill = _settled(acknowledged)
    sent = _sent()
    assert 0 < len(before_kill & set(sent)) < len(sent), "the kill was not in the stream's middle"

    service = site.serve()
    assert len(children) >= 1, "the pipeline has a process of its own"
    assert not any(Path(f"/proc/{child}").exists() for child in children), "one is left behind"
    assert sources.wait(timeout=300) == 0
    again = site.start(*arguments, "--acknowledged", acknowledged, "--resend")
    assert again.wait(timeout=300) == 0

    settled = _settled(acknowledged)
    assert set(sent) <= settled
    site.until(lambda: _provenances(site).total() >= len(sent), service, 300)

    provenances = _provenances(site)  # faults that were taken have theirs as well
    assert {digest: provenances[digest] for digest in sent.values()} == dict.fromkeys(
        sent.values(), 1
    )
    assert set(provenances.values()) == {1}
    _assert_effects(site)
    assert site.get("Encounter?_summary=count")["total"] == len(_visits())

    site.close()
    journalled = _journalled(site)
    times = Counter((control_id, digest) for control_id, digest, _ in journalled)
    assert set(times.values()) == {1}
    found = {(control_id, _hex(digest)): status for control_id, digest, status in journalled}
    assert {found[message] for message in sent.items()} == {"done"}
    assert {control_id for control_id, _ in found} >= settled
    assert provenances.total() == sum(status == "done" for _, _, status in journalled)


def _children(pid: int) -> list[int]:
    """The processes below a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, listed) for each in (child, *_children(child))]


def _assert_effects(site) -> None:
    """Each visit, order and letter that was sent is one resource under its number."""
    numbers = _numbers(site, "Encounter")
    assert {value: count for (system, value), count in numbers.items() if system == VISITS} == (
        dict.fromkeys(_visits(), 1)
    )
    orders = Counter(value for _, value in _numbers(site, "DiagnosticReport", last=True))
    assert orders == Counter(_orders())
    requests = _numbers(site, "ServiceRequest")
    assert set(requests.values()) == {1}
    assert {value for _, value in requests} >= _letters() | _orders()


def _numbers(site, resource_type: str, *, last: bool = False) -> Counter:
    """How many resources of a type have each (system, value); `last`: by the last number only."""
    found = Counter()
    for resource in site.everything(f"{resource_type}?_count=200"):
        pairs = [(each["system"], each["value"]) for each in resource.get("identifier", ())]
        found.update(pairs[-1:] if last else pairs)
    return found


def _provenances(site) -> Counter:
    """How many Provenances name each message by its digest."""
    return Counter(
        provenance["entity"][0]["what"]["identifier"]["value"].rpartition("/")[2]
        for provenance in site.everything("Provenance?_count=200")
    )


def _sent() -> dict[str, str]:
    """Digest of every message of the stream by its control id."""
    return {
        message.control_id: hashlib.sha256(message.data).hexdigest()
        for stream in (registrations, results, referrals)
        for message in stream(RESIDENTS, 1)
    }


def _visits() -> set[str]:
    return {message.control_id[3:] for message in registrations(RESIDENTS, 1)}


def _orders() -> set[str]:
    return {message.control_id[1:] for message in results(RESIDENTS, 1)}


def _letters() -> set[str]:
    return {message.control_id for message in referrals(RESIDENTS, 1)}


def _settled(acknowledged) -> set[str]:
    """Control ids that were answered AA."""
    lines = [line.split("\t") for line in acknowledged.read_text().splitlines()]
    return {control_id for _, control_id, code in lines if code == "AA"}


def _hex(digest: bytes | str) -> str:
    return digest if isinstance(digest, str) else digest.hex()


def _journalled(site) -> list[tuple[str, bytes, str]]:
    """(control id, digest, status) of every message in the journal."""
    from fhir_bridge.fhir import definitions
    from fhir_bridge.search import Registry
    from fhir_bridge.store import open_store

    store = open_store(
        f"sqlite:///{site.data / 'record.sqlite3'}", registry=Registry(definitions())
    )
    try:
        found, before = [], 0
        while page := store.journal.latest(limit=500, before=before):
            found += [(message.control_id, message.digest, message.status) for message in page]
            before = page[-1].message_id
        return found
    finally:
        store.close()
