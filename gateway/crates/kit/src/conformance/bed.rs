//! The test bed of one stream: the source, the connection to it, and pulling through the real host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use renmen_egress::{
    Connection, ConnectionSpec, Egress, EgressOptions, Exchange, NoTape, PrefetchFigures, Prefetcher, RefreshInMemory,
    RequestKey, Tape,
};
use renmen_misbehave::model::{FROM_MS, Model, Rows, Serve};
use renmen_misbehave::{Plan, Server, Source, serve};
use renmen_plugin_host::{Call, CallError, CallLimits, Plugin, Pull};
use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::manifest::{StreamManifest, StreamMode};
use renmen_vault::Secret;
use tracing::instrument::WithSubscriber as _;

use super::connect::spec_of;
use super::description::{Description, StreamDescription};
use super::pulled::{Key, PulledPage, Run, Stop};
use super::secrets::{self, CANARY};
use super::subject::Known;
use super::{ConformanceError, Subject};
use crate::budget;
use crate::watch::Watch;

/// The day after the source's first row was changed: everything that happened is in the past, on any clock.
pub(super) const NOW_MS: i64 = FROM_MS + 86_400_000;
/// Rows in a source when nothing else is asked for: several pages, and a last one that is not full.
pub(super) const ROWS: usize = 8;
/// A run of the small source that has not ended after this many pages never will.
const PAGES_MAX: usize = 200;
/// A request that takes longer has failed. Also for the slow body, which is why it is short there.
const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(400);

/// One stream with everything around it.
pub(super) struct Bed {
    pub(super) manifest: StreamManifest,
    pub(super) watch: Watch,
    pub(super) server: Server,
    plugin: Arc<Plugin>,
    stream: StreamName,
    description: Option<Description>,
    config: serde_json::Value,
    way: Arc<Connection>,
    impatient: Arc<Connection>,
    page: AtomicU32,
    dispatch: tracing::Dispatch,
    /// What calls said when they failed, rejects' reasons and cursors: looked through at the end.
    said: parking::Said,
}

/// How a page is pulled when it is not the usual way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) now_ms: i64,
    pub(super) patient: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { now_ms: NOW_MS, patient: true }
    }
}

impl Bed {
    pub(super) async fn new(subject: &Subject, plugin: Arc<Plugin>, stream: &str) -> Result<Self, ConformanceError> {
        let name = StreamName::new(stream).map_err(|bad| ConformanceError::Usage(bad.to_string()))?;
        let manifest = plugin.manifest().streams[&name].clone();
        let (source, description) = match &subject.source {
            Known::Described(description) => (Source::Model(Box::default()), Some(description.clone())),
            Known::Running { url, .. } => (Source::live(url)?, None),
        };
        let page = match &description {
            Some(description) => description.streams[stream].page,
            None => 50,
        };
        let server = serve(source, Plan::default(), 0).await.map_err(ConformanceError::Serve)?;
        let config = subject.config(&server.url(), &format!("{CANARY}-config"));
        let refresh_tokens = Some(Arc::new(RefreshInMemory::default()) as _);
        let egress = Egress::with(EgressOptions { refresh_tokens, ..EgressOptions::default() })?;
        let connect =
            |timeout| egress.connect(spec(subject, &plugin, &config, timeout)?).map_err(ConformanceError::from);
        let (way, impatient) = (connect(PATIENT)?, connect(IMPATIENT)?);
        let watch = Watch::default();
        let dispatch = watch.dispatch();
        let bed = Self {
            manifest,
            watch,
            server,
            plugin,
            stream: name,
            description,
            config,
            way,
            impatient,
            page: AtomicU32::new(page),
            dispatch,
            said: parking::Said::default(),
        };
        bed.fresh(ROWS)?;
        Ok(bed)
    }

    /// Is the source played after a description?
    pub(super) fn is_modelled(&self) -> bool {
        self.description.is_some()
    }

    /// The stream's description; only modelled checks ask.
    pub(super) fn described(&self) -> &StreamDescription {
        &self.whole().streams[self.stream.as_str()]
    }

    /// The whole description; only modelled checks ask.
    pub(super) fn whole(&self) -> &Description {
        self.description.as_ref().expect("a check that needs a model is skipped without one")
    }

