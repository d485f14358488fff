"""What changed since, asked so that nothing is lost, by a vendor's RFC 3339 times and without trust in its clock or its order.

Each run asks from an overlap before the newest time that there was when the run before it began; a time beyond our clock plus a
skew comes in and moves nothing; a list that is not sorted by time, oldest first, is refused. Ids read at the newest time are
skipped if that time is over; the vendor's own cursor only leads past a page that is all of one time, and past what lies in the
future. It does what `paging::Since` of the Rust SDK does, which says more.
"""

import json
from datetime import datetime, timezone

from componentize_py_types import Err
from outcome import changed
from wit_world.imports.clock import now_ms
from wit_world.imports.types import Failure, FailureKind

TIES_MAX = 64
SETTLED_MS = 60_000
OVERLAP_MS = 600_000
SKEW_MS = 900_000
PROOF_PAGES_MAX = 32


class Since:
    """Where a modified-since read stands: `state` is the cursor, the rest is what this page showed."""

    def __init__(self, state: dict):
        now = now_ms()
        self.ceiling = now + SKEW_MS
        # A cursor in the future would ask for nothing until then: from the beginning instead.
        if state.get("from") and state["from"]["at_ms"] > self.ceiling:
            state = {}
        if "began_ms" not in state:
            state = {**state, "began_ms": now, "floor": state.get("from")}
        self.state, self.count, self.last_ms, self.disorder, self.ahead = state, 0, None, None, False

    @staticmethod
    def resume(cursor: str | None) -> "Since":
        """Where the cursor left off; the beginning if there is none."""
        try:
            return Since(dict(json.loads(cursor or "{}")))
        except (ValueError, TypeError, AttributeError):
            message = "the cursor is not one of this connector"
            raise Err(Failure(FailureKind.INVALID_INPUT, None, message, None)) from None

    def asked_from(self) -> str | None:
        """The time to ask from, in the vendor's words."""
        return self.state["from"]["text"] if self.state.get("from") else None

    @property
    def page(self) -> str | None:
        """The vendor's cursor, where the time alone does not lead on."""
        return self.state.get("page")

    def is_new(self, words: str, at_ms: int, external_id: str) -> bool:
        """Notes a record. False: leave it out, another page of this run has it."""
        self.count += 1
        before = self.state.get("after_ms") if self.last_ms is None else self.last_ms
        if before is not None and at_ms < before and self.disorder is None:
            self.disorder = self.count
        if before is not None and at_ms > before:
            self.state["ordered"] = True
        self.last_ms = at_ms
        if self.state.get("proof"):
            return False
        if at_ms > self.ceiling:
            self.ahead = True
        else:
            newest = self.state.get("newest")
            if newest is None or newest["at_ms"] < at_ms:
                newest = self.state["newest"] = {"text": words, "at_ms": at_ms, "ids": []}
            if newest["at_ms"] == at_ms:
                newest.setdefault("ids", []).append(external_id)
        start = self.state.get("from")
        return not (start and start["at_ms"] == at_ms and external_id in start.get("ids", ()))

    def finish(self, vendor_next: str | None) -> tuple[str, bool]:
        """The next cursor, and whether to ask again now."""
        if self.disorder:
            place = f"record {self.disorder} of the page changed before the one in front of it"
            message = f"the list is not in the order that the connector asks for, oldest change first: {place}"
            raise Err(changed(message))
        newest, start, proof = (self.state.get(name) for name in ("newest", "from", "proof"))
        ordered = self.state.get("ordered", False)
        state = {**self.state, "newest": without_ids(newest), "page": None, "after_ms": None, "proof": None}
        led_on = {**state, "page": vendor_next, "after_ms": None if self.ahead else self.last_ms}
        # An empty text is the end of a list like null: followed, it would be the first page again.
        is_over = vendor_next is None or vendor_next == ""
        if proof:
            if is_over or ordered or proof["pages"] >= PROOF_PAGES_MAX:
                return json.dumps({**state, "from": proof["then"]}), True
            return json.dumps({**led_on, "proof": {**proof, "pages": proof["pages"] + 1}}), True
        if is_over:
            return json.dumps({"from": self.next(), "ordered": ordered}), False
        if self.ahead or not newest or (start and newest["at_ms"] <= start["at_ms"]):
            return json.dumps(led_on), True
        settled = len(newest.get("ids", ())) <= TIES_MAX and newest["at_ms"] + SETTLED_MS <= now_ms()
        then = newest if settled else without_ids(newest)
        return json.dumps({**state, "from": then} if ordered else {**led_on, "proof": {"then": then, "pages": 1}}), True

    def next(self) -> dict | None:
        """Where the next run asks: an overlap before the vendor's time at which this run began, by whichever clock is behind."""
        newest, floor, began_ms = (self.state.get(name) for name in ("newest", "floor", "began_ms"))
        if not newest:
            return without_ids(floor)
        back_ms = OVERLAP_MS + max(now_ms() - began_ms, newest["at_ms"] - began_ms, 0)
        at_ms = newest["at_ms"] - back_ms
        if floor and floor["at_ms"] > at_ms:
            return without_ids(floor)
        time = datetime.fromtimestamp(at_ms / 1000, timezone.utc)
        return {"text": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "at_ms": at_ms}


def without_ids(mark: dict | None) -> dict | None:
    """The time alone: the next run reads it again, whole."""
    return {"text": mark["text"], "at_ms": mark["at_ms"]} if mark else None
