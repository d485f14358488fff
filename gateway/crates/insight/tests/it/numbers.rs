//! Made-up numbers that are the same wherever they are made: here and in reference/generate.py.

/// SplitMix64.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Pairs that rise together by `slope`; with `levels` the first is one of so many.
pub(crate) fn pairs(seed: u64, n: usize, slope: f64, levels: f64) -> (Vec<f64>, Vec<f64>) {
    let mut numbers = Numbers(seed);
    let pair = |_| {
        let a = numbers.unit();
        let a = if levels > 0.0 { (a * levels).floor() / levels } else { a };
        (a, slope * a + numbers.unit())
    };
    (0..n).map(pair).unzip()
}

/// A list of `n` numbers between 0 and 1, always the same one, and another whose correlation with it is `r`.
pub(crate) fn correlated(seed: u64, n: usize, r: f64) -> (Vec<f64>, Vec<f64>) {
    let mut base = Numbers(4711);
    let mut numbers = Numbers(seed);
    let y = standardized(&(0..n).map(|_| base.unit()).collect::<Vec<_>>());
    let noise = standardized(&(0..n).map(|_| numbers.unit()).collect::<Vec<_>>());
    let shared: f64 = y.iter().zip(&noise).map(|(a, b)| a * b).sum::<f64>() / n as f64;
    let apart = standardized(&y.iter().zip(&noise).map(|(y, noise)| noise - shared * y).collect::<Vec<_>>());
    let x = y.iter().zip(&apart).map(|(y, apart)| 0.5 + (r * y + (1.0 - r * r).sqrt() * apart) / 10.0);
    let x: Vec<f64> = x.collect();
    (y.iter().map(|y| 0.5 + y / 10.0).collect(), x)
}

fn standardized(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    values.iter().map(|value| (value - mean) / spread).collect()
}
