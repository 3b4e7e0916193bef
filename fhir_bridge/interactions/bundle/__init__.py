"""A Bundle of requests: batch (each for itself) and transaction (all or none).

Read in this order: `batch`, `entry` (an entry as a request, its answer), `transaction`, `change`
(which resource an entry is about), `linking` and `links` (how entries refer to each other),
`integrity`.
"""

from fhir_bridge.interactions.bundle.batch import batch

__all__ = ["batch"]
