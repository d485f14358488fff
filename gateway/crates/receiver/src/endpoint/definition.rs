//! What an endpoint is told, and the flows that feed it. The rules here are those of the configuration file too; only the file may
//! name an address that is not public, or plain http.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use renmen_egress::not_public;
use renmen_schema::EntityKind;
use renmen_schema::event::{CHANGE_KINDS, is_change_kind, is_field_pointer};
use renmen_schema::id::ConnectionName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};

use super::{EndpointError, SEND};

/// Characters of a value that an error repeats.
const SHOWN_CHARS_MAX: usize = 80;

/// An endpoint as it is defined, whether in the configuration or over the API; the store keeps it in this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointDefinition {
    /// Where events go.
    pub url: String,
    /// The entities whose changes are sent, such as `employee`.
    pub entities: Vec<String>,
    /// Which changes; all of them when it is empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub changes: BTreeSet<String>,
    /// What may leave of each entity's records, as JSON Pointers. Nothing where it is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Vec<String>>,
    /// False: nothing is sent.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl EndpointDefinition {
    /// Refuses one of the API that cannot be. What only the flows can tell is checked by [`renmen_flow::Definition::parse`].
    pub(super) fn check(&self) -> Result<(), EndpointError> {
        check_url(&self.url)?;
        if let Some(entity) = self.entities.iter().find(|entity| EntityKind::from_name(entity).is_none()) {
            let shown: String = entity.chars().take(SHOWN_CHARS_MAX).collect();
            return Err(EndpointError::invalid(
                format!("`entities` names `{shown}`, which is not an entity; `/v1/schema` lists them"),
                format!("`entities` 中的 `{shown}` 不是实体，`/v1/schema` 列出全部实体"),
            ));
        }
        if self.entities.is_empty() {
            return Err(EndpointError::invalid(
                "`entities` is empty: name at least one entity",
                "`entities` 为空：请至少写一个实体",
            ));
        }
        if !self.changes.iter().all(|change| is_change_kind(change)) {
            return Err(EndpointError::invalid(
                "`changes` may name created, updated and deleted",
                "`changes` 只能取 created、updated、deleted",
            ));
        }
        if self.fields.keys().any(|entity| !self.entities.contains(entity)) {
            return Err(EndpointError::invalid(
                "`fields` names an entity that is not among `entities`",
                "`fields` 中有不在 `entities` 里的实体",
            ));
        }
        if !self.fields.values().flatten().all(|pointer| is_field_pointer(pointer)) {
            return Err(EndpointError::invalid(
                "`fields` takes JSON Pointers, such as \"/name\"",
                "`fields` 须为 JSON Pointer，例如 \"/name\"",
            ));
        }
        Ok(())
    }

    /// The changes that are told of, with the default written out.
    #[must_use]
    pub fn told_changes(&self) -> BTreeSet<String> {
        if self.changes.is_empty() { CHANGE_KINDS.map(str::to_owned).into() } else { self.changes.clone() }
    }

    /// The flows that feed it, by name: one for each entity, so that each has its own fields.
    #[must_use]
    pub fn flows(&self, name: &ConnectionName) -> BTreeMap<String, Value> {
        let flow = |entity: &String| {
            let definition = json!({
                "enabled": self.enabled,
                "when": { "entity": entity, "change": self.told_changes() },
                "fields": self.fields.get(entity).cloned().unwrap_or_default(),
                "map": "record",
                "to": { "connection": name.as_str(), "action": SEND },
            });
            (format!("{}{entity}", flow_prefix(name)), definition)
        };
        self.entities.iter().map(flow).collect()
    }
}

/// What the names of an endpoint's flows begin with. No flow of the file or the API can have such a name.
fn flow_prefix(name: &ConnectionName) -> String {
    format!("events:{name}:")
}

/// The endpoint that a flow of this name feeds; none for any other flow.
pub(super) fn fed_endpoint(flow: &str) -> Option<ConnectionName> {
    let (name, entity) = flow.strip_prefix("events:")?.split_once(':')?;
    EntityKind::from_name(entity)?;
    ConnectionName::new(name).ok()
}

