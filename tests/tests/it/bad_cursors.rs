//! Bad cursors do not lose data (F08): the staff connector through real runs of the gateway, in front of a source that
//! misbehaves. What the source has is known; after at most one more run the store must hold it.

use std::collections::BTreeMap;

use renmen_misbehave::model::Rows;
use renmen_misbehave::{Fault, Plan, Planned, Server, Source, generated, serve};
use serde_json::Value;

use crate::harness::{Home, plugin, said};

const ROWS: usize = 40;

async fn staff(faults: &[&str]) -> (Server, Home) {
    let faults = faults.iter().map(|text| Planned::parse(text).unwrap()).collect();
    let server = serve(Source::Model(Box::new(generated(ROWS))), Plan::of(faults, 11), 0).await.unwrap();
    let config = format!(
        r#"
[connections.staff]
plugin = "{}"
config = {{ base_url = "{}/v1" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
streams.employees = {{ manual = true }}
limits = {{ retries_max = 1, retry_wait_max = "10ms", page_records_max = 7, request_timeout = "5s" }}
"#,
        plugin("staff-api").display(),
        server.url()
    );
    (server, Home::new(&config))
}

/// One run, no matter how it ends.
async fn pull(home: &Home) -> Value {
    let output = home.run(&["sync", "staff", "--dev", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    report[0].clone()
}

/// Id to title, as the source has it.
fn oracle(server: &Server) -> BTreeMap<String, String> {
    let read = |rows: &mut Rows| {
        let written = |row| {
            let record = rows.write(row, 0);
            (Rows::id_text(row), record["jobTitle"].as_str().unwrap().to_owned())
        };
        rows.all().iter().filter(|row| !row.gone).map(written).collect()
    };
    server.model(|model| model.rows_mut("employees").map(read)).flatten().unwrap()
}

/// Id to title, as the gateway holds it.
async fn held(home: &Home) -> BTreeMap<String, String> {
    let records = home.json(&["records", "employees", "--dev", "--limit", "1000"]).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |record: &Value| (text(&record["external_id"]), text(&record["body"]["work"]["title"]));
    records.as_array().unwrap().iter().map(one).collect()
}

fn change(server: &Server, work: impl FnOnce(&mut Rows)) {
    server.model(|model| model.rows_mut("employees").map(work)).flatten().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_source_does_to_its_pages_nothing_is_lost_after_one_more_run() {
    for fault in [
        "rows_duplicated@2x4",
        "page_empty@3",
        "rows_moved@2",
        "rows_moved@4",
        "cut_body@3",
        "server_error@2x3",
        "clock_ahead",
        "clock_behind",
        "ties_at_edge",
        "cursor_empty",
        "future_time",
    ] {
        let (server, home) = staff(&[fault]).await;
        pull(&home).await;
        let second = pull(&home).await;
        assert_eq!(second["failure"], Value::Null, "{fault}: {second}");
        assert_eq!(held(&home).await, oracle(&server), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_throttled_or_meets_another_shape_goes_on_where_it_was() {
    for (fault, code) in
        [("rate_limited@3", "rate-limited"), ("html_ban@3", "upstream-changed"), ("other_shape@3", "upstream-changed")]
    {
        let (server, home) = staff(&[fault]).await;
        let first = pull(&home).await;
        assert_eq!(first["failure"]["code"], code, "{fault}: {first}");
        let second = pull(&home).await;
        assert_eq!(second["failure"], Value::Null, "{fault}: {second}");
        assert_eq!(held(&home).await, oracle(&server), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ties_across_the_edge_of_a_page_and_after_a_run_are_all_read() {
    let (server, home) = staff(&[]).await;
    change(&server, |rows| {
        let newest = rows.newest_ms();
        for at in 5..ROWS {
            rows.touch(at, newest + (at as i64 / 20) * 1_000);
        }
    });
    pull(&home).await;
    assert_eq!(held(&home).await, oracle(&server), "twenty records of one time, seven in a page");
    change(&server, |rows| rows.insert(rows.newest_ms()));
    pull(&home).await;
    assert_eq!(held(&home).await, oracle(&server), "one more of the newest time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_loops_is_noticed_after_three_repeats() {
    let (server, home) = staff(&[]).await;
    // So far from each other that the overlap reads no more than the last of them again.
    change(&server, |rows| rows.spread(3_600_000));
    pull(&home).await;
    change(&server, |rows| rows.touch(3, rows.newest_ms() + 5_000));
    server.follow(Plan::of(vec![Planned::always(Fault::CursorLoops, None)], 0));
    let _ = server.requests();
    let looped = pull(&home).await;
    assert!(looped["failure"].is_object(), "{looped}");
    let asked = server.requests().len();
    assert!(asked <= 8, "{asked} requests before the loop was noticed");
    server.follow(Plan::default());
    pull(&home).await;
    assert_eq!(held(&home).await, oracle(&server));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_while_the_clock_is_off_is_seen() {
    for fault in [Fault::ClockAhead, Fault::ClockBehind] {
        let (server, home) = staff(&[]).await;
        server.follow(Plan::of(vec![Planned::always(fault, None)], 0));
        pull(&home).await;
        change(&server, |rows| rows.touch(9, rows.newest_ms() + 1_000));
        pull(&home).await;
        assert_eq!(held(&home).await, oracle(&server), "{fault:?}");
    }
}

/// The source does this to every answer from now on.
fn always(server: &Server, fault: Fault) {
    server.follow(Plan::of(vec![Planned::always(fault, None)], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_shows_up_below_the_newest_time_is_in_the_next_run() {
    let (server, home) = staff(&[]).await;
    always(&server, Fault::LateRecord);
    let first = pull(&home).await;
    assert_eq!((&first["failure"], &first["created"]), (&Value::Null, &(ROWS - 1).into()), "{first}");
    server.follow(Plan::default());
    let second = pull(&home).await;
    assert_eq!((&second["created"], &second["updated"]), (&1.into(), &0.into()), "{second}");
    assert_eq!(held(&home).await, oracle(&server));
    // What the overlap reads again is unchanged, however often.
    let third = pull(&home).await;
    assert_eq!((&third["created"], &third["updated"]), (&0.into(), &0.into()), "{third}");
    assert_eq!(third["unchanged"], third["records"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_dated_in_2062_comes_in_is_counted_and_hides_no_later_change() {
    let (server, home) = staff(&[]).await;
    always(&server, Fault::FutureTime);
    let first = pull(&home).await;
    assert_eq!((&first["failure"], &first["dated_ahead"]), (&Value::Null, &1.into()), "{first}");
    assert_eq!(held(&home).await, oracle(&server));
    for at in [0, 9] {
        // The one that is dated ahead changes too, and its time is right again.
        server.follow(Plan::default());
        change(&server, |rows| rows.touch(at, rows.newest_ms() + 1_000));
        change(&server, |rows| rows.insert(rows.newest_ms() + 1_000));
        let next = pull(&home).await;
        assert_eq!((&next["failure"], &next["dated_ahead"]), (&Value::Null, &0.into()), "{next}");
        assert_eq!(held(&home).await, oracle(&server), "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_another_order_is_refused_in_words_and_loses_nothing_once_it_is_right() {
    let (server, home) = staff(&[]).await;
    always(&server, Fault::WrongOrder);
    let refused = pull(&home).await;
    assert_eq!(
        (&refused["failure"]["code"], &refused["records"]),
        (&"upstream-changed".into(), &0.into()),
        "{refused}"
    );
    let words = refused["failure"]["message"].as_str().unwrap();
    assert!(words.contains("the list is not in the order that the connector asks for"), "{words}");
    server.follow(Plan::default());
    assert_eq!(pull(&home).await["failure"], Value::Null);
    assert_eq!(held(&home).await, oracle(&server));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_text_for_the_last_cursor_ends_the_run() {
    let (server, home) = staff(&[]).await;
    always(&server, Fault::CursorEmpty);
    let first = pull(&home).await;
    assert_eq!((&first["failure"], &first["created"]), (&Value::Null, &ROWS.into()), "{first}");
}
