"""Members of a vendor's row, each with a reason when it does not fit. Reasons name the field, never a person's value."""

from datetime import datetime, timezone


class Unfit(Exception):
    """Why one row cannot become a record."""


def text(row: dict, name: str) -> str:
    """A string member; a number gives its digits as they were sent."""
    value = row.get(name) if isinstance(row, dict) else None
    if isinstance(value, str):
        return value
    raise Unfit(f"{name}: expected a string, found {type(value).__name__}")


def instant(row: dict, name: str) -> datetime:
    """A member with an RFC 3339 time; one without an offset is refused."""
    try:
        parsed = datetime.fromisoformat(text(row, name))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise Unfit(f"{name}: expected an RFC 3339 time with an offset")
    return parsed


def utc(time: datetime) -> str:
    """As the canonical schema writes a time: UTC, in milliseconds."""
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def coded(raw: str, codes: dict) -> dict:
    """A code with the vendor's word; an unknown word is kept alone."""
    return {"code": codes[raw], "raw": raw} if raw in codes else {"raw": raw}
