//! The ways to be bad, by name.

/// One way in which an answer is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    Unauthorized,
    Forbidden,
    RateLimited,
    RateLimitedBare,
    ServerError,
    Unavailable,
    HtmlBan,
    ErrorIn200,
    TokenExpired,
    SlowBody,
    CutBody,
    EndlessBody,
    InvalidUtf8,
    WrongType,
    OtherShape,
    FieldType,
    FieldRenamed,
    RowsDuplicated,
    RowsDropped,
    RowsMoved,
    PageEmpty,
    CursorLoops,
    CursorEmpty,
    WrongOrder,
    TiesAtEdge,
    LateRecord,
    FutureTime,
    CreatedFilter,
    ClockAhead,
    ClockBehind,
}

/// What is known of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultFacts {
    /// Which.
    pub fault: Fault,
    /// Its name on the command line.
    pub name: &'static str,
    /// What the source does.
    pub what: &'static str,
    /// The first data request that it spoils, from 1, unless the schedule says otherwise.
    pub first: u64,
    /// How many it spoils, unless the schedule says otherwise.
    pub count: u64,
    /// Needs a source whose rows are known: generated, or described by a conformance.toml.
    pub modelled: bool,
}

/// To the end of time.
pub(crate) const ALWAYS: u64 = u64::MAX;

const fn passing(fault: Fault, name: &'static str, what: &'static str) -> FaultFacts {
    FaultFacts { fault, name, what, first: 2, count: 1, modelled: false }
}

const fn lasting(fault: Fault, name: &'static str, what: &'static str) -> FaultFacts {
    FaultFacts { fault, name, what, first: 1, count: ALWAYS, modelled: true }
}

/// Every fault. What passes hits the second data request alone unless a schedule says otherwise; what lasts hits all.
pub const FAULTS: &[FaultFacts] = &[
    passing(Fault::Unauthorized, "unauthorized", "401: the credential is not taken"),
    passing(Fault::Forbidden, "forbidden", "403: the credential may not do this"),
    passing(Fault::RateLimited, "rate_limited", "429 with `Retry-After: 7`"),
    passing(Fault::RateLimitedBare, "rate_limited_bare", "429 that does not say how long"),
    passing(Fault::ServerError, "server_error", "500 with a text"),
    passing(Fault::Unavailable, "unavailable", "503 without a body"),
    passing(Fault::HtmlBan, "html_ban", "200 with an HTML page: the address is blocked for five minutes"),
    passing(Fault::ErrorIn200, "error_in_200", "200 whose JSON says that it is an error"),
    passing(Fault::TokenExpired, "token_expired", "401 once, in the middle: the token's time is over"),
    passing(Fault::SlowBody, "slow_body", "the body comes byte by byte, for a minute"),
    passing(Fault::CutBody, "cut_body", "the connection ends in the middle of the body"),
    passing(Fault::EndlessBody, "endless_body", "the body never ends"),
    passing(Fault::InvalidUtf8, "invalid_utf8", "a byte in the body that is not valid UTF-8"),
    passing(Fault::WrongType, "wrong_type", "JSON that says it is `text/html`"),
    passing(Fault::OtherShape, "other_shape", "an object where the list was"),
    passing(Fault::FieldType, "field_type", "a member of one row has another type"),
    passing(Fault::FieldRenamed, "field_renamed", "a member has another name in every row: a new field is required"),
    passing(Fault::RowsDuplicated, "rows_duplicated", "a row stands in the page twice"),
    passing(Fault::RowsDropped, "rows_dropped", "a row is left out of its page"),
    FaultFacts {
        modelled: true,
        ..passing(Fault::PageEmpty, "page_empty", "a page without rows that says there is more")
    },
    FaultFacts { count: ALWAYS, ..passing(Fault::CursorLoops, "cursor_loops", "the same next cursor for ever") },
    FaultFacts {
        first: 1,
        count: ALWAYS,
        ..passing(Fault::CursorEmpty, "cursor_empty", "an empty text for the next cursor at the end of the list")
    },
    FaultFacts {
        count: 1,
        first: 2,
        ..lasting(Fault::RowsMoved, "rows_moved", "a row that was read changes and moves to the end: all others shift")
    },
    lasting(Fault::WrongOrder, "wrong_order", "the list comes in the opposite order"),
    lasting(
        Fault::TiesAtEdge,
        "ties_at_edge",
        "four rows at a time share one time of change: pages end in the middle of it",
    ),
    FaultFacts {
        count: 1,
        ..lasting(
            Fault::LateRecord,
            "late_record",
            "a row changed a minute before the newest one and is not listed yet",
        )
    },
    lasting(Fault::FutureTime, "future_time", "one row says that it was changed in 2062"),
    lasting(Fault::CreatedFilter, "created_filter", "`since` looks at the time of creation: changes are not listed"),
    lasting(Fault::ClockAhead, "clock_ahead", "the source's clock is ten minutes ahead"),
    lasting(Fault::ClockBehind, "clock_behind", "the source's clock is ten minutes behind"),
];

impl Fault {
    /// What is known of it.
    #[must_use]
    pub fn facts(self) -> &'static FaultFacts {
        FAULTS.iter().find(|facts| facts.fault == self).expect("every fault is in the table, a test says")
    }

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FAULTS.iter().find(|facts| facts.name == name).map(|facts| facts.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_stands_once_in_the_table_under_a_name_of_its_own() {
        // The last variant's number tells how many there are.
        assert_eq!(FAULTS.len(), Fault::ClockBehind as usize + 1);
        for facts in FAULTS {
            assert_eq!(facts.fault.facts(), facts);
            assert_eq!(Fault::named(facts.name), Some(facts.fault));
        }
        assert_eq!(Fault::named("rain"), None);
    }
}
