//! `seal` as a connector meets it: what each slot answers, and what asking costs.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac as _};
use renmen_egress::SEAL_PARTS_MAX;
use renmen_plugin_host::{Call, CallError, CallLimits, HostOptions, HostTuning, Page, PluginHost};
use sha2::Sha256;

use crate::harness::{Bench, CANARY, CIPHER, DIGEST, PLAIN, PROVING, SIGNING, first, hostile_component};

fn budget(result: Result<Page, CallError>) -> (&'static str, String) {
    match result {
        Err(CallError::Budget { budget, message, .. }) => (budget, message),
        Err(other) => panic!("no budget but {other}"),
        Ok(page) => panic!("a page of {} records", page.records.len()),
    }
}

fn hmac(key: &str, parts: &[&[u8]]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    hex::encode(mac.finalize().into_bytes())
}

/// A connector that asks every slot for everything: it gets HMACs of the one slot that is sealed for signing, and whether a guess
/// is right of the two that are sealed for verifying. Each answer is told as `SLOT FUNCTION: ANSWER`.
#[tokio::test]
async fn of_all_its_slots_a_connector_is_answered_those_that_are_sealed_for_it_and_as_a_signature_would() {
    let bench = Bench::new().await;
    let page = bench.pull("seal_attack", |_| ()).await.unwrap_or_else(|error| panic!("{error}"));
    let told: Vec<&str> = page.records.iter().map(|record| record.external_id.as_str()).collect();
    let of = |begin: &str| told.iter().filter_map(|text| text.strip_prefix(begin)).collect::<Vec<_>>();

    let messages: [&[&[u8]]; 6] = [&[], &[b""], &[b"A"], &[b"m", b"z"], &[&[0; 16], &[0; 32]], &[&[0xff; 64]]];
    assert_eq!(of("signing sign: "), messages.map(|parts| hmac(SIGNING, parts)));
    for slot in ["signing", "proving"] {
        assert_eq!(of(&format!("{slot} verify: ")), ["false"; 6], "a guess");
    }
    for refused in [
        "proving sign",
        "key sign",
        "key verify",
        "digest sign",
        "digest verify",
        "cipher sign",
        "cipher verify",
        "plain sign",
        "plain verify",
        "none sign",
        "none verify",
    ] {
        let answers: BTreeSet<&str> = of(&format!("{refused}: ")).into_iter().collect();
        assert_eq!(answers.len(), 1, "one answer, no matter what was asked: {refused} {answers:?}");
        assert!(
            answers.iter().all(|answer| answer.starts_with("refused, ") && answer.contains("is not sealed")),
            "{answers:?}"
        );
    }
    let all = told.concat();
    for secret in [CANARY, SIGNING, PROVING, DIGEST, CIPHER, PLAIN] {
        assert!(!all.contains(secret) && !all.contains(&hex::encode(secret)), "a secret came out");
    }
}

#[tokio::test]
async fn asking_once_more_than_seal_calls_max_ends_the_call() {
    let bench = Bench::new().await;
    let (name, message) = budget(bench.pull("seal_flood", |_| ()).await);
    assert_eq!(
        (name, message.as_str()),
        ("seal_calls_max", "the connector asked `seal` 1001 times in one call, allowed are 1000")
    );
    // Its 96 questions are within, and one fewer is not.
    assert!(bench.pull("seal_attack", |limits| limits.seal_calls_max = 96).await.is_ok());
    assert_eq!(budget(bench.pull("seal_attack", |limits| limits.seal_calls_max = 95).await).0, "seal_calls_max");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn one_byte_over_seal_bytes_max_ends_the_call_and_the_key_counts() {
    let bench = Bench::new().await;
    let sign = async |bytes: usize| {
        let mut pull = first("seal_bytes");
        pull.cursor = Some(bytes.to_string());
        let limits = CallLimits { seal_bytes_max: 1_000, ..(*bench.call.limits).clone() };
        let call = Call { limits: limits.into(), ..bench.call.clone() };
        bench.plugin.pull(call, pull).await
    };
    assert!(sign(1_000 - SIGNING.len()).await.is_ok());
    let (name, message) = budget(sign(1_001 - SIGNING.len()).await);
    assert_eq!(name, "seal_bytes_max");
    assert!(message.contains("1001 bytes") && message.contains("allowed are 1000"), "{message}");
}

#[tokio::test]
async fn all_that_is_sealed_in_one_call_counts_against_hostcall_bytes_max() {
    let bench = Bench::new().await;
    let (name, message) = budget(bench.pull("seal_burn", |limits| limits.hostcall_bytes_max = 4 << 20).await);
    assert_eq!(name, "hostcall_bytes_max");
    assert!(message.contains("`seal`"), "{message}");
    let within = bench.pull("seal_burn", |limits| {
        limits.hostcall_bytes_max = 4 << 20;
        limits.page_records_max = 3;
    });
    assert!(within.await.is_ok());
}

#[tokio::test]
async fn what_the_host_hashes_is_paid_with_the_connectors_fuel() {
    let bench = Bench::new().await;
    let few = |limits: &mut CallLimits| limits.page_records_max = 4;
    let fuel = bench.pull("seal_burn", few).await.unwrap().usage.fuel;
    assert!(fuel > 4 * 8 * (1 << 20), "four mebibytes at eight units a byte: {fuel}");
    let enough = bench.pull("seal_burn", |limits| {
        few(limits);
        limits.fuel_max = fuel;
    });
    assert!(enough.await.is_ok());
    let short = bench.pull("seal_burn", |limits| {
        few(limits);
        limits.fuel_max = fuel / 2;
    });
    assert_eq!(budget(short.await).0, "fuel_max");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_signature_of_more_parts_than_are_allowed_is_refused_before_any_is_hashed() {
    let bench = Bench::new().await;
    let page = bench.pull("seal_parts", |_| ()).await.unwrap();
    let told: Vec<&str> = page.records.iter().map(|record| record.external_id.as_str()).collect();
    assert_eq!(SEAL_PARTS_MAX, 16);
    assert_eq!(told, ["16: 32 bytes", "17: 17 parts to seal; at most 16: join them"]);
}

/// With one thread for all connectors, a call that comes while a long text is being hashed is done before the hashing is.
#[tokio::test]
async fn a_long_text_does_not_hold_the_thread_that_hashes_it() {
    let tuning = HostTuning { threads: 1, ..HostTuning::default() };
    let host = PluginHost::with_tuning(HostOptions { cache_dir: None, dev: true }, tuning).unwrap();
    let plugin = host.load_bytes(hostile_component(), None).await.unwrap();
    let bench = Bench::new().await;
    let limits = CallLimits {
        seal_bytes_max: 48 << 20,
        hostcall_bytes_max: 64 << 20,
        memory_bytes_max: 256 << 20,
        ..(*bench.call.limits).clone()
    };
    let call = Call { limits: limits.into(), ..bench.call.clone() };
    let done = std::cell::RefCell::new(Vec::new());
    let pull = async |name: &'static str, cursor: Option<String>| {
        let asked = renmen_plugin_host::Pull { cursor, ..first(name) };
        plugin.pull(call.clone(), asked).await.unwrap_or_else(|error| panic!("{error}"));
        done.borrow_mut().push(name);
    };
    let long = pull("seal_bytes", Some((40 << 20).to_string()));
    tokio::join!(long, pull("idle", None));
    assert_eq!(*done.borrow(), ["idle", "seal_bytes"]);
}
