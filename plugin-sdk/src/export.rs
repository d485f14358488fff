//! From the generated traits to [`Source`], [`Sink`] and [`Webhook`], and the macros that export a connector.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::listener::exports::renmen::connector::webhook;
use crate::bindings::reader::exports::renmen::connector::{probe, source};
use crate::bindings::reader::renmen::connector::types as wit;
use crate::bindings::writer::exports::renmen::connector::sink;
use crate::{
    Action, Coverage, Delivery, Envelope, Failure, FailureKind, Omission, Page, PageFinding, Pull, Reject, Remedy,
    Sink, Source, Webhook,
};
use crate::{locate, panic};

/// Exports a type that implements [`Source`] as a connector that reads.
#[macro_export]
macro_rules! export_source {
    ($connector:ident) => {
        // A native build has no host to export to, and two connectors in one test binary must not collide.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the canonical ABI, generated")]
        const _: () = {
            type Exported = $crate::__private::Exported<$connector>;
            $crate::__private::bindings::reader::export_reader!(Exported with_types_in $crate::__private::bindings::reader);
        };
    };
}

/// Exports the [`Sink`] of a type, in addition to [`export_source!`]. The manifest names its `[actions]`.
#[macro_export]
macro_rules! export_sink {
    ($connector:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the canonical ABI, generated")]
        const _: () = {
            type Exported = $crate::__private::Exported<$connector>;
            $crate::__private::bindings::writer::export_writer!(Exported with_types_in $crate::__private::bindings::writer);
        };
    };
}

/// Exports the [`Webhook`] of a type, in addition to [`export_source!`]. The manifest has a `[webhook]`.
#[macro_export]
macro_rules! export_webhook {
    ($connector:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the canonical ABI, generated")]
        const _: () = {
            type Exported = $crate::__private::Exported<$connector>;
            $crate::__private::bindings::listener::export_listener!(Exported with_types_in $crate::__private::bindings::listener);
        };
    };
}

/// Exports a type that implements [`Source`], [`Sink`] and [`Webhook`] as a connector with every capability.
#[macro_export]
macro_rules! export_connector {
    ($connector:ident) => {
        $crate::export_source!($connector);
        $crate::export_sink!($connector);
        $crate::export_webhook!($connector);
    };
}

/// Carries a connector across to the generated traits.
#[derive(Debug)]
pub struct Exported<T>(PhantomData<T>);

fn config<C: DeserializeOwned>(json: &[u8]) -> Result<C, wit::Failure> {
    panic::report();
    let json = if json.is_empty() { b"{}" } else { json };
    locate::parse(json).map_err(|fault| Failure::bad_config(format!("config: {fault}")).into())
}

impl<T: Source> source::Guest for Exported<T> {
    fn pull(request: source::PullRequest) -> Result<source::Page, wit::Failure> {
        let config = config::<T::Config>(&request.config)?;
        let pull = Pull {
            stream: request.stream,
            cursor: request.cursor,
            only: request.only,
            max_records: request.max_records,
        };
        Ok(T::pull(config, pull)?.into())
    }
}

impl<T: Source> probe::Guest for Exported<T> {
    fn check(json: Vec<u8>) -> Result<Vec<probe::Finding>, wit::Failure> {
        let findings = T::probe(config::<T::Config>(&json)?)?;
        Ok(findings.into_iter().map(|f| probe::Finding { name: f.name, ok: f.ok, message: f.message }).collect())
    }
}

impl<T: Sink> sink::Guest for Exported<T> {
    fn push(action: sink::Action) -> Result<sink::Receipt, wit::Failure> {
        let config = config::<T::Config>(&action.config)?;
        let sink::Action { name, idempotency_key, attempt, input, .. } = action;
        let receipt = T::push(config, Action { name, idempotency_key, attempt, input })?;
        let detail = serde_json::to_vec(&receipt.detail).map_err(Failure::from)?;
        Ok(sink::Receipt { reference: receipt.reference, detail, confirmed: receipt.confirmed })
    }
}

