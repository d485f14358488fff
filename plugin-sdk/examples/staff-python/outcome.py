"""What an answer amounts to: its JSON, or the failure that the host acts on."""

import json

from componentize_py_types import Err
from wit_world.imports.http import Response
from wit_world.imports.types import Failure, FailureKind


def changed(message: str) -> Failure:
    """The vendor answers in a shape that this connector does not know."""
    return Failure(FailureKind.UPSTREAM_CHANGED, None, message, None)


def header(answer: Response, name: str) -> str | None:
    """A header's value, by its name in lower case."""
    return next((one.value for one in answer.headers if one.name.lower() == name), None)


def unless_ok(answer: Response) -> Response:
    """The answer, unless its status says that there is none."""
    status = answer.status
    if status < 300:
        return answer
    wait = None
    if status == 401:
        kind, message = FailureKind.AUTH_REQUIRED, "the vendor refused the credential"
    elif status == 403:
        kind, message = FailureKind.NOT_GRANTED, "the vendor does not let this credential read staff"
    elif status == 429:
        kind, message = FailureKind.RATE_LIMITED, "the vendor asks to slow down"
        seconds = header(answer, "retry-after") or ""
        wait = int(seconds) * 1000 if seconds.isdecimal() else None
    elif status >= 500:
        kind, message = FailureKind.UPSTREAM_UNAVAILABLE, f"the vendor answered {status}"
    else:
        kind, message = FailureKind.UPSTREAM_CHANGED, f"the vendor answered {status}"
    raise Err(Failure(kind, str(status), message, wait))


def json_of(answer: Response):
    """The body. Numbers stay text: a float would round money."""
    try:
        return json.loads(answer.body.decode(), parse_float=str, parse_int=str)
    except ValueError:
        kind = header(answer, "content-type") or "no content type"
        message = f"the answer is no whole JSON ({kind}, {len(answer.body)} bytes)"
        cut = FailureKind.UPSTREAM_UNAVAILABLE if "json" in kind else FailureKind.UPSTREAM_CHANGED
        raise Err(Failure(cut, None, message, None)) from None
