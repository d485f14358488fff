//! Several deliveries in one commit: those that come while a commit is under way wait for the next one together.
//!
//! Each delivery is all or nothing by itself (a savepoint), and is answered when the commit that holds it is durable.

use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::query::at_once;
use super::writer;
use crate::StoreError;
use crate::heads::Heads;
use crate::inbox::{Intake, Taken};
use crate::quota::Quotas;
use crate::sql::inbox;

type Answer = oneshot::Sender<Result<Taken, StoreError>>;

/// What waits for a commit.
pub(super) struct DeliveryGroup {
    waiting: Mutex<Vec<(Intake, Answer)>>,
    /// Of one commit: what is answered late because of the others stays within milliseconds.
    deliveries_max: usize,
    quotas: Quotas,
    heads: Arc<Heads>,
}

impl DeliveryGroup {
    pub(super) fn new(quotas: Quotas, heads: Arc<Heads>, deliveries_max: usize) -> Self {
        Self { waiting: Mutex::default(), deliveries_max, quotas, heads }
    }

    /// Puts one in. The caller calls [`DeliveryGroup::commit`] on the writer afterwards; one that goes away before leaves it to the
    /// next.
    pub(super) fn add(&self, intake: Intake) -> oneshot::Receiver<Result<Taken, StoreError>> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().push((intake, answer));
        answered
    }

    /// Commits what waits, and answers.
    pub(super) fn commit(&self, connection: &mut Connection) {
        let taken: Vec<(Intake, Answer)> = {
            let mut waiting = self.waiting.lock();
            let count = waiting.len().min(self.deliveries_max);
            waiting.drain(..count).collect()
        };
        if taken.is_empty() {
            return;
        }
        let tenants: Vec<TenantId> = taken.iter().map(|(intake, _)| intake.tenant.clone()).collect();
        let (intakes, answers): (Vec<Intake>, Vec<Answer>) = taken.into_iter().unzip();
        let done = writer::in_transaction(connection, |transaction| {
            intakes
                .into_iter()
                .map(|intake| one(transaction, intake, &self.quotas))
                .collect::<Result<Vec<_>, StoreError>>()
        });
        match done {
            Ok(results) => {
                for ((answer, tenant), result) in answers.into_iter().zip(tenants).zip(results) {
                    if let Ok(taken) = &result {
                        self.heads.raise(&tenant, taken.outcome.last_seq);
                    }
                    let _ = answer.send(result);
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ =
                        answer.send(Err(StoreError::Unavailable(format!("the commit of a delivery failed: {error}"))));
                }
            }
        }
    }
}

/// An error of one leaves the others as they are; an error of the savepoint itself ends all.
fn one(transaction: &Connection, intake: Intake, quotas: &Quotas) -> Result<Result<Taken, StoreError>, StoreError> {
    let quota = quotas.of(&intake.tenant, &intake.connection);
    transaction.execute_batch("SAVEPOINT delivery")?;
    let taken = at_once(inbox::take(transaction, intake, &quota));
    transaction.execute_batch(match taken {
        Ok(_) => "RELEASE delivery",
        Err(_) => "ROLLBACK TO delivery; RELEASE delivery",
    })?;
    Ok(taken)
}
