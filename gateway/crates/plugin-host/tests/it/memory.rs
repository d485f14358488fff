//! What the host holds for calls is reserved before it is there: by the call and by the process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{
    CallMemory, Connection, ConnectionSpec, Egress, EgressLimits, EgressOptions, MemoryBudget, NoTape, OperatorGrant,
};
use renmen_plugin_host::{Call, CallError, CallLimits, Page, Plugin};
use renmen_schema::id::ConnectionName;
use renmen_schema::manifest::HttpWish;

use crate::harness::{HEAVY_BYTES, Server, first, host, hostile_component};

const MIB: u64 = 1 << 20;
const GATEWAY: &str = "gateway.memory_bytes_max";

/// One process: a plugin, a vendor, and a budget that its connections share.
struct Process {
    plugin: Arc<Plugin>,
    server: Server,
    egress: Arc<Egress>,
    budget: MemoryBudget,
}

impl Process {
    async fn with(bytes_max: u64) -> Self {
        let budget = MemoryBudget::new(bytes_max);
        let egress = Egress::with(EgressOptions { memory: budget.clone(), ..EgressOptions::default() }).unwrap();
        let plugin = host().load_bytes(hostile_component(), None).await.unwrap();
        Self { plugin, server: Server::start().await, egress, budget }
    }

    fn connection(&self, name: &str) -> Arc<Connection> {
        let spec = ConnectionSpec {
            tenant: "default".parse().unwrap(),
            connection: ConnectionName::new(name).unwrap(),
            wish: HttpWish {
                hosts: vec!["{base_url}".into()],
                methods: vec!["GET".into(), "POST".into()],
                ..HttpWish::default()
            },
            grant: OperatorGrant {
                hosts: None,
                methods: None,
                plaintext: true,
                addresses: vec!["127.0.0.0/8".parse().unwrap()],
                drop: None,
            },
            limits: EgressLimits {
                request_timeout: Duration::from_secs(60),
                response_bytes_max: 32 << 20,
                request_bytes_max: 8 << 20,
                retries_max: 0,
                retry_wait_max: Duration::from_millis(1),
                parallel_max: 8,
                rate: None,
                budget: None,
                logs: renmen_egress::LogLimits::default(),
            },
            slots: BTreeMap::new(),
            config: serde_json::json!({ "base_url": self.server.url }),
        };
        self.egress.connect(spec).unwrap()
    }

    async fn pull(&self, egress: &Arc<Connection>, stream: &str, memory_bytes_max: u64) -> Result<Page, CallError> {
        let config = serde_json::json!({ "base_url": self.server.url }).to_string();
        let call = Call {
            connection: ConnectionName::new("test").unwrap(),
            config: config.into_bytes().into(),
            limits: Arc::new(CallLimits { memory_bytes_max, ..CallLimits::default() }),
            egress: egress.clone(),
            tape: Arc::new(NoTape),
            now_ms: 1_750_000_000_123,
        };
        self.plugin.pull(call, first(stream)).await
    }
}

fn limit(result: Result<Page, CallError>) -> (&'static str, String) {
    match result {
        Err(CallError::Budget { budget, message, .. }) => (budget, message),
        Err(other) => panic!("no limit but {other}"),
        Ok(page) => panic!("a page of {} records", page.records.len()),
    }
}

