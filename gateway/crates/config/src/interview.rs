//! `[interview]`: when the gateway acts on interviews by itself, and the rules that decide on results.

use std::collections::BTreeMap;
use std::time::Duration;

use renmen_schema::id::ConnectionName;
use renmen_schema::text;
use renmen_schema::types::Decimal;

use crate::limits::within_range;
use crate::section::{Node, Section};
use crate::vault::KeySource;

/// Rules in one file.
pub const RULES_MAX: usize = 500;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const MONTH: Duration = Duration::from_secs(31 * 24 * 3_600);
const YEAR: Duration = Duration::from_secs(366 * 24 * 3_600);

/// What the gateway does about interviews, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interview {
    /// `remind_before`: the candidate is reminded this long before the begin. Default `5m`.
    pub remind_before: Duration,
    /// `no_show_after`: an interview that has not begun this long after the agreed time is a no-show. Default `10m`.
    pub no_show_after: Duration,
    /// `dropped_after`: when an interview has begun and not ended, and nothing was heard for this long, the candidate
    /// was cut off. Default `15m`.
    pub dropped_after: Duration,
    /// `feedback_within`: the candidate has their feedback within this time of the end; later is counted as late. Default `10m`.
    pub feedback_within: Duration,
    /// `catch_up`: what fell due longer ago than this is history, and nothing is done about it. Default `7d`.
    pub catch_up: Duration,
    /// `decide_within`: an interview that is still undecided this long after its end is reported by a message of the
    /// kind `interview_undecided`. Default `48h`.
    pub decide_within: Duration,
    /// `adjust_wait`: how long an adjust instruction may wait for approval, or for its vendor, before health tells of it. Default `72h`.
    pub adjust_wait: Duration,
    /// `takeover_after`: of gateways that share a database one works on the interviews of a tenant; after it showed no sign of life for
    /// this long, another works on in its place. Default `15s`.
    pub takeover_after: Duration,
    /// `adjust_self_approval`: who proposed an adjust instruction may approve it too. Default false.
    pub adjust_self_approval: bool,
    /// `screen_token_life`: how long a candidate's screen may follow its interview with one token. Default `2h`.
    pub screen_token_life: Duration,
    /// `decision_link_life`: how long a person may decide with one link. Default `72h`.
    pub decision_link_life: Duration,
    /// `decision_link_key_env` or `decision_link_key_file`: what seals these links, 32 bytes in base64. Default: a key that the
    /// gateway makes in its data directory. Gateways that share a database need the same one.
    pub decision_link_key: Option<KeySource>,
    /// `match_asks_per_minute`: questions about pay bands of one API key in a minute. Default 600.
    pub match_asks_per_minute: u32,
    /// `match_amounts_per_interview`: different amounts that one interview may ask about within `match_window`. Default 3.
    pub match_amounts_per_interview: u32,
    /// `match_asks_per_candidate`: questions about the pay of one candidate within `match_window`, in all interviews and through all
    /// connections. Default 6.
    pub match_asks_per_candidate: u32,
    /// `match_asks_per_band`: questions that one connection may ask about one pay band in a day. Default 1000.
    pub match_asks_per_band: u32,
    /// `match_window`: how long the questions of an interview and of a candidate are counted. Default `30d`.
    pub match_window: Duration,
    /// `match_digits`: significant digits to which answers tell amounts apart. The ends of a band are moved inwards to them. Default 2.
    pub match_digits: u32,
    /// `vendors`: the connections whose AI interviews are acted on. Default: the one connection that may write interviews; where
    /// several may, none until it is said here.
    pub vendors: Vec<ConnectionName>,
    /// `sources`: for a connection, the other connections whose records count for its interviews and applications along
    /// with its own. Default none.
    pub sources: BTreeMap<ConnectionName, Vec<ConnectionName>>,
    /// `pay_bands`: the connections whose bands answer. Default: the one connection that may write bands; where several may, none
    /// until it is said here.
    pub pay_bands: Vec<ConnectionName>,
    /// `children_max`: records of one kind of one interview that are looked at. Steps beyond it the watch does not see; an interview
    /// with more results or decisions is decided no further. Either is told. Default 10000.
    pub children_max: u32,
    /// `[interview.rules.NAME]`, in the order of their names.
    pub rules: Vec<DecisionRule>,
}