    /// A source of so many rows, at rest and well-behaved. One that runs already is only left in peace.
    pub(super) fn fresh(&self, rows: usize) -> Result<(), ConformanceError> {
        if self.description.is_some() {
            let mut model = Model::new();
            model.add(self.stream.as_str(), self.described().source.clone(), rows)?;
            self.whole().serve.iter().for_each(|constant| model.always(constant.clone()));
            let tokens = secrets::token_endpoints(self.plugin.manifest(), &self.config);
            tokens.into_iter().for_each(|constant| model.always(constant));
            self.server.play(Source::Model(Box::new(model)));
        }
        self.server.follow(Plan::default());
        Ok(())
    }

    /// Reads or changes the rows.
    pub(super) fn rows<R>(&self, work: impl FnOnce(&mut Rows) -> R) -> R {
        let worked = self.server.model(|model| model.rows_mut(self.stream.as_str()).map(work));
        worked.flatten().expect("the model was made with the bed's stream")
    }

    /// The records that there are: for each row one of each entity, and those that are always there.
    pub(super) fn expected(&self) -> BTreeSet<Key> {
        let ids: Vec<String> = self.rows(|rows| rows.all().iter().filter(|row| !row.gone).map(Rows::id_text).collect());
        let entities = &self.manifest.entities;
        let of = |id: &String| entities.iter().map(|entity| (entity.clone(), id.clone())).collect::<Vec<_>>();
        ids.iter().chain(&self.described().also).flat_map(of).collect()
    }

    /// Records in a page.
    pub(super) fn page_records(&self) -> u32 {
        self.page.load(Ordering::Relaxed)
    }

    /// Asks for other pages until it is set back.
    pub(super) fn set_page_records(&self, records: u32) {
        self.page.store(records, Ordering::Relaxed);
    }

    /// The paths that give records, as they are asked for.
    pub(super) fn data_paths(&self) -> Vec<String> {
        self.paths(Serve::is_data)
    }

    /// Those that give lists.
    pub(super) fn list_paths(&self) -> Vec<String> {
        self.paths(|serve| serve.list.is_some() || serve.csv.is_some())
    }

    fn paths(&self, wanted: impl Fn(&Serve) -> bool) -> Vec<String> {
        let Some(description) = &self.description else { return Vec::new() };
        let serve = &description.streams[self.stream.as_str()].source.serve;
        let paths: BTreeSet<String> =
            serve.iter().filter(|serve| wanted(serve)).map(|serve| self.path_of_first(&serve.path)).collect();
        paths.into_iter().collect()
    }

    /// A described path as it is asked for: of the first parent and the first row.
    pub(super) fn path_of_first(&self, described: &str) -> String {
        let parent = self.described().source.parents.first().map_or("", String::as_str);
        let path = described.replace("{parent}", parent);
        if !path.contains("{id}") {
            return path;
        }
        let id = self.rows(|rows| rows.all().first().map(Rows::id_text)).unwrap_or_default();
        path.replace("{id}", &id)
    }

    /// Are the source's lists tables instead of JSON?
    pub(super) fn is_table(&self) -> bool {
        self.description
            .as_ref()
            .is_some_and(|d| d.streams[self.stream.as_str()].source.serve.iter().any(|s| s.csv.is_some()))
    }

    /// Pulls one page.
    pub(super) async fn pull(&self, cursor: Option<String>, manner: Manner) -> Result<PulledPage, CallError> {
        self.pull_with(cursor, manner, Arc::new(NoTape)).await
    }

    async fn pull_with(
        &self,
        cursor: Option<String>,
        manner: Manner,
        tape: Arc<dyn Tape>,
    ) -> Result<PulledPage, CallError> {
        tape.prefetcher().into_iter().for_each(Prefetcher::next_call);
        let limits = CallLimits { page_records_max: self.page_records(), ..budget::gateway_limits() };
        let call = Call {
            connection: ConnectionName::new("conformance").expect("a name of letters"),
            config: self.config.to_string().into_bytes().into(),
            limits: Arc::new(limits),
            egress: if manner.patient { self.way.clone() } else { self.impatient.clone() },
            tape,
            now_ms: manner.now_ms,
        };
        let ask = Pull { stream: self.stream.clone(), cursor: cursor.clone(), only: Vec::new() };
        let pulled = self.plugin.pull(call, ask).with_subscriber(self.dispatch.clone()).await;
        let pulled = pulled.map(|page| PulledPage::of(page, cursor));
        self.said.note(&pulled);
        pulled
    }

    /// Pulls from a cursor to the end of the run.
    pub(super) async fn run(&self, cursor: Option<String>) -> Run {
        self.run_in(cursor, Manner::default()).await
    }

    pub(super) async fn run_in(&self, cursor: Option<String>, manner: Manner) -> Run {
        self.run_with(cursor, manner, &(Arc::new(NoTape) as Arc<dyn Tape>)).await
    }