/// The most that was ever resident, in bytes.
#[cfg(target_os = "linux")]
fn peak_resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// In a process of its own, as every test here: 60 answers are 1.8 GiB.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn sixty_heavy_answers_at_once_cost_no_more_than_the_limit_of_the_call() {
    let process = Process::with(1 << 30).await;
    let egress = process.connection("hostile");
    for stream in ["heavy_at_once", "heavy_packed"] {
        let (before, asked) = (peak_resident(), process.server.requests());
        let (name, message) = limit(process.pull(&egress, stream, 64 * MIB).await);
        assert_eq!(name, "memory_bytes_max");
        assert!(message.contains("67108864"), "{message}");
        let grown = peak_resident() - before;
        assert!(grown < 164 * MIB, "{stream}: {grown} bytes more were resident");
        // Twice what may be kept (as it is, and packed), and the copy of one out of which secrets are taken.
        assert!(process.budget.figures().peak <= (2 * 64 + 32) * MIB, "{:?}", process.budget.figures());
        assert_eq!(process.budget.figures().held, 0, "all of it was given back");
        // It was stopped in the middle, not after all had come.
        let asked = process.server.requests() - asked;
        assert!(asked < 40, "{stream}: {asked} requests");
    }
    assert_eq!(process.pull(&egress, "healthy", 64 * MIB).await.unwrap().records.len(), 10);
}

#[tokio::test]
async fn answers_within_the_limit_of_the_call_are_given_to_the_connector() {
    let process = Process::with(1 << 30).await;
    let page = process.pull(&process.connection("bulky"), "http_one_heavy", 128 * MIB).await.unwrap();
    assert_eq!(page.records[0].external_id, format!("E{HEAVY_BYTES}"));
    // The page holds on to what is reserved for it, and gives it back with itself.
    let held = page.memory.as_ref().map_or(0, |memory: &Arc<CallMemory>| memory.counted());
    assert!(held >= HEAVY_BYTES as u64);
    assert!(process.budget.figures().held >= 2 * HEAVY_BYTES as u64);
    drop(page);
    assert_eq!(process.budget.figures().held, 0);
}

#[tokio::test]
async fn requests_that_are_kept_beside_their_answers_count_as_well() {
    let process = Process::with(1 << 30).await;
    let egress = process.connection("hostile");
    let (name, _) = limit(process.pull(&egress, "heavy_bodies", 8 * MIB).await);
    assert_eq!((name, process.server.requests()), ("memory_bytes_max", 7));
    let before = process.server.requests();
    assert_eq!(limit(process.pull(&egress, "heavy_heads", 4 * MIB).await).0, "memory_bytes_max");
    assert!(process.server.requests() - before <= 4);
    assert_eq!(process.budget.figures().held, 0);
}

#[tokio::test]
async fn greedy_connections_leave_an_honest_one_its_part_of_the_memory() {
    let process = Process::with(96 * MIB).await;
    let (one, other, honest) =
        (process.connection("greedy-1"), process.connection("greedy-2"), process.connection("honest"));
    // Held by pages that are not committed, as long as that may take.
    let mut hoard = Vec::new();
    for greedy in [&one, &other] {
        while let Ok(held) = greedy.memory().try_take(MIB) {
            hoard.push(held);
        }
    }
    let hungry = process.pull(&one, "memory", 64 * MIB).await;
    let (name, message) = limit(hungry);
    assert_eq!(name, GATEWAY, "{message}");
    for _ in 0..3 {
        assert_eq!(process.pull(&honest, "healthy", 64 * MIB).await.unwrap().records.len(), 10);
    }
    assert!(process.budget.figures().peak <= 96 * MIB);
    assert!(process.budget.figures().refused > 0);
    drop(hoard);
    assert_eq!(process.pull(&one, "healthy", 64 * MIB).await.unwrap().records.len(), 10);
}

#[tokio::test]
async fn a_guest_that_grows_takes_its_memory_from_the_process() {
    let process = Process::with(64 * MIB).await;
    let egress = process.connection("hostile");
    // More than the process has: the process's key is named, not the call's.
    let (name, _) = limit(process.pull(&egress, "memory", 512 * MIB).await);
    assert_eq!(name, GATEWAY);
    assert!(process.budget.figures().peak <= 64 * MIB);
    assert_eq!(process.budget.figures().held, 0);
    // Less than the process has: the call's own.
    assert_eq!(limit(process.pull(&egress, "memory", 16 * MIB).await).0, "memory_bytes_max");
}
