//! What only the plugin or the vault knows to be wrong with a connection: its configuration, its slots, its streams. Told as the
//! configuration's own errors are, all at once, each at its place in the file with what to write.

use renmen_config::{Connection, LateProblem, Slot};
use renmen_plugin_host::LoadError;
use renmen_schema::id::{SlotName, StreamName};
use renmen_schema::manifest::Manifest;
use renmen_schema::shown::line;
use renmen_schema::{Text, text};
use serde_json::Value;

use crate::exit::Usage;

/// Wrong values under `config`, by the manifest's schema.
///
/// # Errors
/// [`Usage`] when the schema itself cannot be used: that is the plugin's fault.
pub(super) fn config_problems(manifest: &Manifest, config: &Value) -> Result<Vec<LateProblem>, Usage> {
    let plugin = line(&manifest.name);
    let Some(schema) = &manifest.config_schema else {
        let is_given = config.as_object().is_some_and(|keys| !keys.is_empty());
        let problem = || LateProblem {
            key: "config".into(),
            at: None,
            message: text!("plugin `{plugin}` takes no `config`", "插件 `{plugin}` 没有 `config`"),
            help: text!("take it out", "请删除"),
        };
        return Ok(is_given.then(problem).into_iter().collect());
    };
    let validator = jsonschema::validator_for(schema).map_err(|e| {
        let why = line(&e.to_string()).into_owned();
        Usage(text!(
            "the config_schema of plugin `{plugin}` is not a JSON Schema: {why}",
            "插件 `{plugin}` 的 config_schema 不是 JSON Schema：{why}"
        ))
    })?;
    let known = schema["properties"].as_object().into_iter().flatten().map(|(key, _)| line(key).into_owned());
    let known = known.collect::<Vec<_>>().join(", ");
    let help = text!("plugin `{plugin}` takes: {}", "插件 `{plugin}` 的配置项为：{}", known);
    let problem = |error: jsonschema::ValidationError<'_>| LateProblem {
        key: key_of(&error.instance_path().to_string()),
        at: None,
        message: Text::rendered(|| line(&told(&error).to_string()).into_owned()),
        help: help.clone(),
    };
    Ok(validator.iter_errors(config).map(problem).collect())
}

/// What is wrong with a value. The schema is the plugin's, and it is quoted; of a choice every option is told.
fn told(error: &jsonschema::ValidationError<'_>) -> Text {
    match error.kind() {
        jsonschema::error::ValidationErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(ToString::to_string);
            let options = options.collect::<Vec<_>>().join(", ");
            text!("{} is not one of {options}", "{} 不是 {options} 之一", error.instance())
        }
        _ => Text::verbatim(error.to_string()),
    }
}

/// `/streams/0/url` as the file names it: `config.streams[0].url`.
fn key_of(pointer: &str) -> String {
    let mut key = String::from("config");
    for segment in pointer.split('/').skip(1) {
        match segment.parse::<usize>() {
            Ok(index) => key.push_str(&format!("[{index}]")),
            Err(_) => key.push_str(&format!(".{}", segment.replace("~1", "/").replace("~0", "~"))),
        }
    }
    key
}

/// Streams that the plugin does not have.
pub(super) fn stream_problems(manifest: &Manifest, connection: &Connection) -> Vec<LateProblem> {
    let known = || manifest.streams.keys().map(StreamName::as_str).collect::<Vec<_>>().join(", ");
    let strays = connection.streams.keys().filter(|stream| !manifest.streams.contains_key(*stream));
    let problem = |stream: &StreamName| LateProblem {
        key: format!("streams.{stream}"),
        at: None,
        message: text!("plugin `{}` has no stream `{stream}`", "插件 `{}` 没有数据流 `{stream}`", line(&manifest.name)),
        help: text!("it has: {}", "可用的为：{}", known()),
    };
    strays.map(problem).collect()
}

/// Slots that the plugin does not have.
pub(super) fn stray_slots(manifest: &Manifest, connection: &Connection) -> Vec<LateProblem> {
    let known = || manifest.slots.keys().map(SlotName::as_str).collect::<Vec<_>>().join(", ");
    let strays = connection.slots.keys().filter(|slot| !manifest.slots.contains_key(*slot));
    let problem = |slot: &SlotName| LateProblem {
        key: format!("slots.{slot}"),
        at: None,
        message: text!("plugin `{}` has no slot `{slot}`", "插件 `{}` 没有凭据槽 `{slot}`", line(&manifest.name)),
        help: text!("it has: {}", "可用的为：{}", known()),
    };
    strays.map(problem).collect()
}

/// A slot that must be filled and is not.
pub(super) fn empty_slot(slot: &SlotName, about: &str) -> LateProblem {
    LateProblem {
        key: format!("slots.{slot}"),
        at: None,
        message: text!("slot `{slot}` is empty ({})", "凭据槽 `{slot}` 为空（{}）", line(about)),
        help: text!(
            "write `slots.{slot} = {{ env = \"VARIABLE\" }}`",
            "请写 `slots.{slot} = {{ env = \"VARIABLE\" }}`"
        ),
    }
}

/// A secret that cannot be had. The error says what to do and holds nothing of the secret.
pub(super) fn no_secret(slot: &SlotName, connection: &Connection, error: &anyhow::Error) -> LateProblem {
    // One that the operator gave under another slot's name stands there.
    let given: Option<(&SlotName, &Slot)> = connection.slots.get_key_value(slot);
    let key = given.map_or_else(|| "slots".to_owned(), |(name, _)| format!("slots.{name}"));
    let message = text!("slot `{slot}`: {error:#}", "凭据槽 `{slot}`：{error:#}");
    LateProblem { key, at: None, message, help: Text::default() }
}

/// A plugin that does not load, at the key that names it.
pub(super) fn load_problem(error: &LoadError) -> LateProblem {
    let key = if matches!(error, LoadError::DigestMismatch { .. }) { "digest" } else { "plugin" };
    LateProblem { key: key.into(), at: None, message: Text::rendered(|| error.to_string()), help: Text::default() }
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn a_pointer_into_the_configuration_is_a_key_of_the_file() {
        assert_eq!(key_of(""), "config");
        assert_eq!(key_of("/base_url"), "config.base_url");
        assert_eq!(key_of("/streams/pay/columns/3/parse"), "config.streams.pay.columns[3].parse");
        assert_eq!(key_of("/a~1b"), "config.a/b");
    }
}
