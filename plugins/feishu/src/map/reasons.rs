//! Why an application ended, in codes: the vendor has ids of the company's own, and the configuration says what they mean. One of
//! which it says nothing keeps its name.

use std::collections::BTreeMap;

use renmen_plugin::Failure;
use renmen_plugin::schema::code::OutcomeReason;
use renmen_plugin::schema::types::Coded;

use crate::Config;
use crate::api::hire;
use crate::api::text::I18n;

/// What the ids of reasons mean.
pub(crate) struct Reasons<'c> {
    codes: &'c BTreeMap<String, String>,
    names: BTreeMap<String, I18n>,
}

impl<'c> Reasons<'c> {
    /// With the vendor's names, which are asked for only if one of these applications gives a reason.
    ///
    /// # Errors
    /// The vendor's.
    pub(crate) fn of<'a>(
        config: &'c Config,
        applications: impl IntoIterator<Item = &'a hire::Application>,
    ) -> Result<Self, Failure> {
        let gives = |one: &hire::Application| one.termination_reason_list.as_ref().is_some_and(|ids| !ids.is_empty());
        let mut names = BTreeMap::new();
        if applications.into_iter().any(gives) {
            let all = hire::termination_reasons(config)?;
            names.extend(all.into_iter().filter_map(|reason| Some((reason.id?, reason.name?))));
        }
        Ok(Self { codes: &config.reasons, names })
    }

    /// Each with its name, and the code that the configuration gives its id or its name.
    pub(crate) fn coded(&self, ids: &[String]) -> Vec<Coded<OutcomeReason>> {
        ids.iter().map(|id| self.one(id)).collect()
    }

    /// One that stands in words alone, as other systems give it.
    pub(crate) fn worded(config: &Config, words: &str) -> Coded<OutcomeReason> {
        Reasons { codes: &config.reasons, names: BTreeMap::new() }.one(words)
    }

    fn one(&self, id: &str) -> Coded<OutcomeReason> {
        let name = self.names.get(id);
        let known_as =
            [Some(id), name.and_then(|name| name.zh_cn.as_deref()), name.and_then(|name| name.en_us.as_deref())];
        let code = known_as.into_iter().flatten().find_map(|word| self.codes.get(word.trim()));
        let code = code.and_then(|code| OutcomeReason::from_code(code));
        let raw = name.and_then(I18n::best).unwrap_or(id);
        let coded = Coded::from_raw(raw, |_| code);
        match name.and_then(I18n::localized) {
            Some(label) => coded.labelled(label),
            None => coded,
        }
    }
}
