//! What vendors allow connections, which several gateways keep together: requests in a month, their rate, and how many are under way.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::StoreError;

/// Requests that are to be sent at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateAsk {
    /// How many.
    pub count: u32,
    /// The time between two of them, in microseconds.
    pub interval_us: i64,
    /// So many may go at once after a pause; at least 1.
    pub burst: u32,
    /// The first may have to wait so long, in microseconds.
    pub wait_max_us: i64,
    /// The caller's clock, which counts with SQLite alone.
    pub now_us: i64,
}

/// What a gateway has under way to a vendor, and would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacesAsk {
    /// Who asks. One that was started again under its name has nothing under way.
    pub gateway: String,
    /// Requests that all gateways may have under way together.
    pub most: u32,
    /// Under way; more do not begin before the answer is there.
    pub in_use: u32,
    /// Under way and waiting.
    pub wanted: u32,
    /// How long the answer counts. Others may have the places of a gateway that has not asked again by then.
    pub lease_ms: i64,
    /// The caller's clock, which counts with SQLite alone.
    pub now_us: i64,
}

/// What it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesShare {
    /// A request may begin while fewer are under way.
    pub may_use: u32,
    /// The gateways together want more than there is: what is given back should be told soon.
    pub contended: bool,
}

/// Requests by connection and month (`2026-11`). Several gateways add up.
#[async_trait]
pub trait BudgetStore: Send + Sync {
    /// How many were sent in that month.
    async fn month_calls(&self, tenant: &TenantId, connection: &ConnectionName, month: &str)
    -> Result<i64, StoreError>;

    /// Adds to them; less than zero takes back what was counted and not sent. Gives what they are then.
    async fn add_month_calls(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        month: &str,
        calls: i64,
    ) -> Result<i64, StoreError>;

    /// Reserves requests of a connection's rate for one gateway: after how many microseconds the first may leave; the others follow, one
    /// interval after the other, or at once as far as `burst` allows. None when the first would have to wait for too long.
    async fn reserve_requests(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        ask: RateAsk,
    ) -> Result<Option<i64>, StoreError>;

    /// Divides the requests that may be under way to a vendor between the gateways: each asks again and again while it sends.
    async fn share_places(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        ask: PlacesAsk,
    ) -> Result<PlacesShare, StoreError>;
}
