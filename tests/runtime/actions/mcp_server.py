"""A small MCP server over standard input and output, for tests."""

import os
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("crm")


@server.tool()
def book_demo(email: str, seats: int, ctx: Context) -> dict[str, Any]:
    """Books a demo."""
    told: dict[str, Any] = dict(ctx.request_context.meta or {})
    with Path(sys.argv[1]).open("a") as ledger:
        ledger.write(f"{told.get('voiceflow-compiler/idempotency-key', '')}\n")
    if email == "crash@example.com":
        os._exit(1)
    if email == "refuse@example.com":
        raise ValueError("no")
    return {"time": "3 pm"}


if __name__ == "__main__":
    server.run("stdio")
