//! Dates, times and amounts: exact, or rejected.

use renmen_misbehave::model::{Edit, FROM_MS, TimeForm, offset_of};
use renmen_misbehave::place;
use serde_json::Value;

use super::bad::alone;
use super::{CheckVerdict, Checked, canonical, chosen, chosen_id, ended, example, like, rest, shown, with};
use crate::conformance::bed::Bed;

/// Days since 1970 with their names: a leap day, a new century, an old year's end.
const DAYS: &[(i64, &str)] = &[(19_782, "2024-02-29"), (10_957, "2000-01-01"), (10_956, "1999-12-31")];
const DAY_MS: i64 = 86_400_000;

/// How a vendor writes a day.
enum DayForm {
    /// Year, month and day, with what stands between them and after.
    Text { between: String, after: String },
    /// Milliseconds or seconds of midnight in a zone.
    Midnight { offset_ms: i64, form: TimeForm },
}

impl DayForm {
    fn of(example: &Value) -> Option<Self> {
        if let Some(text) = example
            .as_str()
            .filter(|text| text.len() >= 8 && text.is_ascii() && !text.starts_with('/'))
            .filter(|text| text.parse::<i64>().map_or(true, |_| text.len() == 8))
        {
            let between: String = text[4..5].chars().filter(|c| !c.is_ascii_digit()).collect();
            let after = text.get(8 + 2 * between.len()..)?.to_owned();
            return Some(Self::Text { between, after });
        }
        let form = TimeForm::of(example, 0)?;
        let ms = form.read(&place::text_of(example)?)?;
        // Midnight east of Greenwich is the evening before in UTC.
        let past = ms.rem_euclid(DAY_MS);
        let offset_ms = if past == 0 {
            0
        } else if past >= DAY_MS / 2 {
            DAY_MS - past
        } else {
            -past
        };
        Some(Self::Midnight { offset_ms, form })
    }

    fn write(&self, day: i64, name: &str) -> Value {
        match self {
            Self::Text { between, after } => (name.replace('-', between) + after).into(),
            Self::Midnight { offset_ms, form } => form.write(day * DAY_MS - offset_ms),
        }
    }
}

pub(super) async fn dates(bed: &Bed) -> Checked {
    let dates = &bed.described().fields.dates;
    if dates.is_empty() {
        return Err(CheckVerdict::skipped("no day is named under fields.dates"));
    }
    for (from, to) in dates {
        let form = DayForm::of(&example(bed, from)?).ok_or_else(|| {
            CheckVerdict::skipped(format!(
                "the form of the day in `{from}` is not known to the kit: write it under `cases`"
            ))
        })?;
        for (day, name) in DAYS {
            becomes(
                bed,
                from,
                form.write(*day, name),
                to,
                name,
                "read a day in the vendor's own zone, and as a day: no time, no UTC",
            )
            .await?;
        }
    }
    Ok(())
}

pub(super) async fn impossible(bed: &Bed) -> Checked {
    let dates = &bed.described().fields.dates;
    let texts =
        dates.keys().filter_map(|from| match bed.described().source.record.pointer(from).and_then(DayForm::of) {
            Some(form @ DayForm::Text { .. }) => Some((from, form)),
            _ => None,
        });
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() {
        return Err(CheckVerdict::skipped("no day is written as text: a number cannot name a day that there is not"));
    }
    rest(bed)?;
    let good = ended(bed.run(None).await)?;
    for (from, form) in texts {
        for name in ["2025-02-31", "2025-13-01", "2023-02-29"] {
            let run = with(bed, vec![(from.clone(), Edit::Set(form.write(0, name)))]).await?;
            alone(bed, &good, &run, &format!("`{from}` is {name}, a day that there is not"))?;
        }
    }
    Ok(())
}

