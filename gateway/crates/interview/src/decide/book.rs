//! The book of rules of one tenant: those in force, kept up to date from the change feed, and how often each was used.
//!
//! A change of a rule counts for results that are judged from then on: before the loop judges what a piece of the feed
//! names, it brings the book up to that piece's end.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::Store;

use super::rule::{self, Chosen, Published, RuleSpec, Rules};
use crate::InterviewError;
use crate::dossier::Dossier;

/// The rules of one tenant with their versions.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleBook(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rules: Arc<Rules>,
    /// The changes up to here are in it.
    read_to: i64,
    /// How often each rule was chosen since the gateway began.
    chosen: HashMap<RecordId, u64>,
    none: u64,
}

/// How often a rule was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleUse {
    /// Its name.
    pub name: String,
    /// It stands in the configuration file; else a person wrote it.
    pub from_file: bool,
    /// The rule of the file that decides in its place.
    pub overruled_by: Option<String>,
    /// For how many results it was the rule, since the gateway began.
    pub results: u64,
}

impl RuleBook {
    /// What is in force now.
    ///
    /// # Errors
    /// [`InterviewError::Store`].
    pub(crate) async fn open(store: &dyn Store, tenant: &TenantId) -> Result<Self, InterviewError> {
        // First the place, then the rules: what comes between is read once more.
        let read_to = *store.watch(tenant).borrow();
        let rules = Arc::new(rule::in_force(store, tenant).await?);
        Ok(Self(Arc::new(Mutex::new(State { rules, read_to, ..State::default() }))))
    }

    /// The rules as they would be, for a look that writes nothing.
    ///
    /// # Errors
    /// [`InterviewError::Store`].
    pub(crate) async fn unpublished(
        store: &dyn Store,
        tenant: &TenantId,
        specs: &[RuleSpec],
    ) -> Result<Self, InterviewError> {
        let rules = Arc::new(rule::unpublished(store, tenant, specs).await?);
        Ok(Self(Arc::new(Mutex::new(State { rules, read_to: i64::MAX, ..State::default() }))))
    }

    /// Takes in every change of a rule that is in the feed by now.
    ///
    /// # Errors
    /// [`InterviewError::Store`].
    pub(crate) async fn refresh(&self, store: &dyn Store, tenant: &TenantId) -> Result<(), InterviewError> {
        let read_to = self.0.lock().read_to;
        if read_to == i64::MAX {
            return Ok(());
        }
        let head = *store.watch(tenant).borrow();
        let changed = store.changes(tenant, read_to, Some("decision_rule"), 1).await?;
        let Some(change) = changed.first() else {
            let mut state = self.0.lock();
            state.read_to = state.read_to.max(head);
            return Ok(());
        };
        // The rules are read after the change was found, so they contain it, and perhaps later changes too.
        let rules = Arc::new(rule::in_force(store, tenant).await?);
        let mut state = self.0.lock();
        state.read_to = state.read_to.max(head).max(change.seq);
        state.rules = rules;
        Ok(())
    }

    /// Is there any rule at all?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().rules.is_empty()
    }

    /// The rule for the interview's results.
    pub(super) fn choose(&self, dossier: &Dossier) -> Option<Chosen> {
        let rules = Arc::clone(&self.0.lock().rules);
        let chosen = rules.choose(dossier);
        let mut state = self.0.lock();
        match &chosen {
            Some(chosen) => *state.chosen.entry(chosen.record).or_default() += 1,
            None => {
                state.none += 1;
                metrics::counter!("renmen_decisions_without_rule_total").increment(1);
            }
        }
        chosen
    }

    /// How often each rule was used, and for how many results there was none.
    pub(crate) fn uses(&self) -> (Vec<RuleUse>, u64) {
        let state = self.0.lock();
        let overruled = state.rules.overruled();
        let by = |rule: &Published| {
            let found = overruled.iter().find(|(overruled, _)| overruled.record == rule.record);
            found.map(|(_, file)| file.rule.name.clone())
        };
        let uses = state.rules.iter().map(|rule| RuleUse {
            name: rule.rule.name.clone(),
            from_file: rule.of_file,
            overruled_by: by(rule),
            results: state.chosen.get(&rule.record).copied().unwrap_or(0),
        });
        (uses.collect(), state.none)
    }
}
