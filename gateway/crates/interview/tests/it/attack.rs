//! A vendor that wants to read a pay band out: 10,000 questions over 1,000 interviews, by halving, by guessing, in
//! other units, and again and again; next to a vendor that asks only what candidates say.

use std::collections::BTreeMap;

use renmen_interview::{Asked, BandIndex, BandOptions, InterviewError, JobFacts, Verdict};
use renmen_schema::code::InterviewStatus;
use renmen_schema::types::{LocalDate, Money, PayInterval};
use renmen_store::RecordRow;

use crate::bed::{survey, vendor};
use crate::pay::{Pay, band, interview, job, options};

const INTERVIEWS: u64 = 1_000;
const QUESTIONS: u64 = 10_000;
const CENTS: u64 = 100;

/// What the attacker knows of one end: the greatest amount on one side of it and the least on the other, in cents.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    low: u64,
    high: u64,
}

impl Bracket {
    fn middle(self) -> u64 {
        self.low + (self.high - self.low) / 2
    }

    fn is_closed(self) -> bool {
        self.high - self.low <= 1
    }
}

/// All that was said, in the order in which it was asked: the transcript tells all that can be learnt.
struct Attacker {
    seed: u64,
    asked: u64,
    lower: Bracket,
    upper: Bracket,
    transcript: Vec<(u64, String)>,
    said: BTreeMap<u64, bool>,
    refused: u64,
}

