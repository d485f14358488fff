//! Who does a piece of work.

/// A lease as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The gateway that holds it; none: it was given up.
    pub holder: Option<String>,
    /// Moves with every sign of life.
    pub beat: i64,
    /// Since when it stands with this holder, by that one's clock. For people.
    pub since_ms: i64,
}
