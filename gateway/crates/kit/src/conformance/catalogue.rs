//! Every check: its id, which never changes, and the sentence that it proves.

/// What is known of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckFacts {
    /// Stable: what a build server and a score card know it by.
    pub id: &'static str,
    /// What it proves.
    pub proves: &'static str,
    /// It says nothing while one of these fails.
    pub needs: &'static [&'static str],
    /// It needs a source whose records are known.
    pub modelled: bool,
}

const fn known(id: &'static str, needs: &'static [&'static str], proves: &'static str) -> CheckFacts {
    CheckFacts { id, proves, needs, modelled: true }
}

const fn any(id: &'static str, needs: &'static [&'static str], proves: &'static str) -> CheckFacts {
    CheckFacts { id, proves, needs, modelled: false }
}

/// A run that works at all.
const RUNS: &[&str] = &["limits.records"];
/// A run that brings everything.
const WHOLE: &[&str] = &["limits.records", "pages.complete"];
/// One bad record costs itself alone.
const ALONE: &[&str] = &["limits.records", "pages.complete", "records.bad_one"];

/// In the order in which they are made: what others rely on comes first.
pub const CATALOGUE: &[CheckFacts] = &[
    any("limits.records", &[], "A page never holds more records than requested."),
    known("pages.complete", RUNS, "The pages of a run bring every record of the source."),
    any("deterministic", RUNS, "The same source gives the same bytes, regardless of when it is read."),
    any("pages.once", RUNS, "In a source at rest no record comes twice in a run."),
    any("pages.ahead", RUNS, "Each request that is named ahead is sent later, and the pages are the same with it."),
    any("records.valid", RUNS, "Every record is of a declared entity, has an id and fits its schema."),
    any("records.origin", RUNS, "Every record points to the place in the answer that it came from."),
    known("pages.empty", WHOLE, "An empty page that says there is more is not the end."),
    known("pages.moved", WHOLE, "Rows that move between pages while they are read are not lost."),
    known("pages.order", WHOLE, "A list in another order than the connector asks for is refused, or read to its end."),
    known("pages.end", WHOLE, "An empty text for the next cursor is the end of the list."),
    any(
        "cursor.resume",
        &["limits.records", "deterministic"],
        "Going on from any page gives exactly what the run gave.",
    ),
    any("cursor.foreign", RUNS, "Another connector's cursor is refused rather than treated as a fresh start."),
    known("cursor.loop", WHOLE, "A vendor's cursor that loops does not make endless new pages."),
    known("changes.seen", WHOLE, "A change after the cursor is in the next run, and so is a new record."),
    known("changes.ties", WHOLE, "Records with the same time of change are all read, later ones at that time too."),
    known("changes.skew", WHOLE, "A vendor's clock that is ten minutes off loses nothing."),
    known("changes.late", WHOLE, "A record that shows up a minute after its own time is in the next run."),
    known(
        "changes.future",
        WHOLE,
        "A record that is dated in the future comes in, and hides nothing that changes later.",
    ),
    known("deletes.reported", WHOLE, "What is gone at the vendor is reported as the manifest declares."),
    known("deletes.not_invented", WHOLE, "What is there is never reported as gone."),
    known("records.bad_one", WHOLE, "One bad record is rejected alone; the others of its page come in unchanged."),
    known("fields.optional", WHOLE, "An optional member may be absent or null."),
    known("exact.dates", WHOLE, "A day stays the day it is, in the vendor's zone too."),
    known("exact.impossible", ALONE, "31 February and the 13th month are rejected, not made into another day."),
    known("exact.instants", WHOLE, "A point in time stays the same point, also from UTC+8."),
    known("exact.money", WHOLE, "Amounts keep every digit."),
    known("exact.unit", WHOLE, "The unit of an amount is counted: 8K is 8000."),
    known("exact.cases", ALONE, "The author's own examples become what they must."),
    known("codes.unknown", WHOLE, "An unknown code keeps the text from the vendor."),
    any("errors.auth", RUNS, "401 becomes auth-required."),
    any("errors.forbidden", RUNS, "403 becomes not-granted."),
    any("errors.rate", RUNS, "429 becomes rate-limited and keeps the vendor's wait."),
    any("errors.rate_bare", RUNS, "429 without a wait becomes rate-limited too."),
    any("errors.server", RUNS, "500 and 503 become upstream-unavailable."),
    any("errors.html", RUNS, "An HTML page with status 200 is a failure, and no empty page."),
    any("errors.cut", RUNS, "A body that is cut or too slow becomes upstream-unavailable."),
    any("errors.shape", RUNS, "A list that is no longer one becomes upstream-changed."),
    any("errors.text", RUNS, "A body that is not valid UTF-8 is not read as if it were."),
    known("errors.vendor", RUNS, "The vendor's own errors become what the author says."),
    known("limits.budgets", WHOLE, "A page of a thousand records stays within the usual budgets."),
    any("grant.kept", &[], "Nothing is asked for beyond what the manifest asks leave for."),
    known("secrets.kept", &[], "No credential is in a record, a reject, a failure, a cursor or a log line."),
    known("people.kept", &[], "No person's data is in a log line, a failure or the reason of a reject."),
];

/// What is proved of the fixtures, over all streams at once.
pub const FIXTURES: &[CheckFacts; 3] = &[
    any("fixtures.records", &[], "The fixtures become exactly the records of fixtures/records.json."),
    any("fixtures.taken", &["fixtures.records"], "A gateway takes in every record of the fixtures; none is rejected."),
    any("fixtures.calls", &[], "Every action and delivery of fixtures/calls.json becomes what stands there."),
];
