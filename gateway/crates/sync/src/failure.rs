//! Why a run stopped before its last page, and when it is worth trying again.

use std::time::Duration;

use renmen_clock::{Backoff, upper_half};
use renmen_egress::GATEWAY_MEMORY;
use renmen_plugin_host::{CallError, RunFinding};
use renmen_schema::FailureKind;
use renmen_schema::Remedy;
use serde::Serialize;

use crate::options::{RetryPolicy, millis};

/// Who can help: what decides when the stream is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Time: the vendor is down or asks to slow down.
    Wait,
    /// The operator: a credential, the grant, the configuration.
    Operator,
    /// The connector's maintainer: it or the vendor changed, or a budget is too small for it.
    Connector,
    /// No help is needed: the run was asked to stop.
    Stopped,
}

/// Why a run stopped. Texts contain neither secrets nor personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFailure {
    /// Stable code: `rate-limited`, `limit:fuel_max`, `quarantine_ratio_max`, `cursor_loop`, …
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Who can help.
    pub class: FailureClass,
    /// How long the vendor asked to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// When it will be tried again, in milliseconds since the epoch.
    pub retry_at_ms: Option<i64>,
}

impl RunFailure {
    pub(crate) fn new(code: &str, class: FailureClass, message: String) -> Self {
        Self { code: code.to_owned(), message, class, retry_after_ms: None, retry_at_ms: None }
    }

    pub(crate) fn stopped() -> Self {
        Self::new(
            "stopped",
            FailureClass::Stopped,
            "the run was asked to stop; the next one goes on from here".to_owned(),
        )
    }

    /// One line for the run's row in the store: `rate-limited: …`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }

    /// Fills in when to try again. `failures` counts this one; `dice` in 0..1 spreads the streams of a vendor that comes back.
    pub(crate) fn schedule(&mut self, policy: &RetryPolicy, waits: Waits, failures: u32, dice: f64, now_ms: i64) {
        let wait_ms = match self.class {
            FailureClass::Stopped => 0,
            // Soon at first, because the person may be at it; then seldom, because each attempt with a wrong password can count.
            FailureClass::Operator => doubled(policy.attention, waits.attention_max, failures, dice),
            FailureClass::Wait => doubled(policy.base, policy.max, failures, dice).max(self.asked_ms(waits)),
            // A fault of code seldom goes away by itself, and each attempt costs the vendor a page.
            FailureClass::Connector => doubled(policy.base, policy.max, failures.saturating_add(4), dice),
        };
        self.retry_at_ms = Some(now_ms.saturating_add(wait_ms));
    }

    /// What the vendor asked for; a day at most, because a mistaken header must not silence a stream for ever. One that asks to
    /// slow down without a time is given one.
    fn asked_ms(&self, waits: Waits) -> i64 {
        match self.retry_after_ms {
            Some(asked_ms) => i64::try_from(asked_ms).unwrap_or(i64::MAX).min(24 * 3_600_000),
            None if self.code == FailureKind::RateLimited.name() => millis(waits.slow_down),
            None => 0,
        }
    }
}

/// A connection's own waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// The longest where only a person can help.
    pub(crate) attention_max: Duration,
    /// After a vendor that asks to slow down and does not say for how long.
    pub(crate) slow_down: Duration,
}

/// A wait that doubles with the failures, spread over its upper half. Milliseconds.
fn doubled(first: Duration, longest: Duration, failures: u32, dice: f64) -> i64 {
    millis(upper_half(Backoff { first, longest }.wait(failures), dice))
}

impl From<&CallError> for RunFailure {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::Failure { kind, code, message, retry_after_ms, .. } => Self {
                code: kind.name().to_owned(),
                message: match code {
                    Some(code) => format!("{message} [{code}]"),
                    None => message.clone(),
                },
                class: class_of(*kind),
                retry_after_ms: *retry_after_ms,
                retry_at_ms: None,
            },
            // Not the connector's budget but the process's: it passes when others give back.
            CallError::Budget { budget: GATEWAY_MEMORY, message, .. } => {
                Self::new(&format!("limit:{GATEWAY_MEMORY}"), FailureClass::Wait, message.clone())
            }
            CallError::Budget { budget, message, .. } => Self::new(
                &format!("limit:{budget}"),
                FailureClass::Connector,
                format!(
                    "{message}; raise `{budget}` under the connection's [limits] if the connector is right to need it"
                ),
            ),
            CallError::Crashed { message, .. } => {
                Self::new("crashed", FailureClass::Connector, format!("the connector crashed: {message}"))
            }
        }
    }
}

