//! Which gateway holds what it claims.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// The gateway that this store was opened by. What it claims bears its mark, so that its successor knows what to take back.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    name: Arc<str>,
    mark: i64,
}

impl Holder {
    /// The gateway of this name; one that has none is like no other.
    pub(crate) fn of(name: &str) -> Self {
        let name = if name.is_empty() { format!("unnamed-{:016x}", rand::random::<u64>()) } else { name.to_owned() };
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        // A number of 32 bits without a sign: both databases shift it alike.
        let mark = i64::from((hasher.finish() & 0x7fff_ffff) as u32);
        Self { name: name.into(), mark }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The upper half of its tokens.
    pub(crate) fn mark(&self) -> i64 {
        self.mark
    }

    /// For one claim: no other claim has it.
    pub(crate) fn token(&self) -> i64 {
        (self.mark << 32) | i64::from(rand::random::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use super::Holder;

    #[test]
    fn a_token_names_its_holder_and_no_two_are_alike() {
        let (one, other) = (Holder::of("one"), Holder::of("other"));
        assert_eq!((one.token() >> 32, Holder::of("one").mark()), (one.mark(), one.mark()));
        assert_ne!(one.mark(), other.mark());
        assert_ne!(one.token(), one.token());
        assert_ne!(Holder::of("").name(), Holder::of("").name(), "one without a name is like no other");
    }
}
