//! How a record list is read, the same on both backends: which way, from where, how much, and what comes next.

use renmen_schema::id::TenantId;

use crate::list_token::{self, Position};
use crate::{RecordQuery, RecordRow, Slice, StoreError};

/// A checked query.
pub(crate) struct Listing<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) entity: Option<&'a str>,
    pub(crate) connection: Option<&'a str>,
    pub(crate) external_id: Option<&'a str>,
    /// Only tombstones (`true`), only live ones (`false`), or both.
    pub(crate) deleted: Option<bool>,
    /// Rows of one answer.
    pub(crate) limit: i64,
    /// None: the first page.
    pub(crate) after: Option<Position>,
    /// Set: in the order of changes at or after this time.
    pub(crate) since_ms: Option<i64>,
    fingerprint: [u8; 8],
}

impl<'a> Listing<'a> {
    /// Checks a query and reads its cursor.
    pub(crate) fn new(tenant: &'a TenantId, query: &'a RecordQuery) -> Result<Self, StoreError> {
        let entity = query.entity.as_deref();
        let connection = query.connection.as_ref().map(renmen_schema::id::ConnectionName::as_str);
        let external_id = query.external_id.as_deref();
        for text in [entity, external_id].into_iter().flatten() {
            if text.contains('\0') {
                return Err(StoreError::BadInput("a filter contains a NUL character".into()));
            }
        }
        let deleted = if query.include_deleted { None } else { Some(query.deleted.unwrap_or(false)) };
        let fingerprint =
            fingerprint(tenant.as_str(), &[entity, connection, external_id], query.updated_since_ms, deleted);
        let after = query.after.as_deref().map(|token| list_token::read(fingerprint, token)).transpose()?;
        Ok(Self {
            tenant,
            entity,
            connection,
            external_id,
            deleted,
            limit: crate::limits::list_limit(query.limit),
            after,
            since_ms: query.updated_since_ms,
            fingerprint,
        })
    }

    /// 0: live only, 1: tombstones only, 2: both.
    pub(crate) fn deleted_code(&self) -> i64 {
        self.deleted.map_or(2, i64::from)
    }

    /// Cuts what was read to the limit; one row more than the limit says that it goes on after the last row kept.
    pub(crate) fn slice<P>(
        &self,
        mut found: Vec<(P, RecordRow)>,
        position: impl Fn(&P, &RecordRow) -> Position,
    ) -> Slice<RecordRow> {
        let limit = usize::try_from(self.limit).unwrap_or(1);
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.map(|(place, row)| list_token::write(self.fingerprint, &position(place, row)));
        Slice { items: found.into_iter().map(|(_, row)| row).collect(), next }
    }
}

fn fingerprint(tenant: &str, texts: &[Option<&str>], since_ms: Option<i64>, deleted: Option<bool>) -> [u8; 8] {
    let hash = blake3::hash(format!("{tenant:?}{texts:?}{since_ms:?}{deleted:?}").as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    short
}
