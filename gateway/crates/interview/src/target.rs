//! What is looked at: an interview or an order, by the id that its vendor gave. Its text names its timer.

use renmen_schema::types::EXTERNAL_ID_BYTES_MAX;
use renmen_store::Parent;

/// Entities that are looked at.
const ENTITIES: [&str; 2] = ["interview", "interview_order"];

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) connection: String,
    pub(crate) entity: &'static str,
    pub(crate) external_id: String,
}

impl Target {
    /// None for other entities, and for an id that no reference can name: nothing could be written about it.
    pub(crate) fn of(key: &Parent) -> Option<Self> {
        let entity = ENTITIES.into_iter().find(|entity| *entity == key.entity)?;
        if key.external_id.len() > EXTERNAL_ID_BYTES_MAX {
            return None;
        }
        Some(Self { connection: key.connection.to_string(), entity, external_id: key.external_id.clone() })
    }

    /// `interview/vendor/int-1`.
    pub(crate) fn timer(&self) -> String {
        format!("{}/{}/{}", self.entity, self.connection, self.external_id)
    }

    pub(crate) fn of_timer(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '/');
        let (entity, connection, external_id) = (parts.next()?, parts.next()?, parts.next()?);
        let entity = ENTITIES.into_iter().find(|known| *known == entity)?;
        Some(Self { connection: connection.to_owned(), entity, external_id: external_id.to_owned() })
    }

    pub(crate) fn key(&self) -> Option<Parent> {
        Some(Parent {
            connection: self.connection.parse().ok()?,
            entity: self.entity.to_owned(),
            external_id: self.external_id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_timer_names_its_target_whatever_its_id_looks_like() {
        for external_id in ["int-1", "a/b/c", "/", "面试"] {
            let key = Parent {
                connection: "vendor".parse().unwrap(),
                entity: "interview".into(),
                external_id: external_id.into(),
            };
            let target = Target::of(&key).unwrap();
            assert_eq!(Target::of_timer(&target.timer()), Some(target.clone()));
            assert_eq!(target.key(), Some(key));
        }
        assert_eq!(Target::of_timer("employee/vendor/1"), None);
        assert_eq!(Target::of_timer("interview/vendor"), None);
    }
}
