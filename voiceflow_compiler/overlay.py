"""One artifact in several locales: what is different in each is laid over the whole as plain data.

Laws
1. Laying `difference(base, other)` over `base` gives `other`, its content hash aside: a call in any locale
   is a call of the one artifact that was compiled, tested and rolled out.
2. Maps are laid over maps; `{"=": value}` stands in place of what it covers, and so does everything else.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from voiceflow_compiler.artifact import Artifact, ArtifactError, seal


def difference(base: Artifact, other: Artifact) -> dict[str, Any]:
    """What must be laid over `base`, as plain data, to have `other`: only what differs."""
    plain, wanted = (msgspec.to_builtins(each) for each in (base, other))
    left_out = {"content_hash", "locales"}
    return {
        key: over
        for key in wanted
        if key not in left_out and (over := _over(plain.get(key, _SAME), wanted[key])) is not _SAME
    }


def in_locale(artifact: Artifact, tag: str) -> Artifact:
    """The artifact as a caller of this locale hears it; it keeps the content hash of the whole.

    Raises ArtifactError for a locale it does not have.
    """
    if tag == artifact.locale:
        return artifact
    if tag not in artifact.locales:
        known = ", ".join((artifact.locale, *artifact.locales))
        raise ArtifactError(f"flow {artifact.flow} has no locale {tag}: it has {known}")
    plain = _laid(msgspec.to_builtins(artifact), artifact.locales[tag])
    return msgspec.convert({**plain, "locales": {}}, type=Artifact)


def alone(artifact: Artifact, tag: str) -> Artifact:
    """The artifact in one locale as an artifact of its own, with a hash of its own: for whoever keeps it.

    Raises ArtifactError for a locale it does not have.
    """
    return seal(replace(in_locale(artifact, tag), content_hash="", locales={}, locale_fact=None))


def nearest_locale(tags: Collection[str], wished: str) -> str | None:
    """The locale that a wish such as `es`, `es_MX` or `ES-mx` means: that tag, else the first of its
    language; None where there is none.
    """
    bare = wished.strip().replace("_", "-").lower()
    exact = next((tag for tag in tags if tag.lower() == bare), None)
    return exact or next((tag for tag in tags if tag.lower().split("-")[0] == bare.split("-")[0]), None)


_SAME: Final = object()
_INSTEAD: Final = "="  # the only key of a map that stands in place of another, rather than over it


def _over(plain: Any, wanted: Any) -> Any:
    """What must be laid over `plain` (_SAME: nothing is there) to have `wanted`; _SAME for nothing."""
    if plain is not _SAME and plain == wanted and type(plain) is type(wanted):
        return _SAME
    if isinstance(plain, dict) and isinstance(wanted, dict) and plain.keys() <= wanted.keys():
        found = {key: _over(plain.get(key, _SAME), wanted[key]) for key in wanted}
        changed = {key: over for key, over in found.items() if over is not _SAME}
        if changed.keys() != {_INSTEAD}:
            return changed or _SAME
    return {_INSTEAD: wanted} if isinstance(wanted, dict) else wanted


def _laid(plain: Any, over: Any) -> Any:
    if isinstance(over, dict) and over.keys() == {_INSTEAD}:
        return over[_INSTEAD]
    if isinstance(plain, dict) and isinstance(over, dict):
        return {**plain, **{key: _laid(plain.get(key), value) for key, value in over.items()}}
    return over