impl<T: Webhook> webhook::Guest for Exported<T> {
    fn receive(delivery: webhook::Delivery) -> Result<webhook::Outcome, wit::Failure> {
        let config = config::<T::Config>(&delivery.config)?;
        let outcome = T::receive(
            config,
            Delivery {
                method: delivery.method,
                path_and_query: delivery.path_and_query,
                headers: delivery.headers.into_iter().map(|h| (h.name, h.value)).collect(),
                body: delivery.body,
                received_at_ms: delivery.received_at_ms,
                opened: delivery.opened,
            },
        )?;
        let headers = outcome.answer.headers.into_iter().map(|(name, value)| wit::Header { name, value }).collect();
        Ok(webhook::Outcome {
            answer: webhook::Answer {
                status: outcome.answer.status,
                headers,
                body: outcome.answer.body,
                sealed: outcome.answer.sealed,
            },
            delivery_id: outcome.delivery_id,
            records: outcome.records.into_iter().map(Into::into).collect(),
            rejects: outcome.rejects.into_iter().map(Into::into).collect(),
            refresh: outcome.refresh.into_iter().map(|r| webhook::Refresh { stream: r.stream, only: r.only }).collect(),
        })
    }
}

impl From<Page> for source::Page {
    fn from(page: Page) -> Self {
        Self {
            records: page.records.into_iter().map(Into::into).collect(),
            rejects: page.rejects.into_iter().map(Into::into).collect(),
            findings: page.findings.into_iter().map(Into::into).collect(),
            omissions: page.omissions.into_iter().map(Into::into).collect(),
            total: page.total,
            next: page.next,
            has_more: page.has_more,
            coverage: match page.coverage {
                Coverage::Changes => source::Coverage::Changes,
                Coverage::Everything => source::Coverage::Everything,
            },
        }
    }
}

impl From<PageFinding> for source::Finding {
    fn from(finding: PageFinding) -> Self {
        let PageFinding { part, code, message, needs, missing } = finding;
        let needs = match needs {
            Remedy::Operator => source::Remedy::Operator,
            Remedy::Source => source::Remedy::Source,
            Remedy::Vendor => source::Remedy::Vendor,
            Remedy::Connector => source::Remedy::Connector,
        };
        Self { part, code, message, needs, missing }
    }
}

impl From<Omission> for source::Omission {
    fn from(omission: Omission) -> Self {
        let Omission { part, rule, count, places } = omission;
        Self { part, rule, count, places }
    }
}

impl From<Envelope> for wit::Envelope {
    fn from(envelope: Envelope) -> Self {
        let Envelope { entity, external_id, updated_at_ms, deleted, exchange, pointer, payload } = envelope;
        Self { entity, external_id, updated_at_ms, deleted, exchange, pointer, payload }
    }
}

impl From<Reject> for wit::Reject {
    fn from(reject: Reject) -> Self {
        let Reject { entity, external_id, exchange, pointer, reason, raw } = reject;
        Self { entity, external_id, exchange, pointer, reason, raw }
    }
}

macro_rules! same_kinds {
    ($($kind:ident)*) => {
        impl From<FailureKind> for wit::FailureKind {
            fn from(kind: FailureKind) -> Self {
                match kind { $(FailureKind::$kind => Self::$kind,)* }
            }
        }

        impl From<wit::FailureKind> for FailureKind {
            fn from(kind: wit::FailureKind) -> Self {
                match kind { $(wit::FailureKind::$kind => Self::$kind,)* }
            }
        }
    };
}

same_kinds!(AuthRequired NotGranted RateLimited BadConfig UpstreamUnavailable UpstreamChanged InvalidInput Internal);

impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        let Failure { kind, code, message, retry_after_ms } = failure;
        Self { kind: kind.into(), code, message, retry_after_ms }
    }
}

impl From<wit::Failure> for Failure {
    fn from(failure: wit::Failure) -> Self {
        let wit::Failure { kind, code, message, retry_after_ms } = failure;
        Self { kind: kind.into(), code, message, retry_after_ms }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Finding, Receipt};

