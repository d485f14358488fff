//! Follows the references of records one level: one look-up for all of an answer, each record that is meant once.

use std::collections::HashMap;

use renmen_schema::id::TenantId;
use renmen_schema::{EntityKind, Reference, references};
use renmen_store::{Keyed, Named, RecordRow, Store, StoreError};
use serde_json::Value;

use super::expand::Expand;
use super::view::ReferenceView;

/// What one answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct FollowLimits {
    /// References that are looked up.
    pub references_max: usize,
    /// Bytes of the bodies of the records that are meant.
    pub bytes_max: usize,
}

/// Which references are shown, and of which the record is.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// With what they mean.
    pub references: Expand,
    /// With the record.
    pub records: Expand,
}

/// What the references of some records mean.
#[derive(Debug, Default)]
pub struct Followed {
    /// Of each record, in their order: its references, and whether it has more than are shown.
    pub references: Vec<(Vec<ReferenceView>, bool)>,
    /// The records that are meant, each once, in the order in which they are met.
    pub records: Vec<RecordRow>,
    /// There are more records than these.
    pub truncated: bool,
}

/// A reference before it is looked up: of which record, and at which place among the questions.
struct Place<'v> {
    of: usize,
    reference: Reference<'v>,
    asks: Asks,
}

enum Asks {
    /// Nothing: no record can be meant.
    Nothing,
    /// It may not be asked.
    Withheld(Option<Named>),
    /// This question.
    At(usize),
}

/// Follows references of records of one kind. `may_read`: of which kinds the records may be looked at.
///
/// # Errors
/// The store does not answer.
pub async fn follow(
    store: &dyn Store,
    tenant: &TenantId,
    (kind, rows): (EntityKind, &[RecordRow]),
    shown: &Shown,
    may_read: &(dyn Fn(EntityKind) -> bool + Sync),
    limits: FollowLimits,
) -> Result<Followed, StoreError> {
    let bodies: Vec<Value> = rows.iter().map(|row| serde_json::from_slice(&row.body).unwrap_or_default()).collect();
    let mut truncated = vec![false; rows.len()];
    let (mut places, mut questions) = (Vec::new(), Questions::default());
    for (of, body) in bodies.iter().enumerate() {
        for reference in references(kind, body) {
            if !shown.references.has(reference.name) && !shown.records.has(reference.name) {
                continue;
            }
            if places.len() >= limits.references_max {
                truncated[of] = true;
                break;
            }
            let name = Named::of(&reference, &rows[of].connection);
            let asks = match name {
                name if !may_read(reference.to) => Asks::Withheld(name),
                Some(name) => Asks::At(questions.place(name)),
                None => Asks::Nothing,
            };
            places.push(Place { of, reference, asks });
        }
    }
    let meant = if questions.names.is_empty() { Vec::new() } else { store.meant(tenant, &questions.names).await? };
    let mut followed = Followed {
        references: truncated.into_iter().map(|truncated| (Vec::new(), truncated)).collect(),
        ..Followed::default()
    };
    let mut met = Met { bytes_left: limits.bytes_max, ..Met::default() };
    for Place { of, reference, asks } in places {
        let view = match asks {
            Asks::Nothing => ReferenceView::of(&reference, None, &Keyed::Nothing),
            Asks::Withheld(name) => ReferenceView::withheld(&reference, name.as_ref()),
            Asks::At(at) => {
                if let (Keyed::One(row), true) = (&meant[at], shown.records.has(reference.name)) {
                    met.meet(row, &mut followed);
                }
                ReferenceView::of(&reference, Some(&questions.names[at]), &meant[at])
            }
        };
        followed.references[of].0.push(view);
    }
    Ok(followed)
}

/// What is asked, each once, however many references ask it.
#[derive(Default)]
struct Questions {
    names: Vec<Named>,
    places: HashMap<Named, usize>,
}

impl Questions {
    fn place(&mut self, name: Named) -> usize {
        let Self { names, places } = self;
        *places.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            names.len() - 1
        })
    }
}

/// Records that were met.
#[derive(Default)]
struct Met {
    ids: std::collections::HashSet<renmen_schema::id::RecordId>,
    bytes_left: usize,
}

impl Met {
    fn meet(&mut self, row: &RecordRow, followed: &mut Followed) {
        if !self.ids.insert(row.id) {
            return;
        }
        match self.bytes_left.checked_sub(row.body.len()) {
            Some(left) => {
                self.bytes_left = left;
                followed.records.push(row.clone());
            }
            None => followed.truncated = true,
        }
    }
}
