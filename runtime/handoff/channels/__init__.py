"""The channels a package can take to the human's side, one file each."""

from collections.abc import Mapping
from typing import Final

from runtime.handoff.channels import crm_note, desk, email, folder, slack, webhook
from runtime.handoff.channels.base import Channel, Delivery, Open

CHANNELS: Final[Mapping[str, Open]] = {
    "crm_note": crm_note.open_channel,
    "desk": desk.open_channel,
    "email": email.open_channel,
    "folder": folder.open_channel,
    "slack": slack.open_channel,
    "webhook": webhook.open_channel,
}

__all__ = ["CHANNELS", "Channel", "Delivery"]
