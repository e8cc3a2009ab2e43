"""An estimate as text, Markdown and JSON; what it rests on is always said with it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from voiceflow_compiler.cost import COST_VERSION, Estimate, Row
from voiceflow_compiler.cost.assumed import Prices
from voiceflow_compiler.cost.bill import MODES

_HEADS: Final = ("call", "share", "turns", "minutes", "stable", "focused", "focused costs")
_SORTS: Final = ("text_in", "text_cached", "text_out", "audio_in", "audio_cached", "audio_out")


def as_text(estimate: Estimate) -> str:
    """Tables of money and tokens, then the prices and assumptions."""
    lines = [f"{estimate.artifact.flow} {estimate.artifact.flow_version}, {_priced(estimate.prices)}", ""]
    rows = [_HEADS, *(_cells(row, estimate.prices) for row in estimate.rows)]
    rows += [("by ending, the shortest call",), *(_cells(row, estimate.prices) for row in estimate.endings)]
    lines += _columns(rows)
    lines += ["", "Tokens of the expected call"]
    lines += _columns([("", *MODES), *_tokens(estimate.rows[0])])
    return "\n".join([*lines, "", "This rests on", *(f"  {line}" for line in _rests_on(estimate))]) + "\n"


def as_markdown(estimate: Estimate) -> str:
    """The same as tables for a page or a pull request."""
    lines = [f"### {estimate.artifact.flow} {estimate.artifact.flow_version}: what a call costs", ""]
    lines += [_priced(estimate.prices), ""]
    lines += _table([_HEADS, *(_cells(row, estimate.prices) for row in (*estimate.rows, *estimate.endings))])
    lines += ["", "Tokens of the expected call", "", *_table([("sort", *MODES), *_tokens(estimate.rows[0])])]
    return "\n".join([*lines, "", *(f"- {line}" for line in _rests_on(estimate))]) + "\n"


def as_json(estimate: Estimate) -> str:
    """Everything, with a version; money in the currency of the price list."""
    plain: dict[str, Any] = {
        "version": COST_VERSION,
        "flow": estimate.artifact.flow,
        "flow_version": estimate.artifact.flow_version,
        "content_hash": estimate.artifact.content_hash,
        "prices": asdict(estimate.prices),
        "assumptions": dict(estimate.assumed.numbers),
        "instructions_tokens": {mode: round(size) for mode, size in estimate.instructions.items()},
        "calls": [_plain(row, estimate.prices) for row in estimate.rows],
        "endings": [_plain(row, estimate.prices) for row in estimate.endings],
    }
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def _priced(prices: Prices) -> str:
    return f"{prices.model}, {prices.currency} at the prices of {prices.as_of} ({prices.source})"


def _cells(row: Row, prices: Prices) -> tuple[str, ...]:
    stable, focused = (row.bills[mode].price(prices) for mode in MODES)
    return (
        row.name,
        "" if row.share is None else f"{100 * row.share:.1f} %",
        f"{row.turns:.1f}".removesuffix(".0"),
        f"{row.seconds / 60:.1f}",
        f"{stable:.4f}",
        f"{focused:.4f}",
        f"{focused / stable:.1f} times" if stable else "",
    )


def _tokens(row: Row) -> Iterator[tuple[str, ...]]:
    for sort in _SORTS:
        yield sort.replace("_", " "), *(f"{getattr(row.bills[mode], sort):.0f}" for mode in MODES)


def _rests_on(estimate: Estimate) -> Iterator[str]:
    """What would change the numbers, said where they are read."""
    numbers, changed = estimate.assumed.numbers, estimate.assumed.overridden
    yield "an estimate: text tokens are characters / 4, and usage in the provider's answers is what is billed"
    for group in ("speech", "text", "weights"):
        told = (
            f"{name.removeprefix(f'{group}.')} {value:g}{' (yours)' if name in changed else ''}"
            for name, value in numbers.items()
            if name.startswith(f"{group}.")
        )
        yield f"{group}: {', '.join(told)}"
    own = [
        f"{name.removeprefix('at.')} {numbers[name]:g}" for name in sorted(changed) if name.startswith("at.")
    ]
    if own:
        yield f"weights at nodes: {', '.join(own)}"
    stable, focused = (estimate.instructions[mode] for mode in MODES)
    yield f"instructions and tools: {stable:.0f} tokens stable, {focused:.0f} focused (mean of the nodes)"
    yield "stable: what was read before is cached; focused: all of it is read anew at each change of node"
    yield "conditions are not evaluated: cases are equally likely; limits on turns and visits are not applied"
    yield "turns are independent: who was silent or unclear once is no likelier to be so again"
    yield "a share says how many calls end there, whatever their way; the other callers hang up"
    yield "exact words (say) are played, not spoken by the model: making their audio is not in it"
    yield "neither telephony nor transcription is in it (--assume NAME=NUMBER changes an assumption)"


def _plain(row: Row, prices: Prices) -> dict[str, Any]:
    return {
        "name": row.name,
        "share": None if row.share is None else round(row.share, 6),
        "turns": round(row.turns, 3),
        "seconds": round(row.seconds, 1),
        "route": list(row.route),
        **{
            mode: {
                "price": round(row.bills[mode].price(prices), 6),
                "tokens": {sort: round(getattr(row.bills[mode], sort), 1) for sort in _SORTS},
            }
            for mode in MODES
        },
    }


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as columns of a terminal, numbers to the right; a row of one cell stands alone."""
    whole = [row for row in rows if len(row) > 1]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    lines = []
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0]) if others else first]
        cells += [cell.rjust(wide) for cell, wide in zip(others, widths[1:], strict=False)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *others = rows
    return [
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
        *(f"| {' | '.join(row)} |" for row in others),
    ]
