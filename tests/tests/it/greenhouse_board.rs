//! Greenhouse's job boards through the gateway, by a connector without code.

use renmen_tests::greenhouse_board::Boards;
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

#[tokio::test(flavor = "multi_thread")]
async fn s11_posts_of_several_boards_come_in_with_their_channel_and_one_that_is_taken_down_is_gone() {
    let boards = office::open(Boards::of(30));
    let url = serve(office::router(boards.clone())).await;
    let config = format!("{{ base_url = \"{url}/v1\", boards = [\"made-up\", \"rival\"] }}");
    let trial = Trial::new("greenhouse-board", &config, &[], &["departments", "postings"]);
    boards.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("departments").await, [4, 0, 0]);
    assert_eq!(trial.counts("postings").await, [60, 0, 0]);
    let post = &trial.bodies("jobs").await["2007"];
    assert_eq!(
        (&post["channel_posts"][0]["detail"], &post["org_units"][0]["external"]["value"], &post["opened_at"]),
        (&json!("rival"), &json!("2500"), &json!("2026-01-01T15:55:28.000Z")),
        "{post}"
    );
    boards.lock().unwrap().vendor.posts.remove(3);
    assert_eq!(trial.counts("postings").await, [0, 0, 1]);
    boards.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("postings").await, "rate-limited");
    boards.lock().unwrap().busy = 0;

    let config = format!("{{ base_url = \"{url}/v1\", boards = [\"no-such\"] }}");
    let trial = Trial::new("greenhouse-board", &config, &[], &["postings"]);
    assert_eq!(trial.failure("postings").await, "bad-config");
}
