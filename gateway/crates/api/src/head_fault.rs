//! What is wrong with the head of a request: seen below the router, where the connections are, and answered above it.

/// A request that can be read in two ways, or that does not say for which host it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadFault {
    /// It stands behind bytes that may or may not belong to it.
    Misplaced,
    /// HTTP/1.1 without the one `Host` that it must have.
    Host,
}
