"""An editor that drives the real server over its standard input and output, as editors do."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


class Refusal(Exception):
    """The server answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Editor:
    """One editor and its server. Texts are kept as the editor would keep them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: dict[str, list[dict[str, Any]]] = {}  # uri -> every publication
        self.shown: list[str] = []  # messages to the user
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self.versions: dict[str, int] = {}
        self.last_id = 0

    async def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := await stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                header = await stream.readline()
            await self._take(json.loads(await stream.readexactly(length)))
        for waiting in self._answers.values():  # the server is gone
            if not waiting.done():
                waiting.set_exception(EOFError())

    async def _take(self, message: dict[str, Any]) -> None:
        async with self._news:
            if message.get("method") == "textDocument/publishDiagnostics":
                self.told.setdefault(message["params"]["uri"], []).append(message["params"])
            elif message.get("method") == "window/showMessage":
                self.shown.append(message["params"]["message"])
            elif "id" in message and "method" not in message:
                waiting = self._answers.pop(message["id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            self._news.notify_all()

    def send(self, message: dict[str, Any]) -> None:
        """Send any message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def write(self, content: bytes) -> None:
        """Send any bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write(content)

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    async def ask(self, method: str, params: Any) -> Any:
        """Send a request; its result. Raises Refusal for an error."""
        self.last_id += 1
        waiting = self._answers[self.last_id] = asyncio.get_running_loop().create_future()
        self.send({"id": self.last_id, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_S):
            message = await waiting
        if "error" in message:
            raise Refusal(message["error"])
        return message["result"]

    def open(self, path: Path, text: str) -> str:
        """Open a text under a path; its URI."""
        uri = path.as_uri()
        self.versions[uri] = 1
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, *changes: dict[str, Any]) -> int:
        """Change an open text; its new version."""
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})
        return self.versions[uri]

    def write_anew(self, uri: str, text: str) -> int:
        """Replace a whole open text; its new version."""
        return self.change(uri, {"text": text})

    async def diagnostics(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        """What is told of a text in a version (the newest one sent), when it has been told."""
        version = self.versions.get(uri) if version is None else version
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(
                lambda: any(told.get("version") == version for told in self.told.get(uri, ()))
            )
        return next(
            told["diagnostics"] for told in reversed(self.told[uri]) if told.get("version") == version
        )

    async def until(self, holds: Any) -> None:
        """Wait until something holds; looked at after every message."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(holds)

    async def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        """Ask about a position."""
        where = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        return await self.ask(method, {**where, **more})

    async def stop(self) -> int:
        """Say shutdown and exit; how the server ended."""
        await self.ask("shutdown", None)
        self.notify("exit", None)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


@asynccontextmanager
async def editor(folder: Path, encodings: list[str] | None = None, **options: Any) -> AsyncIterator[Editor]:
    """An editor that has said initialize, with a folder open. The server is ended in any case."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "runtime", "lsp", "--stdio"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    it = Editor(process)
    try:
        general = {"positionEncodings": encodings} if encodings else {}
        await it.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": {"general": general},
                "initializationOptions": options,
            },
        )
        it.notify("initialized", {})
        yield it
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        it._reading.cancel()


def position(text: str, mark: str, after: int = 0, *, nth: int = 0) -> tuple[int, int]:
    """Line and UTF-16 column, from 0, of the nth `mark` in a text, `after` characters into it."""
    index = -1
    for _ in range(nth + 1):
        index = text.index(mark, index + 1)
    before = text[: index + after]
    line = before.count("\n")
    return line, len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after edits that do not overlap (UTF-16 positions)."""
    lines = text.split("\n")

    def index(place: dict[str, int]) -> int:
        units = lines[place["line"]].encode("utf-16-le")[: 2 * place["character"]]
        return sum(len(line) + 1 for line in lines[: place["line"]]) + len(units.decode("utf-16-le"))

    for edit in sorted(edits, key=lambda each: index(each["range"]["start"]), reverse=True):
        start, end = index(edit["range"]["start"]), index(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text
