//! Where the employees of some payslips work, as dimensions need it: looked up for a page of payslips at once.

use std::collections::HashMap;

use renmen_schema::entity::{Employee, OrgUnit, PayrollRecord, PayrollRun};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{EntityKind, references};
use renmen_store::{Named, RecordRow, Store, StoreError};
use serde_json::Value;

/// Units above a unit that are followed: a circle ends here too.
const ABOVE_MAX: usize = 16;

/// What dimensions follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The employee's unit, then each unit above it; of each its code, where it has one, and its id in its own system.
    pub org_units: Vec<Vec<String>>,
    /// The employee's cost centre.
    pub cost_center: Option<String>,
    /// The employee's number.
    pub number: Option<String>,
    /// The company of the run: code and id.
    pub legal_entity: Option<Vec<String>>,
    /// The run's group of employees.
    pub pay_group: Option<String>,
}

/// A unit as it is kept while a run is read.
#[derive(Clone)]
struct Unit {
    names: Vec<String>,
    parent: Option<Named>,
}

/// Looks up where employees work. Units are kept, for they are few and every employee has one.
pub(crate) struct Places<'s> {
    store: &'s dyn Store,
    tenant: &'s TenantId,
    units: HashMap<Named, Option<Unit>>,
    /// What the run says, the same for all.
    of_run: Standing,
}

impl<'s> Places<'s> {
    pub(crate) async fn of_run(
        store: &'s dyn Store,
        tenant: &'s TenantId,
        row: &RecordRow,
        run: &PayrollRun,
    ) -> Result<Self, StoreError> {
        let mut places = Self { store, tenant, units: HashMap::new(), of_run: Standing::default() };
        places.of_run.pay_group.clone_from(&run.pay_group);
        if let Some(company) = named(EntityKind::PayrollRun, &row.body, "legal_entity", &row.connection) {
            places.read(vec![company.clone()]).await?;
            places.of_run.legal_entity = places.units.get(&company).cloned().flatten().map(|unit| unit.names);
        }
        Ok(places)
    }

    /// Where no dimension asks for employees.
    pub(crate) fn of_nobody(&self) -> Standing {
        self.of_run.clone()
    }

    /// Of each payslip, in their order.
    pub(crate) async fn of(&mut self, slips: &[RecordRow]) -> Result<Vec<Standing>, StoreError> {
        let asked: Vec<Option<Named>> =
            slips.iter().map(|row| named(EntityKind::PayrollRecord, &row.body, "employee", &row.connection)).collect();
        let names: Vec<Named> = asked.iter().flatten().cloned().collect();
        let mut meant = self.store.meant(self.tenant, &names).await?.into_iter();
        let mut employees = Vec::with_capacity(slips.len());
        for one in &asked {
            let row = one.as_ref().and_then(|_| meant.next()).and_then(renmen_store::Keyed::one);
            employees.push(row);
        }
        let unit_of = |row: &RecordRow| named(EntityKind::Employee, &row.body, "work.org_unit", &row.connection);
        let units: Vec<Option<Named>> = employees.iter().map(|row| row.as_ref().and_then(unit_of)).collect();
        self.read(units.iter().flatten().cloned().collect()).await?;
        let standing = |(row, unit): (Option<RecordRow>, Option<Named>)| {
            let employee: Option<Employee> = row.and_then(|row| serde_json::from_slice(&row.body).ok());
            let mut standing = self.of_run.clone();
            if let Some(employee) = employee {
                standing.number = employee.number;
                standing.cost_center = employee.work.and_then(|work| work.cost_center);
            }
            standing.org_units = self.chain(unit);
            standing
        };
        Ok(employees.into_iter().zip(units).map(standing).collect())
    }

    /// Reads units and those above them, one level at a time.
    async fn read(&mut self, mut wanted: Vec<Named>) -> Result<(), StoreError> {
        for _ in 0..ABOVE_MAX {
            wanted.retain(|name| !self.units.contains_key(name));
            wanted.sort();
            wanted.dedup();
            if wanted.is_empty() {
                return Ok(());
            }
            let meant = self.store.meant(self.tenant, &wanted).await?;
            let mut above = Vec::new();
            for (name, found) in std::mem::take(&mut wanted).into_iter().zip(meant) {
                let unit = found.one().map(|row| unit_of(&row));
                above.extend(unit.as_ref().and_then(|unit| unit.parent.clone()));
                self.units.insert(name, unit);
            }
            wanted = above;
        }
        Ok(())
    }

    fn chain(&self, unit: Option<Named>) -> Vec<Vec<String>> {
        let mut chain = Vec::new();
        let mut next = unit;
        while let Some(unit) = next.and_then(|name| self.units.get(&name)).and_then(Option::as_ref) {
            chain.push(unit.names.clone());
            if chain.len() > ABOVE_MAX {
                break;
            }
            next = unit.parent.clone();
        }
        chain
    }
}

fn unit_of(row: &RecordRow) -> Unit {
    let code = serde_json::from_slice::<OrgUnit>(&row.body).ok().and_then(|unit| unit.code);
    let names = code.into_iter().chain([row.external_id.clone()]).collect();
    Unit { names, parent: named(EntityKind::OrgUnit, &row.body, "parent", &row.connection) }
}

/// What the reference at a place of a body says.
fn named(kind: EntityKind, body: &[u8], place: &str, from: &ConnectionName) -> Option<Named> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let found = references(kind, &body).into_iter().find(|reference| reference.name == place)?;
    Named::of(&found, from)
}

/// Does a payslip of the run's own connection belong to the run?
pub(crate) fn is_of_run(slip: &PayrollRecord, run: &RecordRow) -> bool {
    let reference = &slip.run;
    if let Some(id) = reference.id {
        return id == run.id;
    }
    reference.external.as_ref().is_some_and(|external| {
        let connection = external.connection.as_ref().is_none_or(|named| *named == run.connection);
        connection && external.value == run.external_id
    })
}
