//! The budgets that a connector is tried under, and what its author can do when one of them, or the connector itself, gave way.

use std::time::Duration;

use renmen_plugin_host::{CallError, CallLimits};

/// What a gateway allows one call where its configuration says nothing: what fits here fits there.
#[must_use]
pub fn gateway_limits() -> CallLimits {
    CallLimits {
        fuel_max: 20_000_000_000,
        wall_clock: Duration::from_secs(180),
        memory_bytes_max: 128 << 20,
        hostcall_bytes_max: 64 << 20,
        http_calls_max: 500,
        page_records_max: 10_000,
        page_bytes_max: 32 << 20,
        log_lines_max: 1_000,
        ..CallLimits::default()
    }
}

/// What to change in the connector; none where the failure says it itself.
#[must_use]
pub(crate) fn advice(error: &CallError) -> Option<&'static str> {
    let budget = match error {
        CallError::Failure { .. } => return None,
        CallError::Crashed { .. } => {
            return Some("no unwrap on what a vendor sends: refuse the row with Unfit, or the call with a Failure");
        }
        CallError::Budget { budget, .. } => *budget,
    };
    Some(match budget {
        "fuel_max" => "look for an endless loop; otherwise ask the vendor for smaller pages",
        "wall_clock" => "send fewer requests for a page, or ask for smaller pages: the cursor remembers where to go on",
        "memory_bytes_max" => "keep less at once: ask for smaller pages, and map rows as they are read",
        "hostcall_bytes_max" | "page_bytes_max" => "make the page smaller: leave out what no canonical field takes",
        "http_calls_max" => "look for a loop around the requests; one page needs a few, the cursor leads to the next",
        "page_records_max" => {
            "pass max_records to the vendor, and where the vendor gives more, keep the rest for the next page"
        }
        "seal_calls_max" => "ask for each signature once, and join what is signed together",
        "seal_bytes_max" => "sign a digest of a long text, or ask the operator for more where a vendor signs that much",
        "receipt_bytes_max" => "put the vendor's id into the receipt, not the vendor's answer",
        "answer_bytes_max" => "answer a delivery only with what the vendor waits for",
        "refreshes_max" => "ask for the whole stream where very many records changed",
        "log_lines_max" => "do not log each row",
        _ => return None,
    })
}

/// The failure with what to do about it.
pub(crate) fn told(error: &CallError) -> String {
    match advice(error) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use renmen_plugin_host::Usage;

    use super::*;

    #[test]
    fn every_budget_and_a_crash_say_what_to_change() {
        for budget in [
            "fuel_max",
            "wall_clock",
            "memory_bytes_max",
            "hostcall_bytes_max",
            "seal_calls_max",
            "seal_bytes_max",
            "http_calls_max",
            "page_records_max",
            "page_bytes_max",
            "receipt_bytes_max",
            "answer_bytes_max",
            "refreshes_max",
            "log_lines_max",
        ] {
            let error = CallError::Budget { budget, message: "it was too much".into(), usage: Usage::default() };
            let told = told(&error);
            assert!(told.starts_with(&format!("limit {budget}: it was too much; ")), "{told}");
        }
        let crashed = CallError::Crashed { message: "panicked at src/record.rs:49".into(), usage: Usage::default() };
        assert!(told(&crashed).contains("src/record.rs:49; no unwrap"));
    }
}