    struct Echo;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[serde(default)]
        fail: bool,
    }

    impl Source for Echo {
        type Config = Config;

        fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
            if config.fail {
                return Err(Failure::rate_limited("slow down").with_code("90018").after_ms(7));
            }
            let mut page = Page::new().everything();
            page.records.push(Envelope {
                entity: pull.stream,
                external_id: pull.only.concat(),
                updated_at_ms: Some(5),
                deleted: true,
                exchange: 2,
                pointer: "/0".into(),
                payload: b"{}".to_vec(),
            });
            Ok(page.more(pull.cursor.unwrap_or_default()))
        }
    }

    impl Sink for Echo {
        type Config = Config;

        fn push(_: Config, action: Action) -> Result<Receipt, Failure> {
            let detail = action.input::<serde_json::Map<String, serde_json::Value>>()?;
            Ok(Receipt { reference: Some(action.idempotency_key), detail, confirmed: action.attempt == 1 })
        }
    }

    fn pull(config: &[u8]) -> Result<source::Page, wit::Failure> {
        <Exported<Echo> as source::Guest>::pull(source::PullRequest {
            config: config.to_vec(),
            stream: "employees".into(),
            cursor: Some("c1".into()),
            only: vec!["e".into(), "7".into()],
            max_records: 10,
        })
    }

    #[test]
    fn a_page_crosses_with_every_field() {
        let page = pull(b"{}").unwrap();
        let record = &page.records[0];
        assert_eq!(
            (record.entity.as_str(), record.external_id.as_str(), record.pointer.as_str()),
            ("employees", "e7", "/0")
        );
        assert_eq!((record.updated_at_ms, record.deleted, record.exchange), (Some(5), true, 2));
        assert_eq!((page.next.as_deref(), page.has_more), (Some("c1"), true));
        assert!(matches!(page.coverage, source::Coverage::Everything));
    }

    #[test]
    fn a_failure_crosses_with_kind_code_and_wait_and_comes_back_the_same() {
        let crossed = pull(br#"{"fail":true}"#).unwrap_err();
        assert_eq!(Failure::from(crossed), Failure::rate_limited("slow down").with_code("90018").after_ms(7));
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_bad_config_with_its_key() {
        let failure = Failure::from(pull(br#"{"fail":"secret"}"#).unwrap_err());
        assert_eq!(failure.kind, FailureKind::BadConfig);
        assert!(failure.message.contains("/fail") && !failure.message.contains("secret"), "{failure}");
        assert!(pull(b"").is_ok(), "no configuration is an empty one");
    }

    #[test]
    fn an_action_crosses_and_a_bad_input_is_told_by_its_place() {
        let action = |input: &[u8]| sink::Action {
            config: b"{}".to_vec(),
            name: "message.send".into(),
            idempotency_key: "k".into(),
            attempt: 1,
            input: input.to_vec(),
        };
        let receipt = <Exported<Echo> as sink::Guest>::push(action(br#"{"a":1}"#)).unwrap();
        assert_eq!(
            (receipt.reference.as_deref(), receipt.detail.as_slice(), receipt.confirmed),
            (Some("k"), &br#"{"a":1}"#[..], true)
        );
        let failure = Failure::from(<Exported<Echo> as sink::Guest>::push(action(b"[]")).unwrap_err());
        assert_eq!(failure.kind, FailureKind::InvalidInput);
        assert!(failure.message.contains("message.send"), "{failure}");
    }

    #[test]
    fn without_a_probe_of_its_own_a_connector_says_so() {
        let findings = <Exported<Echo> as probe::Guest>::check(b"{}".to_vec()).unwrap();
        let default = Finding::good("configuration", "is readable; this connector tries nothing more");
        assert_eq!(
            (findings[0].name.as_str(), findings[0].message.as_str()),
            (default.name.as_str(), default.message.as_str())
        );
    }
}
