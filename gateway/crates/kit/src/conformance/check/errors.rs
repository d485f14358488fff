//! What the vendor's errors become. The source fails from the first request on, path by path.

use renmen_misbehave::{Answer, Content, Fault, Plan, Planned};
use renmen_plugin_host::CallError;
use renmen_schema::FailureKind;
use serde_json::Value;

use super::limits::until_failure;
use super::{CheckVerdict, Checked, rest};
use crate::conformance::bed::{Bed, Manner};
use crate::conformance::description::VendorError;

/// What `Retry-After: 7` asks for, in milliseconds.
const ASKED_MS: u64 = 7_000;

pub(super) async fn run(id: &str, bed: &Bed) -> Checked {
    use FailureKind::{AuthRequired, BadConfig, NotGranted, RateLimited, UpstreamChanged, UpstreamUnavailable};
    match id {
        "errors.auth" => expect(bed, &[Fault::Unauthorized], &[AuthRequired]).await,
        "errors.forbidden" => expect(bed, &[Fault::Forbidden], &[NotGranted]).await,
        "errors.rate" => expect(bed, &[Fault::RateLimited], &[RateLimited]).await,
        "errors.rate_bare" => expect(bed, &[Fault::RateLimitedBare], &[RateLimited]).await,
        "errors.server" => expect(bed, &[Fault::ServerError, Fault::Unavailable], &[UpstreamUnavailable]).await,
        "errors.html" => {
            let mut kinds = vec![UpstreamChanged, RateLimited, UpstreamUnavailable];
            if bed.is_table() {
                // A file whose columns are not those of its declaration waits for a person.
                kinds.push(BadConfig);
            }
            expect(bed, &[Fault::HtmlBan], &kinds).await
        }
        "errors.cut" => expect(bed, &[Fault::CutBody, Fault::SlowBody], &[UpstreamUnavailable]).await,
        "errors.shape" if bed.is_table() => Err(CheckVerdict::skipped("the source is a table")),
        "errors.shape" => expect(bed, &[Fault::OtherShape], &[UpstreamChanged]).await,
        "errors.text" if bed.is_table() => {
            Err(CheckVerdict::skipped("the source is a table, which may be in another encoding"))
        }
        "errors.text" => text(bed).await,
        "errors.vendor" => vendor(bed).await,
        other => Err(CheckVerdict::skipped(format!("`{other}` is in no file: the kit has a fault"))),
    }
}

async fn expect(bed: &Bed, faults: &[Fault], kinds: &[FailureKind]) -> Checked {
    for &fault in faults {
        // A record that is asked for alone has another shape where a required member is gone: that is one bad record.
        let all = if fault == Fault::OtherShape { bed.list_paths() } else { bed.data_paths() };
        let mut paths: Vec<Option<String>> = all.into_iter().map(Some).collect();
        if paths.is_empty() {
            paths.push(None);
        }
        for path in paths {
            rest(bed)?;
            bed.server.follow(Plan::of(vec![Planned::always(fault, path.as_deref())], 0));
            let manner = Manner { patient: fault != Fault::SlowBody, ..Manner::default() };
            let told = until_failure(bed, manner).await;
            let wait = if fault == Fault::RateLimited { Some(ASKED_MS) } else { None };
            judge(told, kinds, wait, &format!("{}: {}", path.unwrap_or_else(|| "all".to_owned()), fault.facts().what))?;
        }
    }
    Ok(())
}

fn judge(
    told: Result<crate::conformance::pulled::PulledPage, CallError>,
    kinds: &[FailureKind],
    wait: Option<u64>,
    what: &str,
) -> Checked {
    let wanted = kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" or ");
    match told {
        Err(CallError::Failure { kind, retry_after_ms, .. }) if kinds.contains(&kind) => match wait {
            Some(asked) if retry_after_ms != Some(asked) => Err(CheckVerdict::failed(
                format!("{what}: the wait of {asked} ms became {retry_after_ms:?}"),
                "pass the failure of the way out on as it is",
            )),
            _ => Ok(()),
        },
        Err(error) => Err(CheckVerdict::failed(
            format!("{what}: became {error}"),
            format!("make a failure of kind {wanted} of it"),
        )),
        Ok(page) => Err(CheckVerdict::failed(
            format!("{what}: became a page of {} record(s)", page.records.len()),
            format!("look at the answer before it is read: this is a failure of kind {wanted}"),
        )),
    }
}

async fn text(bed: &Bed) -> Checked {
    for path in bed.data_paths().into_iter().map(Some).chain(bed.data_paths().is_empty().then_some(None)) {
        rest(bed)?;
        bed.server.follow(Plan::of(vec![Planned::always(Fault::InvalidUtf8, path.as_deref())], 0));
        match until_failure(bed, Manner::default()).await {
            Err(CallError::Failure {
                kind: FailureKind::UpstreamChanged | FailureKind::UpstreamUnavailable, ..
            }) => {}
            Ok(page) if !page.rejects.is_empty() => {}
            told => judge(told, &[FailureKind::UpstreamChanged], None, "a byte of the response is not valid UTF-8")?,
        }
    }
    Ok(())
}

async fn vendor(bed: &Bed) -> Checked {
    let paths = bed.data_paths();
    let own = |error: &VendorError| error.paths.iter().map(|path| bed.path_of_first(path)).collect::<Vec<_>>();
    let of_stream = bed
        .whole()
        .errors
        .iter()
        .filter(|error| error.paths.is_empty() || own(error).iter().any(|path| paths.contains(path)));
    let errors: Vec<_> = of_stream.collect();
    if errors.is_empty() {
        return Err(CheckVerdict::skipped("no errors of the vendor are written under `errors`"));
    }
    for error in errors {
        rest(bed)?;
        let content = match &error.body {
            Value::String(text) => Content::Bytes(text.clone().into_bytes().into()),
            body => Content::Json { body: body.clone(), list: None, next: None },
        };
        let plan =
            Plan { instead: Some(Answer::of(error.status, content)), instead_paths: own(error), ..Plan::default() };
        bed.server.follow(plan);
        let what = format!("status {} with {}", error.status, error.body);
        match until_failure(bed, Manner::default()).await {
            Err(CallError::Failure { kind, .. }) if kind.name() == error.expect => {}
            Err(told) => {
                return Err(CheckVerdict::failed(
                    format!("{what}: became {told}"),
                    format!("make a failure of kind {} of it", error.expect),
                ));
            }
            Ok(_) => {
                return Err(CheckVerdict::failed(
                    format!("{what}: became a page"),
                    format!("make a failure of kind {} of it", error.expect),
                ));
            }
        }
    }
    Ok(())
}
