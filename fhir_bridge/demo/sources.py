"""All source systems of H community at work, in a process of their own.

Order: teams and packages first (others refer to them), then the tables, the documents and the
HL7 v2 streams side by side; the laboratory and the referrals follow the registrations, as in a
hospital.  Progress leaves as one JSON object a line on standard output:
``{"event": "planned|done|sent|finished", …}``; the process that watches reads it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from fhir_bridge.demo import contract_system, public_health
from fhir_bridge.demo.contract_api import ContractApi
from fhir_bridge.demo.documents import documents
from fhir_bridge.demo.faults import fault_interval, with_faults
from fhir_bridge.demo.file_drop import drop, drop_table
from fhir_bridge.demo.hospital_messages import registrations, results
from fhir_bridge.demo.mllp_sender import Acknowledgements, Sent, send
from fhir_bridge.demo.referrals import referrals

__all__ = ["FEEDS", "Plan", "run"]

FEEDS = (
    "contract-teams",
    "contract-packages",
    "contract-agreements",
    "contract-fulfilment",
    "public-health-files",
    "public-health-hypertension",
    "hospital-cda",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where."""

    residents: int
    seed: int
    mllp: tuple[str, int] | None
    inbox: Path | None
    acknowledgements: Path | None = None
    resend: bool = False
    patience: float = 60.0
    window: int = 64
    api_port: int = 0
    api_token: str = ""


class _Telling:
    """Writes progress lines, at most one for every `step` items of a feed."""

    def __init__(self, write: Callable[[str], object], step: int = 200) -> None:
        self._write, self._step = write, step
        self._lock, self._open = Lock(), Counter[str]()

    def tell(self, event: str, **fields: object) -> None:
        with self._lock:
            self._write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")

    def done(self, feed: str, count: int) -> None:
        with self._lock:
            self._open[feed] += count
            due = self._open[feed] if self._open[feed] >= self._step else 0
            if due:
                self._open[feed] = 0
        if due:
            self.tell("done", feed=feed, count=due)

    def flush(self) -> None:
        with self._lock:
            left, self._open = self._open, Counter()
        for feed, count in left.items():
            if count:
                self.tell("done", feed=feed, count=count)


def run(plan: Plan, *, stop: Event | None = None) -> dict[str, Sent]:
    """Run all sources to their end; serve the contract system's API until `stop` is set.

    Raises what the first failing source raised (ConnectionError when nobody listens).
    """
    telling = _Telling(lambda line: (sys.stdout.write(line), sys.stdout.flush()))
    api = ContractApi(lambda: _online_agreements(plan), plan.api_token, plan.api_port)
    api.start()
    telling.tell("serving", url=api.url)
    reports: dict[str, Sent] = {}
    failures: list[BaseException] = []
    threads = [
        Thread(target=_guarded, args=(work, failures), name=work.__name__)
        for work in _works(plan, telling, reports)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    telling.flush()
    if failures:
        api.stop()
        raise failures[0]
    telling.tell("finished", sent={name: asdict(report) for name, report in reports.items()})
    if stop is not None:
        stop.wait()
    api.stop()
    return reports


def _works(plan: Plan, telling: _Telling, reports: dict[str, Sent]) -> Iterator[Callable[[], None]]:
    def files() -> None:
        if plan.inbox is not None:
            _drop_all(plan, plan.inbox, telling)

    def hospital() -> None:
        if plan.mllp is not None:
            _send_all(plan, plan.mllp, telling, reports)

    yield files
    yield hospital


def _guarded(work: Callable[[], None], failures: list[BaseException]) -> None:
    try:
        work()
    except BaseException as error:
        failures.append(error)


def _drop_all(plan: Plan, inbox: Path, telling: _Telling) -> None:
    count, seed = plan.residents, plan.seed
    tables = {
        "contract-teams": (contract_system.team_rows(seed), "utf-8-sig"),
        "contract-packages": (contract_system.package_rows(), "utf-8-sig"),
        "public-health-files": (public_health.health_files(count, seed), "gb18030"),
        "contract-agreements": (contract_system.agreement_rows(count, seed, online=False), "utf-8"),
        "public-health-hypertension": (public_health.follow_ups(count, seed), "gb18030"),
        "contract-fulfilment": (contract_system.fulfilment_rows(count, seed), "utf-8"),
    }
    for feed, (rows, codec) in tables.items():
        made = drop_table(inbox / feed, f"{feed}.csv", rows, codec=codec, done=telling.done)
        telling.tell("sent", feed=feed, count=made)
    made = drop(inbox / "hospital-cda", documents(count, seed), done=telling.done)
    telling.tell("sent", feed="hospital-cda", count=made)


def _send_all(
    plan: Plan, address: tuple[str, int], telling: _Telling, reports: dict[str, Sent]
) -> None:
    count, seed = plan.residents, plan.seed
    acknowledgements = Acknowledgements(plan.acknowledgements)
    streams = {
        "hospital-adt": with_faults(registrations(count, seed), fault_interval(count)),
        "hospital-oru": results(count, seed),
        "hospital-ref": referrals(count, seed),
    }
    for name, messages in streams.items():
        reports[name] = send(
            address,
            messages,
            acknowledgements,
            window=plan.window,
            patience=plan.patience,
            resend=plan.resend,
            done=lambda made, name=name: telling.done(name, made),  # type: ignore[misc]
        )
        telling.tell("sent", feed=name, **asdict(reports[name]))
    acknowledgements.close()


def _online_agreements(plan: Plan) -> Iterator[contract_system.Row]:
    return contract_system.agreement_rows(plan.residents, plan.seed, online=True)
