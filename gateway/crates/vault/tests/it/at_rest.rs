//! What lies on the disk, and what opens it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use renmen_vault::{MasterKey, Resolver, Secret, Source, Vault, VaultError};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

#[test]
fn what_is_put_in_comes_out_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    let vault = Vault::open(&path, key.clone()).unwrap();
    assert!(vault.list().unwrap().is_empty());
    assert!(!path.exists(), "opening alone writes nothing");
    vault.put("dingtalk/app", &secret("one")).unwrap();
    vault.put("b", &secret("two")).unwrap();
    vault.put("b", &secret("three")).unwrap();

    let again = Vault::open(&path, key).unwrap();
    assert_eq!(again.list().unwrap(), ["b", "dingtalk/app"]);
    assert_eq!(again.get("b").unwrap().expose(), "three");
    again.remove("b").unwrap();
    assert!(matches!(again.get("b"), Err(VaultError::EntryMissing { .. })));
    assert!(matches!(again.remove("b"), Err(VaultError::EntryMissing { .. })));
    let through = Resolver { vault: Some(&again), env: &|_| None, dev: false };
    assert_eq!(through.resolve(&Source::Vault("dingtalk/app".into())).unwrap().expose(), "one");
}

#[test]
fn f15_no_form_of_a_secret_is_found_in_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let vault = Vault::open(&path, MasterKey::generate().unwrap()).unwrap();
    let canary = secret("CANARY-9f31-made-up-secret");
    vault.put("canary", &canary).unwrap();
    vault.rotate_master_key(MasterKey::generate().unwrap()).unwrap();
    let forms = canary.sensitive_forms();
    assert!(forms.len() >= 6, "raw, base64 and hex at least");
    let mut seen = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        seen += bytes.len();
        for form in &forms {
            assert!(
                !bytes.windows(form.len()).any(|window| window == form.as_slice()),
                "a form of the secret is on the disk"
            );
        }
    }
    assert!(seen > 0);
    assert!(!format!("{vault:?}").contains("CANARY"));
}

#[test]
fn the_file_is_private_and_an_exposed_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    Vault::open(&path, key.clone()).unwrap().put("a", &secret("one")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Vault::open(&path, key), Err(VaultError::Exposed { mode: 0o644, .. })));
}

#[test]
fn a_wrong_key_is_told_from_a_damaged_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    Vault::open(&path, key.clone()).unwrap().put("a", &secret("one")).unwrap();
    let error = Vault::open(&path, MasterKey::generate().unwrap()).unwrap_err();
    assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
    assert!(error.to_string().contains("give the key it was made with"), "{error}");

    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(Vault::open(&path, key.clone()), Err(VaultError::Damaged { .. })));
    fs::write(&path, whole.replace("renmen-vault/1", "renmen-vault/9")).unwrap();
    assert!(matches!(Vault::open(&path, key.clone()), Err(VaultError::Damaged { .. })));
    fs::write(&path, whole).unwrap();
    assert_eq!(Vault::open(&path, key).unwrap().get("a").unwrap().expose(), "one");
}

#[test]
fn an_entry_moved_under_another_name_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    let vault = Vault::open(&path, key).unwrap();
    vault.put("production", &secret("one")).unwrap();
    vault.put("untouched", &secret("two")).unwrap();
    let moved = fs::read_to_string(&path).unwrap().replace("production", "staging");
    fs::write(&path, moved).unwrap();
    assert!(matches!(vault.get("staging"), Err(VaultError::Damaged { .. })));
    assert_eq!(vault.get("untouched").unwrap().expose(), "two", "the others still open");
}

#[test]
fn rotation_seals_every_entry_anew_and_shuts_the_old_key_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let (old, fresh) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let vault = Vault::open(&path, old.clone()).unwrap();
    for number in 0..20 {
        vault.put(&format!("entry-{number}"), &secret(&format!("value-{number}"))).unwrap();
    }
    vault.rotate_master_key(fresh.clone()).unwrap();
    assert_eq!(vault.get("entry-7").unwrap().expose(), "value-7");
    assert!(matches!(Vault::open(&path, old), Err(VaultError::WrongKey { .. })));
    let again = Vault::open(&path, fresh).unwrap();
    for number in 0..20 {
        assert_eq!(again.get(&format!("entry-{number}")).unwrap().expose(), format!("value-{number}"));
    }
}

#[test]
fn names_and_sizes_have_limits() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(&dir.path().join("v"), MasterKey::generate().unwrap()).unwrap();
    for name in ["", "has blank", "名", &"x".repeat(129)] {
        assert!(
            matches!(vault.put(name, &secret("v")), Err(VaultError::Limit { limit: "vault_name_bytes_max", .. })),
            "{name}"
        );
    }
    vault.put(&"x".repeat(128), &secret("v")).unwrap();
    for value in [String::new(), "x".repeat(renmen_vault::SECRET_BYTES_MAX + 1)] {
        assert!(matches!(
            vault.put("a", &Secret::new(value)),
            Err(VaultError::Limit { limit: "secret_bytes_max", .. })
        ));
    }
    vault.put("a", &Secret::new("x".repeat(renmen_vault::SECRET_BYTES_MAX))).unwrap();
}
