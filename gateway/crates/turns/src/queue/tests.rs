//! Against a model that looks at everything each time, by random schedules; and what the model must hold, by count.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// The same rules, written down as plainly as can be.
#[derive(Default)]
struct Model {
    lanes: Vec<ModelLane>,
    floor: u64,
    most_each: usize,
}

#[derive(Default, Clone)]
struct ModelLane {
    number: u64,
    tag: u64,
    jobs: Vec<(Class, u32)>,
    urgent_in_row: u8,
    running: usize,
    held_until: u64,
}

impl Model {
    fn lane(&mut self, number: u64) -> &mut ModelLane {
        let begin = self.floor.saturating_sub(CREDIT);
        if !self.lanes.iter().any(|lane| lane.number == number) {
            self.lanes.push(ModelLane { number, tag: begin, ..ModelLane::default() });
        }
        self.lanes.iter_mut().find(|lane| lane.number == number).unwrap()
    }

    fn push(&mut self, number: u64, class: Class, job: u32) {
        let begin = self.floor.saturating_sub(CREDIT);
        let lane = self.lane(number);
        if lane.jobs.is_empty() && lane.running == 0 {
            lane.tag = lane.tag.max(begin);
        }
        lane.jobs.push((class, job));
    }

    fn pick(&mut self, now: u64) -> Option<(u64, u32)> {
        let most_each = self.most_each;
        let may = |lane: &&mut ModelLane| !lane.jobs.is_empty() && lane.held_until <= now && lane.running < most_each;
        let lane = self.lanes.iter_mut().filter(may).min_by_key(|lane| (lane.tag, lane.number))?;
        let of = |class: Class| lane.jobs.iter().position(|(found, _)| *found == class);
        let (urgent, bulk) = (of(Class::Urgent), of(Class::Bulk));
        let at = match (urgent, bulk) {
            (Some(_), Some(bulk)) if lane.urgent_in_row >= URGENT_IN_ROW => bulk,
            (Some(urgent), _) => urgent,
            (None, bulk) => bulk.unwrap(),
        };
        let (class, job) = lane.jobs.remove(at);
        lane.urgent_in_row = if class == Class::Urgent { lane.urgent_in_row.saturating_add(1) } else { 0 };
        self.floor = self.floor.max(lane.tag);
        lane.tag += SLICE;
        lane.running += 1;
        Some((lane.number, job))
    }

    fn settle(&mut self, number: u64, used: u64, held_until: Option<u64>) {
        let lane = self.lane(number);
        lane.running -= 1;
        lane.tag = lane.tag - SLICE + used.max(TURN_MIN);
        lane.held_until = lane.held_until.max(held_until.unwrap_or(0));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push(u64, bool),
    Pick,
    /// Which of those that run, what it used, for how long it is held back.
    Settle(usize, u64, Option<u64>),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u64, any::<bool>()).prop_map(|(lane, urgent)| Step::Push(lane, urgent)),
        Just(Step::Pick),
        (any::<prop::sample::Index>(), 0..3 * SLICE, prop::option::weighted(0.2, 0..5 * CREDIT))
            .prop_map(|(at, used, held)| Step::Settle(at.index(64), used, held)),
        (0..CREDIT).prop_map(Step::Pass),
    ]
}

fn agree(steps: Vec<Step>, most_each: usize) -> Result<(), TestCaseError> {
    let (mut queue, mut model) = (FairQueue::new(most_each), Model { most_each, ..Model::default() });
    let (mut now, mut running) = (0, Vec::new());
    for (job, step) in (0..).zip(steps) {
        match step {
            Step::Push(lane, urgent) => {
                let class = if urgent { Class::Urgent } else { Class::Bulk };
                queue.push(lane, class, job, now);
                model.push(lane, class, job);
            }
            Step::Pick => {
                let picked = queue.pick(now).map(|turn| (turn.lane, turn.job));
                prop_assert_eq!(picked, model.pick(now));
                running.extend(picked.map(|(lane, _)| lane));
            }
            Step::Settle(at, used, held) if !running.is_empty() => {
                let lane = running.swap_remove(at % running.len());
                let until = held.map(|wait| now + wait);
                queue.settle(lane, used, until, now);
                model.settle(lane, used, until);
            }
            Step::Settle(..) => {}
            Step::Pass(wait) => now += wait,
        }
    }
    let left: usize = model.lanes.iter().map(|lane| lane.jobs.len()).sum();
    prop_assert_eq!(queue.drain().len(), left, "no job is lost and none doubled");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_the_model_does(
        steps in prop::collection::vec(step(), 0..200),
        most_each in 1..4_usize,
    ) {
        agree(steps, most_each)?;
    }
}

