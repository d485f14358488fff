//! What a record says, on its way in: hashed, and its keys read, by the one who made it. Only so can it be committed, so no record comes in
//! without its keys by any door, and no writer of the store has to read bodies.

use renmen_schema::{EntityKind, RecordKeys, WantedKey};

use super::ContentHash;

/// An entity's canonical body, with what the store needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    entity: String,
    body: Vec<u8>,
    hash: ContentHash,
    keys: Option<Box<ContentKeys>>,
}

/// What a body says of keys: see [`RecordKeys`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentKeys {
    pub(crate) kind: EntityKind,
    pub(crate) announced: Box<[(&'static str, String)]>,
    pub(crate) wanted: Box<[WantedKey]>,
}

impl Content {
    /// Of a canonical body.
    #[must_use]
    pub fn of(entity: impl Into<String>, body: Vec<u8>) -> Self {
        let hash = ContentHash::of(&body);
        Self::hashed(entity, body, hash)
    }

    /// Of a canonical body whose hash is known.
    #[must_use]
    pub fn hashed(entity: impl Into<String>, body: Vec<u8>, hash: ContentHash) -> Self {
        debug_assert_eq!(hash, ContentHash::of(&body), "the hash of another body");
        let entity = entity.into();
        let keys = ContentKeys::of(&entity, &body);
        Self { entity, body, hash, keys }
    }

    /// Of a deletion, which keeps the last body.
    #[must_use]
    pub fn gone(entity: impl Into<String>) -> Self {
        Self { entity: entity.into(), body: Vec::new(), hash: ContentHash::of(&[]), keys: None }
    }

    /// `employee`.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// Canonical JSON; empty for a deletion.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Of the body.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    pub(crate) fn keys(&self) -> Option<&ContentKeys> {
        self.keys.as_deref()
    }
}

/// The kind of an entity whose bodies say something of keys.
pub(crate) fn concerned(entity: &str) -> Option<EntityKind> {
    EntityKind::from_name(entity).filter(|kind| RecordKeys::concern(*kind))
}

impl ContentKeys {
    /// Those of a body; none where it says nothing of keys.
    pub(crate) fn of(entity: &str, body: &[u8]) -> Option<Box<Self>> {
        let kind = concerned(entity)?;
        let RecordKeys { announced, wanted } = RecordKeys::of(kind, body);
        let any = !announced.is_empty() || !wanted.is_empty();
        any.then(|| {
            let (announced, wanted) = (announced.into_iter().collect(), wanted.into_iter().collect());
            Box::new(Self { kind, announced, wanted })
        })
    }
}
