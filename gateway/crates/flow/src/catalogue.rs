//! The destinations of one tenant: what flows can send to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, Sensitivity, Text};
use renmen_store::ContentHash;

use crate::destination::{ActionInfo, Destination};
use crate::fields::Fields;
use crate::links::DecisionLinks;

/// One destination with what the operator says of it.
#[derive(Clone)]
pub struct DestinationEntry {
    /// Where actions go.
    pub destination: Arc<dyn Destination>,
    /// What it can do; read once.
    pub actions: BTreeMap<String, ActionInfo>,
    /// It scores people: a field that could reveal membership in a protected group never reaches it.
    pub scoring: bool,
    /// Fields that never reach it, regardless of what a flow says.
    pub withhold: Fields,
    /// The gateway's own records are made from what it says (an interview vendor, or a further source for one): it may
    /// have chosen what a reference in them refers to.
    pub is_source: bool,
    /// Attempts that may run at the same time.
    pub parallel_max: u32,
    /// How long one attempt may take.
    pub push_timeout: Duration,
}

impl DestinationEntry {
    /// A destination about which the operator says nothing: 4 attempts side by side, 2 minutes each.
    #[must_use]
    pub fn new(destination: Arc<dyn Destination>) -> Self {
        let actions = destination.actions();
        let push_timeout = Duration::from_secs(120);
        Self {
            destination,
            actions,
            scoring: false,
            withhold: Fields::default(),
            is_source: false,
            parallel_max: 4,
            push_timeout,
        }
    }

    /// What is withheld, as one number: another one says that what was made before was made by another rule.
    pub(crate) fn policy(&self) -> [u8; 16] {
        ContentHash::of(format!("{} {:?}", self.scoring, self.withhold).as_bytes()).0
    }

    /// Is anything withheld at all?
    pub(crate) fn withholds(&self) -> bool {
        self.scoring || !self.withhold.is_empty()
    }

    /// What of an entity never reaches it. With anything that does not, custom fields do not either: what a connector put there
    /// may be the same thing under a name of the vendor's own.
    #[must_use]
    pub fn withheld(&self, kind: EntityKind) -> Fields {
        let own = self.withhold.for_kind(kind);
        let all = match self.scoring {
            true => Fields::of_class(kind, Sensitivity::Special).and(&own),
            false => own,
        };
        if self.scoring || !all.is_empty() { all.and(&Fields::custom()) } else { all }
    }
}

/// The destinations by name.
#[derive(Clone, Default)]
pub struct Catalogue {
    entries: BTreeMap<ConnectionName, DestinationEntry>,
    /// Destinations of the configuration that could not be loaded, with the reason.
    off: BTreeMap<ConnectionName, Text>,
    /// What makes links to decisions; none: no flow can ask for one.
    links: Option<Arc<dyn DecisionLinks>>,
}

impl Catalogue {
    /// Adds one, or takes the place of one.
    pub fn add(&mut self, name: ConnectionName, place: DestinationEntry) {
        self.off.remove(&name);
        self.entries.insert(name, place);
    }

    /// Takes one away. Nothing is begun for it from then on.
    pub fn remove(&mut self, name: &ConnectionName) {
        self.entries.remove(name);
    }

    /// With links to decisions.
    pub fn add_links(&mut self, links: Arc<dyn DecisionLinks>) {
        self.links = Some(links);
    }

    pub(crate) fn links(&self) -> Option<&Arc<dyn DecisionLinks>> {
        self.links.as_ref()
    }

    /// A destination of the configuration that could not be loaded: what flows have for it waits until it is there again.
    pub fn add_off(&mut self, name: ConnectionName, reason: Text) {
        self.off.insert(name, reason);
    }

    /// Why a destination of the configuration is off; `None` when it is on, or not configured at all.
    #[must_use]
    pub fn off(&self, name: &ConnectionName) -> Option<&Text> {
        self.off.get(name)
    }

    /// One of them.
    #[must_use]
    pub fn entry(&self, name: &ConnectionName) -> Option<&DestinationEntry> {
        self.entries.get(name)
    }

    /// All of them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&ConnectionName, &DestinationEntry)> {
        self.entries.iter()
    }

    /// The destinations that have an action of this name.
    pub fn able(&self, action: &str) -> impl Iterator<Item = &ConnectionName> {
        let able = move |(_, place): &(&ConnectionName, &DestinationEntry)| place.actions.contains_key(action);
        self.entries().filter(able).map(|(name, _)| name)
    }

    /// The names of the destinations.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(ConnectionName::as_str)
    }
}
