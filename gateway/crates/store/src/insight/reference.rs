//! What a reference names, short enough for a row: a record's number, or a digest of its id or of an alternate key.

use renmen_schema::id::ConnectionName;
use renmen_schema::types::Ref;
use renmen_schema::{Entity, EntityKind, KeyScheme};

use super::pack::Field;
use crate::identity::row_of;

/// A name as one short value, the same for every tenant and connection.
pub(super) type Digest = [u8; 16];

/// What an id of another system is kept as.
pub(super) fn digest_of_id(entity: EntityKind, external_id: &str) -> Digest {
    digest(&[entity.name(), "", external_id])
}

/// What an alternate key is kept as, by the value that keys are compared by.
pub(super) fn digest_of_key(entity: EntityKind, scheme: &str, value: &str) -> Digest {
    digest(&[entity.name(), scheme, value])
}

/// None of the parts but the last can hold a NUL.
fn digest(parts: &[&str; 3]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    let [entity, scheme, value] = parts;
    hasher.update(entity.as_bytes()).update(&[0]).update(scheme.as_bytes()).update(&[0]).update(value.as_bytes());
    let mut digest = Digest::default();
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    digest
}

/// What a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'b> {
    /// A record by its number.
    Row(i64),
    /// By its id in another system; without a connection, in that of the record which refers.
    External { digest: Digest, connection: Option<&'b str> },
    /// By an alternate key; without a connection, whosever record it is.
    Key { digest: Digest, connection: Option<&'b str> },
}

impl<'b> Named<'b> {
    /// What counts of a reference: its id, else its external id, else its key. None for what can name no record.
    pub(super) fn of<E: Entity>(reference: Option<&'b Ref<E>>) -> Option<Self> {
        let reference = reference?;
        if let Some(id) = reference.id {
            return row_of(id).map(Self::Row);
        }
        if let Some(external) = &reference.external {
            let connection = external.connection.as_ref().map(ConnectionName::as_str);
            return Some(Self::External { digest: digest_of_id(E::KIND, &external.value), connection });
        }
        let key = reference.key.as_ref()?;
        let scheme = KeyScheme::of(E::KIND, &key.scheme)?;
        let digest = digest_of_key(E::KIND, scheme.name, &scheme.normal(&key.value)?);
        Some(Self::Key { digest, connection: key.connection.as_ref().map(ConnectionName::as_str) })
    }
}

impl<'b> Field<'b> for Named<'b> {
    fn pack(&self, to: &mut Vec<u8>) {
        let (kind, digest, connection) = match self {
            Self::Row(row) => {
                0_u32.pack(to);
                return row.pack(to);
            }
            Self::External { digest, connection } => (1_u32, digest, connection),
            Self::Key { digest, connection } => (2_u32, digest, connection),
        };
        kind.pack(to);
        digest.pack(to);
        connection.pack(to);
    }

    fn unpack(from: &mut &'b [u8]) -> Option<Self> {
        match u32::unpack(from)? {
            0 => i64::unpack(from).map(Self::Row),
            1 => Some(Self::External { digest: Field::unpack(from)?, connection: Field::unpack(from)? }),
            2 => Some(Self::Key { digest: Field::unpack(from)?, connection: Field::unpack(from)? }),
            _ => None,
        }
    }
}
