//! Who may write which records: what the operator granted, within what each plugin carries. This decides whose
//! interviews are acted on and whose pay bands are used where the file names no connection, and which flows any
//! connection's records could trigger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use renmen_config::{Config, Connection, LateProblem};
use renmen_flow::Definition;
use renmen_interview::Sources;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::Manifest;
use renmen_schema::shown::line;
use renmen_schema::{EntityKind, Text, text};
use renmen_store::BUILT_IN_CONNECTION;
use renmen_sync::{ConnectionRuntime, EntityGrant};

/// What the gateway writes through its own connection by itself, in addition to what no connector writes.
const ALSO_BUILT_IN: [EntityKind; 2] = [EntityKind::ProcessNode, EntityKind::DimensionScore];

/// What the operator must have said before a connection writes anything outside of `--dev`.
pub(super) fn missing(connection: &Connection, manifest: &Manifest) -> Vec<LateProblem> {
    let carried: Vec<&str> = manifest.entities().into_iter().collect();
    if connection.grant.entities.is_some() || carried.is_empty() {
        return Vec::new();
    }
    let known = |name: &&&str| EntityKind::from_name(name).is_some();
    let paste = carried.iter().filter(known).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let (where_to, prefix) = match connection.says("grant") {
        true => (text!("add to `grant`", "请在 `grant` 中加上"), ""),
        false => (text!("write", "请写"), "grant."),
    };
    vec![LateProblem {
        key: "grant.entities".into(),
        at: None,
        message: text!(
            "`grant.entities` is missing: which records a connection may write is yours to say, not its plugin's",
            "缺少 `grant.entities`：连接可以写入哪些记录由您决定，而非插件"
        ),
        help: text!(
            "plugin `{}` carries {}; {where_to} those that you allow: `{prefix}entities = [{paste}]`",
            "插件 `{}` 可写入 {}；{where_to}您允许的：`{prefix}entities = [{paste}]`",
            line(&manifest.name),
            carried.iter().map(|name| line(name).into_owned()).collect::<Vec<_>>().join(", ")
        ),
    }]
}

/// What a connection may write.
pub(super) fn granted(connection: &Connection) -> EntityGrant {
    match &connection.grant.entities {
        None => EntityGrant::Manifest,
        Some(kinds) => EntityGrant::Only(kinds.iter().copied().collect()),
    }
}

/// What a connection whose plugin is not loaded could write: what it was granted; without a grant anything, unless it
/// was switched off by hand.
fn could_write(connection: &Connection) -> BTreeSet<EntityKind> {
    match &connection.grant.entities {
        Some(kinds) => kinds.iter().copied().collect(),
        None if connection.enabled => EntityKind::ALL.iter().copied().filter(|kind| !kind.is_gateway_only()).collect(),
        None => BTreeSet::new(),
    }
}

/// What each connection may write, by tenant.
pub(crate) struct Writers(BTreeMap<TenantId, BTreeMap<ConnectionName, BTreeSet<EntityKind>>>);

impl Writers {
    /// For every connection of the file. One that is off now still counts among those that could be meant: otherwise
    /// bringing it down would be enough to take its place.
    pub(crate) fn of(config: &Config, loaded: &[Arc<ConnectionRuntime>]) -> Self {
        let mut all = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (name, connection) in &config.connections {
            let runtime = loaded.iter().find(|one| one.tenant() == &connection.tenant && one.name() == name);
            let writes = runtime.map_or_else(|| could_write(connection), |runtime| runtime.writes());
            all.entry(connection.tenant.clone()).or_default().insert(name.clone(), writes);
        }
        Self(all)
    }

    /// Which connections of a tenant may write an entity.
    fn who(&self, tenant: &TenantId, kind: EntityKind) -> Vec<&ConnectionName> {
        let own = self.0.get(tenant).into_iter().flatten();
        own.filter(|(_, kinds)| kinds.contains(&kind)).map(|(name, _)| name).collect()
    }

    /// The named connections, or the only one of each tenant that could be meant. If several could be meant, none is
    /// used: otherwise a connection that the operator did not choose could put itself in.
    fn named_or_only(&self, named: &[ConnectionName], kind: EntityKind) -> BTreeSet<ConnectionName> {
        if !named.is_empty() {
            return named.iter().cloned().collect();
        }
        let of_tenant = |tenant: &TenantId| match self.who(tenant, kind).as_slice() {
            [only] => Some((*only).clone()),
            _ => None,
        };
        self.0.keys().filter_map(of_tenant).collect()
    }
}

/// The connections whose records count in the interview loop.
pub(crate) fn sources(config: &Config, writers: &Writers) -> Sources {
    let said = &config.interview;
    Sources {
        vendors: writers.named_or_only(&said.vendors, EntityKind::Interview),
        beside: said.sources.iter().map(|(of, beside)| (of.clone(), beside.iter().cloned().collect())).collect(),
    }
}

