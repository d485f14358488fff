"""What changed since, asked so that nothing is lost: again from the newest time seen, that time included.

Ids read at that time are skipped if the time is over; the vendor's own cursor only leads past a page of one time.
"""

import json

from componentize_py_types import Err
from wit_world.imports.clock import now_ms
from wit_world.imports.types import Failure, FailureKind

TIES_MAX = 64
SETTLED_MS = 60_000


class Since:
    """Where a modified-since read stands."""

    def __init__(self, start: dict | None, page: str | None):
        self.start, self.page, self.newest = start, page, None

    @staticmethod
    def resume(cursor: str | None) -> "Since":
        """Where the cursor left off; the beginning if there is none."""
        try:
            state = json.loads(cursor or "{}")
            return Since(state.get("from"), state.get("page"))
        except (ValueError, AttributeError):
            message = "the cursor is not one of this connector"
            raise Err(Failure(FailureKind.INVALID_INPUT, None, message, None)) from None

    def asked_from(self) -> str | None:
        """The time to ask from, in the vendor's words."""
        return self.start["text"] if self.start else None

    def is_new(self, words: str, at_ms: int, external_id: str) -> bool:
        """Notes a record. False: the page before brought it, and it cannot have changed since."""
        if self.newest is None or self.newest["at_ms"] < at_ms:
            self.newest = {"text": words, "at_ms": at_ms, "ids": []}
        if self.newest["at_ms"] == at_ms:
            self.newest["ids"].append(external_id)
        start = self.start
        return not (start and start["at_ms"] == at_ms and external_id in start.get("ids", ()))

    def finish(self, vendor_next: str | None) -> tuple[str, bool]:
        """The next cursor, and whether to ask again now."""
        start, newest = self.start, self.newest
        moved = newest is not None and (start is None or newest["at_ms"] > start["at_ms"])
        if vendor_next is None:
            return json.dumps({"from": without_ids(newest if moved else start)}), False
        if not moved:
            return json.dumps({"from": start, "page": vendor_next}), True
        settled = len(newest["ids"]) <= TIES_MAX and newest["at_ms"] + SETTLED_MS <= now_ms()
        return json.dumps({"from": newest if settled else without_ids(newest)}), True


def without_ids(mark: dict | None) -> dict | None:
    """The time alone: the next run reads it again, whole."""
    return {"text": mark["text"], "at_ms": mark["at_ms"]} if mark else None
