//! The month's budgets between egress, which counts, and the store, which keeps: read at the start, written every few seconds and
//! at the end, so that a restart goes on counting and several gateways add up.

use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{Budget, Egress};
use renmen_store::{Store, StoreError};

use super::Running;

/// How often what was sent is written, and what others sent is read. A gateway that is killed forgets what it sent since.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// Goes on from what was sent this month before.
pub(super) async fn load(egress: &Egress, store: &dyn Store) -> Result<(), StoreError> {
    for budget in egress.budgets() {
        load_one(&budget, store).await?;
    }
    Ok(())
}

/// The same for those that a reload brought; the others have their counts.
pub(super) async fn load_new(egress: &Egress, known: &[Arc<Budget>], store: &dyn Store) -> Result<(), StoreError> {
    for budget in egress.budgets().iter().filter(|budget| !known.iter().any(|one| Arc::ptr_eq(one, budget))) {
        load_one(budget, store).await?;
    }
    Ok(())
}

async fn load_one(budget: &Budget, store: &dyn Store) -> Result<(), StoreError> {
    for (month, _) in budget.take() {
        let kept = store.month_calls(budget.tenant(), budget.connection(), &month).await?;
        budget.settle(&month, kept, true);
    }
    Ok(())
}

/// Writes and shows for as long as it is polled.
pub(crate) async fn keep(running: Arc<Running>) {
    loop {
        running.save_budgets().await;
        show(&running.egress);
        tokio::time::sleep(WRITE_EVERY).await;
    }
}

impl Running {
    /// Those of the connections that have one.
    pub(crate) fn budgets(&self) -> Vec<Arc<Budget>> {
        self.egress.budgets()
    }

    /// Writes what was sent since the last time. What cannot be written now is written the next time.
    pub(crate) async fn save_budgets(&self) {
        for budget in self.egress.budgets() {
            for (month, calls) in budget.take() {
                match save(&*self.store, &budget, &month, calls).await {
                    Ok(kept) => budget.settle(&month, kept, false),
                    Err(error) => {
                        budget.put_back(&month);
                        let (tenant, connection) = (budget.tenant(), budget.connection());
                        tracing::warn!(%tenant, %connection, %error, "Failed to record the month's calls; trying again");
                    }
                }
            }
        }
    }
}

/// Nothing new is a question alone: what have the others sent?
async fn save(store: &dyn Store, budget: &Budget, month: &str, calls: i64) -> Result<i64, StoreError> {
    match calls {
        0 => store.month_calls(budget.tenant(), budget.connection(), month).await,
        calls => store.add_month_calls(budget.tenant(), budget.connection(), month, calls).await,
    }
}

/// Tells `/metrics`.
fn show(egress: &Egress) {
    for figures in egress.budgets().iter().filter_map(|budget| budget.figures()) {
        let labels = [("tenant", figures.tenant.to_string()), ("connection", figures.connection.to_string())];
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
        for (name, calls) in [("renmen_month_calls", figures.used), ("renmen_month_calls_max", figures.max)] {
            metrics::gauge!(name, &labels).set(calls as f64);
        }
    }
}
