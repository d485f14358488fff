//! Records that share any value at all, however far apart: records of two groups have nothing to do with each other.

/// Groups of records, each ending where the next begins.
pub(super) struct Groups {
    records: Vec<u32>,
    starts: Vec<usize>,
}

/// Finds them.
pub(super) struct Grouping {
    parent: Vec<u32>,
}

impl Grouping {
    pub(super) fn new(records: usize) -> Self {
        Self { parent: (0..u32::try_from(records).expect("a pass has fewer than 4 billion records")).collect() }
    }

    fn root(&mut self, mut record: u32) -> u32 {
        while self.parent[record as usize] != record {
            let above = self.parent[self.parent[record as usize] as usize];
            self.parent[record as usize] = above;
            record = above;
        }
        record
    }

    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    pub(super) fn done(mut self) -> Groups {
        let count = u32::try_from(self.parent.len()).unwrap_or(u32::MAX);
        for record in 0..count {
            let root = self.root(record);
            self.parent[record as usize] = root;
        }
        let mut records: Vec<u32> = (0..count).collect();
        records.sort_unstable_by_key(|record| (self.parent[*record as usize], *record));
        let mut starts = vec![0];
        let mut end = 0;
        for group in records.chunk_by(|a, b| self.parent[*a as usize] == self.parent[*b as usize]) {
            end += group.len();
            starts.push(end);
        }
        Groups { records, starts }
    }
}

impl Groups {
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn get(&self, number: usize) -> &[u32] {
        &self.records[self.starts[number]..self.starts[number + 1]]
    }

    pub(super) fn bytes(&self) -> usize {
        self.records.capacity() * size_of::<u32>() + self.starts.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_hold_together_by_others_are_one_group() {
        let mut grouping = Grouping::new(6);
        for (a, b) in [(4, 2), (5, 4), (0, 3)] {
            grouping.join(a, b);
        }
        let groups = grouping.done();
        let found: Vec<&[u32]> = (0..groups.len()).map(|number| groups.get(number)).collect();
        assert_eq!(found, [&[0, 3][..], &[1], &[2, 4, 5]]);
    }
}