/// Lanes that always have so many jobs, each of which uses so much of a turn; gives what each lane got.
fn burn(lanes: &[(usize, u64)], turns: usize) -> Vec<u64> {
    let mut queue = FairQueue::new(usize::MAX);
    for (number, (jobs, _)) in (0..).zip(lanes) {
        for job in 0..*jobs {
            queue.push(number, Class::Bulk, job, 0);
        }
    }
    let mut got = vec![0; lanes.len()];
    for _ in 0..turns {
        let turn = queue.pick(0).unwrap();
        let at = usize::try_from(turn.lane).unwrap();
        got[at] += lanes[at].1;
        queue.settle(turn.lane, lanes[at].1, None, 0);
        queue.push(turn.lane, Class::Bulk, turn.job, 0);
    }
    got
}

#[test]
fn sixteen_streams_of_one_connection_get_no_more_than_one_of_another() {
    let got = burn(&[(16, SLICE), (1, SLICE)], 1_000);
    assert_eq!(got[0], got[1]);
}

#[test]
fn short_turns_and_long_ones_share_the_time_and_not_the_turns() {
    let got = burn(&[(1, SLICE), (1, SLICE / 100), (4, SLICE / 2)], 20_000);
    let (least, most) = (got.iter().min().unwrap(), got.iter().max().unwrap());
    assert!(most - least <= 2 * SLICE, "{got:?}");
}

#[test]
fn one_that_rests_between_its_turns_goes_first_whenever_it_comes() {
    let mut queue = FairQueue::new(1);
    for job in 0..16 {
        queue.push(0, Class::Bulk, job, 0);
    }
    for page in 0..1_000 {
        // The other burns for two slices while this one waits for its vendor.
        for _ in 0..2 {
            let turn = queue.pick(0).unwrap();
            assert_eq!(turn.lane, 0);
            queue.settle(0, SLICE, None, 0);
            queue.push(0, Class::Bulk, turn.job, 0);
        }
        queue.push(1, Class::Bulk, page, 0);
        let turn = queue.pick(0).unwrap();
        assert_eq!((turn.lane, turn.job), (1, page));
        queue.settle(1, SLICE, None, 0);
    }
}

#[test]
fn a_long_rest_saves_up_no_more_than_its_credit() {
    let mut queue = FairQueue::new(1);
    queue.push(0, Class::Bulk, 0, 0);
    for _ in 0..10_000 {
        let turn = queue.pick(0).unwrap();
        queue.settle(turn.lane, SLICE, None, 0);
        queue.push(turn.lane, Class::Bulk, 0, 0);
    }
    queue.push(1, Class::Bulk, 1, 0);
    let mut row = 0;
    while queue.pick(0).is_some_and(|turn| turn.lane == 1) {
        queue.settle(1, SLICE, None, 0);
        queue.push(1, Class::Bulk, 1, 0);
        row += 1;
    }
    assert!((10..=11).contains(&row), "{row} slices before the other had its turn");
}

#[test]
fn within_a_lane_urgent_work_goes_first_but_other_work_is_never_starved() {
    let mut queue = FairQueue::new(1);
    queue.push(0, Class::Bulk, "bulk", 0);
    for _ in 0..50 {
        queue.push(0, Class::Urgent, "urgent", 0);
    }
    let mut order = Vec::new();
    for _ in 0..8 {
        let turn = queue.pick(0).unwrap();
        order.push(turn.job);
        queue.settle(0, SLICE, None, 0);
        let class = if turn.job == "bulk" { Class::Bulk } else { Class::Urgent };
        queue.push(0, class, turn.job, 0);
    }
    assert_eq!(order, ["urgent", "urgent", "urgent", "bulk", "urgent", "urgent", "urgent", "bulk"]);
}

#[test]
fn what_is_held_back_stops_nobody_else_and_goes_on_when_it_may() {
    let mut queue = FairQueue::new(1);
    queue.push(0, Class::Bulk, "burns", 0);
    let turn = queue.pick(0).unwrap();
    queue.settle(turn.lane, SLICE, Some(500), 0);
    queue.push(0, Class::Bulk, "burns", 0);
    assert_eq!(queue.pick(499).map(|turn| turn.job), None);
    assert_eq!(queue.next_release(), Some(500));
    queue.push(1, Class::Bulk, "other", 499);
    assert_eq!(queue.pick(499).map(|turn| turn.job), Some("other"));
    assert_eq!(queue.pick(500).map(|turn| turn.job), Some("burns"));
}

#[test]
fn a_lane_has_no_more_turns_at_once_than_it_may() {
    let mut queue = FairQueue::new(2);
    for job in 0..5 {
        queue.push(0, Class::Bulk, job, 0);
    }
    assert_eq!((0..5).filter(|_| queue.pick(0).is_some()).count(), 2);
    queue.settle(0, SLICE, None, 0);
    assert!(queue.pick(0).is_some() && queue.pick(0).is_none());
}