impl Attacker {
    /// It knows what everybody knows: some people are paid 9,000 there.
    fn new() -> Self {
        let (lower, upper) =
            (Bracket { low: 0, high: 9_000 * CENTS }, Bracket { low: 9_000 * CENTS, high: 100_000 * CENTS });
        Self {
            seed: 0x9e37_79b9_7f4a_7c15,
            asked: 0,
            lower,
            upper,
            transcript: Vec::new(),
            said: BTreeMap::new(),
            refused: 0,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % below
    }

    /// What to ask next, by what was said so far.
    fn next(&mut self) -> (u64, &'static str, PayInterval) {
        let amount = match self.asked % 8 {
            0 | 1 if !self.lower.is_closed() => self.lower.middle(),
            2 | 3 if !self.upper.is_closed() => self.upper.middle(),
            // Around what was found: an end that answers move by a hair would show here.
            0 | 1 | 4 => self.lower.low.saturating_sub(50).max(1) + self.random(100),
            2 | 3 | 5 => self.upper.low.saturating_sub(50).max(1) + self.random(100),
            // What was asked before, in another interview: does the answer differ?
            6 if !self.transcript.is_empty() => {
                let at = self.random(self.transcript.len() as u64);
                self.transcript[usize::try_from(at).unwrap()].0
            }
            _ => self.random(30_000 * CENTS),
        };
        match self.asked % 97 {
            13 => (amount, "USD", PayInterval::Month),
            29 => (amount * 12, "CNY", PayInterval::Year),
            _ => (amount, "CNY", PayInterval::Month),
        }
    }

    fn learn(&mut self, amount: u64, in_its_unit: bool, said: &Result<Verdict, InterviewError>) {
        self.asked += 1;
        let word = match said {
            Ok(verdict) => format!("{verdict:?}"),
            Err(InterviewError::TooMany { .. }) => {
                self.refused += 1;
                return;
            }
            Err(other) => panic!("{other}"),
        };
        self.transcript.push((amount, word));
        let Ok(verdict @ (Verdict::In | Verdict::Out)) = said else { return };
        assert!(in_its_unit, "an amount in another unit was compared");
        let is_in = *verdict == Verdict::In;
        let before = self.said.insert(amount, is_in);
        assert!(before.is_none_or(|before| before == is_in), "the same amount has the same answer for ever");
        let middle = 9_000 * CENTS;
        match (is_in, amount < middle) {
            (true, true) => self.lower.high = self.lower.high.min(amount),
            (false, true) => self.lower.low = self.lower.low.max(amount),
            (true, false) => self.upper.low = self.upper.low.max(amount),
            (false, false) => self.upper.high = self.upper.high.min(amount),
        }
    }
}

fn text(cents: u64) -> String {
    format!("{}.{:02}", cents / CENTS, cents % CENTS)
}

/// Ten questions an interview, spread over all of them. `ask` has the number of the question and what is asked.
async fn attack(
    mut ask: impl AsyncFnMut(u64, (&str, &str, PayInterval)) -> Result<Verdict, InterviewError>,
) -> Attacker {
    let mut attacker = Attacker::new();
    while attacker.asked < QUESTIONS {
        let (amount, currency, per) = attacker.next();
        let said = ask(attacker.asked, (&text(amount), currency, per)).await;
        attacker.learn(amount, currency == "CNY" && per == PayInterval::Month, &said);
    }
    attacker
}

/// Attacks what the gateway makes of a band, as if no question were ever refused.
async fn attack_answers(min: &str, max: &str) -> Attacker {
    let (mut index, today) = (BandIndex::default(), LocalDate::of(2026, 3, 2).unwrap());
    index.put("0190a5d0-7b2c-7000-8000-000000000001".parse().unwrap(), 1, band(min, max));
    let mut facts = JobFacts::default();
    facts.add(&job("研发"));
    let digits = BandOptions::default().digits;
    attack(async |_, (amount, currency, per)| {
        let expected = Money::new(amount, currency).unwrap();
        Ok(index.answer(&facts, (&expected, per), digits, today).verdict)
    })
    .await
}

#[tokio::test]
async fn b7_an_attacker_with_ten_thousand_answers_learns_no_end_better_than_the_published_digits() {
    let found = attack_answers("8015", "10030").await;
    assert_eq!((found.refused, found.transcript.len() as u64), (0, QUESTIONS));
    // It finds the ends of the grid to the cent, and they are all that there is: the true ends are 85 and 30 away.
    assert_eq!((found.lower.low, found.lower.high), (8_100 * CENTS - 1, 8_100 * CENTS));
    assert_eq!((found.upper.low, found.upper.high), (10_000 * CENTS, 10_000 * CENTS + 1));
    // Every band of the same neighbours gives the same answer to every question: nothing tells them apart.
    for (min, max) in [("8099.99", "10999.99"), ("8000.01", "10000"), ("8100", "10500")] {
        assert_eq!(attack_answers(min, max).await.transcript, found.transcript, "{min} to {max}");
    }
    // And the attack is a good one: it finds an end that lies between other neighbours.
    let other = attack_answers("7950", "11000").await;
    assert_eq!((other.lower.high, other.upper.low), (8_000 * CENTS, 11_000 * CENTS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b7_an_attacker_over_a_thousand_interviews_is_held_back_and_an_honest_vendor_beside_it_is_answered_right() {
    // Less than all interviews together may ask, so that both limits are met.
    let limits = BandOptions { asks_per_band: 2_000, ..options() };
    let pay = Pay::new(band("8015", "10030"), usize::try_from(INTERVIEWS).unwrap(), limits).await;
    let honest: Vec<_> = (0..100)
        .map(|n| (format!("honest-{n}"), interview(&format!("app-{n}"), InterviewStatus::InProgress)))
        .collect();
    pay.bed.put_through(&survey(), &honest).await;
    let found = attack(async |number, asked| {
        if number.is_multiple_of(QUESTIONS / 100) {
            honest_question(&pay, number / (QUESTIONS / 100)).await;
        }
        let about = format!("int-{}", number % INTERVIEWS);
        pay.ask_through(&vendor(), Asked::Interview(&about), asked).await
    })
    .await;
    let (bed, limits) = pay.stopped().await;
    assert!(found.lower.low < 8_100 * CENTS && found.upper.high > 10_000 * CENTS, "no better than the grid");

    let mut of_interview = BTreeMap::<String, usize>::new();
    for id in bed.find_all("process_node").await.iter().filter_map(interview_of_step) {
        *of_interview.entry(id).or_default() += 1;
    }
    let asked: usize = of_interview.iter().filter(|(id, _)| id.starts_with("int-")).map(|(_, count)| count).sum();
    assert_eq!(asked, limits.asks_per_band);
    assert!(of_interview.values().all(|count| *count <= limits.amounts_per_interview));
    assert!(of_interview.values().any(|count| *count == limits.amounts_per_interview));
    assert_eq!(of_interview.keys().filter(|id| id.starts_with("honest-")).count(), 100);
    assert!(found.refused > 1_000, "{}", found.refused);
}

/// What the n-th of a hundred candidates says: two digits, as people say them.
async fn honest_question(pay: &Pay, n: u64) {
    let amount = if n < 30 { 7_000 + n * 100 } else { 10_000 + (n - 30) % 10 * 1_000 };
    let about = format!("honest-{n}");
    let asked = (amount.to_string(), "CNY", PayInterval::Month);
    let said = pay.ask_through(&survey(), Asked::Interview(&about), (&asked.0, asked.1, asked.2)).await;
    let wanted = if (8_015..=10_030).contains(&amount) { Verdict::In } else { Verdict::Out };
    assert_eq!(said.unwrap(), wanted, "{amount}");
}

fn interview_of_step(row: &RecordRow) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&row.body).unwrap();
    Some(body["subject"]["interview"]["external"]["value"].as_str()?.to_owned())
}
