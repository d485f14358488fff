//! Names that are known, and the one that was most likely meant.

/// Is the name one of these?
///
/// # Errors
/// Which there are, and which of them is nearest.
pub fn known<S: AsRef<str>>(name: &str, names: &[S], what: &str) -> Result<(), String> {
    if names.iter().any(|known| known.as_ref() == name) {
        return Ok(());
    }
    let meant = nearest(name, names).map_or_else(|| ".".to_owned(), |meant| format!("; did you mean `{meant}`?"));
    let all = names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    Err(format!("unknown {what} `{name}`{meant} Known: {all}"))
}

/// The nearest of some names; none where none is near.
pub fn nearest<'n, S: AsRef<str>>(name: &str, names: &'n [S]) -> Option<&'n str> {
    let far = (name.len() / 2).clamp(1, 4);
    names
        .iter()
        .map(|known| (distance(name, known.as_ref()), known.as_ref()))
        .filter(|(steps, _)| *steps <= far)
        .min()
        .map(|(_, known)| known)
}

/// Letters that must be added, taken away, changed or swapped.
fn distance(one: &str, other: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed_and_nothing_that_is_far() {
        let names = ["config", "since", "parent"];
        assert_eq!(nearest("confg", &names), Some("config"));
        assert_eq!(nearest("sicne", &names), Some("since"));
        assert_eq!(nearest("zzz", &names), None);
    }
}
