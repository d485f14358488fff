//! Which feeds hold nothing new for the flows: a tenant whose feed has not moved, or that has no flow that runs, is passed over, so that the
//! changes of one tenant cost no look at all of them.

use std::collections::HashMap;

use renmen_schema::id::TenantId;

/// Of a tenant that has no flow that runs: the end of its feed does not matter.
const NO_FLOW: i64 = i64::MAX;

/// Up to where each tenant's feed was read.
#[derive(Default)]
pub(crate) struct SeenFeeds(HashMap<TenantId, i64>);

impl SeenFeeds {
    /// Flows may have changed: every tenant is asked again.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Is there nothing to read in a feed that ends here?
    pub(crate) fn is_read(&self, tenant: &TenantId, head: i64) -> bool {
        self.0.get(tenant).is_some_and(|seen| *seen >= head)
    }

    /// A tenant was read up to here; none: there is more.
    pub(crate) fn read(&mut self, tenant: TenantId, up_to: Option<i64>, any_flow_runs: bool) {
        match up_to {
            Some(head) => _ = self.0.insert(tenant, if any_flow_runs { head } else { NO_FLOW }),
            None => _ = self.0.remove(&tenant),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_feed_is_passed_over_until_it_moves_and_one_without_flows_until_flows_change() {
        let mut seen = SeenFeeds::default();
        let (acme, globex) = (TenantId::new("acme").unwrap(), TenantId::new("globex").unwrap());
        assert!(!seen.is_read(&acme, 0), "at first every tenant is asked");
        seen.read(acme.clone(), Some(7), true);
        seen.read(globex.clone(), Some(7), false);
        assert!(seen.is_read(&acme, 7) && !seen.is_read(&acme, 8) && seen.is_read(&globex, 1_000));
        seen.read(acme.clone(), None, true);
        assert!(!seen.is_read(&acme, 7), "there is more");
        seen.forget();
        assert!(!seen.is_read(&globex, 7));
    }
}
