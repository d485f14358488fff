//! What lies on the disk, and what opens it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use renmen_schema::id::TenantId;
use renmen_vault::{MasterKey, OWN_PREFIX, Resolver, Secret, Source, Vault, VaultError};

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn acme() -> TenantId {
    tenant("acme")
}

fn open(path: &Path, key: MasterKey) -> Result<Vault, VaultError> {
    Vault::open(path, key, tenant("default"))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

#[test]
fn what_is_put_in_comes_out_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    let vault = open(&path, key.clone()).unwrap();
    assert!(vault.list().unwrap().is_empty());
    assert!(!path.exists(), "opening alone writes nothing");
    vault.put(&acme(), "dingtalk/app", &secret("one")).unwrap();
    vault.put(&acme(), "b", &secret("two")).unwrap();
    vault.put(&acme(), "b", &secret("three")).unwrap();

    let again = open(&path, key).unwrap();
    assert_eq!(again.list().unwrap(), [(acme(), "b".to_owned()), (acme(), "dingtalk/app".to_owned())]);
    assert_eq!(again.get(&acme(), "b").unwrap().expose(), "three");
    again.remove(&acme(), "b").unwrap();
    assert!(matches!(again.get(&acme(), "b"), Err(VaultError::EntryMissing { .. })));
    assert!(matches!(again.remove(&acme(), "b"), Err(VaultError::EntryMissing { .. })));
    let through = Resolver { vault: Some((&again, &acme())), env: &|_| None, dev: false };
    assert_eq!(through.resolve(&Source::Vault("dingtalk/app".into())).unwrap().expose(), "one");
}

#[test]
fn f15_no_form_of_a_secret_is_found_in_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let vault = open(&path, MasterKey::generate().unwrap()).unwrap();
    let canary = secret("CANARY-9f31-made-up-secret");
    vault.put(&acme(), "canary", &canary).unwrap();
    vault.rotate_master_key(MasterKey::generate().unwrap()).unwrap();
    let base64 =
        |before: &str| base64::engine::general_purpose::STANDARD.encode(format!("{before}{}", canary.expose()));
    let hex: String = canary.expose().bytes().map(|byte| format!("{byte:02x}")).collect();
    // In base64 the first signs depend on what stands before, the last ones on what follows.
    let within = ["", "a", "ab"].map(|before| base64(before)[4..32].to_owned());
    let forms = [vec![canary.expose().to_owned(), hex.to_ascii_uppercase(), hex], within.to_vec()].concat();
    let mut seen = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        seen += bytes.len();
        for form in &forms {
            assert!(
                !bytes.windows(form.len()).any(|window| window == form.as_bytes()),
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
    open(&path, key.clone()).unwrap().put(&acme(), "a", &secret("one")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(open(&path, key), Err(VaultError::Exposed { mode: 0o644, .. })));
}

#[test]
fn a_wrong_key_is_told_from_a_damaged_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    open(&path, key.clone()).unwrap().put(&acme(), "a", &secret("one")).unwrap();
    let error = open(&path, MasterKey::generate().unwrap()).unwrap_err();
    assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
    assert!(error.to_string().contains("give the key it was made with"), "{error}");

    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(open(&path, key.clone()), Err(VaultError::Damaged { .. })));
    fs::write(&path, whole.replace("renmen-vault/2", "renmen-vault/9")).unwrap();
    assert!(matches!(open(&path, key.clone()), Err(VaultError::Damaged { .. })));
    fs::write(&path, whole).unwrap();
    assert_eq!(open(&path, key).unwrap().get(&acme(), "a").unwrap().expose(), "one");
}

#[test]
fn an_entry_moved_under_another_name_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let key = MasterKey::generate().unwrap();
    let vault = open(&path, key).unwrap();
    vault.put(&acme(), "production", &secret("one")).unwrap();
    vault.put(&acme(), "untouched", &secret("two")).unwrap();
    let moved = fs::read_to_string(&path).unwrap().replace("production", "staging");
    fs::write(&path, moved).unwrap();
    assert!(matches!(vault.get(&acme(), "staging"), Err(VaultError::Damaged { .. })));
    assert_eq!(vault.get(&acme(), "untouched").unwrap().expose(), "two", "the others still open");
}

