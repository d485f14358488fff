//! What ERP, CRM, payroll, performance and finance add: complaints and won deals stand on the person whose payslips and interview the
//! gateway knows, and a payroll run is posted to the ledger, once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{Api, until};
use crate::office;
use crate::sap_business_one::Company;

/// What tells of a person: a collection, the connection, and the reference that leads there.
const TELLING: [(&str, &str, &str); 5] = [
    ("customer-feedback", "salesforce", "employee"),
    ("performance-metrics", "odoo-crm", "employee"),
    ("performance-reviews", "payroll", "reviewee"),
    ("payroll-records", "payroll", "employee"),
    ("applications", "interview", "candidate"),
];
const MONTH: &str = "2025-03";

/// The ledger, as the simulator holds it.
pub type Ledger = office::Shared<Company>;

/// Looks for someone of whom every system tells.
pub(super) async fn one_person(api: &Api, told: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let (person, counts) = until("a person of whom every system tells", async || whole_person(api).await).await?;
    let places: BTreeSet<&str> =
        person["records"].as_array().into_iter().flatten().filter_map(|one| one["connection"].as_str()).collect();
    let name = person["name"].as_str().unwrap_or_default();
    let [complaints, deals, reviews, payslips, interviews] = counts;
    told(&format!(
        "{name} is known in {}: complaints (CRM) {complaints}, won deals (ERP) {deals}, reviews {reviews}, payslips {payslips}, interviews \
         {interviews}: all stand on one person",
        places.into_iter().collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}

/// The first person on whom something of each collection stands, and how much of each.
async fn whole_person(api: &Api) -> anyhow::Result<Option<(Value, [usize; TELLING.len()])>> {
    let mut people = BTreeMap::<String, [usize; TELLING.len()]>::new();
    let mut person_of = BTreeMap::<String, String>::new();
    for (at, (collection, connection, reference)) in TELLING.into_iter().enumerate() {
        for record in referring(api, collection, connection, reference).await? {
            let person = match person_of.get(&record) {
                Some(person) => person.clone(),
                None => {
                    let person = api.get(&format!("/v1/people/{record}")).await?;
                    let id = person["id"].as_str().context("a person has an id")?.to_owned();
                    person_of.insert(record, id.clone());
                    id
                }
            };
            // Only those of whom everything up to here tells can be the one.
            if at == 0 {
                people.entry(person).or_default()[at] += 1;
            } else if let Some(counts) = people.get_mut(&person) {
                counts[at] += 1;
            }
        }
        people.retain(|_, counts| counts[at] > 0);
    }
    let Some((id, counts)) = people.into_iter().next() else { return Ok(None) };
    Ok(Some((api.get(&format!("/v1/people/{id}")).await?, counts)))
}

/// The records that a collection's records refer to, each as often as it is referred to.
async fn referring(api: &Api, collection: &str, connection: &str, reference: &str) -> anyhow::Result<Vec<String>> {
    let path = format!("/v1/{collection}?connection={connection}&expand={reference}&limit=200");
    let page = api.get(&path).await?;
    let rows = page["data"].as_array().context("a page has data")?;
    let references = rows.iter().flat_map(|row| row["references"].as_array().into_iter().flatten());
    Ok(references.filter_map(|one| Some(one["id"].as_str()?.to_owned())).collect())
}

/// Posts the payroll run to the ledger: refused while a payslip waits in quarantine, posted once, and not again.
pub(super) async fn posted(api: &Api, ledger: &Ledger, told: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let runs = api.get("/v1/payroll-runs?connection=payroll&limit=100").await?;
    let is_it = |one: &&Value| one["body"].to_string().contains(&format!("{MONTH}-01"));
    let run = runs["data"].as_array().and_then(|all| all.iter().find(is_it)).context("payroll told of the run")?;
    let ask = |dry_run: bool| json!({ "journal": "payroll", "run": run["id"], "reason": "March is approved", "dry_run": dry_run });

    let preview = api.post("/v1/journals", &ask(true)).await?;
    ensure!(preview["faults"][0]["code"] == "quarantined", "nothing speaks against the journal: {preview}");
    told(&format!(
        "finance looks at the journal of payroll {MONTH}: it is not posted while a payslip without amounts waits in quarantine"
    ));
    let dropped = drop_bad_payslips(api).await?;
    let preview = api.post("/v1/journals", &ask(true)).await?;
    ensure!(preview["faults"] == json!([]), "the journal is refused: {preview}");
    let journal = &preview["journals"][0];
    ensure!(journal["debit"] == journal["credit"], "the journal does not balance: {preview}");
    told(&format!(
        "the newcomer's row was sent too early ({dropped} dropped); {} payslips now come to a journal that balances: debit {} = credit",
        preview["payslips"],
        journal["debit"].as_str().unwrap_or_default()
    ));

    let first = api.post("/v1/journals", &ask(false)).await?;
    let path = format!("/v1/journals/{}", first["journals"][0]["posting"]["id"]);
    let document = until("the ledger's document", async || {
        let posting = api.get(&path).await?;
        match posting["state"].as_str() {
            Some("dead") => bail!("the ledger refused it: {posting}"),
            _ => Ok(posting["document"].as_str().map(str::to_owned)),
        }
    })
    .await?;
    let again = api.post("/v1/journals", &ask(false)).await?;
    ensure!(again["journals"][0]["posting"]["document"] == document.as_str(), "it was posted again: {again}");
    let entries = ledger.lock().unwrap().vendor.entries.len();
    ensure!(entries == 1, "the ledger has {entries} entries");
    told(&format!("posted, and asked for once more: the ledger has one document, {document}"));
    Ok(())
}

async fn drop_bad_payslips(api: &Api) -> anyhow::Result<usize> {
    let page = api.get("/v1/quarantine?connection=payroll&limit=1000").await?;
    let rows = page["data"].as_array().context("a page has data")?;
    let bad: Vec<&Value> = rows.iter().filter(|row| row["stream"] == "payroll_records").collect();
    for row in &bad {
        let status = api.status("DELETE", &format!("/v1/quarantine/{}", row["id"]), "").await?;
        ensure!(status == 204, "dropping {} was answered with {status}", row["id"]);
    }
    Ok(bad.len())
}
