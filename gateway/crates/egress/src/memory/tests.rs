#![allow(clippy::unwrap_used)]
use std::time::Duration;

use super::*;
use crate::EgressError;

const MIB: u64 = 1 << 20;

fn share(budget: &MemoryBudget, name: &str) -> Share {
    budget.share(&TenantId::new("default").unwrap(), name)
}

#[test]
fn a_connection_always_has_its_own_part_however_greedy_the_others_are() {
    let budget = MemoryBudget::new(160 * MIB);
    let shares: Vec<Share> = (0..8).map(|n| share(&budget, &format!("c{n}"))).collect();
    let mut hoard = Vec::new();
    // Seven take all they can get.
    for greedy in &shares[..7] {
        while let Ok(held) = greedy.try_take(MIB) {
            hoard.push(held);
        }
    }
    // A sixteenth of the whole is set aside for each.
    let own = shares[7].try_take(10 * MIB).unwrap();
    assert!(matches!(shares[7].try_take(MIB), Err(NoMemory::Process { .. })));
    assert_eq!((own.bytes(), budget.figures().held), (10 * MIB, 160 * MIB));
    drop(hoard);
    assert_eq!(budget.figures().held, 10 * MIB);
    assert_eq!(budget.figures().peak, 160 * MIB);
}

#[test]
fn one_connection_never_holds_more_than_its_share() {
    let budget = MemoryBudget::new(160 * MIB);
    let shares: Vec<Share> = (0..8).map(|n| share(&budget, &format!("c{n}"))).collect();
    let most = shares[0].most();
    assert_eq!(most, 50 * MIB, "its own part and half of what is open to all");
    let held = shares[0].try_take(most).unwrap();
    assert_eq!(shares[0].try_take(1).unwrap_err(), NoMemory::Share { share: most });
    drop(held);
    assert!(shares[0].try_take(most).is_ok());
}

#[test]
fn what_was_taken_is_given_back_exactly() {
    let budget = MemoryBudget::new(64 * MIB);
    let (one, other) = (share(&budget, "one"), share(&budget, "other"));
    let mut held = one.try_take(20 * MIB).unwrap();
    held.join(one.try_take(MIB).unwrap());
    held.shrink_to(3 * MIB);
    assert_eq!((one.held(), other.held(), budget.figures().held), (3 * MIB, 0, 3 * MIB));
    held.shrink_to(9 * MIB);
    assert_eq!(held.bytes(), 3 * MIB, "shrinking never grows");
    drop(held);
    assert_eq!(budget.figures().held, 0);
    // The accounts are as new: everything fits that fitted before.
    assert!(one.try_take(one.most()).is_ok());
}

#[test]
fn a_connection_that_is_made_again_has_the_same_account() {
    let budget = MemoryBudget::new(64 * MIB);
    let before = share(&budget, "people");
    let held = before.try_take(MIB).unwrap();
    let after = share(&budget, "people");
    assert_eq!(after.held(), MIB);
    drop((held, before, after));
    assert_eq!(share(&budget, "people").held(), 0);
    assert_eq!(budget.figures().held, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_waits_for_others_and_is_refused_in_the_end() {
    let budget = MemoryBudget::new(64 * MIB);
    let one = share(&budget, "one");
    let all = one.try_take(one.most()).unwrap();
    let refused = one.take(MIB, Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(refused, NoMemory::Share { .. }));
    assert_eq!((budget.figures().waited, budget.figures().refused), (1, 1));
    let waiting = tokio::spawn({
        let one = one.clone();
        async move { one.take(MIB, Duration::from_secs(5)).await.map(|held| held.bytes()) }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(all);
    assert_eq!(waiting.await.unwrap(), Ok(MIB));
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_does_not_wait() {
    let budget = MemoryBudget::new(64 * MIB);
    let one = share(&budget, "one");
    let began = tokio::time::Instant::now();
    assert!(one.take(65 * MIB, Duration::from_secs(5)).await.is_err());
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_call_is_stopped_at_its_own_limit_and_told_which() {
    let budget = MemoryBudget::new(64 * MIB);
    let call = CallMemory::new(&share(&budget, "one"), MIB);
    let mut room = call.room();
    room.fit(MIB).await.unwrap();
    let error = room.fit(MIB + 1).await.unwrap_err();
    assert!(matches!(&error, EgressError::Limit { limit: "memory_bytes_max", .. }), "{error}");
    assert!(error.to_string().contains("1048576"), "{error}");
}

#[tokio::test]
async fn an_answer_that_was_not_kept_gives_its_room_back_and_one_that_was_holds_what_it_has() {
    let budget = MemoryBudget::new(64 * MIB);
    let call = CallMemory::new(&share(&budget, "one"), MIB);
    let mut cut = call.room();
    cut.fit(300_000).await.unwrap();
    cut.fit_more(300_001).await.unwrap();
    assert_eq!(call.counted(), 300_000 + (64 << 10), "a piece more, for what may follow");
    drop(cut);
    assert_eq!((call.counted(), budget.figures().held), (0, 0));
    let mut whole = call.room();
    whole.fit(10).await.unwrap();
    whole.keep(10);
    // Once as it is, once packed.
    assert_eq!((call.counted(), budget.figures().held), (10, 20));
    drop(call);
    assert_eq!(budget.figures().held, 0);
}

#[tokio::test(start_paused = true)]
async fn a_process_without_memory_refuses_with_its_own_key() {
    let budget = MemoryBudget::new(64 * MIB);
    let one = share(&budget, "one");
    let _all = one.try_take(one.most()).unwrap();
    let call = CallMemory::new(&one, MIB);
    let error = call.room().fit(1).await.unwrap_err();
    assert!(matches!(error, EgressError::OutOfMemory(_)), "{error}");
    assert!(error.to_string().contains("gateway.memory_bytes_max"), "{error}");
    assert_eq!(call.counted(), 0, "what was refused is not counted");
}
