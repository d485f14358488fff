//! The kinds of API that a connector can be begun from, and which folders of the template each takes.

/// What `renmen plugin new --like` begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shape {
    /// A list with a modified-since filter and the vendor's own page cursor.
    #[default]
    Cursor,
    /// A whole list by offset, with OAuth2 client credentials; what is no longer listed is gone.
    Offset,
    /// Signed events of the vendor, and a list for what they do not hold.
    Webhook,
    /// Actions: it writes and reads nothing.
    Action,
    /// No code: two files, with a list by page cursor that can be asked what changed.
    Declarative,
}

impl Shape {
    /// The folders of the template whose files it takes.
    const fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Cursor => &["common", "rust", "employee", "cursor"],
            Self::Offset => &["common", "rust", "employee", "offset"],
            Self::Webhook => &["common", "rust", "employee", "webhook"],
            Self::Action => &["common", "rust", "action"],
            Self::Declarative => &["common", "declarative"],
        }
    }

    /// Is it compiled, and so needs the SDK?
    pub(super) const fn has_code(self) -> bool {
        !matches!(self, Self::Declarative)
    }

    /// Where a file of the template goes in a connector of this shape; none if it does not belong to it.
    pub(super) fn path(self, template: &str) -> Option<&str> {
        let (folder, path) = template.split_once('/')?;
        self.folders().contains(&folder).then_some(path)
    }
}
