"""The checks: one file per problem a flow can have. `CHECKS` holds them in the order of their codes."""

from importlib import import_module
from typing import Final

from voiceflow_compiler.checks.base import Check, check_of

# One line per check; its file bears the same name.
_NAMES: Final = (
    "unreachable_node",
    "dead_end",
    "no_way_out",
    "zero_turn_cycle",
    "endless_cycle",
    "unbounded_stay",
    "never_true_case",
    "shadowed_case",
    "decide_without_otherwise",
    "unanswered_family",
    "shared_example",
    "unused_intent",
    "intent_without_examples",
    "confusable_intents",
    "undisclosed_path",
    "disclosure_depends_on_call",
    "disclosure_incomplete",
    "human_claim",
    "missing_ladder",
    "endless_ladder",
    "long_ladder",
    "repeated_reprompt",
    "lost_model_needs_model",
    "escalation_without_handoff",
    "package_field_maybe_missing",
    "promise_not_kept",
    "unanswered_handoff_loops",
    "trigger_never_true",
    "unanswered_without_way",
    "slot_maybe_empty",
    "change_not_repeatable",
    "unmarked_change",
    "change_without_agreement",
    "slow_action_silent",
    "fact_without_otherwise",
    "secret_exposed",
    "suitability_says_human",
)

CHECKS: Final[tuple[Check, ...]] = tuple(check_of(import_module(f"{__name__}.{name}")) for name in _NAMES)
