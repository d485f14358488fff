//! No error, no Debug and no Display shows a secret, wherever in the file it was put.

use crate::{DIGEST, read, read_dev, refused};

const HUSH: &str = "hush-hush-canary";

/// A file with a mistake on or near a line with a secret: `$` is replaced by the secret.
fn leaks(template: &str) -> bool {
    let text = template.replace('§', HUSH);
    let error = read(&text, true).map(|_| panic!("{text} was taken")).unwrap_err();
    let shown = format!("{error} {error:?}");
    shown.contains(HUSH) || shown.contains("hush-")
}

#[test]
fn a_mistake_beside_a_secret_does_not_show_it() {
    for template in [
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { value = \"§\", oops = 1 }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { valeu = \"§\" }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = \"§\"\n",
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { value = '§ }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { value = § }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { env = \"§\" }\n",
        "[connections.a]\nplugin = \"p.wasm\"\n[connections.a.slots]\napp = { x = \"§\" }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { value = \"\"\"\n§\\q\n\"\"\" }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nconfig = { app_secret = \"§\" }\n",
        "[connections.a]\nplugin = \"p.wasm\"\nconfig = { password = \"§\", url = \"${ABSENT}\" }\n",
        "[store]\nurl = \"mysql://root:§@db/hr\"\n",
        "[vault]\npath = \"v\"\nkey_env = \"§\"\n",
        "[vault]\npath = \"v\"\nkey = \"§\"\n",
        "[endpoints.a]\nurl = \"https://u:§@b/\"\nentities = [\"employee\"]\nslots.secret = { env = \"X\" }\n",
        "[channels.a]\nkind = \"sms\"\nurl = \"https://u:§@b/{{ to }}\"\n",
        "[channels.a]\nkind = \"mail\"\nhost = \"b\"\nfrom = \"a@b.c\"\nslots.login = \"§\"\n",
    ] {
        assert!(!leaks(template), "{template}");
    }
}

#[test]
fn a_value_of_the_environment_is_not_shown() {
    for text in [
        "[connections.a]\nplugin = \"p.wasm\"\nstreams.x = { every = \"${CANARY}\" }\n",
        "[gateway]\nlisten = \"${CANARY}\"\n",
        "[gateway]\ntenant = \"${CANARY} \"\n",
        "[store]\nurl = \"${CANARY}\"\n",
        "[connections.a]\nplugin = \"${CANARY}\"\n",
        "[connections.a]\nplugin = \"p.wasm\"\ngrant = { hosts = [\"${CANARY}\"] }\n",
    ] {
        let error = read(text, true).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary-from"), "{error}");
        assert!(error.to_string().contains("connectors.toml:"), "{error}");
    }
}

#[test]
fn what_was_read_does_not_show_its_secrets_either() {
    let config = read_dev(
        "[store]\nurl = \"postgres://u:${DB_PASSWORD}@db/hr?password=hush-hush-canary\"\n\n\
         [connections.a]\nplugin = \"p.wasm\"\nslots.app = { value = \"hush-hush-canary\" }\n",
    );
    let shown = format!("{config:?} {}", config.store.url);
    assert!(!shown.contains("canary-db") && !shown.contains(HUSH), "{shown}");
    assert!(shown.contains("postgres://db/hr") && shown.contains("[redacted]"), "{shown}");
}

#[test]
fn a_secret_in_the_config_of_a_plugin_is_refused_at_every_depth() {
    let text = |config: &str| {
        format!("[connections.a]\nplugin = \"p.wasm\"\ndigest = \"{DIGEST}\"\nconfig = {{ {config} }}\n")
    };
    for bad in ["app_secret = \"x\"", "deep = { API_KEY = \"x\" }", "access_token = \"x\""] {
        assert!(refused(&text(bad)).contains("looks like a secret"), "{bad}");
    }
    for good in ["token_url = \"https://x\"", "secret = false", "key_columns = [\"a\"]"] {
        assert!(read(&text(good), false).is_ok(), "{good}");
    }
}
