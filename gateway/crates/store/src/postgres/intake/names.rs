//! The numbers by which a group's rows name their stream, run and scope: looked up once a process, and kept only when the commit that
//! made them landed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use deadpool_postgres::{Client, Transaction};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};

use super::super::connections::Connections;
use super::super::query::run;
use crate::inbox::{Intake, IntakePage, RUN_LIFE_MS};
use crate::sql::{Scopes, expect_number, run as runs, stream, values};
use crate::{PluginRef, StoreError};

/// Names of one kind that are kept. Beyond, all are looked up again.
const KEPT_MAX: usize = 20_000;

/// Where the pages of one stream go that one plugin brings.
#[derive(Clone, PartialEq, Eq, Hash)]
struct PagesOf {
    tenant: TenantId,
    connection: ConnectionName,
    stream: StreamName,
    plugin: (String, String, String),
}

/// A stream, and the run of the day.
#[derive(Clone, Copy)]
pub(super) struct PageHolder {
    pub(super) stream: i64,
    pub(super) run: i64,
    run_began_ms: i64,
}

/// What is known, and what was learned in the transaction under way.
struct Lookup<K, V> {
    known: HashMap<K, V>,
    learned: HashMap<K, V>,
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self { known: HashMap::new(), learned: HashMap::new() }
    }
}

impl<K: std::hash::Hash + Eq, V: Copy> Lookup<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        self.learned.get(key).or_else(|| self.known.get(key)).copied()
    }

    fn keep(&mut self) {
        if self.known.len() + self.learned.len() > KEPT_MAX {
            self.known.clear();
        }
        self.known.extend(self.learned.drain());
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Names {
    holders: Lookup<PagesOf, PageHolder>,
    /// By stream and entity.
    scopes: Lookup<(i64, String), i64>,
    /// Tenants that have a row in `feed`, and plugins that have one.
    tenants: HashSet<TenantId>,
    plugins: HashSet<(String, String, String)>,
}

impl Names {
    /// The transaction landed.
    pub(super) fn keep(&mut self) {
        self.holders.keep();
        self.scopes.keep();
    }

    /// It did not.
    pub(super) fn forget(&mut self) {
        self.holders.learned.clear();
        self.scopes.learned.clear();
    }

    /// Makes what groups share with those of other committers, in a transaction of its own and in one order: within theirs, two groups
    /// could wait for each other.
    pub(super) async fn prepare(
        &mut self,
        connections: &Connections,
        client: &mut Client,
        intakes: &[Intake],
    ) -> Result<(), StoreError> {
        let tenants: BTreeSet<&TenantId> =
            intakes.iter().map(|intake| &intake.tenant).filter(|tenant| !self.tenants.contains(*tenant)).collect();
        let plugins: BTreeMap<_, &PluginRef> = intakes
            .iter()
            .filter(|intake| !intake.pages.is_empty())
            .map(|intake| (of(&intake.plugin), &intake.plugin))
            .filter(|(plugin, _)| !self.plugins.contains(plugin))
            .collect();
        if tenants.is_empty() && plugins.is_empty() {
            return Ok(());
        }
        let transaction = connections.begin(client).await?;
        for tenant in &tenants {
            let sql = "INSERT INTO feed (tenant, seq, at_ms) SELECT $1, f.seq, f.at_ms FROM feed f WHERE f.tenant = ''
                       AND NOT EXISTS (SELECT 1 FROM feed g WHERE g.tenant = $1) ON CONFLICT DO NOTHING";
            run(&transaction, sql, &[&tenant.as_str()]).await?;
        }
        for plugin in plugins.values() {
            runs::intern_plugin(&transaction, plugin).await?;
        }
        transaction.commit().await?;
        self.tenants.extend(tenants.into_iter().cloned());
        self.plugins.extend(plugins.into_keys());
        Ok(())
    }

    /// The stream that a page belongs to, and the run of the day in which such things are kept.
    pub(super) async fn holder(
        &mut self,
        transaction: &Transaction<'_>,
        intake: &Intake,
        page: &IntakePage,
    ) -> Result<PageHolder, StoreError> {
        let key = PagesOf {
            tenant: intake.tenant.clone(),
            connection: intake.connection.clone(),
            stream: page.stream.clone(),
            plugin: of(&intake.plugin),
        };
        let since_ms = intake.now_ms.saturating_sub(RUN_LIFE_MS);
        if let Some(holder) = self.holders.get(&key).filter(|holder| holder.run_began_ms > since_ms) {
            return Ok(holder);
        }
        let stream = stream::intern(transaction, &intake.key(page.stream.clone())).await?.id;
        let brought_by = (&intake.plugin, intake.trigger());
        let run = runs::side_run(transaction, stream, brought_by, since_ms, intake.now_ms).await?;
        let sql = "SELECT started_at FROM run WHERE id = $1";
        let run_began_ms = expect_number(transaction, sql, values![run]).await?;
        let holder = PageHolder { stream, run, run_began_ms };
        self.holders.learned.insert(key, holder);
        Ok(holder)
    }

    /// The scope that a stream writes an entity to.
    pub(super) async fn scope(
        &mut self,
        transaction: &Transaction<'_>,
        intake: &Intake,
        stream: i64,
        entity: &str,
    ) -> Result<i64, StoreError> {
        let key = (stream, entity.to_owned());
        if let Some(scope) = self.scopes.get(&key) {
            return Ok(scope);
        }
        let mut scopes = Scopes::new(&intake.tenant, &intake.connection);
        let scope = scopes.intern(transaction, stream, entity).await?;
        self.scopes.learned.insert(key, scope);
        Ok(scope)
    }
}

fn of(plugin: &PluginRef) -> (String, String, String) {
    (plugin.name.clone(), plugin.version.clone(), plugin.digest.clone())
}
