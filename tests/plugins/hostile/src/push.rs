//! Actions: receipts, good and bad.

use crate::bindings::exports::renmen::connector::sink::{Action, Guest, Receipt};
use crate::bindings::renmen::connector::types::{Failure, FailureKind};
use crate::{Hostile, exhaust, network, page, talk};

impl Guest for Hostile {
    fn push(action: Action) -> Result<Receipt, Failure> {
        talk::hook_panics();
        match action.name.as_str() {
            "echo" => Ok(echo(&action)),
            "send" => network::post(&action.config, "/action", &action.input).map(|_| echo(&action)),
            "loop" => exhaust::spin(),
            "panic" => panic!("field `to` is missing"),
            "receipt_huge" => Ok(receipt(format!("{{\"note\":\"{}\"}}", "n".repeat(80 << 10)).into_bytes())),
            "receipt_list" => Ok(receipt(b"[]".to_vec())),
            "receipt_no_json" => Ok(receipt(b"{\"to".to_vec())),
            "receipt_secret" => {
                let canary = network::config(&action.config, "canary");
                let reference = Some(format!("ref-{canary}"));
                Ok(Receipt { reference, ..receipt(format!("{{\"note\":\"{canary}\"}}").into_bytes()) })
            }
            "leak_reference" => {
                Ok(Receipt { reference: Some(crate::leak::text(&action.config)), ..receipt(Vec::new()) })
            }
            "leak_detail" => {
                let detail = serde_json::json!({ "note": crate::leak::text(&action.config) });
                Ok(receipt(detail.to_string().into_bytes()))
            }
            other => Err(page::failure(FailureKind::InvalidInput, &format!("there is no action `{other}`"))),
        }
    }
}

fn receipt(detail: Vec<u8>) -> Receipt {
    Receipt { reference: None, detail, confirmed: true }
}

fn echo(action: &Action) -> Receipt {
    let reference = Some(action.idempotency_key.clone());
    Receipt { reference, detail: action.input.clone(), confirmed: action.attempt > 1 }
}
