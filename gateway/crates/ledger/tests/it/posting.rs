//! A run is posted once, its document number comes back, and what may not be posted is not.

use std::time::Duration;

use renmen_ledger::{FaultCode, LedgerError, PostAsk, Posted};
use renmen_schema::id::RecordId;
use renmen_store::outbox::{DeliveryRow, DeliveryState};
use serde_json::json;

use crate::world::{Finance, World, book, of, run, tenant};

fn ask(run: RecordId) -> PostAsk {
    PostAsk { book: "payroll".into(), run, by: "Li Na".into(), reason: "March is approved".into() }
}

async fn post(world: &World, run: RecordId) -> Vec<Posted> {
    world.ledger.post(&tenant(), &ask(run)).await.unwrap().1
}

async fn until(world: &World, id: i64, state: DeliveryState) -> DeliveryRow {
    for _ in 0..500 {
        let row = world.ledger.posting(&tenant(), id).await.unwrap().unwrap();
        if row.state == state {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("delivery {id} never {state:?}");
}

fn refused(error: LedgerError) -> Vec<FaultCode> {
    match error {
        LedgerError::Faults(faults) => faults.iter().map(|fault| fault.code).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_run_is_posted_once_and_its_document_number_comes_back_s16_s17() {
    let world = World::new(Finance::default(), book()).await;
    let id = world.a_run("APPROVED").await;
    let preview = world.ledger.preview(&tenant(), "payroll", id).await.unwrap();
    assert_eq!((preview.payslips, preview.faults.len(), preview.journals.len()), (2, 0, 1));
    assert!(world.ledger.postings(&tenant(), None, None, 10).await.unwrap().is_empty(), "a preview posts nothing");

    let first = post(&world, id).await.remove(0);
    assert!(first.is_new);
    let row = until(&world, first.delivery.id, DeliveryState::Delivered).await;
    assert_eq!(row.receipt.unwrap().reference.as_deref(), Some("001/2025/0001"));
    let again = post(&world, id).await.remove(0);
    assert_eq!((again.is_new, again.delivery.id, again.differs), (false, first.delivery.id, false));
    assert_eq!(world.numbers().len(), 1);

    let (sent, _) = world.finance.books.lock().unwrap()[0].clone();
    let facts = ["ledger", "date", "document_date", "currency", "total", "reference"].map(|key| sent[key].clone());
    assert_eq!(facts, ["001", "2025-03-31", "2025-04-05", "CNY", "13020.00", "2025-03"].map(|text| json!(text)));
    assert_eq!(sent["period"], json!({ "year": 2025, "month": 3 }));
    let line = json!({ "number": 1, "side": "DEBIT", "account": "6602.01", "amount": "9010.00", "debit": "9010.00",
                       "text": "6602.01", "dimensions": { "cost_center": "CC10" } });
    assert_eq!(sent["lines"][0], line, "the unit above has the cost centre; no stranger's payslip is in it");
    let listed = world.ledger.postings(&tenant(), Some(id), None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn what_the_ledger_refused_can_be_posted_again_under_the_same_id_and_stands_once() {
    let world = World::new(Finance::default(), book()).await;
    let id = world.a_run("APPROVED").await;
    world.finance.refuses.lock().unwrap().push("period_closed");
    let first = post(&world, id).await.remove(0);
    let dead = until(&world, first.delivery.id, DeliveryState::Dead).await;
    assert!(dead.error.unwrap().contains("period_closed"));
    let second = post(&world, id).await.remove(0);
    assert!(second.is_new && second.delivery.id != first.delivery.id);
    until(&world, second.delivery.id, DeliveryState::Delivered).await;
    let third = post(&world, id).await.remove(0);
    assert_eq!((third.is_new, third.delivery.id), (false, second.delivery.id));
    let ids: Vec<_> = world.finance.attempts.lock().unwrap().iter().map(|sent| sent["id"].clone()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    assert_eq!(world.numbers().len(), 1);
}

#[tokio::test]
async fn two_who_post_at_once_post_once() {
    let world = World::new(Finance::default(), book()).await;
    let id = world.a_run("PAID").await;
    let mut made = Vec::new();
    let (ask_a, ask_b) = (ask(id), PostAsk { by: "Wang Wei".into(), ..ask(id) });
    let tenant = tenant();
    let (a, b) = tokio::join!(world.ledger.post(&tenant, &ask_a), world.ledger.post(&tenant, &ask_b));
    for end in [a, b] {
        match end {
            Ok((_, done)) => made.extend(done.into_iter().map(|one| one.delivery.id)),
            Err(LedgerError::Busy) => {}
            Err(other) => panic!("{other}"),
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1);
    until(&world, made[0], DeliveryState::Delivered).await;
    assert_eq!(world.numbers().len(), 1);
}

#[tokio::test]
async fn a_run_that_changed_after_it_was_posted_says_so_and_is_not_posted_again() {
    let world = World::new(Finance::default(), book()).await;
    let id = world.a_run("APPROVED").await;
    let first = post(&world, id).await.remove(0);
    until(&world, first.delivery.id, DeliveryState::Delivered).await;
    world.put("payroll", &[("payroll_record", "s2", of("E2", "2025-03", "5000"))]).await;
    let again = post(&world, id).await.remove(0);
    assert_eq!((again.is_new, again.differs, again.delivery.id), (false, true, first.delivery.id));
    // Even where it would be refused by now: it is in the books.
    world.put("payroll", &[("payroll_run", "2025-03", run("FAILED"))]).await;
    assert!(!post(&world, id).await.remove(0).is_new);
    assert_eq!(world.finance.attempts.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_that_is_not_approved_is_not_posted() {
    let world = World::new(Finance::default(), book()).await;
    let id = world.a_run("CALCULATED").await;
    let error = world.ledger.post(&tenant(), &ask(id)).await.unwrap_err();
    assert!(error.to_string().contains("the run is CALCULATED; what is posted is APPROVED, PAID"), "{error}");
    assert_eq!(refused(error), [FaultCode::State]);
    assert!(world.ledger.postings(&tenant(), None, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_destination_that_would_post_twice_takes_no_journal() {
    let world = World::new(Finance { forgetful: true, ..Finance::default() }, book()).await;
    let id = world.a_run("APPROVED").await;
    let error = world.ledger.post(&tenant(), &ask(id)).await.unwrap_err();
    assert_eq!(refused(error), [FaultCode::MayRepeat]);
}

#[tokio::test]
async fn a_run_of_another_connection_and_a_run_that_is_not_there_are_refused() {
    let mut book = book();
    book.runs = vec!["elsewhere".parse().unwrap()];
    let world = World::new(Finance::default(), book).await;
    let id = world.a_run("APPROVED").await;
    let error = world.ledger.post(&tenant(), &ask(id)).await.unwrap_err();
    assert_eq!(refused(error), [FaultCode::Connection]);
    let slip = world.id("payroll_record", "payroll", "s1").await;
    assert!(matches!(world.ledger.preview(&tenant(), "payroll", slip).await, Err(LedgerError::NoRun)));
    assert!(matches!(world.ledger.preview(&tenant(), "other", id).await, Err(LedgerError::NoBook(_))));
    let other = renmen_schema::id::TenantId::new("other").unwrap();
    assert!(matches!(world.ledger.preview(&other, "payroll", id).await, Err(LedgerError::NoBook(_))));
}

#[tokio::test]
async fn a_posting_is_kept_however_old_it_is() {
    let world = World::new(Finance::default(), book()).await;
    let id = world.a_run("APPROVED").await;
    let first = post(&world, id).await.remove(0);
    until(&world, first.delivery.id, DeliveryState::Delivered).await;
    world.store.prune_deliveries(i64::MAX, i64::MAX).await.unwrap();
    assert_eq!(post(&world, id).await.remove(0).delivery.id, first.delivery.id);
}
