"""Whether a call may be placed: consent, the hours where the phone rings, and who asked not to be called."""

from runtime.dialling.permission import Consent, ConsentError, Hours, read_consent, read_numbers, refusals

__all__ = ["Consent", "ConsentError", "Hours", "read_consent", "read_numbers", "refusals"]
