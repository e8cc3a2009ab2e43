"""The store: which calls there were, what was handed over, what was done and how far a rollout is.

What a method has returned from is on the disk (SQLite) or committed (PostgreSQL) and survives `kill -9`.
Importing this loads SQLAlchemy: only commands that store anything do so.
"""

from runtime.store.leases import Lease, Leases
from runtime.store.store import Deed, Kept, Rollout, Store, is_there, open_store, store_url
from runtime.store.waiting import WaitingRows

__all__ = [
    "Deed",
    "Kept",
    "Lease",
    "Leases",
    "Rollout",
    "Store",
    "WaitingRows",
    "is_there",
    "open_store",
    "store_url",
]
