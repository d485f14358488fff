#![allow(clippy::unwrap_used)]
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Money, PayInterval};

use super::*;

const WINDOW_MS: i64 = 30 * DAY_MS;

fn rates() -> Rates {
    Rates {
        asks_per_minute: 2,
        amounts_per_interview: 3,
        asks_per_candidate: 5,
        asks_per_band: 8,
        window_ms: WINDOW_MS,
    }
}

fn of(entity: &str, id: &str) -> Parent {
    Parent { connection: ConnectionName::new("vendor").unwrap(), entity: entity.into(), external_id: id.into() }
}

fn band(n: u64) -> (RecordId, i64) {
    (format!("0190a5d0-7b2c-7000-8000-{n:012}").parse().unwrap(), 1)
}

/// Asks, through the connection `vendor`, about an amount in an interview of a candidate whose job has these bands.
fn ask(
    ledger: &Ledger,
    (interview, candidate): (&str, &str),
    bands: &[u64],
    amount: u32,
    now_ms: i64,
) -> Result<Count, Full> {
    let tenant = TenantId::new("acme").unwrap();
    let bands: Vec<_> = bands.iter().map(|n| band(*n)).collect();
    let (case, candidate) = (of("interview", interview), of("candidate", candidate));
    let counted = Counted {
        tenant: &tenant,
        connection: &case.connection,
        case: &case,
        candidate: &candidate,
        bands: &bands,
        step: rand::random(),
    };
    let cell = Cell::of(&Money::new(&amount.to_string(), "CNY").unwrap(), PayInterval::Month, 2);
    match ledger.knows(&tenant, &case, cell, now_ms) {
        Err(full) => Err(full),
        Ok(known) => {
            let said = ledger.count(&counted, cell, now_ms);
            assert_eq!(known, said == Ok(Count::Again));
            said
        }
    }
}

fn refused(said: Result<Count, Full>) -> (Limit, u32) {
    let full = said.unwrap_err();
    (full.limit, full.after_s)
}

#[test]
fn an_interview_may_ask_about_a_few_amounts_and_about_those_again() {
    let ledger = Ledger::new(rates());
    for (amount, said) in [(1, Count::New), (2, Count::New), (3, Count::New), (1, Count::Again), (3, Count::Again)] {
        assert_eq!(ask(&ledger, ("i1", "c1"), &[1], amount, 0), Ok(said));
    }
    let (window_s, a_day_s) = (u32::try_from(WINDOW_MS / 1000).unwrap(), 86_400);
    assert_eq!(refused(ask(&ledger, ("i1", "c1"), &[1], 4, 1_000)), (Limit::Interview, window_s - 1));
    assert!(window_s > a_day_s, "a day later is no better");
    assert_eq!(refused(ask(&ledger, ("i1", "c1"), &[1], 4, DAY_MS)), (Limit::Interview, window_s - a_day_s));
    assert_eq!(ask(&ledger, ("i1", "c1"), &[1], 4, WINDOW_MS), Ok(Count::New));
    assert_eq!(ask(&ledger, ("i1", "c1"), &[1], 1, WINDOW_MS), Ok(Count::New), "what is over is forgotten");
}

#[test]
fn a_candidate_may_be_asked_about_so_often_whichever_interview_it_is() {
    let ledger = Ledger::new(rates());
    for n in 0..5 {
        assert_eq!(ask(&ledger, (&format!("i{n}"), "c1"), &[n], 1, 0), Ok(Count::New));
    }
    assert_eq!(refused(ask(&ledger, ("i9", "c1"), &[9], 1, 0)).0, Limit::Candidate);
    assert_eq!(ask(&ledger, ("i4", "c1"), &[4], 1, 0), Ok(Count::Again));
    assert_eq!(ask(&ledger, ("i9", "c2"), &[9], 1, 0), Ok(Count::New), "another candidate");
}

