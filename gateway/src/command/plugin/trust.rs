//! `renmen plugin keygen`, `sign` and `verify`.

use std::path::Path;

use renmen_kit::sign;
use renmen_schema::{Text, text};
use renmen_vault::{Resolver, Secret, Source};
use serde_json::json;

use crate::cli::Common;
use crate::cli::plugin::Passphrase;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// Makes a pair of keys.
pub(super) fn keygen(out: Output, base: &Path, passphrase: &Passphrase, bare: bool) -> anyhow::Result<Outcome> {
    let phrase = secret(passphrase)?;
    if phrase.is_none() && !bare {
        let fix = text!(
            "give --passphrase-env VARIABLE or --passphrase-file PATH, or --no-passphrase and keep the file safe yourself",
            "请给出 --passphrase-env 变量 或 --passphrase-file 路径，或用 --no-passphrase 并自行妥善保管文件"
        );
        return Err(Usage(text!(
            "without a passphrase anyone with the file can sign: {fix}",
            "没有口令时，拿到文件的人都能签名：{fix}"
        ))
        .into());
    }
    let key = sign::keygen(base, phrase.as_ref())?;
    if out.json {
        out.document(&json!({ "secret": key.secret, "public": key.public, "key": key.text, "id": key.id }))?;
    } else {
        out.say(text!(
            "{} is the secret key: keep it private, and keep a backup\n{} is the public key (id {}). To trust it, add\n\n\
             [plugins]\ntrusted_keys = {{ a-name-for-you = \"{}\" }}",
            "{} 是私钥：请妥善保密并另存备份\n{} 是公钥（编号 {}）。要信任它，请加入\n\n\
             [plugins]\ntrusted_keys = {{ a-name-for-you = \"{}\" }}",
            key.secret.display(),
            key.public.display(),
            key.id,
            key.text
        ));
    }
    Ok(Outcome::Done)
}

/// Signs a component.
pub(super) fn sign(out: Output, file: &Path, key: &Path, passphrase: &Passphrase) -> anyhow::Result<Outcome> {
    let (signature, signed) = sign::sign(file, key, secret(passphrase)?.as_ref())?;
    if out.json {
        out.document(&json!({ "signature": signature, "digest": signed.digest }))?;
    } else {
        let signed = format!("{} {} {}", signed.manifest.name, signed.manifest.version, signed.digest);
        out.say(Text::verbatim(format!("{signed}\n{}", signature.display())));
    }
    Ok(Outcome::Done)
}

/// Who signed a component? Of the keys that were typed, else of those in the configuration.
pub(super) fn verify(common: &Common, out: Output, file: &Path, keys: &[String]) -> anyhow::Result<Outcome> {
    let keys = match keys {
        [] => Deployment::load(common)?.trust()?.keys,
        typed => typed.iter().map(|text| sign::public_key(text)).collect::<Result<_, _>>()?,
    };
    if keys.is_empty() {
        return Err(Usage(text!(
            "no key to verify with: give --key, or name `trusted_keys` under [plugins]",
            "没有用于验证的密钥：请给出 --key，或在 [plugins] 下写明 `trusted_keys`"
        ))
        .into());
    }
    let (signer, found) = sign::verify(file, keys)?;
    if out.json {
        out.document(
            &json!({ "signer": signer.name, "key": signer.key, "comment": signer.comment, "digest": found.digest }),
        )?;
    } else {
        out.say(text!(
            "signed by {} (key {}): {}",
            "由 {} 签名（密钥 {}）：{}",
            signer.name,
            signer.key,
            signer.comment
        ));
    }
    Ok(Outcome::Done)
}

fn secret(passphrase: &Passphrase) -> anyhow::Result<Option<Secret>> {
    let source = match (&passphrase.passphrase_env, &passphrase.passphrase_file) {
        (Some(name), _) => Source::Env(name.clone()),
        (None, Some(path)) => Source::File(path.clone()),
        (None, None) => return Ok(None),
    };
    let env = |name: &str| std::env::var(name).ok();
    let secret = Resolver { vault: None, env: &env, dev: false }.resolve(&source);
    Ok(Some(secret.map_err(|error| Usage(Text::rendered(|| error.to_string())))?))
}
