//! SOQL as far as connectors use it: `SELECT … FROM … WHERE … AND … ORDER BY …`.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// Why a query is refused: the vendor's code and what is wrong.
pub(super) type Refused = (&'static str, String);

/// A query that was read.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) object: String,
    fields: Vec<String>,
    terms: Vec<Term>,
    order: Vec<String>,
}

#[derive(Debug)]
struct Term {
    field: String,
    operator: String,
    literal: String,
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        let malformed = |what: &str| ("MALFORMED_QUERY", format!("unexpected token: {what}"));
        let rest = text.strip_prefix("SELECT ").ok_or_else(|| malformed(text))?;
        let (fields, rest) = rest.split_once(" FROM ").ok_or_else(|| malformed("FROM"))?;
        let (rest, order) = rest.split_once(" ORDER BY ").unwrap_or((rest, ""));
        let (object, terms) = rest.split_once(" WHERE ").unwrap_or((rest, ""));
        let list =
            |text: &str| text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
        let term = |text: &str| {
            let mut parts = text.trim().splitn(3, ' ').map(str::to_owned);
            let (field, operator, literal) = (parts.next(), parts.next(), parts.next());
            let (Some(field), Some(operator), Some(literal)) = (field, operator, literal) else {
                return Err(malformed(text));
            };
            if !["=", ">=", ">", "<", "<="].contains(&operator.as_str()) {
                return Err(malformed(&operator));
            }
            Ok(Term { field, operator, literal })
        };
        let terms = terms.split(" AND ").filter(|text| !text.trim().is_empty()).map(term).collect::<Result<_, _>>()?;
        Ok(Self { object: object.trim().to_owned(), fields: list(fields), terms, order: list(order) })
    }

    /// The rows that it finds, as far as they are asked for.
    pub(super) fn run(&self, rows: &[Value], with_deleted: bool) -> Result<Vec<Value>, Refused> {
        for field in self.fields.iter().chain(self.terms.iter().map(|term| &term.field)).chain(&self.order) {
            let known = rows.is_empty() || rows.iter().any(|row| row.pointer(&pointer(field)).is_some());
            if !known {
                return Err(("INVALID_FIELD", format!("No such column '{field}' on entity '{}'", self.object)));
            }
        }
        let mut found: Vec<&Value> = Vec::new();
        for row in rows.iter().filter(|row| with_deleted || row["IsDeleted"] != true) {
            let mut holds = true;
            for term in &self.terms {
                holds &= term.holds(row)?;
            }
            if holds {
                found.push(row);
            }
        }
        let key = |row: &Value| -> Vec<String> {
            self.order
                .iter()
                .map(|field| row.pointer(&pointer(field)).map(ToString::to_string).unwrap_or_default())
                .collect()
        };
        found.sort_by_key(|row| key(row));
        Ok(found.into_iter().map(|row| self.shown(row)).collect())
    }

    fn shown(&self, row: &Value) -> Value {
        let id = row["Id"].as_str().unwrap_or_default();
        let url = format!("/services/data/v62.0/sobjects/{}/{id}", self.object);
        let mut one = Map::from_iter([("attributes".to_owned(), json!({ "type": self.object, "url": url }))]);
        for field in &self.fields {
            let value = row.pointer(&pointer(field)).cloned().unwrap_or_default();
            match field.split_once('.') {
                None => drop(one.insert(field.clone(), value)),
                // A relation that leads to nothing is null as a whole.
                Some((relation, _)) if row[relation].is_null() => drop(one.insert(relation.to_owned(), Value::Null)),
                Some((relation, member)) => {
                    let inner = one.entry(relation).or_insert_with(|| json!({ "attributes": { "type": "Name" } }));
                    inner[member] = value;
                }
            }
        }
        Value::Object(one)
    }
}

impl Term {
    fn holds(&self, row: &Value) -> Result<bool, Refused> {
        let found = row.pointer(&pointer(&self.field)).unwrap_or(&Value::Null);
        let is_time = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
        let not_a_time = |why: &str| {
            let field = &self.field;
            ("INVALID_FIELD", format!("value of filter criterion for field '{field}' must be of type dateTime{why}"))
        };
        if let Some(text) = self.literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            if found.as_str().is_some_and(is_time) {
                return Err(not_a_time(" and should not be enclosed in quotes"));
            }
            return Ok(found.as_str().is_some_and(|found| self.compares(found.cmp(text))));
        }
        if let Ok(truth) = self.literal.parse::<bool>() {
            return Ok(*found == truth);
        }
        // Anything else is a point in time, without quotes.
        let wanted = self.literal.parse::<jiff::Timestamp>();
        let wanted = wanted.map_err(|_| ("MALFORMED_QUERY", format!("unexpected token: '{}'", self.literal)))?;
        let at = found.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        Ok(self.compares(at.ok_or_else(|| not_a_time(""))?.cmp(&wanted)))
    }

    /// Does the operator hold for what lies in this order to its literal?
    fn compares(&self, order: Ordering) -> bool {
        match self.operator.as_str() {
            ">=" => order.is_ge(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            "<" => order.is_lt(),
            _ => order.is_eq(),
        }
    }
}

fn pointer(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}