#[test]
fn a_connection_may_ask_about_a_band_so_often_a_day_and_uses_up_no_others_share() {
    let ledger = Ledger::new(rates());
    for n in 0..8 {
        assert_eq!(ask(&ledger, (&format!("i{n}"), &format!("c{n}")), &[1], 1, 0), Ok(Count::New));
    }
    assert_eq!(refused(ask(&ledger, ("j1", "d1"), &[2, 1], 1, 0)), (Limit::Band, 86_400));
    assert_eq!(ask(&ledger, ("j1", "d1"), &[2], 1, 0), Ok(Count::New), "the other band was not counted for it");
    assert_eq!(ask(&ledger, ("j2", "d2"), &[2, 1], 1, DAY_MS), Ok(Count::New));
    let (tenant, other) = (TenantId::new("acme").unwrap(), ConnectionName::new("other").unwrap());
    let (case, candidate, bands) = (of("interview", "k1"), of("candidate", "e1"), [band(1)]);
    let counted =
        Counted { tenant: &tenant, connection: &other, case: &case, candidate: &candidate, bands: &bands, step: 1 };
    let cell = Cell::of(&Money::new("1", "CNY").unwrap(), PayInterval::Month, 2);
    assert_eq!(ledger.count(&counted, cell, 0), Ok(Count::New), "another connection's");
}

#[test]
fn what_is_refused_for_one_is_counted_for_none_of_them() {
    let ledger = Ledger::new(rates());
    for amount in 1..=3 {
        assert_eq!(ask(&ledger, ("i1", "c1"), &[1], amount, 0), Ok(Count::New));
    }
    for amount in 4..=50 {
        assert_eq!(refused(ask(&ledger, ("i1", "c1"), &[1], amount, 0)).0, Limit::Interview);
    }
    for amount in 1..=2 {
        assert_eq!(ask(&ledger, ("i2", "c1"), &[1], amount, 0), Ok(Count::New), "the candidate has two left");
    }
    for n in 0..3 {
        assert_eq!(ask(&ledger, (&format!("j{n}"), &format!("d{n}")), &[1], 1, 0), Ok(Count::New), "the band three");
    }
    assert_eq!(refused(ask(&ledger, ("j9", "d9"), &[1], 1, 0)).0, Limit::Band);
}

#[test]
fn what_was_answered_before_a_restart_counts_and_is_counted_even_over_a_limit() {
    let ledger = Ledger::new(rates());
    let tenant = TenantId::new("acme").unwrap();
    let (case, candidate, bands) = (of("interview", "i1"), of("candidate", "c1"), [band(1)]);
    for step in 0..9 {
        let counted = Counted {
            tenant: &tenant,
            connection: &case.connection,
            case: &case,
            candidate: &candidate,
            bands: &bands,
            step,
        };
        for _ in 0..2 {
            ledger.recall(&counted, i64::try_from(step).unwrap());
        }
    }
    assert_eq!(refused(ask(&ledger, ("i1", "c1"), &[2], 1, 10)).0, Limit::Interview);
    assert_eq!(refused(ask(&ledger, ("i2", "c1"), &[2], 1, 10)).0, Limit::Candidate);
    assert_eq!(refused(ask(&ledger, ("i2", "c2"), &[1], 1, 10)).0, Limit::Band);
    // Six of nine must be over before an interview has one of three left.
    assert_eq!(refused(ask(&ledger, ("i1", "c3"), &[3], 1, WINDOW_MS + 5)).0, Limit::Interview);
    assert_eq!(ask(&ledger, ("i1", "c3"), &[3], 1, WINDOW_MS + 6), Ok(Count::New));
}

#[test]
fn a_caller_may_ask_so_many_times_a_minute() {
    let ledger = Ledger::new(rates());
    let after = |caller: &str, now_ms| ledger.count_caller(caller, now_ms).map_err(|full| full.after_s);
    assert_eq!((after("a", 0), after("a", 1)), (Ok(()), Ok(())));
    assert_eq!(after("a", 30_000), Err(30));
    assert_eq!(after("b", 30_000), Ok(()));
    assert_eq!(after("a", 60_000), Ok(()));
}

#[test]
fn the_operator_is_told_once_a_minute_of_each_limit() {
    let ledger = Ledger::new(Rates { amounts_per_interview: 1, ..rates() });
    let first =
        |interview: &str, amount, now_ms| ask(&ledger, (interview, "c1"), &[1], amount, now_ms).unwrap_err().first;
    assert_eq!(ask(&ledger, ("i1", "c1"), &[1], 1, 0), Ok(Count::New));
    assert_eq!((first("i1", 2, 0), first("i1", 3, 59_999), first("i1", 3, 60_000)), (true, false, true));
}
