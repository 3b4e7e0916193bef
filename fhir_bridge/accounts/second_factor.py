"""Time-based one-time passwords (https://www.rfc-editor.org/rfc/rfc6238), each used once."""

from __future__ import annotations

import hmac

__all__ = ["accepted_step", "fresh_totp_secret", "totp_address"]

_STEP_SECONDS = 30
_DRIFT = (0, -1, 1)
"""Steps beside the present one that count: clocks differ by half a minute."""


def fresh_totp_secret() -> str:
    """A new secret of 160 bits, base32."""
    import pyotp

    return pyotp.random_base32(32)


def totp_address(secret: str, name: str) -> str:
    """The ``otpauth:`` address that an authenticator app takes over."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="FHIR Bridge")


def accepted_step(secret: str, code: str, *, now_ms: int, after_step: int) -> int | None:
    """The time step whose code this is, later than `after_step`; None when there is none."""
    import pyotp

    digits = "".join(code.split())
    present = now_ms // 1000 // _STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for drift in _DRIFT:
        step = present + drift
        expected = totp.generate_otp(step)
        if step > after_step and hmac.compare_digest(expected.encode(), digits.encode()):
            return step
    return None
