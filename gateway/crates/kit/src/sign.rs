//! `renmen plugin keygen`, `sign` and `verify`: who stands behind a component. Keys and signatures are minisign's, so
//! that people who have that tool do not need ours.

use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use renmen_plugin_host::{Inspection, Signer, Trust, TrustedKey, inspect, signature_path};
use renmen_schema::{Text, text};
use renmen_vault::Secret;

use crate::{KitError, component};

/// Bytes of a key file.
const KEY_BYTES_MAX: u64 = 64 << 10;
/// Characters of a passphrase: fewer are guessed, more are refused by the format.
const PASSPHRASE_LENGTH: std::ops::RangeInclusive<usize> = 8..=1024;

/// A new pair of keys on disk.
#[derive(Debug)]
pub struct NewKey {
    /// The secret half, mode 0600.
    pub secret: PathBuf,
    /// The half for everybody.
    pub public: PathBuf,
    /// What goes into `plugins.trusted_keys`.
    pub text: String,
    /// The key's number.
    pub id: String,
}

/// Makes a pair of keys: `NAME.key`, readable by its owner alone and encrypted where there is a passphrase, and `NAME.pub`.
/// Encryption takes a second and a gigabyte of memory on purpose: that is what a guess costs, too.
///
/// # Errors
/// [`KitError::Usage`] when one of the files is there or the passphrase is too short; [`KitError::File`].
pub fn keygen(base: &Path, passphrase: Option<&Secret>) -> Result<NewKey, KitError> {
    let (secret, public) = (with_suffix(base, ".key"), with_suffix(base, ".pub"));
    for file in [&secret, &public] {
        if file.exists() {
            return Err(KitError::Usage(text!(
                "{} is there, and a key that is lost cannot be made again: give another name",
                "{} 已存在，而丢失的密钥无法重新生成：请另取名称",
                file.display()
            )));
        }
    }
    let pair = match passphrase {
        None => KeyPair::generate_unencrypted_keypair(),
        Some(phrase) => {
            let length = phrase.expose().chars().count();
            if !PASSPHRASE_LENGTH.contains(&length) {
                let (least, most) = (PASSPHRASE_LENGTH.start(), PASSPHRASE_LENGTH.end());
                return Err(KitError::Usage(text!(
                    "a passphrase of {length} characters; expected {least} to {most}",
                    "口令有 {length} 个字符；应为 {least} 到 {most} 个"
                )));
            }
            KeyPair::generate_encrypted_keypair(Some(phrase.expose().to_owned()))
        }
    };
    let failed =
        |error: minisign::PError| KitError::Usage(text!("no key could be made: {error}", "无法生成密钥：{error}"));
    let pair = pair.map_err(failed)?;
    let text = pair.sk.to_box(Some("renmen plugin signing key")).map_err(failed)?.into_string();
    write_owned(&secret, &text)?;
    let key = TrustedKey::parse("new", &pair.pk.to_base64()).map_err(|why| KitError::Usage(Text::verbatim(why)))?;
    let shown = pair.pk.to_box().map_err(failed)?.into_string();
    fs::write(&public, shown).map_err(|source| KitError::file(&public, source))?;
    Ok(NewKey { secret, public, text: key.text(), id: key.id() })
}

/// Signs a component; gives the signature's file, which lies next to it.
///
/// # Errors
/// [`KitError::Component`] for a file that is not a plugin: what a gateway would not load is not signed;
/// [`KitError::Usage`] for a key file that others can read, that is not a key, or that does not open with the
/// passphrase; [`KitError::File`].
pub fn sign(component: &Path, key: &Path, passphrase: Option<&Secret>) -> Result<(PathBuf, Inspection), KitError> {
    let bytes = component::read(component)?;
    let inspection = inspect(&bytes).map_err(|error| KitError::component(component, error))?;
    let key = open(key, passphrase)?;
    let public = PublicKey::from_secret_key(&key)
        .map_err(|error| KitError::Usage(text!("the key is damaged: {error}", "密钥已损坏：{error}")))?;
    let manifest = &inspection.manifest;
    let comment = format!("{} {} {}", manifest.name, manifest.version, inspection.digest);
    let signature =
        minisign::sign(Some(&public), &key, Cursor::new(&bytes), Some(&comment), Some("signature of a renmen plugin"));
    let signature =
        signature.map_err(|error| KitError::Usage(text!("it could not be signed: {error}", "无法签名：{error}")))?;
    let file = signature_path(component);
    fs::write(&file, signature.into_string()).map_err(|source| KitError::file(&file, source))?;
    Ok((file, inspection))
}

