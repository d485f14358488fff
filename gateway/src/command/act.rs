//! `renmen act`: one action for one record, by hand.

use std::io::Read as _;
use std::path::Path;

use hyper::StatusCode;
use renmen_flow::{FlowError, HandAsk, HandPlan, HandWork, Target};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::{EntityKind, Text, text};
use renmen_store::{RecordQuery, Store};
use serde_json::{Value, json};

use crate::cli::{Act as Ask, Common};
use crate::deployment::{Deployment, Running};
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use crate::running_gateway::{Question, RunningGateway, Writing, writing};

/// Characters of a person's name and of a reason, as in the API.
const PERSON_CHARS_MAX: usize = 200;
const REASON_CHARS_MAX: usize = 2_000;

/// Runs the command. Without `--apply` it only reads the store, which also works while a gateway is running.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let tenant = deployment.config.gateway.tenant.clone();
    let store = match ask.apply && !ask.list {
        false => deployment.store_to_read().await?,
        true => match writing(&deployment).await? {
            Writing::Store(store) => store,
            Writing::Gateway(gateway) => {
                let store = deployment.store_to_read().await?;
                let done = act_there(&gateway, &read(&*store, &tenant, ask).await?).await?;
                return done.show(out);
            }
        },
    };
    let running = deployment.engine(store, None).await?;
    if ask.list {
        return list(&running, out, &tenant, ask);
    }
    let hand = read(&*running.store, &tenant, ask).await?;
    if ask.apply {
        let acted = running.flows.act(&tenant, &hand).await.map_err(told)?;
        let row = &acted.delivery;
        let (connection, action) = (row.connection.to_string(), row.action.clone());
        let goes_out = text!("goes out when the gateway runs", "将在网关运行时发出");
        return DeliveryMade { id: row.id, is_new: acted.is_new, connection, action, goes_out }.show(out);
    }
    let plan = running.flows.plan_by_hand(&tenant, &hand).await.map_err(told)?;
    show(out, &plan)
}

/// A delivery of an action by hand.
struct DeliveryMade {
    id: i64,
    /// False: there was one with the same idempotency key.
    is_new: bool,
    connection: String,
    action: String,
    goes_out: Text,
}

impl DeliveryMade {
    fn show(self, out: Output) -> anyhow::Result<Outcome> {
        let Self { id, is_new, connection, action, goes_out } = self;
        if out.json {
            out.document(&json!({ "delivery": id, "new": is_new, "connection": connection, "action": action }))?;
        } else if is_new {
            out.say(text!(
                "delivery {id}: {connection} {action} {goes_out}",
                "投递 {id}：{connection} {action} {goes_out}"
            ));
        } else {
            out.say(text!(
                "delivery {id} was made before with this key; nothing was made",
                "投递 {id} 此前已用此键生成；未生成新的投递"
            ));
        }
        Ok(Outcome::Done)
    }
}

/// Has the running gateway do it.
async fn act_there(gateway: &RunningGateway, hand: &HandAsk) -> anyhow::Result<DeliveryMade> {
    let mut body = json!({ "record": hand.record, "reason": hand.reason });
    match &hand.work {
        HandWork::Flow { name, map } => {
            body["flow"] = json!(name);
            body["map"] = json!(map);
        }
        HandWork::Input { to, input } => {
            (body["connection"], body["action"]) = (json!(to.connection), json!(to.action));
            body["input"] = input.clone();
        }
        HandWork::Map { to, map, fields, with } => {
            (body["connection"], body["action"]) = (json!(to.connection), json!(to.action));
            (body["map"], body["fields"], body["with"]) = (map.clone(), fields.clone(), with.clone());
        }
    }
    let question =
        Question { body: Some(body), person: Some(&hand.by), idempotency_key: hand.idempotency_key.as_deref() };
    let answer = gateway.post("/v1/actions", question).await?;
    let is_new = answer.status == StatusCode::CREATED;
    let answer = answer.good()?;
    let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    let id = answer["delivery"]["id"].as_i64().unwrap_or_default();
    Ok(DeliveryMade {
        id,
        is_new,
        connection: text("connection"),
        action: text("action"),
        goes_out: text!("goes out now", "现在发出"),
    })
}

