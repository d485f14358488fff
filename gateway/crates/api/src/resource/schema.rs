//! The canonical entities, described by themselves.

use axum::Json;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use renmen_schema::EntityKind;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::params::Params;
use crate::problem::Problem;

/// One canonical entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntityView {
    /// Its name in records: `pay_band`.
    entity: &'static str,
    /// Its records, as a path of this API.
    records_url: String,
    /// Its JSON Schema, as a path of this API.
    schema_url: String,
}

/// The names of the entities, for parameters that take one.
pub(crate) struct EntityName;

impl PartialSchema for EntityName {
    fn schema() -> RefOr<Schema> {
        let names = EntityKind::ALL.iter().map(|kind| kind.name());
        let description = Some("A canonical entity.");
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).description(description).into()
    }
}

impl ToSchema for EntityName {}

/// Every canonical entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntityList {
    /// In the schema's order.
    data: Vec<EntityView>,
}

/// Every canonical entity.
#[utoipa::path(get, path = "/v1/schema", tag = "schema", operation_id = "list_entities", responses((status = 200, body = EntityList)))]
pub(crate) async fn list(params: Params) -> Result<Json<EntityList>, Problem> {
    params.end()?;
    let view = |kind: &EntityKind| EntityView {
        entity: kind.name(),
        records_url: format!("/v1/{}", kind.collection()),
        schema_url: format!("/v1/schema/{}", kind.name()),
    };
    Ok(Json(EntityList { data: EntityKind::ALL.iter().map(view).collect() }))
}

/// The JSON Schema (2020-12) of an entity's body. Every field says how sensitive it is (`x-sensitivity`).
#[utoipa::path(
    get, path = "/v1/schema/{entity}", tag = "schema", operation_id = "get_entity_schema",
    params(("entity" = String, Path, description = "The entity's name: `employee`")),
    responses((status = 200, body = Object, content_type = "application/schema+json", description = "A JSON Schema")),
)]
pub(crate) async fn get(Path(entity): Path<String>, params: Params) -> Result<Response, Problem> {
    params.end()?;
    let kind = EntityKind::from_name(&entity).ok_or_else(|| Problem::not_found("entity", "实体"))?;
    let schema = renmen_schema::json_schema(kind);
    Ok(([(CONTENT_TYPE, "application/schema+json")], schema.to_string()).into_response())
}
