//! Words of a vocabulary that may grow.

use renmen_misbehave::model::Edit;
use renmen_misbehave::place;
use serde_json::Value;

use super::{CheckVerdict, Checked, canonical, chosen, chosen_id, ended, example, like, shown, with};
use crate::conformance::bed::Bed;

pub(super) async fn unknown(bed: &Bed) -> Checked {
    let codes = &bed.described().fields.codes;
    if codes.is_empty() {
        return Err(CheckVerdict::skipped("no word is named under fields.codes"));
    }
    for (from, to) in codes {
        let sample = example(bed, from)?;
        let word = like(&sample, if sample.is_number() { "987654" } else { "never heard of" });
        let run = ended(with(bed, vec![(from.clone(), Edit::Set(word.clone()))]).await?)?;
        let found = canonical(&chosen(&run, &chosen_id(bed)), to);
        let raw = found.as_ref().and_then(|coded| coded.get("raw")).and_then(Value::as_str);
        if raw != place::text_of(&word).as_deref() {
            let reason = run.rejects().next().map_or(String::new(), |reject| format!("; rejected: {}", reject.reason));
            return Err(CheckVerdict::failed(
                format!("`{from}` = {}: `{to}` holds {}{reason}", shown(Some(&word)), shown(found.as_ref())),
                "keep the vendor's text along with the code (types::Coded::from_raw does)",
            ));
        }
    }
    Ok(())
}