/// `[interview.rules.NAME]`: a pass line. Scores are in per cent of their scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRule {
    /// NAME in the table's key.
    pub name: String,
    /// `position`: the position's id, as the application's job has it in the system that it comes from; without it every position that
    /// no other rule is for.
    pub position: Option<String>,
    /// `profile_version`: only for this version of the position's profile.
    pub profile_version: Option<u32>,
    /// `pass`: from here on a result passes.
    pub pass: Decimal,
    /// `border = [75, 80]`: from the first up to, and without, the second a person decides.
    pub border: Option<(Decimal, Decimal)>,
}

impl Default for Interview {
    fn default() -> Self {
        Self {
            remind_before: Duration::from_secs(5 * 60),
            no_show_after: Duration::from_secs(10 * 60),
            dropped_after: Duration::from_secs(15 * 60),
            feedback_within: Duration::from_secs(10 * 60),
            catch_up: 7 * DAY,
            decide_within: 2 * DAY,
            adjust_wait: 3 * DAY,
            takeover_after: 15 * SECOND,
            adjust_self_approval: false,
            screen_token_life: Duration::from_secs(2 * 3_600),
            decision_link_life: 3 * DAY,
            decision_link_key: None,
            match_asks_per_minute: 600,
            match_amounts_per_interview: 3,
            match_asks_per_candidate: 6,
            match_asks_per_band: 1_000,
            match_window: 30 * DAY,
            match_digits: 2,
            vendors: Vec::new(),
            sources: BTreeMap::new(),
            pay_bands: Vec::new(),
            children_max: 10_000,
            rules: Vec::new(),
        }
    }
}

impl Interview {
    pub(crate) fn read(section: Option<Section<'_>>) -> Self {
        let mut interview = Self::default();
        let Some(mut section) = section else { return interview };
        for (key, most, place) in [
            ("remind_before", DAY, &mut interview.remind_before),
            ("no_show_after", DAY, &mut interview.no_show_after),
            ("dropped_after", DAY, &mut interview.dropped_after),
            ("feedback_within", DAY, &mut interview.feedback_within),
            ("catch_up", MONTH, &mut interview.catch_up),
            ("decide_within", MONTH, &mut interview.decide_within),
            ("adjust_wait", MONTH, &mut interview.adjust_wait),
            ("screen_token_life", DAY, &mut interview.screen_token_life),
            ("match_window", YEAR, &mut interview.match_window),
        ] {
            if let Some(read) = section.get(key).and_then(|node| within_range::duration(&node, SECOND, most)) {
                *place = read;
            }
        }
        let takeover = section.get("takeover_after");
        if let Some(read) = takeover.and_then(|node| within_range::duration(&node, 4 * SECOND, 10 * MINUTE)) {
            interview.takeover_after = read;
        }
        let life = section.get("decision_link_life");
        if let Some(read) = life.and_then(|node| within_range::duration(&node, 5 * MINUTE, MONTH)) {
            interview.decision_link_life = read;
        }
        interview.decision_link_key = link_key(&mut section);
        for (key, (least, most), place) in [
            ("match_asks_per_minute", (1_u32, 1_000_000), &mut interview.match_asks_per_minute),
            ("match_amounts_per_interview", (1, 100), &mut interview.match_amounts_per_interview),
            ("match_asks_per_candidate", (1, 1_000), &mut interview.match_asks_per_candidate),
            ("match_asks_per_band", (1, 1_000_000), &mut interview.match_asks_per_band),
            ("match_digits", (1, 15), &mut interview.match_digits),
            ("children_max", (100, 1_000_000), &mut interview.children_max),
        ] {
            if let Some(read) = section.get(key).and_then(|node| within_range::count(&node, least, most)) {
                *place = read;
            }
        }
        if let Some(allowed) = section.get("adjust_self_approval").and_then(|node| node.flag()) {
            interview.adjust_self_approval = allowed;
        }
        interview.vendors = section.get("vendors").map(|node| names(&node)).unwrap_or_default();
        interview.pay_bands = section.get("pay_bands").map(|node| names(&node)).unwrap_or_default();
        for (of, node) in section.table("sources").map(Section::named::<ConnectionName>).unwrap_or_default() {
            interview.sources.insert(of, names(&node));
        }
        if let Some(rules) = section.table("rules") {
            interview.rules = read_rules(&rules);
        }
        section.finish();
        interview
    }
}