/// Who signed a component, of these keys.
///
/// # Errors
/// [`KitError::Component`] when there is no good signature of one of them.
pub fn verify(component: &Path, keys: Vec<TrustedKey>) -> Result<(Signer, Inspection), KitError> {
    let refused = |error| KitError::component(component, error);
    let bytes = component::read(component)?;
    let file = signature_path(component);
    let signature = if file.exists() { Some(component::read_text(&file)?) } else { None };
    let trust = Trust { keys, required: true };
    let signer = trust.check(&bytes, signature.as_deref()).map_err(refused)?;
    let signer = signer.ok_or_else(|| refused(renmen_plugin_host::LoadError::SignatureMissing))?;
    Ok((signer, inspect(&bytes).map_err(refused)?))
}

/// A key as it was typed: the 56 characters, or the `.pub` file that holds them.
///
/// # Errors
/// [`KitError::Usage`] when it is neither.
pub fn public_key(text: &str) -> Result<TrustedKey, KitError> {
    let path = Path::new(text);
    let (name, key) = if path.is_file() {
        let name = path.file_stem().map_or_else(|| text.to_owned(), |stem| stem.to_string_lossy().into_owned());
        (name, component::read_text(path)?.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned())
    } else {
        (text.chars().take(12).collect(), text.to_owned())
    };
    TrustedKey::parse(&name, &key)
        .map_err(|why| KitError::Usage(text!("--key {}: {why}", "--key {}：{why}", path.display())))
}

fn open(file: &Path, passphrase: Option<&Secret>) -> Result<SecretKey, KitError> {
    let shown = file.display();
    let meta = fs::metadata(file).map_err(|error| {
        KitError::Usage(text!(
            "{shown}: {error}; `renmen plugin keygen` makes a key",
            "{shown}：{error}；可用 `renmen plugin keygen` 生成密钥"
        ))
    })?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KitError::Usage(text!(
            "{shown} can be read by others: run `chmod 600 {shown}`",
            "{shown} 可被他人读取：请运行 `chmod 600 {shown}`"
        )));
    }
    if meta.len() > KEY_BYTES_MAX {
        return Err(KitError::Usage(text!(
            "{shown} is not a key file: it has {} bytes",
            "{shown} 不是密钥文件：有 {} 字节",
            meta.len()
        )));
    }
    let wrong = |_| {
        KitError::Usage(text!(
            "{shown} is not a minisign secret key: name the .key file",
            "{shown} 不是 minisign 私钥：请指定 .key 文件"
        ))
    };
    let text = component::read_text(file)?;
    let boxed = || SecretKeyBox::from_string(&text).map_err(wrong);
    match passphrase {
        // Asked without one, the library would prompt on the terminal: an encrypted key is told apart first.
        None => boxed()?.into_unencrypted_secret_key().map_err(|_| {
            KitError::Usage(text!("{shown} is encrypted or not a minisign secret key: give its passphrase with --passphrase-env or --passphrase-file", "{shown} 已加密，或不是 minisign 私钥：请用 --passphrase-env 或 --passphrase-file 给出口令"))
        }),
        Some(phrase) => boxed()?
            .into_secret_key(Some(phrase.expose().to_owned()))
            .map_err(|_| KitError::Usage(text!("{shown} does not open with this passphrase", "此口令打不开 {shown}"))),
    }
}

