//! P values of many tests at once: with twenty questions one of them "predicts" at 0.05 by chance alone.

/// Which error is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Correction {
    /// Benjamini and Hochberg: of what is found, at most this share is wrong.
    BenjaminiHochberg,
    /// Holm: the chance that anything is found wrongly.
    Holm,
}

/// Adjusted p values, in the order given.
#[must_use]
pub fn adjusted(correction: Correction, p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let m = p.len() as f64;
    let mut out = vec![1.0; p.len()];
    match correction {
        Correction::BenjaminiHochberg => {
            let mut least = 1.0_f64;
            for (rank, &at) in order.iter().enumerate().rev() {
                least = least.min(p[at] * m / (rank + 1) as f64);
                out[at] = least;
            }
        }
        Correction::Holm => {
            let mut most = 0.0_f64;
            for (rank, &at) in order.iter().enumerate() {
                most = most.max(p[at] * (m - rank as f64)).min(1.0);
                out[at] = most;
            }
        }
    }
    out
}
