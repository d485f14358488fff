//! The vendor's three ways to write a text in two languages.

use renmen_plugin::schema::types::Localized;
use serde::Deserialize;

use super::loose::filled;

/// `{"zh_cn": "…", "en_us": "…"}`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct I18n {
    pub(crate) zh_cn: Option<String>,
    pub(crate) en_us: Option<String>,
}

impl I18n {
    pub(crate) fn localized(&self) -> Option<Localized> {
        both(self.zh_cn.as_ref(), self.en_us.as_ref())
    }

    /// The Chinese text, or the English one.
    pub(crate) fn best(&self) -> Option<&str> {
        filled(self.zh_cn.as_ref()).or_else(|| filled(self.en_us.as_ref()))
    }
}

/// `{"id": "…", "zh_name": "…", "en_name": "…"}`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Option<String>,
    pub(crate) zh_name: Option<String>,
    pub(crate) en_name: Option<String>,
}

impl Named {
    pub(crate) fn localized(&self) -> Option<Localized> {
        both(self.zh_name.as_ref(), self.en_name.as_ref())
    }

    /// The Chinese text, or the English one.
    pub(crate) fn best(&self) -> Option<&str> {
        filled(self.zh_name.as_ref()).or_else(|| filled(self.en_name.as_ref()))
    }
}

/// `{"id": "…", "name": {"zh_cn": "…", "en_us": "…"}}`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct IdName {
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<I18n>,
}

/// One of `[{"lang": "zh-CN", "value": "…"}]`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LangText {
    lang: Option<String>,
    value: Option<String>,
}

/// A text by language; an invalid language counts as unknown.
pub(crate) fn of_list(list: &[LangText]) -> Option<Localized> {
    list.iter().filter_map(|text| Some((text.lang.as_deref().unwrap_or("und"), filled(text.value.as_ref())?))).fold(
        None,
        |all: Option<Localized>, (lang, text)| {
            let all = all.unwrap_or_default();
            Some(all.clone().with(&lang.replace('_', "-"), text).unwrap_or(all))
        },
    )
}

/// The Chinese text of a list, or any.
pub(crate) fn best_of(list: &[LangText]) -> Option<String> {
    of_list(list).and_then(|text| text.best("zh-CN").map(str::to_owned))
}

fn both(zh: Option<&String>, en: Option<&String>) -> Option<Localized> {
    match (filled(zh), filled(en)) {
        (None, None) => None,
        (Some(zh), None) => Some(Localized::zh_cn(zh)),
        (None, Some(en)) => Some(Localized::en(en)),
        (Some(zh), Some(en)) => {
            let text = Localized::zh_cn(zh);
            Some(text.clone().with("en", en).unwrap_or(text))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn empty_texts_are_none_and_unknown_languages_do_no_harm() {
        let list = |json: &str| of_list(&serde_json::from_str::<Vec<LangText>>(json).unwrap());
        let text = list(r#"[{"lang":"zh-CN","value":"研发部"},{"lang":"en-US","value":"R&D"}]"#).unwrap();
        assert_eq!((text.get("zh-CN"), text.get("en-US")), (Some("研发部"), Some("R&D")));
        assert_eq!(list(r#"[{"lang":"zh-CN","value":" "}]"#), None);
        assert_eq!(list("[]"), None);
        let odd = list(r#"[{"lang":"zh-CN","value":"a"},{"lang":"??","value":"b"}]"#).unwrap();
        assert_eq!(odd.iter().count(), 1);
        let named: Named = serde_json::from_str(r#"{"zh_name":"","en_name":"P5"}"#).unwrap();
        assert_eq!((named.best(), named.localized().unwrap().get("en")), (Some("P5"), Some("P5")));
    }
}
