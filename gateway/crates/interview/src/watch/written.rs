//! What the watch has written, read by the ids under which it writes, each only when a look needs it.

use renmen_schema::Entity;
use renmen_schema::entity::{Notification, ProcessNode};
use renmen_schema::id::TenantId;
use renmen_store::{Parent, Store};

use super::messages;
use crate::dossier::{self, Read};
use crate::{InterviewError, author};

/// See the module.
pub(super) struct Written<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) tenant: &'a TenantId,
}

/// A message with what is known of its deliveries.
pub(super) struct Message {
    /// As it is kept.
    pub(super) kept: Read<Notification>,
    /// As its deliveries stand now.
    pub(super) now: Notification,
}

impl Written<'_> {
    /// A step.
    pub(super) async fn node(&self, name: &str) -> Result<Option<Read<ProcessNode>>, InterviewError> {
        self.find(name).await
    }

    /// A message, kept or not.
    pub(super) async fn has_message(&self, name: &str) -> Result<bool, InterviewError> {
        Ok(self.find::<Notification>(name).await?.is_some())
    }

    /// A message as it is kept.
    pub(super) async fn kept(&self, name: &str) -> Result<Option<Read<Notification>>, InterviewError> {
        self.find(name).await
    }

    /// A message. Its outcome is read from its deliveries too: whether it arrived in time must not depend on whether
    /// the outcome has been written down already.
    pub(super) async fn message(&self, name: &str) -> Result<Option<Message>, InterviewError> {
        let Some(kept) = self.find::<Notification>(name).await? else { return Ok(None) };
        let now = messages::followed(self.store, self.tenant, &kept).await?;
        Ok(Some(Message { kept, now }))
    }

    async fn find<E: Entity>(&self, name: &str) -> Result<Option<Read<E>>, InterviewError> {
        let key =
            Parent { connection: author::built_in(), entity: E::KIND.name().to_owned(), external_id: name.to_owned() };
        Ok(dossier::find(self.store, self.tenant, &key).await?)
    }
}