impl From<&RunFinding> for RunFailure {
    /// A part that a targeted read could not read: the read is tried again.
    fn from(finding: &RunFinding) -> Self {
        let class = match finding.needs {
            Remedy::Operator | Remedy::Source => FailureClass::Operator,
            Remedy::Vendor => FailureClass::Wait,
            Remedy::Connector => FailureClass::Connector,
        };
        Self::new(&finding.code, class, format!("{}: {}", finding.part, finding.message))
    }
}

fn class_of(kind: FailureKind) -> FailureClass {
    match kind {
        FailureKind::RateLimited | FailureKind::UpstreamUnavailable => FailureClass::Wait,
        FailureKind::AuthRequired | FailureKind::NotGranted | FailureKind::BadConfig => FailureClass::Operator,
        FailureKind::UpstreamChanged | FailureKind::InvalidInput | FailureKind::Internal => FailureClass::Connector,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use renmen_plugin_host::Usage;

    use super::*;
    use crate::IngestLimits;

    fn failed(kind: FailureKind, retry_after_ms: Option<u64>) -> RunFailure {
        let usage = Usage::default();
        RunFailure::from(&CallError::Failure {
            kind,
            code: None,
            message: "no".to_owned(),
            retry_after_ms,
            proved: false,
            usage,
        })
    }

    fn wait(mut failure: RunFailure, failures: u32, dice: f64) -> i64 {
        failure.schedule(&RetryPolicy::default(), IngestLimits::default().waits(), failures, dice, 0);
        failure.retry_at_ms.unwrap()
    }

    #[test]
    fn a_vendor_that_asks_to_wait_is_given_that_time_but_a_day_at_most() {
        assert_eq!(wait(failed(FailureKind::RateLimited, Some(90_000)), 1, 0.5), 90_000);
        assert_eq!(wait(failed(FailureKind::RateLimited, Some(u64::MAX)), 1, 0.5), 24 * 3_600_000);
    }

    #[test]
    fn a_vendor_that_asks_to_slow_down_without_a_time_is_given_one() {
        assert_eq!(wait(failed(FailureKind::RateLimited, None), 1, 0.0), 60_000);
        assert_eq!(wait(failed(FailureKind::RateLimited, Some(0)), 1, 1.0), 5_000, "it said: now");
        assert_eq!(
            wait(failed(FailureKind::UpstreamUnavailable, None), 1, 1.0),
            5_000,
            "one that is down asked for nothing"
        );
    }

    #[test]
    fn a_vendor_that_is_down_is_asked_less_and_less_often_up_to_a_limit() {
        let waits: Vec<_> = (1..=12).map(|n| wait(failed(FailureKind::UpstreamUnavailable, None), n, 1.0)).collect();
        assert_eq!(&waits[..3], &[5_000, 10_000, 20_000]);
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits[11], 15 * 60_000);
        assert_eq!(
            wait(failed(FailureKind::UpstreamUnavailable, None), u32::MAX, 0.0),
            15 * 60_000 / 2,
            "spread downwards"
        );
    }

    #[test]
    fn what_waits_for_a_person_is_retried_soon_and_then_more_and_more_rarely() {
        for kind in [FailureKind::AuthRequired, FailureKind::NotGranted, FailureKind::BadConfig] {
            let waits = [1, 2, 3, 8, 9, u32::MAX].map(|failures| wait(failed(kind, None), failures, 1.0) / 60_000);
            assert_eq!(waits, [2, 4, 8, 256, 360, 360], "minutes: soon at first, at last every six hours");
        }
        let mut failure = failed(FailureKind::AuthRequired, None);
        let waits = Waits { attention_max: Duration::from_secs(60), ..IngestLimits::default().waits() };
        failure.schedule(&RetryPolicy::default(), waits, 9, 1.0, 0);
        assert_eq!(failure.retry_at_ms, Some(60_000), "no longer than the connection says");
        assert!(
            wait(failed(FailureKind::UpstreamChanged, None), 1, 0.0)
                > wait(failed(FailureKind::UpstreamUnavailable, None), 1, 1.0)
        );
    }

    #[test]
    fn a_gateway_without_memory_is_tried_again_and_blames_no_connector() {
        let error =
            CallError::Budget { budget: GATEWAY_MEMORY, message: "all in use".to_owned(), usage: Usage::default() };
        let failure = RunFailure::from(&error);
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Wait, "limit:gateway.memory_bytes_max"));
        assert!(!failure.message.contains("[limits]"), "{}", failure.message);
    }

    #[test]
    fn a_spent_budget_is_named_with_its_key() {
        let error =
            CallError::Budget { budget: "fuel_max", message: "used 2000000000".to_owned(), usage: Usage::default() };
        let failure = RunFailure::from(&error);
        assert_eq!(failure.code, "limit:fuel_max");
        assert!(failure.line().contains("raise `fuel_max` under the connection's [limits]"), "{}", failure.line());
    }
}
