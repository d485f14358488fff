#![allow(clippy::unwrap_used)]
use std::collections::VecDeque;

use parking_lot::Mutex;

use super::*;
use crate::SystemClock;

/// What opening a connection gives: the events on it and how it breaks, or why there is none.
type Opened = Result<(Vec<&'static str>, Option<EgressError>), EgressError>;

/// One connection: its events, and how it ends.
struct Script {
    events: VecDeque<&'static str>,
    end: Option<EgressError>,
    log: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl EventSource for Script {
    async fn next(&mut self) -> Result<Option<SocketEvent>, EgressError> {
        match (self.events.pop_front(), self.end.take()) {
            (Some("wait"), end) => {
                self.end = end;
                std::future::pending().await
            }
            (Some(id), end) => {
                self.end = end;
                let headers = vec![("eventId".to_owned(), id.to_owned())];
                Ok(Some(SocketEvent::new(headers, id.as_bytes().to_vec(), id)))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    async fn answer(&mut self, event: &SocketEvent, verdict: EventVerdict, answer: &[u8]) -> Result<(), EgressError> {
        let id = String::from_utf8_lossy(&event.body).into_owned();
        self.log.lock().push(format!("answer {id} {verdict:?} {}", String::from_utf8_lossy(answer)));
        Ok(())
    }

    async fn close(self: Box<Self>) {
        self.log.lock().push("close".to_owned());
    }
}

/// Opens what the script says, the last error for ever.
#[derive(Clone)]
struct Door {
    opens: Arc<Mutex<VecDeque<Opened>>>,
    log: Arc<Mutex<Vec<String>>>,
    began: Instant,
}

impl Door {
    fn new(opens: Vec<Opened>) -> Self {
        Self { opens: Arc::new(Mutex::new(opens.into())), log: Arc::default(), began: Instant::now() }
    }
}

#[async_trait]
impl EventDoor for Door {
    async fn open(&self) -> Result<Box<dyn EventSource>, EgressError> {
        let next = self.opens.lock().pop_front();
        self.log.lock().push(format!("open at {} s", self.began.elapsed().as_secs()));
        match next {
            Some(Ok((events, end))) => Ok(Box::new(Script { events: events.into(), end, log: Arc::clone(&self.log) })),
            Some(Err(error)) => Err(error),
            None => std::future::pending().await,
        }
    }
}

/// Takes everything but `bad`, and says so before the answer leaves.
struct Inbox(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Taker for Inbox {
    async fn take(&self, delivery: Delivery) -> (EventVerdict, Vec<u8>) {
        assert_eq!((delivery.method.as_str(), delivery.headers[0].0.as_str()), (METHOD, "eventId"));
        let id = String::from_utf8(delivery.body.to_vec()).unwrap();
        self.0.lock().push(format!("durable {id}"));
        if id == "bad" { (EventVerdict::Later, Vec::new()) } else { (EventVerdict::Taken, b"ok".to_vec()) }
    }
}

/// Runs for so long by the paused clock; answers with what happened.
async fn run(door: &Door, time: Duration) -> Vec<String> {
    let (_reload, reloads) = watch::channel(0);
    let taker = Inbox(Arc::clone(&door.log));
    let listener = Listener { name: "people".into(), taker, clock: Arc::new(SystemClock), reloads };
    let cancel = CancellationToken::new();
    let opened = door.clone();
    let task = tokio::spawn(listener.go(move || Some(Arc::new(opened.clone()) as Arc<dyn EventDoor>), cancel.clone()));
    tokio::time::sleep(time).await;
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(1), task).await.expect("it stops when asked to").unwrap();
    door.log.lock().clone()
}

fn opens(log: &[String]) -> Vec<u64> {
    log.iter().filter_map(|line| line.strip_prefix("open at ")?.strip_suffix(" s")?.parse().ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_durable_before_it_is_answered_and_they_keep_their_order() {
    let door = Door::new(vec![Ok((vec!["a", "bad", "b", "wait"], None))]);
    let log = run(&door, Duration::from_secs(5)).await;
    assert_eq!(
        log,
        [
            "open at 0 s",
            "durable a",
            "answer a Taken ok",
            "durable bad",
            "answer bad Later ",
            "durable b",
            "answer b Taken ok",
            "close",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_and_a_break_lead_to_another_connection_ever_more_slowly() {
    let broke = || EgressError::Unavailable("cut".into());
    let mut script = vec![Ok((vec!["a"], None)), Ok((vec![], Some(broke())))];
    script.extend((0..20).map(|_| Err(broke())));
    let door = Door::new(script);
    let log = run(&door, Duration::from_secs(300)).await;
    let times = opens(&log);
    assert!(times.len() >= 6 && times.len() <= 16, "{times:?}");
    let waits: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| *wait <= 60), "{waits:?}");
    assert!(waits[0] <= 1 && *waits.last().unwrap() >= 30, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_person_can_mend_is_tried_seldom() {
    let door = Door::new((0..5).map(|_| Err(EgressError::Auth("wrong secret".into()))).collect());
    assert_eq!(opens(&run(&door, Duration::from_secs(650)).await), [0, 300, 600]);
}