fn list(running: &Running, out: Output, tenant: &TenantId, ask: &Ask) -> anyhow::Result<Outcome> {
    let all = running.flows.actions(tenant);
    let wanted: Vec<_> =
        all.iter().filter(|one| ask.connection.as_ref().is_none_or(|only| one.connection == *only)).collect();
    let document: Vec<Value> = wanted
        .iter()
        .map(|one| {
            json!({
                "connection": one.connection, "action": one.action, "description": one.info.description,
                "input": one.info.input_schema,
            })
        })
        .collect();
    let rows = wanted.iter().map(|one| {
        let schema = one.info.input_schema.as_ref();
        let needed = schema.and_then(|schema| schema["required"].as_array()).cloned().unwrap_or_default();
        let keys = schema.and_then(|schema| schema["properties"].as_object()).into_iter().flatten();
        let keys = keys.map(|(key, _)| if needed.contains(&json!(key)) { format!("{key}*") } else { key.clone() });
        vec![
            one.connection.to_string(),
            one.action.clone(),
            keys.collect::<Vec<_>>().join(", "),
            one.info.description.clone(),
        ]
    });
    out.table(&["connection", "action", "input (* needed)", ""], rows, &document)?;
    Ok(Outcome::Done)
}

async fn read(store: &dyn Store, tenant: &TenantId, ask: &Ask) -> anyhow::Result<HandAsk> {
    let needs =
        |what: Text| Usage(text!("{what}; `renmen act --help` has examples", "{what}；`renmen act --help` 中有示例"));
    let record =
        ask.record.as_deref().ok_or_else(|| needs(text!("name the record with --record", "请用 --record 写明记录")))?;
    let reason =
        ask.reason.as_deref().ok_or_else(|| needs(text!("say why with --reason", "请用 --reason 写明原因")))?;
    let by = ask
        .person
        .as_deref()
        .ok_or_else(|| needs(text!("say who you are with --person", "请用 --person 写明您是谁")))?;
    Ok(HandAsk {
        record: record_of(store, tenant, record).await?,
        work: work(ask)?,
        by: text("--person", by, PERSON_CHARS_MAX)?,
        reason: text("--reason", reason, REASON_CHARS_MAX)?,
        idempotency_key: ask.idempotency_key.clone(),
    })
}

fn text(what: &str, given: &str, max: usize) -> Result<String, Usage> {
    if given.trim().is_empty() || given.chars().count() > max {
        return Err(Usage(text!(
            "{what} must have 1 to {max} characters, not only spaces",
            "{what} 须为 1 到 {max} 个字符，不能只有空格"
        )));
    }
    Ok(given.to_owned())
}

fn work(ask: &Ask) -> anyhow::Result<HandWork> {
    let json = |what: &str, text: &Option<String>| -> Result<Value, Usage> {
        let Some(text) = text else { return Ok(Value::Null) };
        serde_json::from_str(text).map_err(|error| {
            Usage(text!(
                "{what} is not JSON (line {}, column {})",
                "{what} 不是 JSON（第 {} 行第 {} 列）",
                error.line(),
                error.column()
            ))
        })
    };
    let (map, with) = (json("--map", &ask.map)?, json("--with", &ask.with)?);
    match (&ask.flow, &ask.connection, &ask.action) {
        (Some(name), None, None) if ask.field.is_empty() && with.is_null() => {
            Ok(HandWork::Flow { name: name.clone(), map: Some(map).filter(|map| !map.is_null()) })
        }
        (None, Some(connection), Some(action)) => {
            let to = Target { connection: connection.clone(), action: action.clone() };
            match &ask.input {
                Some(path) if ask.field.is_empty() && with.is_null() => {
                    Ok(HandWork::Input { to, input: read_json(path)? })
                }
                None if !map.is_null() => {
                    let fields = if ask.field.is_empty() { Value::Null } else { json!(ask.field) };
                    Ok(HandWork::Map { to, map, fields, with })
                }
                _ => Err(Usage(text!(
                    "give the input with --input FILE, or with --map and the --field and --with that it needs",
                    "请用 --input FILE 给出输入，或用 --map 及其所需的 --field 与 --with"
                ))
                .into()),
            }
        }
        _ => Err(Usage(text!(
            "name a connection and an action, or a flow with --flow",
            "请写明连接与动作，或用 --flow 写明流程"
        ))
        .into()),
    }
}

