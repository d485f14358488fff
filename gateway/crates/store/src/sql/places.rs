//! Requests that gateways may have under way to one vendor.

use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, shown_by, values};
use crate::places::{Sharer, divide};
use crate::rows::Columns;
use crate::{PlacesAsk, PlacesShare, StoreError};

/// The name of the row that is held while places are divided. No gateway's name is empty.
const HELD_ROW: &str = "";

/// Counts what a gateway has and wants, and says what it may have.
pub(crate) async fn share(
    session: &impl Session,
    (tenant, connection): (&TenantId, &ConnectionName),
    ask: &PlacesAsk,
) -> Result<PlacesShare, StoreError> {
    if ask.gateway == HELD_ROW {
        return Err(StoreError::BadInput("a gateway that shares places has a name".into()));
    }
    take_turn(session, tenant, connection).await?;
    let clock = session.dialect().rate_clock("$1");
    let now_us = shown_by(session, &clock, ask.now_us).await?;
    // Who showed no sign of life has nothing under way any more.
    let sql = "DELETE FROM vendor_place WHERE tenant = $1 AND connection = $2 AND gateway <> '' AND until_us <= $3";
    session.run(sql, values![tenant, connection, now_us]).await?;
    let sql = "SELECT gateway, held, wanted, turn_us FROM vendor_place
               WHERE tenant = $1 AND connection = $2 AND gateway <> ''";
    let sharer = |row: &dyn Columns| {
        Ok(Sharer { gateway: row.text(0)?, held: row.int(1)?, wanted: row.int(2)?, turn_us: row.int(3)? })
    };
    let found = session.all(sql, values![tenant, connection], sharer).await?;
    let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|sharer| sharer.gateway == ask.gateway);
    let before = own.into_iter().next();
    let (in_use, wanted) = (i64::from(ask.in_use), i64::from(ask.wanted.max(ask.in_use)));
    let own = Sharer {
        gateway: ask.gateway.clone(),
        held: before.as_ref().map_or(0, |before| before.held),
        wanted,
        turn_us: before.as_ref().map_or(0, |before| before.turn_us),
    };
    let divided = divide(i64::from(ask.most), &own, &others, now_us);
    let held = divided.may_use.max(in_use);
    if held == 0 && wanted == 0 {
        let sql = "DELETE FROM vendor_place WHERE tenant = $1 AND connection = $2 AND gateway = $3";
        session.run(sql, values![tenant, connection, &ask.gateway]).await?;
    } else {
        let turn_us = if own.held == 0 && held > 0 { now_us } else { own.turn_us };
        let until_us = now_us.saturating_add(ask.lease_ms.saturating_mul(1_000));
        let sql = "INSERT INTO vendor_place (tenant, connection, gateway, held, wanted, turn_us, until_us)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT (tenant, connection, gateway) DO UPDATE SET held = excluded.held, wanted = excluded.wanted,
                   turn_us = excluded.turn_us, until_us = excluded.until_us";
        let values = values![tenant, connection, &ask.gateway, held, wanted, turn_us, until_us];
        session.run(sql, values).await?;
    }
    let may_use = u32::try_from(divided.may_use).unwrap_or(u32::MAX);
    Ok(PlacesShare { may_use, contended: divided.contended })
}

/// No other gateway divides the places of this connection until the transaction ends.
async fn take_turn(session: &impl Session, tenant: &TenantId, connection: &ConnectionName) -> Result<(), StoreError> {
    let lock = session.dialect().for_update();
    let hold = format!("SELECT gateway FROM vendor_place WHERE tenant = $1 AND connection = $2 AND gateway = ''{lock}");
    if session.one(&hold, values![tenant, connection], |row| row.text(0)).await?.is_some() {
        return Ok(());
    }
    let sql = "INSERT INTO vendor_place (tenant, connection, gateway, held, wanted, turn_us, until_us)
               VALUES ($1, $2, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING";
    session.run(sql, values![tenant, connection]).await?;
    session.one(&hold, values![tenant, connection], |row| row.text(0)).await.map(drop)
}
