#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::wire::Fault;

/// 2026-11-30 23:59:59 in Shanghai, where it is 15:59:59 in UTC.
const LAST_SECOND_MS: i64 = 1_796_054_399_000;

fn budget(calls: u64) -> (Arc<Budget>, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(LAST_SECOND_MS));
    let clock: ClockMs = Arc::new({
        let now = Arc::clone(&now);
        move || now.load(Ordering::Relaxed)
    });
    let rule = CallBudget { except: vec!["/contacts/".into(), "/token".into()], ..CallBudget::of(calls) };
    let key = (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap());
    (Arc::new(Budget::new(key, clock, &rule).unwrap()), now)
}

fn send(budget: &Arc<Budget>, path: &str) -> Result<(), EgressError> {
    let mut charge = budget.charge(path)?;
    charge.mark(true);
    Ok(())
}

fn used(budget: &Budget) -> u64 {
    budget.figures().unwrap().used
}

#[test]
fn the_last_call_of_a_month_goes_and_the_next_one_waits_for_the_month_after() {
    let (budget, now) = budget(5);
    for _ in 0..5 {
        send(&budget, "/pay").unwrap();
    }
    let error = send(&budget, "/pay").unwrap_err();
    let EgressError::RateLimited { message, retry_after_ms } = &error else { panic!("{error}") };
    assert_eq!(*retry_after_ms, Some(1_000), "until midnight in Shanghai, not in UTC");
    for word in ["5 of 5 in 2026-11", "2026-12-01 00:00 Asia/Shanghai", "`month_calls_max`"] {
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(used(&budget), 5, "what is refused does not count");
    now.fetch_add(1_000, Ordering::Relaxed);
    send(&budget, "/pay").unwrap();
    let figures = budget.figures().unwrap();
    assert_eq!((figures.month.as_str(), figures.used, figures.max, figures.message), ("2026-12", 1, 5, None));
    assert_eq!(budget.take(), [("2026-11".to_owned(), 5), ("2026-12".to_owned(), 1)], "both are still to be written");
}

#[test]
fn what_is_excepted_goes_on_and_does_not_count() {
    let (budget, _) = budget(1);
    send(&budget, "/pay").unwrap();
    for path in ["/contacts/list", "/token", "/tokens/new"] {
        send(&budget, path).unwrap();
    }
    for path in ["/pay", "/contacts", "/v2/contacts/list"] {
        assert!(send(&budget, path).is_err(), "{path}");
    }
    assert_eq!(used(&budget), 1);
}

#[test]
fn at_eighty_per_cent_and_not_before_it_says_what_to_do() {
    let (budget, _) = budget(10);
    for _ in 0..7 {
        send(&budget, "/pay").unwrap();
    }
    assert_eq!(budget.figures().unwrap().message, None);
    assert_eq!(budget.state.lock().told, None);
    send(&budget, "/pay").unwrap();
    let message = budget.figures().unwrap().message.unwrap();
    assert!(message.starts_with("8 of the 10 calls") && message.contains("`month_calls_max`"), "{message}");
    let told = |stand| Some(("2026-11".to_owned(), stand));
    assert_eq!(budget.state.lock().told, told(Stand::Near));
    send(&budget, "/pay").unwrap();
    assert_eq!(budget.state.lock().told, told(Stand::Near), "once a month");
    send(&budget, "/pay").unwrap();
    assert_eq!(budget.state.lock().told, told(Stand::Out));
    assert_eq!((Stand::of(7_999, 10_000), Stand::of(8_000, 10_000)), (Stand::Well, Stand::Near));
    assert_eq!((Stand::of(9_999, 10_000), Stand::of(10_000, 10_000)), (Stand::Near, Stand::Out));
}

#[test]
fn a_restart_goes_on_from_what_is_kept_and_is_not_told_twice() {
    let (budget, _) = budget(10);
    assert_eq!(budget.take(), [("2026-11".to_owned(), 0)]);
    budget.settle("2026-11", 9, true);
    assert_eq!((used(&budget), budget.state.lock().told.clone().unwrap().1), (9, Stand::Near));
    send(&budget, "/pay").unwrap();
    assert!(send(&budget, "/pay").is_err());
}

#[test]
fn what_several_gateways_send_adds_up_and_what_could_not_be_written_stays() {
    let (budget, _) = budget(10);
    send(&budget, "/pay").unwrap();
    assert_eq!(budget.take(), [("2026-11".to_owned(), 1)]);
    send(&budget, "/pay").unwrap();
    assert_eq!(used(&budget), 2, "while it is written it counts once");
    budget.put_back("2026-11");
    assert_eq!(budget.take(), [("2026-11".to_owned(), 2)]);
    // Another gateway wrote seven.
    budget.settle("2026-11", 9, false);
    assert_eq!((used(&budget), budget.state.lock().told.clone().unwrap().1), (9, Stand::Near));
    assert_eq!(budget.take(), [("2026-11".to_owned(), 0)]);
}

#[tokio::test]
async fn a_request_that_did_not_leave_is_given_back_and_one_that_may_have_left_is_not() {
    let (budget, _) = budget(10);
    drop(budget.charge("/pay").unwrap());
    assert_eq!(used(&budget), 0, "something before the wire failed");
    let unsent = async { Err::<(), _>(Fault::NotSent("connecting".into())) };
    assert!(budget.charge("/pay").unwrap().over(unsent).await.is_err());
    assert_eq!(used(&budget), 0);
    let lost = async { Err::<(), _>(Fault::Lost("reset".into())) };
    assert!(budget.charge("/pay").unwrap().over(lost).await.is_err());
    assert_eq!(used(&budget), 1);
    let mut cut = Box::pin(budget.charge("/pay").unwrap().over(std::future::pending::<Result<(), Fault>>()));
    assert!(futures_util::poll!(&mut cut).is_pending());
    drop(cut);
    assert_eq!(used(&budget), 2, "cut off in the middle");
}

#[test]
fn a_zone_that_is_not_there_is_refused() {
    let book = BudgetBook::default();
    let key = || (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap());
    let clock: ClockMs = Arc::new(|| LAST_SECOND_MS);
    let rule = CallBudget { zone: "Asia/Nowhere".into(), ..CallBudget::of(9) };
    let error = book.open(key(), &rule, &clock).unwrap_err().to_string();
    assert!(error.contains("Asia/Nowhere") && error.contains("Asia/Shanghai"), "{error}");
    assert!(book.open(key(), &CallBudget::of(0), &clock).is_err());
    // A connection that is made again goes on.
    let first = book.open(key(), &CallBudget::of(2), &clock).unwrap();
    send(&first, "/pay").unwrap();
    let again = book.open(key(), &CallBudget::of(7), &clock).unwrap();
    drop(first);
    assert_eq!((used(&again), again.figures().unwrap().max, book.all().len()), (1, 7, 1));
    drop(again);
    assert!(book.all().is_empty());
}