fn with_suffix(base: &Path, suffix: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A file that is its owner's alone from its first byte on.
fn write_owned(file: &Path, text: &str) -> Result<(), KitError> {
    let failed = |source| KitError::file(file, source);
    let mut written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    written.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use renmen_schema::manifest::SECTION;

    const MANIFEST: &str = "# long enough that the section's size takes two bytes, as that of every real manifest does\nname = \"acme\"\nversion = \"1.0.0\"\ndescription = \"\"\ncontract = \"0.2.0\"\n";

    /// An empty component with a manifest: enough to be inspected.
    fn component(folder: &Path) -> PathBuf {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        let size = 1 + SECTION.len() + MANIFEST.len();
        assert!((128..16_384).contains(&size), "two bytes of LEB128");
        bytes.extend([0, (size as u8 & 0x7f) | 0x80, (size >> 7) as u8, SECTION.len() as u8]);
        bytes.extend(SECTION.bytes().chain(MANIFEST.bytes()));
        let file = folder.join("acme.wasm");
        fs::write(&file, bytes).unwrap();
        file
    }

    #[test]
    fn what_was_signed_is_verified_and_what_was_changed_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = component(dir.path());
        let key = keygen(&dir.path().join("acme"), None).unwrap();
        assert_eq!(key.secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let (signature, inspection) = sign(&file, &key.secret, None).unwrap();
        assert_eq!(signature, dir.path().join("acme.wasm.minisig"));
        let by_text = public_key(&key.text).unwrap();
        let by_file = public_key(key.public.to_str().unwrap()).unwrap();
        assert_eq!((by_text.id(), by_file.name.as_str()), (key.id.clone(), "acme"));
        let (signer, _) = verify(&file, vec![by_file]).unwrap();
        assert_eq!((signer.key, signer.comment), (key.id, format!("acme 1.0.0 {}", inspection.digest)));

        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        let error = verify(&file, vec![by_text]).unwrap_err().to_string();
        assert!(error.contains("was changed after it was signed"), "{error}");
    }

    #[test]
    fn another_key_and_no_signature_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let file = component(dir.path());
        let [key, other] = ["key", "other"].map(|name| keygen(&dir.path().join(name), None).unwrap());
        let error = verify(&file, vec![public_key(&key.text).unwrap()]).unwrap_err().to_string();
        assert!(error.contains("no signature file"), "{error}");
        sign(&file, &other.secret, None).unwrap();
        let error = verify(&file, vec![public_key(&key.text).unwrap()]).unwrap_err().to_string();
        assert!(error.contains(&other.id) && error.contains(&key.id), "{error}");
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = component(dir.path());
        let key = keygen(&dir.path().join("key"), None).unwrap();
        assert!(keygen(&dir.path().join("key"), None).unwrap_err().to_string().contains("is there"));
        fs::set_permissions(&key.secret, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(sign(&file, &key.secret, None).unwrap_err().to_string().contains("chmod 600"));
        let stray = dir.path().join("stray");
        write_owned(&stray, "not a key").unwrap();
        assert!(sign(&file, &stray, None).unwrap_err().to_string().contains("not a minisign secret key"));
        let short = keygen(&dir.path().join("short"), Some(&Secret::new("1234567".into())));
        assert!(short.unwrap_err().to_string().contains("expected 8 to 1024"));
    }

    #[test]
    fn what_is_no_plugin_is_not_signed() {
        let dir = tempfile::tempdir().unwrap();
        let key = keygen(&dir.path().join("key"), None).unwrap();
        let file = dir.path().join("x.wasm");
        fs::write(&file, "text").unwrap();
        assert!(sign(&file, &key.secret, None).unwrap_err().to_string().contains("not WebAssembly"));
    }

    #[test]
    #[ignore = "a gigabyte of memory and some seconds: what a guess at the passphrase costs"]
    fn an_encrypted_key_opens_with_its_passphrase_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = component(dir.path());
        let phrase = Secret::new("a made-up passphrase".into());
        let key = keygen(&dir.path().join("key"), Some(&phrase)).unwrap();
        assert!(sign(&file, &key.secret, None).unwrap_err().to_string().contains("is encrypted"));
        let wrong = sign(&file, &key.secret, Some(&Secret::new("another one".into())));
        assert!(wrong.unwrap_err().to_string().contains("does not open"));
        sign(&file, &key.secret, Some(&phrase)).unwrap();
        assert!(verify(&file, vec![public_key(&key.text).unwrap()]).is_ok());
    }
}
