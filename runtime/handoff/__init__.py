"""Handoffs: the context package brought to a person's side, and the person brought onto the line."""

from runtime.handoff.board import Board, Waiting
from runtime.handoff.desk import FOLDER, CallDesk, Ring, Ringer, Transferred
from runtime.handoff.destinations import Destination, open_destinations
from runtime.handoff.package import Package, check_package
from runtime.handoff.shared import SharedBoard
from runtime.handoff.spool import Spool
from runtime.ports import Tell

__all__ = [
    "FOLDER",
    "Board",
    "CallDesk",
    "Destination",
    "Package",
    "Ring",
    "Ringer",
    "SharedBoard",
    "Spool",
    "Tell",
    "Transferred",
    "Waiting",
    "check_package",
    "open_destinations",
]
