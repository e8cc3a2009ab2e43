"""Look-ups that begin before a call's media, and each source asked by itself."""

from pathlib import Path

from runtime import context
from tests.runtime.context.places import DANA, settings


class Slow:
    """A source that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def look_up(self, caller_number: str) -> dict[str, str]:
        self.asked.append(caller_number)
        return {"first_name": caller_number[-1]}


async def test_a_look_up_begun_early_is_not_made_twice() -> None:
    """Who asks for the number that is being looked up gets that answer; another number is looked up anew."""
    slow = Slow()
    begun = context.begin(slow, "+1500")
    assert await begun.look_up("+1500") == await begun.look_up("+1500")
    assert slow.asked == ["+1500"]
    assert await begun.look_up("+1501") == {"first_name": "1"}
    assert slow.asked == ["+1500", "+1501"]


async def test_each_source_is_asked_by_itself(tmp_path: Path) -> None:
    """For a source of several each part is asked and timed, and the merged one comes last."""
    (tmp_path / "a.csv").write_text("phone,first_name\n+12025550101,Dana\n")
    (tmp_path / "b.csv").write_text("phone,tickets\n+12025550102,3\n")
    toml = '[facts.crm]\nsource = "several"\nof = ["a", "b"]\n'
    toml += "".join(f'[facts.{name}]\nsource = "csv_file"\npath = "{name}.csv"\n' for name in "ab")
    asked = await context.ask_each("crm", settings(tmp_path, toml), DANA)
    assert [(one.name, one.facts) for one in asked] == [
        ("a", {"first_name": "Dana"}),
        ("b", None),
        ("crm", {"first_name": "Dana"}),
    ]
    assert all(one.ms >= 0 for one in asked)
