"""How many HL7 v2 messages a core reads in a second, and that nothing is split unasked.

Run: ``python bench/hl7v2.py`` (add ``--seconds 3`` for steadier figures).  Where the PyPI
package ``hl7`` is installed its figures stand beside ours, measured in the same run.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable

from fhir_bridge import hl7v2

HEADER = "MSH|^~\\&|HIS|H1|FB|C1|20260101120000||{type}|M0001|P|2.5\r"
PATIENT = (
    "PID|1||P20240001^^^H1&1.2.156.1&ISO^MR~330110197001011234^^^^SFZ||张三^ZHANGSAN||19700101|M|||"
    "浙江省杭州市余杭区文一西路\\T\\高教路^^杭州^浙江^311100||13800138000|||M|||330110197001011234\r"
)
ADT = (
    HEADER.format(type="ADT^A01^ADT_A01")
    + "EVN|A01|20260101120000|||01234^张三^医生\r"
    + PATIENT
    + "NK1|1|李四|SPO||13900139000\r"
    + "PV1|1|I|1203^5^心内科病房^^^心内科|1|||1234^王医生^主治|||||||||||INPATIENT|V1"
    + "|" * 24
    + "20260101090000\r"
    + "DG1|1||I10^高血压病^ICD10||20260101|A\r"
    + "IN1|1|01^职工医保|H1\r"
)
ORU = (
    HEADER.format(type="ORU^R01^ORU_R01")
    + PATIENT
    + "OBR|1|ORD001|ORD001|CBC^血常规^LIS|||20260101101500\r"
    + "".join(
        f"OBX|{n}|NM|T{n}^项目{n}^LIS||{n}.5|10\\S\\9/L|3.5-9.5|N|||F|||20260101102500\r"
        for n in range(1, 11)
    )
)


def read_header(message: hl7v2.Message) -> object:
    """The least that a listener asks."""
    return message.message_type, message.control_id


def read_all(message: hl7v2.Message) -> int:
    """Every value of every field, with the components of each."""
    found = 0
    for segment in message.segments:
        for name in segment.keys():  # noqa: SIM118
            values = segment.get(name)
            for value in values if isinstance(values, list) else [values]:
                found += len(value.keys())
    return found


def read_as_a_map(message: hl7v2.Message) -> object:
    """What a map of this size really asks: some thirty values."""
    patient = message.get("PID")
    read = [patient.get(f"f{number}") for number in (3, 5, 7, 8, 11, 13, 16, 19)]
    identifiers = read[0] if isinstance(read[0], list) else [read[0]]
    parts = [each.get(part) for each in identifiers for part in ("c1", "c4", "c5")]
    orders = message.get("ORDER_OBSERVATION")
    for order in orders if isinstance(orders, list) else [orders] if orders else []:
        for observation in order.get("OBSERVATION") or ():
            result = observation.get("OBX")
            parts += [result.get(f"f{number}") for number in (2, 3, 5, 6, 7, 8, 11, 14)]
    return parts


def microseconds(action: Callable[[], object], seconds: float) -> float:
    """Best of five rounds, CPU time per call."""
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds / 5:
        action()
        count += 1
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(count):
            action()
        best = min(best, (time.process_time() - start) / count)
    return best * 1e6


def main() -> None:
    """Print one line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5)
    seconds = parser.parse_args().seconds
    actions: dict[str, Callable[[bytes], object]] = {
        "parse, header read": lambda data: read_header(hl7v2.parse(data)),
        "parse, read as a map": lambda data: read_as_a_map(hl7v2.parse(data)),
        "parse, every value read": lambda data: read_all(hl7v2.parse(data)),
        "parse and acknowledge": lambda data: hl7v2.acknowledge(hl7v2.parse(data), "AA"),
    }
    try:
        peer = importlib.import_module("hl7")
        actions["package hl7: parse"] = lambda data: peer.parse(data.decode())
    except ImportError:
        print("(package hl7 is not installed: no figures beside ours)")
    for kind, text in (("ADT, 7 segments", ADT), ("ORU, 13 segments", ORU)):
        for charset in ("utf-8", "gb18030"):
            data = text.encode(charset)
            for name, action in actions.items():
                if charset == "gb18030" and "every" not in name:
                    continue
                cost = microseconds(lambda data=data, action=action: action(data), seconds)  # type: ignore[misc]
                print(f"{kind}, {charset:8} {name:26} {cost:8.1f} µs {1e6 / cost:10,.0f}/s")
    largest = (ORU + "OBX|2|ED|PDF||^application^pdf^Base64^" + "A" * 4_000_000 + "\r").encode()
    cost = microseconds(lambda: read_header(hl7v2.parse(largest)), seconds)
    print(f"lazy: a 4 MB field that nobody asks for costs {cost / 1000:.1f} ms (decoding only)")


if __name__ == "__main__":
    main()
