"""A whole connector in Python: staff from a JSON API that pages and can be asked what changed. It does what the Rust
example `staff-api` does, and is held to the same conformance kit.

It owns the request and the mapping, and knows nothing of credentials, retries, rates or storage: there is no `requests`
in here, only the contract's imports. `wit_world` is generated from ../../wit/connector.wit.
"""

import json
from urllib.parse import urlencode

from componentize_py_types import Err
from wit_world.exports import Probe, Source as Contract
from wit_world.exports.probe import Finding
from wit_world.exports.source import Coverage, Page, PullRequest
from wit_world.imports.http import Request, send
from wit_world.imports.types import Envelope, Header, Reject

from cursor import Since
from fields import Unfit, coded, instant, text, utc
from outcome import changed, json_of, unless_ok

STATUS = {"active": "ACTIVE", "terminated": "TERMINATED"}
KIND = {"full_time": "FULL_TIME", "contract": "CONTRACTOR"}


def employee(row: dict) -> dict:
    """The canonical employee that a vendor's row becomes."""
    salary, department = row.get("salary"), row.get("department")
    if not isinstance(salary, dict) or not isinstance(department, dict):
        raise Unfit("salary, department: expected an object each")
    person = {
        "names": {
            "formatted": text(row, "displayName"),
            "given": text(row, "firstName"),
            "family": text(row, "lastName"),
        },
        "emails": [{"address": text(row, "workEmail"), "kind": "WORK"}],
        "phones": [{"number": text(row, "mobile"), "kind": "MOBILE"}],
    }
    work = {
        "status": coded(text(row, "status"), STATUS),
        "kind": coded(text(row, "employmentType"), KIND),
        "title": text(row, "jobTitle"),
        "org_unit": {"external": {"value": text(department, "id")}},
        "org_unit_name": text(department, "name"),
        "location": text(row, "location"),
        "hire_date": text(row, "hireDate"),
        "work_email": text(row, "workEmail"),
    }
    if row.get("managerId"):
        work["manager"] = {"external": {"value": text(row, "managerId")}}
    # Numbers were parsed as text: a float would round money.
    ext = {
        "created_at": {"kind": "INSTANT", "value": utc(instant(row, "createdAt"))},
        "salary_amount": {"kind": "DECIMAL", "value": text(salary, "amount")},
        "salary_currency": {"kind": "CODE", "value": text(salary, "currency")},
    }
    return {"person": person, "number": text(row, "employeeNumber"), "work": work, "ext": {"staff_python": ext}}


class Source(Contract):
    """The capability `source`."""

    def pull(self, request: PullRequest) -> Page:
        base_url = json.loads(request.config)["base_url"]
        since = Since.resume(request.cursor)
        query = {"limit": request.max_records, "updated_since": since.asked_from(), "cursor": since.page}
        query = urlencode({name: value for name, value in query.items() if value is not None})
        url = f"{base_url}/employees?{query}"
        answer = unless_ok(send(Request(method="GET", url=url, headers=[], body=None, slot=None)))
        body = json_of(answer)
        rows = body.get("data") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise Err(changed("no list at /data in the answer"))
        records, rejects = [], []
        for index, row in enumerate(rows):
            pointer = f"/data/{index}"
            try:
                envelope = envelope_of(row, since, answer.exchange, pointer)
                if envelope:
                    records.append(envelope)
            except Unfit as unfit:
                known = row.get("id") if isinstance(row, dict) and isinstance(row.get("id"), str) else None
                raw = json.dumps(row, ensure_ascii=False).encode()
                rejects.append(Reject("employee", known, answer.exchange, pointer, str(unfit), raw))
        following, has_more = since.finish(body.get("next_cursor"))
        return Page(records, rejects, [], [], None, following, has_more, Coverage.CHANGES)


def envelope_of(row: dict, since: Since, exchange: int, pointer: str) -> Envelope | None:
    """One record, or none for a row that the page before brought already."""
    external_id, updated = text(row, "id"), instant(row, "updatedAt")
    at_ms = round(updated.timestamp() * 1000)
    if not since.is_new(row["updatedAt"], at_ms, external_id):
        return None
    payload = json.dumps(employee(row), ensure_ascii=False, separators=(",", ":")).encode()
    return Envelope("employee", external_id, at_ms, False, exchange, pointer, payload)


class Probe(Probe):
    """The capability `probe`."""

    def check(self, config: bytes) -> list[Finding]:
        return [Finding("configuration", True, "is readable; this connector tries nothing more")]
