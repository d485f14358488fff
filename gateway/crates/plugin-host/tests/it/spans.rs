//! One span a call, with its figures.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::harness::Bench;

type Fields = BTreeMap<String, String>;

/// Remembers every span's fields and every event's.
#[derive(Default, Clone)]
pub(crate) struct Heard {
    spans: Arc<Mutex<Vec<Fields>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

struct Collect<'a>(&'a mut Fields);

impl tracing::field::Visit for Collect<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Heard {
    fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, id: &tracing::span::Id, ctx: Context<'_, S>) {
        let mut fields = Fields::from([("span".to_owned(), attributes.metadata().name().to_owned())]);
        attributes.record(&mut Collect(&mut fields));
        ctx.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &tracing::span::Id, values: &tracing::span::Record<'_>, ctx: Context<'_, S>) {
        let span = ctx.span(id).unwrap();
        values.record(&mut Collect(span.extensions_mut().get_mut::<Fields>().unwrap()));
    }

    fn on_close(&self, id: tracing::span::Id, ctx: Context<'_, S>) {
        let fields = ctx.span(&id).unwrap().extensions_mut().remove::<Fields>().unwrap();
        self.spans.lock().unwrap().push(fields);
    }

    fn on_event(&self, event: &tracing::Event<'_>, _ctx: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Collect(&mut fields));
        self.lines.lock().unwrap().push(format!("{fields:?}"));
    }
}

impl Heard {
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn calls(&self) -> Vec<Fields> {
        self.spans.lock().unwrap().iter().filter(|fields| fields["span"] == "plugin.call").cloned().collect()
    }
}

#[tokio::test]
async fn a_call_leaves_one_span_with_its_outcome_and_figures() {
    let heard = Heard::default();
    let _listening = heard.listen();
    let bench = Bench::new().await;
    bench.pull("healthy", |_| ()).await.unwrap();
    bench.pull("loop", |limits| limits.fuel_max = 1_000_000).await.err().unwrap();
    let calls = heard.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    let digest8 = &bench.plugin.digest()["sha256:".len()..][..8];
    for (field, value) in [
        ("plugin", "hostile"),
        ("version", "0.1.0"),
        ("digest8", digest8),
        ("export", "source.pull"),
        ("connection", "test"),
        ("outcome", "ok"),
        ("http_calls", "1"),
        ("records", "10"),
    ] {
        assert_eq!(calls[0].get(field).map(String::as_str), Some(value), "{field}");
    }
    for field in ["fuel", "wall_ms", "memory_peak_bytes", "bytes_in", "bytes_out", "log_lines"] {
        assert!(calls[0].contains_key(field), "{field}");
    }
    assert_eq!((calls[1]["outcome"].as_str(), calls[1]["fuel"].as_str()), ("limit:fuel_max", "1000000"));
}

#[tokio::test]
async fn a_dropped_call_is_marked_cancelled() {
    let heard = Heard::default();
    let _listening = heard.listen();
    let bench = Bench::new().await;
    tokio::select! {
        _ended = bench.pull("slow", |_| ()) => panic!("the server never answers"),
        () = bench.server.waiting.notified() => {}
    }
    // The guest's own thread ends it.
    while heard.calls().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(heard.calls()[0]["outcome"], "cancelled");
}