fn check_url(text: &str) -> Result<(), EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::invalid("`url` is not a URL", "`url` 不是有效的网址"))?;
    if url.scheme() != "https" || url.host_str().is_none() {
        return Err(EndpointError::invalid("`url` must begin with https://", "`url` 必须以 https:// 开头"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::invalid(
            "`url` has a user or a password in it: take them out",
            "`url` 中含有用户名或密码，请去掉",
        ));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        // Where a name leads is known when it is resolved, and it is asked each time.
        Some(Host::Domain(_)) | None => None,
    };
    if let Some(range) = address.and_then(not_public) {
        return Err(EndpointError::invalid(
            format!(
                "`url` names an address that is not public ({range}): only an endpoint in the configuration can be allowed to reach it"
            ),
            format!("`url` 中的地址不是公网地址（{range}）：只有在配置文件中定义的端点才能获准访问它"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fault = fn(&mut EndpointDefinition);

    fn definition(change: impl FnOnce(&mut EndpointDefinition)) -> EndpointDefinition {
        let mut definition = EndpointDefinition {
            url: "https://receiver.example.com/hooks".into(),
            entities: vec!["employee".into()],
            changes: BTreeSet::new(),
            fields: BTreeMap::from([("employee".into(), vec!["/work/title".into()])]),
            enabled: true,
        };
        change(&mut definition);
        definition
    }

    #[test]
    fn a_definition_is_taken_and_each_fault_of_it_is_named_in_both_languages() {
        for good in ["https://receiver.example.com/hooks", "https://1.1.1.1/", "https://[2606:4700:4700::1111]/"] {
            assert!(definition(|d| d.url = good.into()).check().is_ok(), "{good}");
        }
        let faults: [(&str, Fault); 12] = [
            ("is not a URL", |d| d.url = "receiver".into()),
            ("https://", |d| d.url = "http://receiver.example.com/".into()),
            ("a password", |d| d.url = "https://me:canary@receiver.example.com/".into()),
            ("not public (loopback)", |d| d.url = "https://127.0.0.1:9/hooks".into()),
            ("not public (private)", |d| d.url = "https://10.0.0.8/".into()),
            ("not public (loopback)", |d| d.url = "https://[::ffff:7f00:1]/".into()),
            ("not public (cloud metadata)", |d| d.url = "https://169.254.169.254/".into()),
            ("`employe`, which is not an entity", |d| d.entities = vec!["employe".into()]),
            ("is empty", |d| d.entities.clear()),
            ("created, updated and deleted", |d| d.changes = ["moved".to_owned()].into()),
            ("not among `entities`", |d| d.entities = vec!["job".into()]),
            ("JSON Pointers", |d| d.fields = BTreeMap::from([("employee".into(), vec!["title".into()])])),
        ];
        for (told, fault) in faults {
            let Err(EndpointError::Invalid { en, zh }) = definition(fault).check() else { panic!("{told}: was taken") };
            assert!(en.contains(told) && !en.contains("canary"), "{en}");
            assert!(!zh.is_ascii() && !zh.contains("canary"), "{zh}");
        }
    }

    #[test]
    fn each_entity_has_a_flow_of_its_own_and_its_name_leads_back_to_the_endpoint() -> Result<(), String> {
        let name = ConnectionName::new("erp").map_err(|error| error.to_string())?;
        let flows = definition(|d| d.entities = vec!["employee".into(), "job".into()]).flows(&name);
        assert_eq!(flows.keys().collect::<Vec<_>>(), ["events:erp:employee", "events:erp:job"]);
        assert_eq!(flows["events:erp:employee"]["fields"], json!(["/work/title"]));
        assert_eq!(flows["events:erp:job"]["fields"], json!([]), "nothing leaves that is not named");
        assert!(flows.keys().all(|flow| fed_endpoint(flow) == Some(name.clone())));
        for other in ["events", "events:erp", "events:erp:employe", "event:erp:employee", "events:Erp:job"] {
            assert_eq!(fed_endpoint(other), None, "{other}");
        }
        Ok(())
    }
}
