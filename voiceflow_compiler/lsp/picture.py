"""The picture of the text as it stands: drawn anew when it has no errors, else the last one."""

from dataclasses import dataclass
from threading import Lock
from typing import Any

from voiceflow_compiler.lsp.documents import Documents


@dataclass(frozen=True, slots=True)
class Picture:
    """`current` is False for the picture of an earlier text. `svg` is empty when there never was one."""

    svg: str
    html: str
    current: bool
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As it is sent."""
        return {"svg": self.svg, "html": self.html, "current": self.current, "reason": self.reason}


class Pictures:
    """The last picture of each flow."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._drawn: dict[str, Picture] = {}
        self._lock = Lock()

    def of(self, path: str) -> Picture:
        """The picture of the flow a file belongs to."""
        flow = next(iter(self._documents.flows(path)), None)
        if flow is None:
            return Picture("", "", current=False, reason="this file belongs to no flow")
        checked = self._documents.checked(flow).checked
        with self._lock:
            if (
                checked is None
                or not checked.good
                or checked.flow is None
                or self._documents.fresh(flow).broken
            ):
                last = self._drawn.get(flow, Picture("", "", current=False))
                return Picture(last.svg, last.html, current=False, reason="the flow has errors")
            from voiceflow_compiler.lower import lower
            from voiceflow_compiler.targets import TARGETS

            files = TARGETS["picture"](lower(checked.flow))
            self._drawn[flow] = Picture(files["graph.svg"], files["graph.html"], current=True)
            return self._drawn[flow]
