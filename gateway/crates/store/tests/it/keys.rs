//! API keys.

use renmen_store::ApiKeyRow;

use crate::bed::on_both;
use crate::puller::{key_of, tenant};

on_both! {
    async fn a_key_is_found_by_its_hash_and_its_end_is_kept(bed: &Bed) {
        let key = ApiKeyRow { hash: [7; 32], label: "erp".into(), tenant: tenant(), created_at_ms: 5, revoked_at_ms: None };
        bed.store.put_api_key(key.clone()).await.unwrap();
        bed.store.put_api_key(ApiKeyRow { revoked_at_ms: Some(9), ..key }).await.unwrap();
        let found = bed.store.api_key(&[7; 32]).await.unwrap().unwrap();
        assert_eq!((found.label.as_str(), found.tenant, found.revoked_at_ms), ("erp", tenant(), Some(9)));
        assert!(bed.store.api_key(&[8; 32]).await.unwrap().is_none());
        assert_eq!(bed.store.api_keys(&tenant()).await.unwrap().len(), 1);
        assert!(bed.store.api_keys(&key_of("globex", "s").tenant).await.unwrap().is_empty());
    }
}
