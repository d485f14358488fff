//! One file, several writers.

use std::sync::Arc;

use renmen_schema::id::TenantId;
use renmen_vault::{MasterKey, Secret, Vault};

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

#[test]
fn writers_that_opened_the_file_separately_do_not_undo_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = Arc::new(dir.path().join("vault.json"));
    let key = MasterKey::generate().unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (path, key) = (path.clone(), key.clone());
            std::thread::spawn(move || {
                let vault = Vault::open(&path, key, tenant()).unwrap();
                for number in 0..10 {
                    vault
                        .put(&tenant(), &format!("{writer}/{number}"), &Secret::new(format!("value {writer} {number}")))
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let vault = Vault::open(&path, key, tenant()).unwrap();
    assert_eq!(vault.list().unwrap().len(), 40);
    assert_eq!(vault.get(&tenant(), "3/9").unwrap().expose(), "value 3 9");
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone/vault.json");
    let vault = Vault::open(&path, MasterKey::generate().unwrap(), tenant()).unwrap();
    let error = vault.put(&tenant(), "a", &Secret::new("v".to_owned())).unwrap_err();
    assert!(error.to_string().contains("gone"), "{error}");
}
