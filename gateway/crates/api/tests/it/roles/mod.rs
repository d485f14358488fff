//! Every role at every operation, at what is its own, another tenant's and deleted (F17). The operations come from the OpenAPI
//! document; what each cell must answer stands here, by itself: not one cell is taken from the code's own table.

mod expected;
mod scripted;
mod world;

use axum::http::StatusCode;
use serde_json::Value;

use expected::{Target, Who, expected};
use world::World;

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    name: String,
    of_records: bool,
}

fn operations() -> Vec<Operation> {
    let document = renmen_api::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                name: operation["operationId"].as_str().unwrap().to_owned(),
                of_records: operation["tags"][0] == "records",
            });
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_gets_at_every_operation_what_it_should_and_no_more_f17() {
    let world = World::new().await;
    let (mut cells, mut surprises) = (0, Vec::new());
    for operation in operations() {
        world.restore().await;
        for who in Who::ALL {
            for target in Target::ALL {
                // Only an owner can have changed anything.
                if who == Who::Owner && operation.method != "GET" {
                    world.restore().await;
                }
                let (path, body) = world.request(&operation, who, target);
                let answer = world.ask(who, &operation.method, &path, body.as_ref()).await;
                cells += 1;
                let (wanted, got) = (expected(&operation, who, target), answer.status.as_u16());
                if got != wanted {
                    surprises.push(format!(
                        "{who:?} {} at {target:?}: {got}, not {wanted}: {}",
                        operation.name, answer.text
                    ));
                }
                // What belongs to the other tenant is marked everywhere, so that no answer can hold any of it unseen.
                let may_name_it = ["put_flow", "put_endpoint"].contains(&operation.name.as_str());
                if answer.text.contains("canary") && !may_name_it {
                    surprises.push(format!(
                        "{who:?} {} at {target:?} tells of another tenant: {}",
                        operation.name, answer.text
                    ));
                }
            }
        }
    }
    assert!(surprises.is_empty(), "{} of {cells} cells:\n{}", surprises.len(), surprises.join("\n"));
    assert_eq!(cells, operations().len() * Who::ALL.len() * Target::ALL.len());
}

#[tokio::test]
async fn a_refusal_names_the_role_that_is_needed_in_both_languages() {
    let world = World::new().await;
    let answer = world.ask(Who::Consumer, "GET", "/v1/runs", None).await;
    let detail = answer.problem("forbidden")["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "this operation needs a key with the role `owner`; this key has the role `consumer`");
    let answer = world.ask(Who::Vendor, "GET", "/v1/employees", None).await;
    assert!(answer.problem("forbidden")["detail"].as_str().unwrap().contains("`owner` or `consumer`"));
    let language = [("accept-language", "zh-CN")];
    let key = world.key(Who::Consumer);
    let answer = crate::rig::Answer::read(world.rig.send("GET", "/v1/runs", key, &language).await).await;
    assert!(answer.problem("forbidden")["detail"].as_str().unwrap().contains("需要角色为 `owner` 的密钥"));
}

#[tokio::test]
async fn a_method_that_the_document_does_not_have_reaches_no_handler_f16() {
    let world = World::new().await;
    for operation in operations() {
        let (path, _) = world.request(&operation, Who::Owner, Target::Own);
        for method in ["PATCH", "BREW"] {
            let answer = world.ask(Who::Owner, method, &path, None).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed = answer.headers["allow"].to_str().unwrap();
            assert!(allowed.contains(&operation.method), "{} is not among {allowed} of {path}", operation.method);
        }
    }
}

#[tokio::test]
async fn a_vendor_names_an_interview_by_its_own_id_or_by_ours_and_only_its_own() {
    let world = World::new().await;
    let ask = async |who: Who, id: &str| {
        world.ask(who, "POST", &format!("/v1/interviews/{id}/screen-tokens"), None).await.status.as_u16()
    };
    let ours = world.record("interview", Target::Own);
    assert_eq!(ask(Who::Vendor, "own-interview").await, 201);
    assert_eq!(ask(Who::Vendor, &ours).await, 201);
    // An owner names records as the API does; the vendor of another connection meets nothing.
    assert_eq!(ask(Who::Owner, "own-interview").await, 404);
    assert_eq!(ask(Who::OtherVendor, "own-interview").await, 404);
    assert_eq!(ask(Who::OtherVendor, &ours).await, 404);
    for odd in ["%00", "own%00interview", &"x".repeat(1025), "..%2F..", "%F0%9F%92%A9"] {
        assert_eq!(ask(Who::Vendor, odd).await, 404, "{odd}");
    }
    // An application's id is not an interview's, though it came through the same connection.
    assert_eq!(ask(Who::Vendor, &world.record("application", Target::Own)).await, 404);
}

#[test]
fn the_document_says_which_roles_may_call_what() {
    let document = renmen_api::document();
    for operation in operations() {
        let told = &document["paths"][&operation.path][operation.method.to_lowercase()];
        let may = |who| !matches!(expected(&operation, who, Target::Own), 401 | 403);
        let roles = [
            ("owner", Who::Owner),
            ("consumer", Who::Consumer),
            ("steward", Who::Steward),
            ("auditor", Who::Auditor),
            ("vendor", Who::Vendor),
        ];
        if operation.path.starts_with("/v1/") && operation.name != "stream_nodes" {
            let named: Vec<Value> = roles
                .into_iter()
                .filter(|(_, who)| may(*who))
                .map(|(role, _)| serde_json::json!({ "key": [role] }))
                .collect();
            assert_eq!(told["security"], Value::Array(named), "{}", operation.name);
            let first = if may(Who::Owner) { "Roles: `owner`" } else { "Roles: `auditor`" };
            assert!(told["description"].as_str().unwrap().contains(first), "{}", operation.name);
        }
    }
}
