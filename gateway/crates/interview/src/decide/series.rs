//! Records that follow each other under one name, `NAME/1`, `NAME/2`, …: the decisions on a result, the corrections of a score.
//! There is no gap, so the newest is found by its number without reading the others.

use renmen_schema::Entity;
use renmen_schema::id::TenantId;
use renmen_store::{Parent, Store, StoreError};

use crate::author;
use crate::dossier::{Read, find};

/// One series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    name: String,
}

impl Series {
    /// The series with this name.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// The series that an id is of, and its number there; none for an id that is of no series.
    pub(crate) fn of(external_id: &str) -> Option<(Self, u64)> {
        let (name, number) = external_id.rsplit_once('/')?;
        let number = number.parse().ok().filter(|number| *number > 0)?;
        Some((Self::named(name), number))
    }

    /// The number in an id; 0 for one that is of no series.
    pub(crate) fn number(external_id: &str) -> u64 {
        Self::of(external_id).map_or(0, |(_, number)| number)
    }

    /// The id of one of them.
    pub(crate) fn id(&self, number: u64) -> String {
        format!("{}/{number}", self.name)
    }

    /// One of them.
    pub(crate) async fn get<E: Entity>(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        number: u64,
    ) -> Result<Option<Read<E>>, StoreError> {
        let key =
            Parent { connection: author::built_in(), entity: E::KIND.name().to_owned(), external_id: self.id(number) };
        find(store, tenant, &key).await
    }

    /// The newest with its number; `from` is one that is there, or 0. Looks ahead in doubled steps, then halves what is between.
    pub(crate) async fn newest<E: Entity>(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        from: u64,
    ) -> Result<Option<(u64, Read<E>)>, StoreError> {
        let (mut there, mut step) = (from, 1);
        let mut found = None;
        while let Some(read) = self.get::<E>(store, tenant, there + step).await? {
            there += step;
            step *= 2;
            found = Some(read);
        }
        // `there` is there, `there + step` is not.
        let mut absent = there + step;
        while absent - there > 1 {
            let middle = there + (absent - there) / 2;
            match self.get::<E>(store, tenant, middle).await? {
                Some(read) => (there, found) = (middle, Some(read)),
                None => absent = middle,
            }
        }
        if found.is_none() && there > 0 {
            found = self.get::<E>(store, tenant, there).await?;
        }
        Ok(found.map(|read| (there, read)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_to_its_series_and_back() {
        let read = Series::of("0192e5c0/12").map(|(series, number)| (number, series.id(13)));
        assert_eq!(read, Some((12, "0192e5c0/13".to_owned())));
        for other in ["", "a", "a/", "a/0", "a/-1", "a/b"] {
            assert_eq!(Series::of(other), None, "{other}");
        }
    }
}
