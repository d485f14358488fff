//! Requests of a month: they add up, no matter who sent them, and survive a restart.

use renmen_schema::id::{ConnectionName, TenantId};

use crate::bed::{Bed, on_both};
use crate::puller::tenant;

fn erp() -> ConnectionName {
    ConnectionName::new("erp").unwrap()
}

on_both! {
    async fn what_gateways_send_in_a_month_adds_up_by_tenant_connection_and_month(bed: &Bed) {
        let (store, tenant, erp) = (&bed.store, tenant(), erp());
        assert_eq!(store.month_calls(&tenant, &erp, "2026-11").await.unwrap(), 0);
        let adds = (0..8).map(|_| store.add_month_calls(&tenant, &erp, "2026-11", 5));
        let mut sums = futures_util::future::try_join_all(adds).await.unwrap();
        sums.sort_unstable();
        assert_eq!(sums, [5, 10, 15, 20, 25, 30, 35, 40], "each reads what all have sent");
        assert_eq!(store.add_month_calls(&tenant, &erp, "2026-11", -3).await.unwrap(), 37);
        assert_eq!(store.add_month_calls(&tenant, &erp, "2026-12", 1).await.unwrap(), 1);
        assert_eq!(store.month_calls(&tenant, &erp, "2026-11").await.unwrap(), 37);
        let other = TenantId::new("globex").unwrap();
        assert_eq!(store.month_calls(&other, &erp, "2026-11").await.unwrap(), 0);
        let crm = ConnectionName::new("crm").unwrap();
        assert_eq!(store.month_calls(&tenant, &crm, "2026-11").await.unwrap(), 0);
    }
}

async fn a_restart_goes_on_counting(bed: Bed) {
    bed.store.add_month_calls(&tenant(), &erp(), "2026-11", 7).await.unwrap();
    let bed = bed.reopened("", "SELECT 1").await;
    assert_eq!(bed.store.month_calls(&tenant(), &erp(), "2026-11").await.unwrap(), 7);
    assert_eq!(bed.store.add_month_calls(&tenant(), &erp(), "2026-11", 2).await.unwrap(), 9);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_counting_on_sqlite() {
    a_restart_goes_on_counting(Bed::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_counting_on_postgres() {
    if let Some(bed) = Bed::postgres().await {
        a_restart_goes_on_counting(bed).await;
    }
}
