//! Trying again: when it is safe, how long to wait, and what remains when it did not help. Owns no request: it is handed one
//! attempt as a function.

use std::future::Future;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use renmen_clock::{Backoff, up_to_whole};
use renmen_schema::manifest::{RetryHeader, RetryHeaderUnit};

use crate::EgressError;
use crate::wire::{Answer, Fault};

/// How often and how patiently.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    /// Attempts after the first.
    pub(crate) retries_max: u32,
    /// The longest pause.
    pub(crate) wait_max: Duration,
    /// The first pause is up to this long; each further one up to twice the one before.
    pub(crate) backoff: Duration,
    /// The vendor's own headers that say when to ask again.
    pub(crate) headers: Vec<RetryHeader>,
}

/// Runs attempts until one gives an answer worth having. `idempotent`: doing it twice does no harm.
///
/// # Errors
/// What is left when the retries are used up; a fault that no retry can mend at once.
pub(crate) async fn persist<F, Fut>(retry: &Retry, idempotent: bool, attempt: F) -> Result<Answer, EgressError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Answer, Fault>>,
{
    let mut tried = 0;
    loop {
        let outcome = attempt().await;
        let again = match &outcome {
            Ok(answer) => is_worth_repeating(answer.status, idempotent),
            Err(Fault::Final(_)) => false,
            Err(Fault::NotSent(_)) => true,
            Err(Fault::Lost(_)) => idempotent,
        };
        let asked =
            outcome.as_ref().ok().and_then(|answer| asked_pause(&answer.headers, &retry.headers, SystemTime::now()));
        let patient = asked.is_none_or(|pause| pause <= retry.wait_max);
        if !again || !patient || tried == retry.retries_max {
            return conclude(outcome, asked, tried);
        }
        tokio::time::sleep(asked.unwrap_or_else(|| full_jitter(retry, tried))).await;
        tried += 1;
    }
}

/// 429 and 503 say that nothing was done, so they are safe for every method; the others may have come after the deed.
fn is_worth_repeating(status: u16, idempotent: bool) -> bool {
    match status {
        429 | 503 => true,
        408 | 500 | 502 | 504 | 598 => idempotent,
        _ => false,
    }
}

fn conclude(outcome: Result<Answer, Fault>, asked: Option<Duration>, tried: u32) -> Result<Answer, EgressError> {
    let attempts = tried + 1;
    let retry_after_ms = asked.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    match outcome {
        Ok(Answer { status: 429, .. }) => {
            Err(EgressError::RateLimited { message: format!("status 429 after {attempts} attempt(s)"), retry_after_ms })
        }
        // A vendor that says when to come back is not down: it asks to slow down.
        Ok(Answer { status: 503, .. }) if retry_after_ms.is_some() => Err(EgressError::RateLimited {
            message: format!("status 503 with a pause, after {attempts} attempt(s)"),
            retry_after_ms,
        }),
        Ok(Answer { status: 503, .. }) => {
            Err(EgressError::Unavailable(format!("status 503 after {attempts} attempt(s)")))
        }
        Ok(answer) => Ok(answer),
        Err(Fault::Final(error)) => Err(error),
        Err(Fault::NotSent(why) | Fault::Lost(why)) => {
            Err(EgressError::Unavailable(format!("{why} ({attempts} attempt(s))")))
        }
    }
}

/// What the vendor asks for: `Retry-After` (RFC 9110, 10.2.3: seconds or a date), or else the first of its own headers that
/// says so.
pub(crate) fn asked_pause(headers: &HeaderMap, own: &[RetryHeader], now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(asked) = text("retry-after") else {
        return own.iter().find_map(|header| own_pause(text(&header.name)?, header.unit, now));
    };
    if let Ok(seconds) = asked.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(asked).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

fn own_pause(text: &str, unit: RetryHeaderUnit, now: SystemTime) -> Option<Duration> {
    let number = text.parse::<u64>().ok()?;
    Some(match unit {
        RetryHeaderUnit::Seconds => Duration::from_secs(number),
        RetryHeaderUnit::Milliseconds => Duration::from_millis(number),
        RetryHeaderUnit::EpochSeconds => {
            let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(number))?;
            at.duration_since(now).unwrap_or_default()
        }
    })
}

/// Anything between nothing and a bound that doubles: many gateways that failed together do not come back together.
fn full_jitter(retry: &Retry, tried: u32) -> Duration {
    let whole = Backoff { first: retry.backoff, longest: retry.wait_max }.wait(tried.saturating_add(1));
    up_to_whole(whole, rand::random())
}

#[cfg(test)]
mod tests;
