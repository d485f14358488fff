//! What happened with a person, over all connections, in one line.

use crate::id::{Day, MemberId};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An application.
    Applied,
    /// An interview was held.
    Interviewed,
    /// An offer was sent.
    Offered,
    /// The first day of work.
    Joined,
    /// Another position, unit or level.
    Moved,
    /// A review.
    Reviewed,
    /// The last day of work.
    Left,
}

/// Where someone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Known, and neither candidate nor employee.
    Known,
    /// Has applied, and was not employed since.
    Candidate,
    /// Works here.
    Employee,
    /// Has left.
    Leaver,
}

/// One step as one record tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When.
    pub day: Day,
    /// What.
    pub step: Step,
    /// The member that it happened to.
    pub member: MemberId,
    /// The record that tells it.
    pub record: u64,
    /// A word about it: the position, the result. None where sources have none.
    pub about: Option<String>,
}

/// A step with all records that tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub day: Day,
    /// What.
    pub step: Step,
    /// The words of the first record that has any.
    pub about: Option<String>,
    /// Members and records that tell it, by member.
    pub told_by: Vec<(MemberId, u64)>,
}

/// The events in order; what several records tell of one day is one moment.
#[must_use]
pub fn timeline(mut events: Vec<Event>) -> Vec<Moment> {
    events.sort_unstable();
    events.dedup();
    let moment = |same: &[Event]| Moment {
        day: same[0].day,
        step: same[0].step,
        about: same.iter().find_map(|event| event.about.clone()),
        told_by: same.iter().map(|event| (event.member, event.record)).collect(),
    };
    events.chunk_by(|a, b| (a.day, a.step) == (b.day, b.step)).map(moment).collect()
}

/// Where someone stood on a day: the same person from the application to the last day, and when they come back.
#[must_use]
pub fn stage(moments: &[Moment], on: Day) -> Stage {
    moments.iter().filter(|moment| moment.day <= on).fold(Stage::Known, |stage, moment| match (moment.step, stage) {
        (Step::Joined | Step::Moved | Step::Reviewed, _) => Stage::Employee,
        // The last day is a day of work.
        (Step::Left, _) if moment.day < on => Stage::Leaver,
        (Step::Left, stage) => stage,
        (_, Stage::Employee) => Stage::Employee,
        (Step::Applied | Step::Interviewed | Step::Offered, _) => Stage::Candidate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(day: i32, step: Step, member: u64, about: Option<&str>) -> Event {
        Event { day: Day(day), step, about: about.map(str::to_owned), member: MemberId(member), record: member * 10 }
    }

    #[test]
    fn what_two_systems_tell_of_one_day_is_one_moment() {
        let events = [
            event(20_200_302, Step::Joined, 2, None),
            event(20_200_110, Step::Applied, 1, Some("Engineer")),
            event(20_200_302, Step::Joined, 3, Some("Engineer II")),
            event(20_200_302, Step::Joined, 3, Some("Engineer II")),
        ];
        let forth = timeline(events.to_vec());
        assert_eq!(forth, timeline(events.iter().rev().cloned().collect()), "in any order");
        assert_eq!(forth.len(), 2);
        assert_eq!(forth[1].about.as_deref(), Some("Engineer II"));
        assert_eq!(forth[1].told_by, [(MemberId(2), 20), (MemberId(3), 30)]);
    }

    #[test]
    fn one_person_is_candidate_employee_leaver_and_comes_back() {
        let moments = timeline(vec![
            event(20_200_110, Step::Applied, 1, None),
            event(20_200_302, Step::Joined, 2, None),
            event(20_210_630, Step::Left, 2, None),
            event(20_220_801, Step::Applied, 4, None),
            event(20_220_901, Step::Joined, 3, None),
        ]);
        let stages =
            [20_190_101, 20_200_111, 20_210_630, 20_210_701, 20_220_815, 20_230_101].map(|on| stage(&moments, Day(on)));
        let wanted =
            [Stage::Known, Stage::Candidate, Stage::Employee, Stage::Leaver, Stage::Candidate, Stage::Employee];
        assert_eq!(stages, wanted);
    }
}
