//! `$metadata`: the entities that a tenant has, in the words of EDMX, with keys, the types of their properties and where navigation leads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The keys of each entity.
const KEYS: [(&str, &[&str]); 12] = [
    ("Candidate", &["candidateId"]),
    ("EmpJob", &["seqNumber", "startDate", "userId"]),
    ("EmpPayCompRecurring", &["payComponent", "seqNumber", "startDate", "userId"]),
    ("FODepartment", &["externalCode", "startDate"]),
    ("FOJobCode", &["externalCode", "startDate"]),
    ("FormHeader", &["formDataId"]),
    ("JobApplication", &["applicationId"]),
    ("JobApplicationStatus", &["appStatusId"]),
    ("JobRequisition", &["jobReqId"]),
    ("JobRequisitionLocale", &["jobReqLocalId"]),
    ("Position", &["code", "effectiveStartDate"]),
    ("User", &["userId"]),
];

/// Entity, its property, the entity that it leads to, how many of it.
const NAVIGATION: [(&str, &str, &str, &str); 3] = [
    ("JobApplication", "jobAppStatus", "JobApplicationStatus", "0..1"),
    ("JobRequisition", "jobReqLocale", "JobRequisitionLocale", "*"),
    ("User", "manager", "User", "0..1"),
];

/// Properties that hold whole numbers of 64 bits; texts in JSON, as OData 2 writes them.
const LONG: [&str; 11] = [
    "appStatusId",
    "appStatusSetItemId",
    "applicationId",
    "candidateId",
    "formDataId",
    "formDataStatus",
    "jobReqId",
    "jobReqLocalId",
    "numberOpenings",
    "openingsFilled",
    "seqNumber",
];

/// Properties that hold fractions; texts in JSON, too.
const DOUBLE: [&str; 4] = ["fte", "paycompvalue", "rating", "standardHours"];

/// The keys of an entity, by the order of their names.
pub(super) fn keys(entity: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(name, _)| *name == entity).map_or(&[], |(_, keys)| keys)
}

/// Does this property of an entity lead to another entity?
pub(super) fn leads_on(entity: &str, property: &str) -> bool {
    NAVIGATION.iter().any(|(of, name, ..)| (*of, *name) == (entity, property))
}

/// The document: a schema of types, and one of the sets that hold them.
pub(super) fn document(entities: &BTreeMap<String, Vec<Value>>) -> String {
    let (mut sets, mut types) = (String::new(), String::new());
    for (entity, keys) in KEYS {
        let is_target = NAVIGATION.iter().any(|(.., to, _)| *to == entity);
        if entities.contains_key(entity) || is_target {
            let _ = write!(sets, r#"<EntitySet Name="{entity}" EntityType="SFOData.{entity}"/>"#);
            types.push_str(&entity_type(entity, keys, entities.get(entity).map_or(&[], Vec::as_slice)));
        }
    }
    for (entity, property, to, many) in NAVIGATION {
        let name = format!("{entity}_{property}");
        let end = |role: &str, kind: &str, many: &str| {
            format!(r#"<End Type="SFOData.{kind}" Multiplicity="{many}" Role="{role}"/>"#)
        };
        let (from, into) = (end("from", entity, "*"), end("into", to, many));
        let _ = write!(types, r#"<Association Name="{name}">{from}{into}</Association>"#);
        let end = |role: &str, set: &str| format!(r#"<End EntitySet="{set}" Role="{role}"/>"#);
        let (from, into) = (end("from", entity), end("into", to));
        let _ =
            write!(sets, r#"<AssociationSet Name="{name}" Association="SFOData.{name}">{from}{into}</AssociationSet>"#);
    }
    let edm = "http://schemas.microsoft.com/ado/2008/09/edm";
    let data = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata";
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices m:DataServiceVersion="2.0" xmlns:m="{data}"><Schema Namespace="SFODataSet" xmlns="{edm}"><EntityContainer Name="EntityContainer" m:IsDefaultEntityContainer="true">{sets}</EntityContainer></Schema><Schema Namespace="SFOData" xmlns="{edm}">{types}</Schema></edmx:DataServices></edmx:Edmx>"#
    )
}

fn entity_type(entity: &str, keys: &[&str], rows: &[Value]) -> String {
    // Entities that others lead to alone.
    let fixed: &[&str] = match entity {
        "JobRequisitionLocale" => &["jobReqLocalId", "externalTitle", "locale"],
        "JobApplicationStatus" => &["appStatusId", "appStatusName"],
        _ => keys,
    };
    let told = rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys());
    let mut names: Vec<&str> = fixed.iter().copied().chain(told.map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    let mut inner = String::from("<Key>");
    keys.iter().for_each(|key| inner.push_str(&format!(r#"<PropertyRef Name="{key}"/>"#)));
    inner.push_str("</Key>");
    for name in names.into_iter().filter(|name| *name != "__metadata" && !leads_on(entity, name)) {
        let (kind, nullable) = (kind(name, rows), !keys.contains(&name));
        let _ = write!(inner, r#"<Property Name="{name}" Type="Edm.{kind}" Nullable="{nullable}"/>"#);
    }
    for (of, property, ..) in NAVIGATION.iter().filter(|(of, ..)| *of == entity) {
        let _ = write!(
            inner,
            r#"<NavigationProperty Name="{property}" Relationship="SFOData.{of}_{property}" FromRole="from" ToRole="into"/>"#
        );
    }
    format!(r#"<EntityType Name="{entity}">{inner}</EntityType>"#)
}

/// The type of a property, by its name or by the values that it has.
fn kind(name: &str, rows: &[Value]) -> &'static str {
    if LONG.contains(&name) {
        return "Int64";
    }
    if DOUBLE.contains(&name) {
        return "Double";
    }
    match rows.iter().map(|row| &row[name]).find(|value| !value.is_null()) {
        Some(Value::Bool(_)) => "Boolean",
        Some(Value::String(text)) if text.starts_with("/Date(") && text.contains('+') => "DateTimeOffset",
        Some(Value::String(text)) if text.starts_with("/Date(") => "DateTime",
        _ => "String",
    }
}
