//! API keys.

use std::slice;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{ApiKeyRow, FoundKey, KeyRole, StoreError, StoreOptions, open, open_keys};

use crate::bed::{Bed, on_both};
use crate::puller::{Puller, key, key_of, rec, tenant};

fn made(byte: u8, at_ms: i64) -> ApiKeyRow {
    ApiKeyRow::new([byte; 32], format!("key {byte}"), tenant(), KeyRole::Owner, at_ms)
}

async fn listed(bed: &Bed, tenant: Option<&TenantId>, after: Option<&ApiKeyRow>, limit: u32) -> Vec<ApiKeyRow> {
    bed.store.api_keys(tenant, after, limit).await.unwrap()
}

on_both! {
    async fn a_key_is_found_by_its_hash_and_keeps_its_role_and_its_ends(bed: &Bed) {
        let role = KeyRole::Vendor(ConnectionName::new("interview").unwrap());
        let vendor = ApiKeyRow { role, expires_at_ms: Some(90), ..made(7, 5) };
        bed.store.put_api_key(vendor.clone()).await.unwrap();
        bed.store.put_api_key(ApiKeyRow { role: KeyRole::Consumer, ..made(9, 6) }).await.unwrap();
        assert_eq!(bed.store.api_key(&[7; 32]).await.unwrap(), Some(vendor.clone()));
        assert_eq!(bed.store.api_key(&[9; 32]).await.unwrap().unwrap().role, KeyRole::Consumer);
        assert_eq!(bed.store.api_key(&[8; 32]).await.unwrap(), None);
        assert_eq!(bed.store.find_api_key(&[8; 32]).await.unwrap(), None);
        let find = async || bed.store.find_api_key(&[7; 32]).await.unwrap();
        let found = |gone_to: Option<&str>| Some(FoundKey { key: vendor.clone(), gone_to: gone_to.map(str::to_owned) });
        assert_eq!(find().await, found(None));
        for (state, gone_to) in [(1, None), (2, None), (3, Some("the other one")), (4, None)] {
            let (forget, name) = ("DELETE FROM tenant_move", tenant());
            let put = format!("INSERT INTO tenant_move VALUES ('{name}', {state}, 0, 'the other one', '')");
            bed.beside(&format!("{forget}; {put}")).await;
            assert_eq!(find().await, found(gone_to), "state {state}");
        }
        bed.beside("DELETE FROM tenant_move").await;
        assert!(matches!(bed.store.put_api_key(vendor).await, Err(StoreError::Fault(_))));
    }

    async fn a_key_is_revoked_by_its_tenant_once_and_by_no_other(bed: &Bed) {
        bed.store.put_api_key(made(7, 5)).await.unwrap();
        let (id, other) = (made(7, 5).id(), key_of("globex", "s").tenant);
        assert_eq!(bed.store.revoke_api_key(Some(&other), id, 9).await.unwrap(), None);
        assert_eq!(bed.store.api_key(&[7; 32]).await.unwrap().unwrap().revoked_at_ms, None);
        let revoked = bed.store.revoke_api_key(Some(&tenant()), id, 10).await.unwrap().unwrap();
        assert_eq!(revoked.revoked_at_ms, Some(10));
        assert_eq!(bed.store.revoke_api_key(None, id, 11).await.unwrap(), Some(revoked), "the first time stays");
        assert_eq!(bed.store.revoke_api_key(None, made(8, 5).id(), 11).await.unwrap(), None);
    }

    async fn keys_are_listed_oldest_first_by_tenant_and_piece_by_piece(bed: &Bed) {
        let other = key_of("globex", "s").tenant;
        let theirs = ApiKeyRow { tenant: other.clone(), ..made(4, 2) };
        for key in [made(9, 1), made(3, 2), theirs.clone(), made(5, 2)] {
            bed.store.put_api_key(key).await.unwrap();
        }
        let (ours, first, second) = (tenant(), made(9, 1), made(3, 2));
        assert_eq!(listed(bed, Some(&ours), None, 10).await, [first.clone(), second.clone(), made(5, 2)]);
        assert_eq!(listed(bed, Some(&ours), Some(&first), 1).await, slice::from_ref(&second));
        assert_eq!(listed(bed, Some(&ours), Some(&second), 10).await, [made(5, 2)]);
        assert_eq!(listed(bed, Some(&other), None, 10).await, slice::from_ref(&theirs));
        assert_eq!(listed(bed, None, None, 10).await.len(), 4);
        assert_eq!(bed.store.api_key_by_id(Some(&tenant()), theirs.id()).await.unwrap(), None);
        assert_eq!(bed.store.api_key_by_id(None, theirs.id()).await.unwrap(), Some(theirs));
    }

    async fn the_last_use_of_a_key_only_moves_on(bed: &Bed) {
        bed.store.put_api_key(made(7, 5)).await.unwrap();
        bed.store.note_key_uses(&[([7; 32], 100), ([8; 32], 100)]).await.unwrap();
        bed.store.note_key_uses(&[([7; 32], 60)]).await.unwrap();
        bed.store.note_key_uses(&[]).await.unwrap();
        assert_eq!(bed.store.api_key(&[7; 32]).await.unwrap().unwrap().last_used_at_ms, Some(100));
    }

    async fn keys_are_made_and_revoked_beside_a_gateway_that_writes(bed: &Bed) {
        let beside = open_keys(bed.options.clone()).await.unwrap();
        let pulling = tokio::spawn({
            let store = Arc::clone(&bed.store);
            async move {
                let mut puller = Puller::begin(&store, key(), 1_000).await;
                for page in 0..20 {
                    puller.put((0..50).map(|n| rec(&format!("{page}-{n}"), "1")).collect()).await;
                }
            }
        });
        for byte in 1..=20 {
            beside.put_api_key(made(byte, 5)).await.unwrap();
            assert!(bed.store.api_key(&[byte; 32]).await.unwrap().is_some());
            beside.revoke_api_key(Some(&tenant()), made(byte, 5).id(), 9).await.unwrap().unwrap();
            assert_eq!(bed.store.api_key(&[byte; 32]).await.unwrap().unwrap().revoked_at_ms, Some(9));
        }
        pulling.await.unwrap();
        let live: i64 = bed.store.counts(&tenant()).await.unwrap().iter().map(|count| count.live).sum();
        assert_eq!(live, 1_000);
        assert_eq!(beside.api_keys(None, None, 100).await.unwrap().len(), 20);
    }
}

#[tokio::test]
async fn keys_can_be_made_before_the_gateway_ever_ran_and_are_there_when_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::at(format!("sqlite:{}", folder.path().join("data/renmen.db").display()));
    let keys = open_keys(options.clone()).await.unwrap();
    keys.put_api_key(made(7, 5)).await.unwrap();
    drop(keys);
    let keys = open_keys(options.clone()).await.unwrap();
    keys.put_api_key(made(8, 5)).await.unwrap();
    // It holds only the keys: a gateway can start at the same time.
    let store = open(options).await.unwrap();
    assert_eq!(store.api_keys(None, None, 10).await.unwrap().len(), 2);
}
