//! A stream for every entity that a connector may bring, and people who are not to be named.

use connector_table_file::TableFile;
use renmen_plugin::Failure;
use renmen_plugin::testing::{Host, Run, SealCall};
use renmen_schema::EntityKind;
use renmen_schema::manifest::Manifest;
use serde_json::{Value, json};

use crate::world::{Drop, ids, payload};

#[test]
fn every_entity_that_a_connector_may_bring_has_one_stream() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    let mut streamed: Vec<&str> =
        manifest.streams.values().flat_map(|stream| stream.entities.iter().map(String::as_str)).collect();
    let mut wanted: Vec<&str> =
        EntityKind::ALL.iter().filter(|kind| !kind.is_gateway_only()).map(|kind| kind.name()).collect();
    streamed.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(streamed, wanted);
}

/// Of each stream one row, whose values no schema knows: what counts is that the connector has the stream and says what is missing.
#[test]
fn every_stream_of_the_manifest_reads_rows() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    for (name, stream) in &manifest.streams {
        let columns = json!([{ "column": "name", "to": "/nothing_of_the_schema" }]);
        let config = json!({ "streams": { name.as_str(): { "files": "*", "key": ["id"], "columns": columns } } });
        let run = Drop::default().with("a.csv", "id,name\n1,x\n").run(&config, name.as_str(), None);
        let run = run.unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        assert_eq!((run.records.len(), run.rejects.len()), (0, 1), "{name}");
        assert_eq!(run.rejects[0].entity, stream.entities[0], "{name}");
    }
}

const FEEDBACK: &str = "id,about,author,text\n1,E1,E7,Helps others\n2,E2,E8,Explains well\n3,E3,E7 ,On time\n";

fn feedback(key: &[&str], seal: impl Fn(&SealCall) -> Result<Vec<u8>, Failure> + 'static) -> Result<Run, Failure> {
    let config = json!({ "streams": { "peer_feedback": {
        "files": "*", "key": key, "set": { "/anonymous": true },
        "columns": [
            { "column": "about", "to": "/about", "parse": { "as": "ref", "scheme": "employee_number" } },
            { "column": "author", "to": "/from_hash", "pseudonym": true },
            { "column": "text", "to": "/text" },
        ],
    } } });
    let host: Host = Drop::default().with("feedback.csv", FEEDBACK).host().on_seal(seal);
    host.pull_all::<TableFile>(&config, "peer_feedback", None)
}

#[test]
fn r10_the_author_of_feedback_in_a_file_is_a_keyed_hash_and_never_an_id() {
    let hashed = |call: &SealCall| {
        assert_eq!((call.function, call.slot.as_str()), ("sign", "pseudonyms"));
        Ok(vec![call.parts[0][1]; 32])
    };
    let run = feedback(&["id"], hashed).unwrap();
    assert_eq!(ids(&run), ["1", "2", "3"]);
    let hashes: Vec<Value> = (0..3).map(|index| payload(&run, index)["from_hash"].clone()).collect();
    assert_eq!((&hashes[0], &hashes[1]), (&json!("37".repeat(16)), &json!("38".repeat(16))));
    assert_eq!(hashes[0], hashes[2], "one author, with a blank behind it or not");
    // The file waits for a person, and nothing of it came in.
    let refused = feedback(&["id", "author"], hashed).unwrap();
    assert!(refused.records.is_empty());
    assert!(refused.findings[0].message.contains("an id would name the person"), "{:?}", refused.findings);
}

#[test]
fn r10_without_a_key_feedback_is_set_aside_without_its_author() {
    let run = feedback(&["id"], |_| Err(Failure::bad_config("slot `pseudonyms` is empty"))).unwrap();
    assert_eq!((run.records.len(), run.rejects.len()), (0, 3));
    for reject in &run.rejects {
        let raw = String::from_utf8(reject.raw.clone()).unwrap();
        assert!(!raw.contains("E7") && !raw.contains("E8"), "{raw}");
        assert!(reject.reason.contains("slot `pseudonyms` is empty"), "{}", reject.reason);
    }
}
