//! From seeds to inputs.

use std::path::Path;
use std::time::{Duration, Instant};

/// Inputs of one target under `cargo test`.
const ITERATIONS: usize = 3_000;
/// Bytes of one input.
const INPUT_BYTES_MAX: usize = 16 << 10;
/// One input may take this long, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(1);
/// Set it to fuzz for so many seconds.
const SECONDS: &str = "RENMEN_FUZZ_SECONDS";

/// One change: where (wraps around), what, with what.
type Edit = (u16, u8, u8);

/// Runs a target over its seeds, then over changed ones.
pub(crate) fn target(name: &str, check: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    target_from(&seeds(name), check);
}

/// The same with seeds that are made at run time, because they are not texts that anyone could keep up to date.
pub(crate) fn target_from(seeds: &[Vec<u8>], check: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    for seed in seeds {
        timed(seed, &check);
    }
    let fuzz = bolero::check!().with_max_len(256).with_type::<(u8, Vec<Edit>)>();
    let run = |(number, edits): &(u8, Vec<Edit>)| {
        let seed = &seeds[usize::from(*number) % seeds.len()];
        timed(&changed(seed, edits, seeds), &check);
    };
    match std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()) {
        Some(seconds) => fuzz.with_test_time(Duration::from_secs(seconds)).for_each(run),
        None => fuzz.with_iterations(ITERATIONS).for_each(run),
    }
}

fn timed(input: &[u8], check: &impl Fn(&[u8])) {
    let begin = Instant::now();
    check(input);
    let took = begin.elapsed();
    assert!(took < PATIENCE, "{took:?} for an input of {} bytes", input.len());
}

/// The files of `corpus/NAME`, in the order of their names.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seed", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn changed(seed: &[u8], edits: &[Edit], seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seed.to_vec();
    for (place, what, with) in edits {
        let at = usize::from(*place) % (input.len() + 1);
        let length = usize::from(*with % 32) + 1;
        let end = (at + length).min(input.len());
        match what % 8 {
            0 if at < input.len() => input[at] = *with,
            1 => input.insert(at, *with),
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            4 => input.truncate(at),
            // A piece of another seed, so that two forms meet.
            5 => {
                let other = &seeds[usize::from(*with) % seeds.len()];
                let from = usize::from(*place) % (other.len() + 1);
                let piece = other[from..(from + length).min(other.len())].to_vec();
                input.splice(at..at, piece);
            }
            6 if at < input.len() => input[at] ^= 1 << (with % 8),
            // Deep nesting and long numbers are what parsers trip over.
            7 => {
                let sign = b"[{\"(9-0.e,\\"[usize::from(*with) % 11];
                input.splice(at..at, std::iter::repeat_n(sign, length * 8));
            }
            _ => {}
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}
