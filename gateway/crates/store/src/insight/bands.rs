//! The band that an offer is in: that of its job, or of what its job is a part of; else the one band for that position and level.

use std::collections::HashMap;

use super::targets::Map;

/// A requisition of a posting of a position of a job; more parents than this go round in a circle.
const PARENTS_MAX: usize = 8;

/// Jobs with their parents and bands.
#[derive(Debug, Default)]
pub(super) struct Bands {
    jobs: Map<i64, (Option<i64>, Option<i64>)>,
    by_position: HashMap<(i64, Option<Box<str>>), Vec<i64>>,
}

impl Bands {
    pub(super) fn add_job(&mut self, job: i64, parent: Option<i64>, band: Option<i64>) {
        self.jobs.insert(job, (parent, band));
    }

    /// A band that says by itself for which position and level it is.
    pub(super) fn add_band(&mut self, position: i64, level: Option<&str>, band: i64) {
        self.by_position.entry((position, level.map(Into::into))).or_default().push(band);
    }

    /// None where there is none, and where there are several.
    pub(super) fn of(&self, job: i64, level: Option<&str>) -> Option<i64> {
        let chain: Vec<i64> = std::iter::successors(Some(job), |job| self.jobs.get(job)?.0).take(PARENTS_MAX).collect();
        let named = chain.iter().find_map(|job| self.jobs.get(job)?.1);
        let only = |level: Option<&str>| {
            let one = |job: &i64| match self.by_position.get(&(*job, level.map(Into::into)))?.as_slice() {
                [band] => Some(*band),
                _ => None,
            };
            chain.iter().find_map(one)
        };
        named.or_else(|| only(Some(level?))).or_else(|| only(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_of_the_job_counts_before_that_of_its_parent_and_both_before_one_for_the_position() {
        let mut bands = Bands::default();
        bands.add_job(1, Some(2), None);
        bands.add_job(2, Some(1), None);
        assert_eq!(bands.of(1, None), None, "a circle of parents ends");
        bands.add_band(2, None, 50);
        bands.add_band(2, Some("P6"), 56);
        assert_eq!(
            [bands.of(1, None), bands.of(1, Some("P6")), bands.of(1, Some("P7"))],
            [Some(50), Some(56), Some(50)]
        );
        bands.add_job(2, None, Some(40));
        assert_eq!(bands.of(1, Some("P6")), Some(40));
        bands.add_job(1, Some(2), Some(41));
        assert_eq!(bands.of(1, None), Some(41));
    }

    #[test]
    fn of_two_bands_for_one_position_none_is_meant() {
        let mut bands = Bands::default();
        bands.add_band(2, None, 50);
        bands.add_band(2, None, 51);
        assert_eq!(bands.of(2, Some("P6")), None);
    }
}
