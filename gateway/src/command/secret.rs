//! `renmen secret`: what is in the encrypted store of secrets, each one tenant's. Values go in by standard input and never come
//! out.

use std::io::{IsTerminal as _, Read as _};

use renmen_schema::{Text, text};
use renmen_vault::{Secret, Vault};
use serde_json::json;

use crate::cli::{Common, Secret as Ask};
use crate::deployment::{Deployment, env_key};
use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// Longest value that is read, in bytes.
const VALUE_BYTES_MAX: u64 = 64 << 10;

/// Runs the command.
pub(crate) fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let vault = open(&deployment)?;
    deployment.tell_first_format(&vault)?;
    let own = &deployment.config.gateway.tenant;
    match ask {
        Ask::Set { name, tenant } => {
            let tenant = tenant.as_ref().unwrap_or(own);
            vault.put(tenant, name, &read_value()?)?;
            out.say(text!(
                "kept for tenant {tenant}: its slots use it with `slots.NAME = {{ vault = \"{name}\" }}`",
                "已为租户 {tenant} 保存：其凭据槽用 `slots.NAME = {{ vault = \"{name}\" }}` 引用"
            ));
        }
        Ask::List { tenant } => {
            let mut entries = vault.list()?;
            entries.retain(|(owner, _)| tenant.as_ref().is_none_or(|wanted| wanted == owner));
            let document: Vec<_> =
                entries.iter().map(|(tenant, name)| json!({ "tenant": tenant, "name": name })).collect();
            out.table(
                &["tenant", "name"],
                entries.iter().map(|(t, name)| vec![t.to_string(), name.clone()]),
                &document,
            )?;
        }
        Ask::Remove { name, tenant } => {
            vault.remove(tenant.as_ref().unwrap_or(own), name)?;
            out.say(text!("removed", "已删除"));
        }
        Ask::Rotate => {
            vault.rotate_master_key(env_key("RENMEN_VAULT_NEW_KEY")?)?;
            out.say(text!(
                "re-encrypted: start the gateway with the new key from now on",
                "已重新加密：今后请用新密钥启动网关"
            ));
        }
    }
    Ok(Outcome::Done)
}

fn open(deployment: &Deployment) -> anyhow::Result<Vault> {
    deployment.vault()?.ok_or_else(|| Usage(no_vault()).into())
}

fn no_vault() -> Text {
    text!(
        "there is no [vault] in the configuration: write `[vault]` and `path = \".renmen/vault.json\"`",
        "配置中没有 [vault]：请写 `[vault]` 与 `path = \".renmen/vault.json\"`"
    )
}

fn read_value() -> anyhow::Result<Secret> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(Usage(text!(
            "give the value on standard input: `renmen secret set NAME < file`",
            "请从标准输入给出值：`renmen secret set NAME < file`"
        ))
        .into());
    }
    let mut text = String::new();
    input.lock().take(VALUE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > VALUE_BYTES_MAX {
        return Err(
            Usage(text!("the value has more than {VALUE_BYTES_MAX} bytes", "值超过 {VALUE_BYTES_MAX} 字节")).into()
        );
    }
    let trimmed = text.trim_end_matches(['\n', '\r']).to_owned();
    Ok(Secret::new(trimmed))
}

#[cfg(test)]
mod tests {
    use super::no_vault;

    #[test]
    fn a_vault_is_suggested_where_the_example_configuration_has_it() {
        let path = "path = \".renmen/vault.json\"";
        assert!(include_str!("../../../connectors.toml").contains(path));
        let text = no_vault();
        assert!(text.english().contains(path) && text.to_string().contains("[vault]"), "{text}");
    }
}