#[test]
fn rotation_seals_every_entry_anew_and_shuts_the_old_key_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let (old, fresh) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let vault = open(&path, old.clone()).unwrap();
    for number in 0..20 {
        vault.put(&acme(), &format!("entry-{number}"), &secret(&format!("value-{number}"))).unwrap();
    }
    vault.rotate_master_key(fresh.clone()).unwrap();
    assert_eq!(vault.get(&acme(), "entry-7").unwrap().expose(), "value-7");
    assert!(matches!(open(&path, old), Err(VaultError::WrongKey { .. })));
    let again = open(&path, fresh).unwrap();
    for number in 0..20 {
        assert_eq!(again.get(&acme(), &format!("entry-{number}")).unwrap().expose(), format!("value-{number}"));
    }
}

#[test]
fn names_and_sizes_have_limits() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(&dir.path().join("v"), MasterKey::generate().unwrap()).unwrap();
    for name in ["", "has blank", "名", &"x".repeat(129)] {
        assert!(
            matches!(
                vault.put(&acme(), name, &secret("v")),
                Err(VaultError::Limit { limit: "vault_name_bytes_max", .. })
            ),
            "{name}"
        );
    }
    vault.put(&acme(), &"x".repeat(128), &secret("v")).unwrap();
    for value in [String::new(), "x".repeat(renmen_vault::SECRET_BYTES_MAX + 1)] {
        assert!(matches!(
            vault.put(&acme(), "a", &Secret::new(value)),
            Err(VaultError::Limit { limit: "secret_bytes_max", .. })
        ));
    }
    vault.put(&acme(), "a", &Secret::new("x".repeat(renmen_vault::SECRET_BYTES_MAX))).unwrap();
}

#[test]
fn a_name_is_a_name_within_its_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let vault = open(&path, MasterKey::generate().unwrap()).unwrap();
    let beta = tenant("beta");
    vault.put(&acme(), "app", &secret("of acme")).unwrap();
    let missing = |found: Result<Secret, VaultError>| match found {
        Err(VaultError::EntryMissing { tenant, name, .. }) => (tenant, name),
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(vault.get(&beta, "app")), (beta.clone(), "app".to_owned()));
    let (yours, nobodys) = (vault.get(&beta, "app").unwrap_err(), vault.get(&beta, "gone").unwrap_err());
    assert_eq!(
        yours.to_string().replace("`app`", "").replace(" app ", " "),
        nobodys.to_string().replace("`gone`", "").replace(" gone ", " "),
        "what another tenant has is not told"
    );
    assert!(matches!(vault.remove(&beta, "app"), Err(VaultError::EntryMissing { .. })));
    vault.put(&beta, "app", &secret("of beta")).unwrap();
    assert_eq!(vault.get(&acme(), "app").unwrap().expose(), "of acme");
    assert_eq!(vault.get(&beta, "app").unwrap().expose(), "of beta");
    vault.remove(&acme(), "app").unwrap();
    assert_eq!(vault.list().unwrap(), [(beta, "app".to_owned())]);
}

#[test]
fn an_edit_of_the_file_moves_no_secret_to_another_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.json");
    let vault = open(&path, MasterKey::generate().unwrap()).unwrap();
    vault.put(&acme(), "app", &secret("of acme")).unwrap();
    let moved = fs::read_to_string(&path).unwrap().replace("\"acme\"", "\"beta\"");
    fs::write(&path, moved).unwrap();
    let error = vault.get(&tenant("beta"), "app").unwrap_err();
    assert!(matches!(&error, VaultError::Damaged { reason, .. } if reason.english().contains("tenant")), "{error}");
}

#[test]
fn the_gateways_own_entries_have_names_that_nobody_can_give() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(&dir.path().join("v"), MasterKey::generate().unwrap()).unwrap();
    let own = format!("{OWN_PREFIX}endpoint/erp/1");
    assert!(matches!(vault.put(&acme(), &own, &secret("v")), Err(VaultError::Limit { .. })));
    vault.put_own(&acme(), &own, &secret("v")).unwrap();
    assert_eq!(vault.get(&acme(), &own).unwrap().expose(), "v");
    for bad in ["endpoint/erp/1", OWN_PREFIX, "gateway:a b", "gateway:a:b"] {
        assert!(matches!(vault.put_own(&acme(), bad, &secret("v")), Err(VaultError::Limit { .. })), "{bad}");
    }
}