pub(super) async fn instants(bed: &Bed) -> Checked {
    let instants = &bed.described().fields.instants;
    if instants.is_empty() {
        return Err(CheckVerdict::skipped("no point in time is named under fields.instants"));
    }
    let expected = TimeForm::Rfc3339 { offset_s: 0, zulu: true, colon: true, millis: true };
    let zone = bed.described().source.zone.as_deref().and_then(offset_of).unwrap_or(0);
    for (from, to) in instants {
        let form = TimeForm::of(&example(bed, from)?, zone).ok_or_else(|| {
            CheckVerdict::skipped(format!(
                "the form of the time in `{from}` is not known to the kit: write it under `cases`"
            ))
        })?;
        let mut forms = vec![form];
        if let TimeForm::Rfc3339 { colon, millis, .. } = form {
            forms.push(TimeForm::Rfc3339 { offset_s: 8 * 3600, zulu: false, colon, millis });
        }
        for form in forms {
            // The evening in Greenwich: the next day in China.
            for ms in [FROM_MS, FROM_MS + 16 * 3_600_000] {
                let wanted = place::text_of(&expected.write(ms)).unwrap_or_default();
                becomes(bed, from, form.write(ms), to, &wanted, "read the zone that the vendor writes").await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn money(bed: &Bed) -> Checked {
    let money = &bed.described().fields.money;
    if money.is_empty() {
        return Err(CheckVerdict::skipped("no amount is named under fields.money"));
    }
    for (from, to) in money {
        let sample = example(bed, from)?;
        let amounts: &[&str] = match &sample {
            Value::Number(number) if !number.is_f64() => &["1", "99999", "123456789012345"],
            // A JSON number has fifteen digits that every reader keeps.
            Value::Number(_) => &["0.07", "1.15", "4.35", "61234.56", "1234567890123.45"],
            _ => &["0.07", "1.15", "4.35", "61234.56", "900719925474099.31"],
        };
        for amount in amounts {
            let change = "keep amounts as decimals from end to end (types::Decimal): a float cannot hold 0.1";
            becomes(bed, from, like(&sample, amount), to, amount, change).await?;
        }
    }
    Ok(())
}

pub(super) async fn cases(bed: &Bed, unit: bool) -> Checked {
    let cases: Vec<_> = bed.described().cases.iter().filter(|case| case.unit == unit).collect();
    if cases.is_empty() {
        return Err(CheckVerdict::skipped(if unit {
            "no case is marked with `unit = true`"
        } else {
            "no cases are written"
        }));
    }
    rest(bed)?;
    let good = ended(bed.run(None).await)?;
    for case in cases {
        let edits = case.set.iter().map(|(pointer, value)| (pointer.clone(), Edit::Set(value.clone()))).collect();
        let run = with(bed, edits).await?;
        if case.reject {
            alone(bed, &good, &run, &case.say)?;
            continue;
        }
        let run = ended(run)?;
        let records = chosen(&run, &chosen_id(bed));
        for (to, wanted) in &case.expect {
            let found = canonical(&records, to);
            if !is_equal(found.as_ref(), wanted) {
                return Err(missed(
                    &case.say,
                    to,
                    wanted,
                    found.as_ref(),
                    &run,
                    "make of it what the case says, or correct the case",
                ));
            }
        }
    }
    Ok(())
}

/// Puts a value into the chosen row and looks what became of it.
async fn becomes(bed: &Bed, from: &str, value: Value, to: &str, wanted: &str, change: &str) -> Checked {
    let said = format!("`{from}` = {}", shown(Some(&value)));
    let run = ended(with(bed, vec![(from.to_owned(), Edit::Set(value))]).await?)?;
    let found = canonical(&chosen(&run, &chosen_id(bed)), to);
    let wanted = Value::from(wanted);
    match is_equal(found.as_ref(), &wanted) {
        true => Ok(()),
        false => Err(missed(&said, to, &wanted, found.as_ref(), &run, change)),
    }
}

fn missed(
    said: &str,
    to: &str,
    wanted: &Value,
    found: Option<&Value>,
    run: &crate::conformance::pulled::Run,
    change: &str,
) -> CheckVerdict {
    let reason = run.rejects().next().map_or(String::new(), |reject| format!(" (rejected: {})", reject.reason));
    CheckVerdict::failed(
        format!("{said} must give {} at `{to}`, found {}{reason}", shown(Some(wanted)), shown(found)),
        change,
    )
}

/// Decimals are equal by value, all else as it is.
fn is_equal(found: Option<&Value>, wanted: &Value) -> bool {
    let Some(found) = found else { return wanted.is_null() };
    let text = |value: &Value| place::text_of(value).map(|text| plain(&text));
    found == wanted || (text(found).is_some() && text(found) == text(wanted))
}

/// A decimal without zeros that do not count.
fn plain(text: &str) -> String {
    let is_decimal = text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    if is_decimal { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_day_is_written_as_its_example_is() {
        for (example, written) in [
            (json!("2020-01-02"), json!("2024-02-29")),
            (json!("2020/01/02"), json!("2024/02/29")),
            (json!("20200102"), json!("20240229")),
            (json!("2020-01-02T00:00:00+08:00"), json!("2024-02-29T00:00:00+08:00")),
            (json!(1_577_808_000_000_i64), json!(1_709_136_000_000_i64)),
            (json!("1577808000"), json!("1709136000")),
            (json!("/Date(1577836800000)/"), json!("/Date(1709164800000)/")),
            (json!(1_577_836_800_000_i64), json!(1_709_164_800_000_i64)),
        ] {
            assert_eq!(DayForm::of(&example).unwrap().write(DAYS[0].0, DAYS[0].1), written, "{example}");
        }
        assert!(DayForm::of(&json!(null)).is_none());
    }

    #[test]
    fn decimals_are_equal_by_value_and_texts_as_they_are() {
        assert!(
            is_equal(Some(&json!("8000.50")), &json!("8000.5")) && is_equal(Some(&json!("8000")), &json!("8000.00"))
        );
        assert!(!is_equal(Some(&json!("8000.51")), &json!("8000.5")) && !is_equal(None, &json!("1")));
        assert!(!is_equal(Some(&json!("100")), &json!("1")), "a whole number's zeros count");
        assert!(is_equal(None, &Value::Null));
    }
}
