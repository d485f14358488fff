//! Every budget in use: a connection that is made again, with another version of its plugin, goes on counting.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::CallBudget;

use super::{Budget, ClockMs};
use crate::EgressError;

/// The budgets of the process. Each lives as long as its connection.
#[derive(Default)]
pub(crate) struct BudgetBook(Mutex<BTreeMap<(TenantId, ConnectionName), Weak<Budget>>>);

impl BudgetBook {
    /// # Errors
    /// [`EgressError::BadRequest`] for a rule that cannot be kept.
    pub(crate) fn open(
        &self,
        key: (TenantId, ConnectionName),
        rule: &CallBudget,
        clock: &ClockMs,
    ) -> Result<Arc<Budget>, EgressError> {
        if let Some(wrong) = rule.fault() {
            return Err(EgressError::BadRequest(format!("budget: {wrong}")));
        }
        let mut book = self.0.lock();
        if let Some(budget) = book.get(&key).and_then(Weak::upgrade) {
            budget.follow(rule)?;
            return Ok(budget);
        }
        let budget = Arc::new(Budget::new(key.clone(), Arc::clone(clock), rule)?);
        book.insert(key, Arc::downgrade(&budget));
        Ok(budget)
    }

    /// In the order of tenants and names.
    pub(crate) fn all(&self) -> Vec<Arc<Budget>> {
        self.0.lock().values().filter_map(Weak::upgrade).collect()
    }
}
