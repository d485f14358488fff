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
}

impl Shape {
    /// The folders of the template whose files it takes.
    const fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Cursor => &["common", "employee", "cursor"],
            Self::Offset => &["common", "employee", "offset"],
            Self::Webhook => &["common", "employee", "webhook"],
            Self::Action => &["common", "action"],
        }
    }

    /// Where a file of the template goes in a connector of this shape; none if it does not belong to it.
    pub(super) fn path(self, template: &str) -> Option<&str> {
        let (folder, path) = template.split_once('/')?;
        self.folders().contains(&folder).then_some(path)
    }
}