/// A file with JSON; `-` is standard input.
pub(crate) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true => std::io::stdin().read_to_end(&mut bytes).map(drop),
        false => std::fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|error| Usage(text!("{} cannot be read: {error}", "无法读取 {}：{error}", path.display())))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Usage(text!(
            "{} is not JSON (line {}, column {})",
            "{} 不是 JSON（第 {} 行第 {} 列）",
            path.display(),
            error.line(),
            error.column()
        ))
        .into()
    })
}

/// `COLLECTION/ID` or `COLLECTION/CONNECTION/EXTERNAL-ID`, which may hold more slashes.
pub(crate) async fn record_of(store: &dyn Store, tenant: &TenantId, text: &str) -> anyhow::Result<RecordId> {
    let wrong = || {
        Usage(text!(
            "write --record as COLLECTION/ID or COLLECTION/CONNECTION/EXTERNAL-ID",
            "请把 --record 写成 集合/编号 或 集合/连接/外部编号"
        ))
    };
    let (collection, rest) = text.split_once('/').ok_or_else(wrong)?;
    let kind = EntityKind::from_collection(collection).or_else(|| EntityKind::from_name(collection));
    let kind = kind.ok_or_else(|| {
        Usage(text!(
            "there is no collection `{collection}`; `renmen records` lists them",
            "没有集合 `{collection}`；`renmen records` 列出全部集合"
        ))
    })?;
    let row = match rest.split_once('/') {
        None => {
            let id: RecordId = rest.parse().map_err(|_| wrong())?;
            store.record(tenant, id).await?.filter(|row| row.entity == kind.name())
        }
        Some((connection, external_id)) => {
            let query = RecordQuery {
                entity: Some(kind.name().to_owned()),
                connection: Some(connection.parse().map_err(|_| wrong())?),
                external_id: Some(external_id.to_owned()),
                limit: 1,
                ..RecordQuery::default()
            };
            store.records(tenant, &query).await?.items.into_iter().next()
        }
    };
    Ok(row.map(|row| row.id).ok_or_else(|| {
        Usage(text!(
            "there is no record `{text}`; `renmen records {collection}` lists them",
            "没有记录 `{text}`；`renmen records {collection}` 列出记录"
        ))
    })?)
}

fn show(out: Output, plan: &HandPlan) -> anyhow::Result<Outcome> {
    let HandPlan { change, to, flow, input, defects, refused } = plan;
    let fits = defects.is_empty() && refused.is_none();
    if out.json {
        let defects: Vec<_> =
            defects.iter().map(|one| json!({ "pointer": one.pointer, "message": one.message })).collect();
        out.document(&json!({
            "dry_run": true, "connection": to.connection, "action": to.action, "flow": flow, "record": change.id,
            "revision": change.revision, "input": input, "defects": defects, "refused": refused,
        }))?;
    } else {
        out.say(text!(
            "{} {} would be sent for {} {}:",
            "将发送 {} {}，针对 {} {}：",
            to.connection,
            to.action,
            change.entity,
            change.id
        ));
        out.say(Text::verbatim(serde_json::to_string_pretty(input)?));
        for one in defects {
            out.say(text!(
                "the action does not take it: input{}: {}",
                "动作不接受该输入：input{}：{}",
                one.pointer,
                one.message
            ));
        }
        if let Some(why) = refused {
            out.say(text!("it would be refused: {why}", "将被拒绝：{why}"));
        }
        out.say(if fits {
            text!("nothing was sent: add --apply", "未发送任何内容：请加上 --apply")
        } else {
            text!("nothing was sent", "未发送任何内容")
        });
    }
    Ok(if fits { Outcome::Done } else { Outcome::Failed })
}

fn told(error: FlowError) -> anyhow::Error {
    match error {
        FlowError::NotFound(what) => Usage(text!(
            "there is no {what}; a flow of the file is known once the gateway has served it",
            "没有 {what}；文件中的流程在网关运行过之后才可用"
        ))
        .into(),
        FlowError::Defects(_) | FlowError::Refused(_) => Usage(Text::rendered(|| error.to_string())).into(),
        other => other.into(),
    }
}
