//! The position that a person held on a day, and the unit that they belonged to: by their assignments; where a source has no history, by
//! what their employee record says now.

use renmen_schema::types::LocalDate;

use super::targets::Map;

/// From when to when a person held a position, belonged to a unit, or both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assigned {
    pub(super) record: i64,
    pub(super) position: Option<i64>,
    pub(super) unit: Option<i64>,
    pub(super) from: Option<LocalDate>,
    pub(super) to: Option<LocalDate>,
    pub(super) primary: bool,
}

impl Assigned {
    fn holds(&self, day: Option<LocalDate>) -> bool {
        day.is_none_or(|day| self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to))
    }
}

/// What is known of everybody's positions.
#[derive(Debug, Default)]
pub(super) struct Positions {
    assigned: Map<i64, Vec<Assigned>>,
    now: Map<i64, Assigned>,
}

impl Positions {
    pub(super) fn assign(&mut self, person: i64, assigned: Assigned) {
        self.assigned.entry(person).or_default().push(assigned);
    }

    /// What an employee record says. Of several of a person the oldest one that says something counts.
    pub(super) fn now(&mut self, person: i64, says: Assigned) {
        if says.position.is_none() && says.unit.is_none() {
            return;
        }
        let known = self.now.entry(person).or_insert(says);
        if says.record < known.record {
            *known = says;
        }
    }

    /// Position and unit on a day; without a day, of any assignment.
    pub(super) fn on(&self, person: i64, day: Option<LocalDate>) -> (Option<i64>, Option<i64>) {
        (self.one(person, day, |assigned| assigned.position), self.one(person, day, |assigned| assigned.unit))
    }

    fn one(&self, person: i64, day: Option<LocalDate>, of: fn(&Assigned) -> Option<i64>) -> Option<i64> {
        let told = || self.assigned.get(&person).into_iter().flatten().filter(|assigned| of(assigned).is_some());
        if told().next().is_none() {
            return self.now.get(&person).and_then(of);
        }
        // The main one first, then the one that began last, then the oldest record: the same in whichever order they came.
        let order = |assigned: &&Assigned| (assigned.primary, assigned.from, std::cmp::Reverse(assigned.record));
        told().filter(|assigned| assigned.holds(day)).max_by_key(order).and_then(of)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> Option<LocalDate> {
        Some(LocalDate::parse(text).unwrap())
    }

    fn assigned(record: i64, position: i64, from: &str, to: Option<&str>) -> Assigned {
        let to = to.and_then(day);
        Assigned { record, position: Some(position), unit: None, from: day(from), to, primary: false }
    }

    #[test]
    fn the_position_of_a_day_is_the_one_that_holds_on_it() {
        let mut positions = Positions::default();
        positions.assign(1, assigned(11, 5, "2025-01-01", Some("2025-06-30")));
        positions.assign(1, assigned(12, 6, "2025-07-01", None));
        positions.now(1, Assigned { record: 9, unit: Some(3), ..assigned(9, 7, "2020-01-01", None) });
        for (on, position) in
            [("2024-12-31", None), ("2025-01-01", Some(5)), ("2025-06-30", Some(5)), ("2025-07-01", Some(6))]
        {
            // No assignment tells the unit, so what the record says counts for that alone.
            assert_eq!(positions.on(1, day(on)), (position, Some(3)), "{on}");
        }
        assert_eq!(positions.on(2, day("2025-01-01")), (None, None));
    }

    #[test]
    fn of_several_on_one_day_the_main_one_counts_then_the_last_then_the_oldest_record() {
        let mut positions = Positions::default();
        positions.assign(1, assigned(11, 5, "2025-01-01", None));
        positions.assign(1, assigned(12, 6, "2025-02-01", None));
        positions.assign(1, assigned(13, 7, "2025-02-01", None));
        assert_eq!(positions.on(1, day("2025-03-01")).0, Some(6));
        positions.assign(1, Assigned { primary: true, ..assigned(14, 8, "2024-01-01", None) });
        assert_eq!(positions.on(1, day("2025-03-01")).0, Some(8));
    }

    #[test]
    fn of_two_employee_records_the_oldest_that_says_something_counts() {
        let says = |record, position| Assigned { record, position, unit: None, from: None, to: None, primary: false };
        for order in
            [[says(3, Some(5)), says(2, Some(6)), says(1, None)], [says(1, None), says(2, Some(6)), says(3, Some(5))]]
        {
            let mut positions = Positions::default();
            order.into_iter().for_each(|says| positions.now(1, says));
            assert_eq!(positions.on(1, None).0, Some(6));
        }
    }
}