fn link_key(section: &mut Section<'_>) -> Option<KeySource> {
    match (section.get("decision_link_key_env"), section.get("decision_link_key_file")) {
        (None, None) => None,
        (Some(node), None) => node.variable().map(KeySource::Env),
        (None, Some(node)) => node.path().map(KeySource::File),
        (Some(_), Some(node)) => {
            let why = text!(
                "`decision_link_key_env` and `decision_link_key_file` exclude each other",
                "`decision_link_key_env` 与 `decision_link_key_file` 只能选其一"
            );
            node.problem_at_key(why, text!("take one of them out", "请删除其中一个"));
            None
        }
    }
}

fn names(node: &Node<'_>) -> Vec<ConnectionName> {
    node.list().unwrap_or_default().iter().filter_map(Node::named).collect()
}

fn read_rules(section: &Section<'_>) -> Vec<DecisionRule> {
    let mut rules = Vec::new();
    for (name, node) in section.nodes() {
        if rules.len() == RULES_MAX {
            node.problem(
                text!("more than {RULES_MAX} rules", "规则超过 {RULES_MAX} 条"),
                text!(
                    "say several positions' rule once, without `position`",
                    "多个职位相同的规则请只写一次，不写 `position`"
                ),
            );
            break;
        }
        if name.is_empty() || name.len() > 63 {
            node.problem_at_key(
                text!("a rule's name has 1 to 63 bytes", "规则名为 1 到 63 字节"),
                text!("give it a shorter name", "请取更短的名称"),
            );
            continue;
        }
        rules.extend(node.section().and_then(|section| DecisionRule::read(name, section)));
    }
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    rules
}

impl DecisionRule {
    fn read(name: &str, mut section: Section<'_>) -> Option<Self> {
        let position = section.get("position").and_then(|node| node.filled()).map(|text| text.value);
        let version = section.get("profile_version").and_then(|node| within_range::count(&node, 1_u32, u32::MAX));
        let pass = section.require(
            "pass",
            text!("write the pass line in per cent of the scale: `pass = 80`", "请以量表的百分比写通过线：`pass = 80`"),
        );
        let pass = pass.and_then(|node| percent(&node));
        let border = section.get("border").map(|node| border(&node));
        section.finish();
        let border = match border {
            None => None,
            Some(read) => Some(read?),
        };
        Some(Self { name: name.to_owned(), position, profile_version: version, pass: pass?, border })
    }
}

fn percent(node: &Node<'_>) -> Option<Decimal> {
    let number = node.number()?;
    let read = Decimal::parse(&number.to_string()).ok();
    let fits = read.filter(|read| !read.is_negative() && *read <= Decimal::from(100));
    if fits.is_none() {
        node.problem(
            text!("this is not a percentage of the scale", "不是量表的百分比"),
            text!(
                "write a number from 0 to 100 with at most six digits after the point",
                "请写 0 到 100 的数字，小数最多六位"
            ),
        );
    }
    fits
}

fn border(node: &Node<'_>) -> Option<(Decimal, Decimal)> {
    let items = node.list()?;
    let [from, below] = items.as_slice() else {
        node.problem(
            text!("a border has two ends", "复核区间有两端"),
            text!(
                "write `border = [75, 80]`: from 75 up to, and without, 80",
                "请写 `border = [75, 80]`：从 75 起，到 80 为止且不含 80"
            ),
        );
        return None;
    };
    let (from, below) = (percent(from)?, percent(below)?);
    if from >= below {
        node.problem(
            text!("this band is empty", "该区间为空"),
            text!("write the lower end first: `border = [75, 80]`", "请先写下限：`border = [75, 80]`"),
        );
        return None;
    }
    Some((from, below))
}