/// The connections whose pay bands are used.
pub(crate) fn pay_bands(config: &Config, writers: &Writers) -> BTreeSet<ConnectionName> {
    writers.named_or_only(&config.interview.pay_bands, EntityKind::PayBand)
}

/// What is valid but perhaps not intended: the part of the file, and why.
pub(crate) fn remarks(config: &Config, writers: &Writers) -> Vec<(String, Text)> {
    let mut remarks = Vec::new();
    let said = &config.interview;
    for (key, named, kind, nothing) in [
        ("vendors", &said.vendors, EntityKind::Interview, text!("no interview is acted on", "不会处理任何面试")),
        (
            "pay_bands",
            &said.pay_bands,
            EntityKind::PayBand,
            text!("no question about a pay band is answered", "不会回答任何薪酬带询问"),
        ),
    ] {
        let place = format!("interview.{key}");
        for tenant in writers.0.keys().filter(|_| named.is_empty()) {
            let could = writers.who(tenant, kind);
            if could.len() > 1 {
                let list = list(could);
                let why = text!(
                    "{list} may write `{}`, and none of them is named, so {nothing}: write `{key} = [\"…\"]` under [interview]",
                    "{list} 都可写入 `{}`，却没有写明任何一个，因此{nothing}：请在 [interview] 下写 `{key} = [\"…\"]`",
                    kind.name()
                );
                remarks.push((place.clone(), why));
            }
        }
        let writes = |name: &ConnectionName| writers.0.keys().any(|tenant| writers.who(tenant, kind).contains(&name));
        for name in named.iter().filter(|name| !writes(name) && !config.elsewhere.contains_key(*name)) {
            let why = text!(
                "it names `{name}`, and no connection of that name may write `{}`: correct the name, or grant it",
                "写了 `{name}`，而没有该名称的连接可写入 `{}`：请更正名称，或授权",
                kind.name()
            );
            remarks.push((place.clone(), why));
        }
    }
    let there = |name: &ConnectionName| {
        config.elsewhere.contains_key(name) || writers.0.values().any(|own| own.contains_key(name))
    };
    for name in
        said.sources.iter().flat_map(|(of, beside)| std::iter::once(of).chain(beside)).filter(|name| !there(name))
    {
        remarks.push((
            "interview.sources".to_owned(),
            text!("it names `{name}`, but no connection has that name", "写了 `{name}`，但没有该名称的连接"),
        ));
    }
    if config.gateway.public_url.is_some()
        && said.decision_link_key.is_none()
        && config.store.url.expose().starts_with("postgres")
    {
        remarks.push((
            "interview.decision_link_key_file".to_owned(),
            text!(
                "it is not set, so each gateway seals links to decisions with a key of its own: where several share this database, \
                 a link of one opens nothing at another; give them the same key",
                "未设置，每个网关用自己的密钥密封决定链接：多个网关共用此数据库时，一个网关的链接在另一个网关打不开；请使用相同的密钥"
            ),
        ));
    }
    remarks.extend(config.flows.iter().filter_map(|(name, flow)| {
        let definition = Definition::parse(&flow.definition).ok()?;
        Some((format!("flows.{name}"), open_to(&definition, &writers.setters(&flow.tenant, definition.when.entity))?))
    }));
    remarks
}

/// Why a flow is triggered by more than was perhaps intended.
fn open_to(definition: &Definition, setters: &[String]) -> Option<Text> {
    let kind = definition.when.entity;
    if !definition.enabled || !definition.when.connections.is_empty() || (setters.len() < 2 && !kind.is_gateway_only())
    {
        return None;
    }
    let names = setters.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let first = setters.first().map_or("…", String::as_str);
    Some(text!(
        "`when.connection` is missing, so a `{}` from each of these triggers it: {names}; name those that should, such as \
         `connection = \"{first}\"`",
        "缺少 `when.connection`，因此以下每一个送来的 `{}` 都会触发它：{names}；请写明应触发的连接，例如 `connection = \"{first}\"`",
        kind.name()
    ))
}

impl Writers {
    /// The connections that could write records of an entity, the gateway's own first.
    fn setters(&self, tenant: &TenantId, kind: EntityKind) -> Vec<String> {
        let own = kind.is_gateway_only() || kind.is_written_by_people() || ALSO_BUILT_IN.contains(&kind);
        let own = own.then(|| BUILT_IN_CONNECTION.to_owned());
        own.into_iter().chain(self.who(tenant, kind).into_iter().map(ToString::to_string)).collect()
    }
}

fn list(names: Vec<&ConnectionName>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