    /// Pulls from the beginning to the end of the run, with answers fetched ahead as a gateway does it, and what became of those.
    pub(super) async fn run_prefetching(&self) -> (Run, PrefetchFigures) {
        let tape: Arc<dyn Tape> = Arc::new(PrefetchingTape::default());
        let run = self.run_with(None, Manner::default(), &tape).await;
        (run, tape.prefetcher().map(Prefetcher::end).unwrap_or_default())
    }

    async fn run_with(&self, cursor: Option<String>, manner: Manner, tape: &Arc<dyn Tape>) -> Run {
        let (mut run, mut cursor, mut stood) = (Run::default(), cursor, 0);
        while run.pages.len() < PAGES_MAX {
            let page = match self.pull_with(cursor.clone(), manner, Arc::clone(tape)).await {
                Ok(page) => page,
                Err(error) => {
                    run.stop = Some(Stop::Failed(error));
                    return run;
                }
            };
            let (has_more, next) = (page.has_more, page.next.clone());
            run.pages.push(page);
            if !has_more {
                return run;
            }
            // As a gateway: the same cursor may come twice, then the run is ended.
            stood = if next == cursor { stood + 1 } else { 0 };
            if stood == 3 {
                run.stop = Some(Stop::StoodStill);
                return run;
            }
            cursor = next;
        }
        run.stop = Some(Stop::Endless(run.pages.len()));
        run
    }

    /// The next run, as the stream's mode says.
    pub(super) async fn run_after(&self, before: &Run) -> Run {
        match self.manifest.mode {
            StreamMode::Full => self.run(None).await,
            StreamMode::Incremental => self.run(before.next()).await,
        }
    }

    /// What was said in all calls: failures, reasons, cursors.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.all()
    }

    /// Was a canary seen in a payload or raw bytes?
    pub(super) fn leaked(&self) -> Option<String> {
        self.said.leaked()
    }
}

/// A tape that knows nothing, and has a place for an answer that is fetched ahead.
#[derive(Default)]
struct PrefetchingTape(Prefetcher);

impl Tape for PrefetchingTape {
    fn recall(&self, _key: RequestKey) -> Option<Arc<Exchange>> {
        None
    }

    fn record(&self, _key: RequestKey, _exchange: Arc<Exchange>) {}

    fn prefetcher(&self) -> Option<&Prefetcher> {
        Some(&self.0)
    }
}

fn spec(
    subject: &Subject,
    plugin: &Plugin,
    config: &serde_json::Value,
    request_timeout: Duration,
) -> Result<ConnectionSpec, ConformanceError> {
    let mut spec = spec_of(plugin, config, request_timeout)?;
    if let Known::Running { against, .. } = &subject.source {
        for (name, slot) in &mut spec.slots {
            let variable = against.slots.get(name.as_str());
            let value = variable.map(|variable| {
                let missing = || ConformanceError::Usage(format!("slot `{name}`: the environment has no `{variable}`"));
                std::env::var(variable).map_err(|_| missing())
            });
            slot.secret = value.transpose()?.map(Secret::new);
        }
    }
    Ok(spec)
}

/// What calls said, kept for the checks at the end.
mod parking {
    use std::sync::{Mutex, PoisonError};

    use renmen_plugin_host::CallError;

    use super::super::pulled::PulledPage;
    use super::super::secrets::leaks;

    #[derive(Debug, Default)]
    pub(super) struct Said(Mutex<(Vec<String>, Option<String>)>);

    impl Said {
        pub(super) fn note(&self, pulled: &Result<PulledPage, CallError>) {
            let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match pulled {
                Err(error) => said.0.push(error.to_string()),
                Ok(page) => {
                    said.0.extend(page.rejects.iter().map(|reject| reject.reason.clone()));
                    said.0.extend(page.findings.iter().map(|finding| format!("{}: {}", finding.part, finding.message)));
                    let leaking = page
                        .records
                        .iter()
                        .find(|record| leaks(&record.payload) || leaks(record.external_id.as_bytes()));
                    if let Some(record) = leaking {
                        said.1.get_or_insert(format!("the record {} {}", record.entity, record.external_id));
                    }
                    if page.next.as_ref().is_some_and(|next| leaks(next.as_bytes())) {
                        said.1.get_or_insert("a cursor".to_owned());
                    }
                }
            }
        }

        pub(super) fn all(&self) -> Vec<String> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
        }

        pub(super) fn leaked(&self) -> Option<String> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
        }
    }
}
