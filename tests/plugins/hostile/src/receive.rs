//! Deliveries: outcomes, good and bad. The path says which.

use crate::bindings::exports::renmen::connector::webhook::{Answer, Delivery, Guest, Outcome, Refresh};
use crate::bindings::renmen::connector::types::{Failure, FailureKind, Header};
use crate::bindings::renmen::connector::{http, seal};
use crate::{Hostile, exhaust, network, page, talk};

impl Guest for Hostile {
    fn receive(delivery: Delivery) -> Result<Outcome, Failure> {
        talk::hook_panics();
        match delivery.path_and_query.split('?').next().unwrap_or_default() {
            "/echo" => Ok(Outcome { delivery_id: Some("d-1".to_owned()), ..answer(200, delivery.body) }),
            "/signed" => signed(&delivery),
            "/asks" => asks(&delivery),
            "/loop" => exhaust::spin(),
            "/slow" => network::get(&delivery.config, "/never").map(|_| answer(200, Vec::new())),
            "/panic" => panic!("header `x-event` is missing"),
            // What the host opened, if it opened anything.
            "/opened" => Ok(answer(200, delivery.opened.unwrap_or_else(|| b"nothing".to_vec()))),
            "/answer_sealed" => {
                let mut outcome = answer(200, b"success".to_vec());
                outcome.answer.sealed = true;
                Ok(outcome)
            }
            "/answer_huge" => Ok(answer(200, vec![b'a'; 80 << 10])),
            "/answer_status" => Ok(answer(99, Vec::new())),
            "/answer_secret" => Ok(answer(200, network::config(&delivery.config, "canary").into_bytes())),
            "/header_secret" => {
                let mut outcome = answer(200, Vec::new());
                let value = network::config(&delivery.config, "canary");
                outcome.answer.headers.push(Header { name: "x-note".to_owned(), value });
                Ok(outcome)
            }
            "/records" => {
                let records = (0..2_000).map(|n| page::record(n, b"{}")).collect();
                Ok(Outcome { records, ..answer(200, Vec::new()) })
            }
            "/leak_id" => {
                let delivery_id = Some(crate::leak::text(&delivery.config));
                Ok(Outcome { delivery_id, ..answer(200, Vec::new()) })
            }
            "/leak_refresh" => {
                let only = vec![crate::leak::text(&delivery.config)];
                Ok(Outcome { refresh: vec![Refresh { stream: "healthy".to_owned(), only }], ..answer(200, Vec::new()) })
            }
            "/leak_record" => {
                let stolen = serde_json::json!({ "number": crate::leak::text(&delivery.config) }).to_string();
                let records = vec![page::record(0, b"{}"), page::record(1, stolen.as_bytes())];
                Ok(Outcome { records, ..answer(200, Vec::new()) })
            }
            "/heavy" => Ok(Outcome { delivery_id: Some("d".repeat(2 << 20)), ..answer(200, Vec::new()) }),
            "/refreshes" => {
                let only = (0..800).map(|n| n.to_string()).collect();
                let one = Refresh { stream: "healthy".to_owned(), only };
                Ok(Outcome { refresh: vec![one.clone(), one], ..answer(200, Vec::new()) })
            }
            other => Err(page::failure(FailureKind::InvalidInput, &format!("there is no path `{other}`"))),
        }
    }
}

fn answer(status: u16, body: Vec<u8>) -> Outcome {
    Outcome {
        answer: Answer { status, headers: Vec::new(), body, sealed: false },
        delivery_id: None,
        records: Vec::new(),
        rejects: Vec::new(),
        refresh: Vec::new(),
    }
}

/// As an honest connector does it.
fn signed(delivery: &Delivery) -> Result<Outcome, Failure> {
    let given = delivery.headers.iter().find(|header| header.name == "x-signature");
    if !seal::verify(
        "proving",
        std::slice::from_ref(&delivery.body),
        &from_hex(given.map_or("", |header| &header.value)),
    )? {
        return Err(page::failure(FailureKind::AuthRequired, "the signature is wrong"));
    }
    Ok(Outcome { records: vec![page::record(1, &delivery.body)], ..answer(204, Vec::new()) })
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Reads something on the way: its exchange is not the delivery's.
fn asks(delivery: &Delivery) -> Result<Outcome, Failure> {
    let response = http::send(&network::request(&delivery.config, "/one"))?;
    let mut record = page::record(1, b"{}");
    record.exchange = response.exchange;
    Ok(Outcome { records: vec![page::record(0, b"{}"), record], ..answer(200, Vec::new()) })
}
