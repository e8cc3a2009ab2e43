import tomllib

from runtime.simulate.loopback import settings_text
from runtime.simulate.profile import Line, Profile
from tests.flows.shipped import ROOT, artifact


def test_the_settings_are_toml_with_all_the_flow_needs() -> None:
    """The settings of a call name the CRM, every action and every handoff of the flow."""
    office: dict[str, dict[str, str | int | float | bool]] = {
        "book_demo": {"time": 'Thursday at "ten"', "number": 3, "sure": True},
        "note_callback": {"fails": "x"},
    }
    profile = Profile(name="Ada", says=(Line(silence=True),), office=office)
    flow = ROOT / "flows" / "lead_qualification"
    settings = tomllib.loads(settings_text(artifact("lead_qualification"), flow, profile))
    assert settings["facts"]["crm"] == {"source": "csv_file", "path": str(flow / "crm.csv")}
    assert settings["actions"]["book_demo"] == {"executor": "local", "returns": office["book_demo"]}
    assert settings["actions"]["note_callback"]["executor"] == "http"
    assert set(settings["handoffs"]) == {"sales", "success"}
