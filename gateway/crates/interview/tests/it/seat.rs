//! Two gateways on one database: one works on the loop, and the other goes on where that one stops.

use std::sync::Arc;
use std::time::Duration;

use renmen_interview::{InterviewLoop, LoopOptions, LoopWork};

use crate::bed::{Bed, tenant};
use crate::vendor::{options, result_of};

const TAKEOVER: Duration = Duration::from_secs(15);

struct Gateway {
    desk: Arc<InterviewLoop>,
    work: LoopWork,
}

impl Gateway {
    async fn over(bed: &Bed, name: &str) -> Self {
        let options = LoopOptions { gateway: name.into(), takeover_after: TAKEOVER, ..options("80", None) };
        let (desk, work) =
            InterviewLoop::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
        Self { desk, work }
    }

    /// What its tasks do at one moment.
    async fn turn(&self) {
        self.work.turn().await.unwrap();
    }

    /// Who works, as this gateway tells it: the name, and whether it is itself.
    fn holder(&self) -> (Option<String>, bool) {
        let holder = self.desk.progress(&tenant()).unwrap().holder.unwrap();
        (holder.gateway, holder.here)
    }
}

async fn decided(bed: &Bed) -> usize {
    bed.find("decision", None).await.len()
}

async fn one_works_and_the_other_goes_on(bed: Bed) {
    let (one, two) = (Gateway::over(&bed, "one").await, Gateway::over(&bed, "two").await);
    one.turn().await;
    result_of(&bed, "i-1", "90").await;
    two.turn().await;
    assert_eq!(decided(&bed).await, 0, "the second looks on");
    assert_eq!((one.holder(), two.holder()), ((Some("one".into()), true), (Some("one".into()), false)));
    one.turn().await;
    assert_eq!(decided(&bed).await, 1);
    two.turn().await;
    assert_eq!(two.desk.progress(&tenant()).unwrap().behind_since_ms, None, "it tells how far the other one is");

    // The clock of the day steps ahead and back: the holder lives, so nothing changes.
    for step_ms in [86_400_000, -2 * 86_400_000, 86_400_000] {
        bed.clock.advance(step_ms);
        two.turn().await;
        assert_eq!(two.holder(), (Some("one".into()), false));
    }
    // It shows a sign of life in time, again and again.
    for _ in 0..6 {
        bed.clock.pass(TAKEOVER / 2);
        one.turn().await;
        two.turn().await;
        assert_eq!((one.holder().1, two.holder().1), (true, false));
    }

    // Killed in the middle: nothing is given up.
    result_of(&bed, "i-2", "90").await;
    drop(one);
    two.turn().await;
    bed.clock.pass(TAKEOVER - Duration::from_millis(1));
    two.turn().await;
    assert_eq!((decided(&bed).await, two.holder().1), (1, false), "not before its time is over");
    bed.clock.pass(Duration::from_millis(1));
    two.turn().await;
    assert_eq!((decided(&bed).await, two.holder()), (2, (Some("two".into()), true)));

    // One that comes back after it was asleep finds that it lost its seat.
    let one = Gateway::over(&bed, "one").await;
    one.turn().await;
    bed.clock.pass(TAKEOVER);
    assert!(!two.holder().1, "it showed no sign in time, so it stops by itself");
    one.turn().await;
    assert!(one.holder().1);
    two.turn().await;
    assert_eq!(two.holder(), (Some("one".into()), false));
    // One that ends as asked gives it up at once.
    one.work.leave().await;
    two.turn().await;
    assert_eq!(two.holder(), (Some("two".into()), true));
    bed.end().await;
}

#[tokio::test]
async fn one_gateway_works_on_a_loop_at_a_time_and_another_goes_on_when_it_is_killed() {
    one_works_and_the_other_goes_on(Bed::new().await).await;
}

#[tokio::test]
async fn one_gateway_works_on_a_loop_at_a_time_and_another_goes_on_when_it_is_killed_on_postgresql() {
    if let Some(bed) = Bed::postgres().await {
        one_works_and_the_other_goes_on(bed).await;
    }
}
