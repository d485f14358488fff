//! Greenhouse's Job Board API: public boards, each one answer, without pages and without a credential.

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor};

/// Boards by their token.
#[derive(Debug, Default)]
pub struct Boards {
    /// (board, post)
    pub posts: Vec<(&'static str, Value)>,
}

/// The boards, each with the first number of its departments and posts: an id is one board's alone.
const BOARDS: [(&str, u32); 2] = [("made-up", 1000), ("rival", 2000)];

impl Boards {
    /// Two boards with so many posts each.
    pub fn of(posts: u32) -> Self {
        let all = BOARDS.into_iter();
        Self { posts: all.flat_map(|(board, from)| (1..=posts).map(move |n| (board, post(board, from, n)))).collect() }
    }
}

impl Vendor for Boards {
    /// Everybody may read.
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.headers.contains_key("authorization") {
            true => Err(Told::of(400, json!({ "status": 400, "error": "no credential is expected" }))),
            false => Ok(()),
        }
    }

    fn busy(&self) -> Told {
        Told::of(429, json!({ "status": 429, "error": "Too many requests" })).header("retry-after", "1")
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let missing = Told::of(404, json!({ "status": 404, "error": "Job not found" }));
        let ["boards", board, what] = ask.below("/v1")[..] else { return missing };
        let own: Vec<&Value> = self.posts.iter().filter(|(of, _)| *of == board).map(|(_, post)| post).collect();
        let Some((_, from)) = BOARDS.into_iter().find(|(name, _)| ask.method == "GET" && *name == board) else {
            return missing;
        };
        match what {
            "departments" => {
                let row = |id: u32, name: &str, parent: Option<u32>| json!({ "id": id, "name": name, "parent_id": parent, "jobs": [] });
                let (first, second) = (row(from, "Engineering", None), row(from + 500, "Gateway", Some(from)));
                Told::good(json!({ "departments": [first, second] }))
            }
            "jobs" => {
                let shown = own.iter().map(|post| {
                    let mut post = (*post).clone();
                    if ask.query.get("content").is_none_or(|content| content != "true") {
                        post.as_object_mut().unwrap().retain(|name, _| name != "departments" && name != "content");
                    }
                    post
                });
                Told::good(json!({ "jobs": shown.collect::<Vec<_>>(), "meta": { "total": own.len() } }))
            }
            _ => missing,
        }
    }
}

fn post(board: &str, from: u32, n: u32) -> Value {
    let id = from + n;
    json!({
        "id": id, "internal_job_id": id + 5000, "title": format!("Engineer {id}"), "updated_at": "2026-02-01T10:55:28-05:00",
        "first_published": "2026-01-01T10:55:28-05:00", "requisition_id": format!("R-{id}"), "location": { "name": "Shanghai" },
        "absolute_url": format!("https://boards.example/{board}/jobs/{id}"), "content": "&amp;lt;p&amp;gt;",
        "departments": [{ "id": from + 500, "name": "Gateway" }],
    })
}
