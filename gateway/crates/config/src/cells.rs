//! `[cells.NAME]`: further databases, and which tenants are in which.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};

use crate::gateway::public_url;
use crate::limits::within_range;
use crate::section::{Context, Node, Section};
use crate::store::read_url;
use crate::{Config, SlotSource, Store, StoreUrl};

/// Numbers of cells: `[store]` has 0.
const NUMBER_MAX: u8 = 15;

/// One further database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// `number`: from which ranges it gives out its numbers; never changed. 1 to 15.
    pub number: u8,
    /// `url`, as in `[store]`.
    pub url: StoreUrl,
    /// `password`, as in `[store]`.
    pub password: Option<SlotSource>,
    /// `tenants`: whose records are in it.
    pub tenants: Vec<TenantId>,
    /// `public_url`: where people and clients reach its gateways.
    pub public_url: Option<String>,
}

/// The cell that serves what this process does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its name; none for the database of `[store]`.
    pub cell: Option<ConnectionName>,
    /// Where it is reached, if that is configured.
    pub public_url: Option<String>,
}

impl std::fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cell {
            Some(cell) => write!(f, "cell {cell}"),
            None => f.write_str("the gateways without a cell"),
        }
    }
}

impl Cell {
    /// Every cell of the file. No two share a number, a database or a tenant.
    pub(crate) fn read_all(
        section: Option<Section<'_>>,
        context: &Context<'_>,
        store: &Store,
    ) -> BTreeMap<ConnectionName, Self> {
        let mut cells = BTreeMap::<ConnectionName, Self>::new();
        for (name, node) in section.map(Section::named::<ConnectionName>).unwrap_or_default() {
            let Some(cell) = node.section().and_then(|section| Self::read(section, context)) else { continue };
            let other = cells.iter().find(|(_, other)| other.number == cell.number || other.url == cell.url);
            if cell.url == store.url || other.is_some() {
                let with = other.map_or("[store]", |(name, _)| name.as_str());
                node.problem_at_key(
                    text!("it has the number or the database of {with}", "编号或数据库与 {with} 相同"),
                    text!("give each cell a number and a database of its own", "请为每个单元设置各自的编号与数据库"),
                );
            }
            let shared = cells.values().flat_map(|other| &other.tenants).find(|tenant| cell.tenants.contains(tenant));
            if let Some(tenant) = shared {
                node.problem_at_key(
                    text!("the tenant `{tenant}` is in two cells", "租户 `{tenant}` 出现在两个单元中"),
                    text!("name it in one", "请只在一个单元中写明"),
                );
            }
            cells.insert(name, cell);
        }
        cells
    }

    fn read(mut section: Section<'_>, context: &Context<'_>) -> Option<Self> {
        let number = section
            .require(
                "number",
                text!(
                    "give it one of 1 to {NUMBER_MAX} that no other cell has, and keep it",
                    "请设为 1 到 {NUMBER_MAX} 中未被其他单元使用的编号，并保持不变"
                ),
            )
            .and_then(|node| within_range::count(&node, 1_u32, u32::from(NUMBER_MAX)));
        let url = section
            .require("url", text!("write `postgres://USER@HOST/DATABASE`", "请写 `postgres://USER@HOST/DATABASE`"))
            .and_then(|node| read_url(&node, context));
        let password = section.get("password").and_then(|node| SlotSource::read_of_store(&node));
        let tenants = section.get("tenants").and_then(|node| node.list()).unwrap_or_default();
        let tenants = tenants.iter().filter_map(Node::named::<TenantId>).collect();
        let like = text!("write `https://renmen.example.com`", "请写 `https://renmen.example.com`");
        let public_url = section.get("public_url").and_then(|node| node.parsed(public_url, like));
        section.finish();
        Some(Self { number: u8::try_from(number?).ok()?, url: url?, password, tenants, public_url })
    }
}

impl Config {
    /// Makes this the configuration of one process: of a cell, or of `[store]`. Connections, channels, endpoints and flows of tenants that
    /// are in other cells are taken out; [`Config::elsewhere`] says where they are.
    ///
    /// # Errors
    /// A cell that the file does not have, with those that it has.
    pub fn enter(&mut self, cell: Option<&ConnectionName>) -> Result<(), Text> {
        let default_url = self.gateway.public_url.clone();
        if let Some(name) = cell {
            let known = || self.cells.keys().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
            let Some(cell) = self.cells.get(name).cloned() else {
                return Err(text!(
                    "no cell `{name}` is configured; there are: {}",
                    "配置中没有单元 `{name}`；已有：{}",
                    known()
                ));
            };
            let folder = self.gateway.data_dir.join("cells").join(name.as_str());
            self.gateway.data_dir = folder;
            (self.store.url, self.store.password) = (cell.url, cell.password);
            if cell.public_url.is_some() {
                self.gateway.public_url = cell.public_url;
            }
            self.store.cell = Some(cell.number);
        } else if !self.cells.is_empty() {
            self.store.cell = Some(0);
        }
        self.cell = cell.cloned();
        self.take_out_others(default_url.as_ref());
        Ok(())
    }

    /// The cell that a tenant is in.
    #[must_use]
    pub fn cell_of(&self, tenant: &TenantId) -> Option<&ConnectionName> {
        self.cells.iter().find(|(_, cell)| cell.tenants.contains(tenant)).map(|(name, _)| name)
    }

    fn take_out_others(&mut self, default_url: Option<&String>) {
        if self.cells.is_empty() {
            return;
        }
        let home: BTreeMap<TenantId, ConnectionName> = self
            .cells
            .iter()
            .flat_map(|(name, cell)| cell.tenants.iter().map(|tenant| (tenant.clone(), name.clone())))
            .collect();
        let here = self.cell.clone();
        let stays = |tenant: &TenantId| home.get(tenant) == here.as_ref();
        for (name, connection) in &self.connections {
            if !stays(&connection.tenant) {
                let cell = home.get(&connection.tenant).cloned();
                let public_url = match &cell {
                    Some(cell) => self.cells.get(cell).and_then(|cell| cell.public_url.clone()),
                    None => default_url.cloned(),
                };
                self.elsewhere.insert(name.clone(), Elsewhere { cell, public_url });
            }
        }
        self.connections.retain(|_, connection| stays(&connection.tenant));
        self.channels.retain(|_, channel| stays(&channel.tenant));
        self.endpoints.retain(|_, endpoint| stays(&endpoint.tenant));
        self.flows.retain(|_, flow| stays(&flow.tenant));
    }
}
