//! `[templates]`: where the deployment's own texts of messages are.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use renmen_schema::text;

use crate::section::Section;

/// Texts of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Templates {
    /// `dir`: files over the built-in ones. Default: none.
    pub dir: Option<PathBuf>,
    /// `zone`: in which times are shown. Default `Asia/Shanghai`.
    pub zone: TimeZone,
}

impl Default for Templates {
    fn default() -> Self {
        Self { dir: None, zone: TimeZone::get("Asia/Shanghai").expect("the zone is bundled") }
    }
}

impl Templates {
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let mut templates = Self { dir: section.get("dir").and_then(|node| node.path()), ..Self::default() };
        let zone = |text: &str| TimeZone::get(text).map_err(|_| text!("is not a known time zone", "不是已知的时区"));
        if let Some(zone) = section.get("zone").and_then(|node| {
            node.parsed(zone, text!("write one such as \"Asia/Shanghai\"", "请写时区名，例如 \"Asia/Shanghai\""))
        }) {
            templates.zone = zone;
        }
        section.finish();
        templates
    }
}
