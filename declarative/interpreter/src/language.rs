//! `mapping.toml` as it is written: its keys and nothing more. What they mean is in `plan`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Pointers, each with a value or a list of values.
pub(crate) type Lines = Map<String, Value>;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What all requests share.
    pub api: Api,
    /// What is read, by the stream's name in plugin.toml.
    #[serde(default)]
    pub streams: BTreeMap<String, OneOrMore<ReadOf>>,
    /// Words of the vendor to ours, for several fields.
    #[serde(default)]
    pub maps: BTreeMap<String, Map<String, Value>>,
    /// What is written, by the action's name in plugin.toml.
    #[serde(default)]
    pub actions: BTreeMap<String, ActionOf>,
    /// What the vendor sends of its own accord.
    pub webhook: Option<HookOf>,
}

/// What all requests share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// What stands before every path.
    pub base: String,
    /// The slot whose credential goes along.
    pub slot: Option<String>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What must stand in an answer that is good.
    #[serde(default)]
    pub ok: Lines,
    /// Where the vendor's own code stands in an answer that is not; the first counts that has something.
    pub code: Option<OneOrMore<String>>,
    /// What answers mean that are not good; the first that fits counts.
    #[serde(default)]
    pub errors: Vec<ErrorOf>,
}

/// An answer that is not good.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorOf {
    /// Its HTTP status; none for any.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What stands in it.
    #[serde(default)]
    pub when: Lines,
    /// `rate-limited` and the other kinds of failures; `gone`, `empty`, `restart`.
    pub is: String,
    /// What the operator is told.
    pub message: Option<String>,
    /// How long to wait, where the vendor does not say it in a header.
    pub wait: Option<String>,
}

/// A request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestOf {
    /// `GET`, or `POST` where there is a body.
    pub method: Option<String>,
    /// Behind `api.base`.
    pub path: String,
    /// Parameters.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A body in JSON.
    pub json: Option<Value>,
    /// A body as a form.
    pub form: Option<BTreeMap<String, String>>,
    /// In place of `api.slot`; an empty one for none.
    pub slot: Option<String>,
}

/// One list that is read page by page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadOf {
    /// The request for a page.
    pub request: RequestOf,
    /// Pointer to the list in the answer.
    #[serde(default)]
    pub items: String,
    /// An object stands where the list would: its members are the items, and a member's name is found in its item here: `/id`.
    pub keyed: Option<String>,
    /// Pointer, within an item, to a list of further items of the same kind, and so on.
    pub nested: Option<String>,
    /// A single object may stand where the list stands.
    #[serde(default)]
    pub single: bool,
    /// The most items that the vendor gives in one answer.
    pub size_max: Option<u32>,
    /// How the list goes on.
    pub paging: Option<PagingOf>,
    /// How the vendor is asked what changed; none reads all.
    pub changes: Option<ChangesOf>,
    /// The list is read once for each of these.
    pub for_each: Option<ParentsOf>,
    /// The items are ids, or thin: each is asked for by its id.
    pub lookup: Option<LookupOf>,
    /// Items for which this does not hold are left out.
    #[serde(default)]
    pub when: Lines,
    /// What each item becomes.
    pub records: Vec<RecordOf>,
}

/// How a list goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum PagingOf {
    /// The whole address of the next page stands in the answer.
    Url {
        /// Where.
        next: String,
    },
    /// The whole address of the next page stands in the header `Link`.
    Link {},
    /// A token stands in the answer; it is sent as `{page/token}`.
    Token {
        /// Where.
        next: String,
        /// Where it stands whether there is more.
        more: Option<String>,
    },
    /// Pages are numbered: `{page/number}`.
    Number {
        /// The first one's number.
        #[serde(default = "one")]
        first: u64,
        /// Where it stands whether there is more.
        more: Option<String>,
        /// Where it stands how many pages there are.
        pages: Option<String>,
    },
    /// Items are counted: `{page/offset}`.
    Offset {
        /// Where it stands how many items there are.
        total: Option<String>,
        /// Where it stands whether there is more.
        more: Option<String>,
    },
}

fn one() -> u64 {
    1
}

/// How the vendor is asked what changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChangesOf {
    /// By a time, sent as `{since}`.
    Time {
        /// Pointer to the time of an item.
        modified: String,
        /// What a number counts.
        unit: Option<TimeUnit>,
        /// The zone of a time without one: `+08:00`.
        zone: Option<String>,
        /// Is the list sorted by it?
        #[serde(default)]
        order: Order,
        /// How late an item may show up.
        overlap: Option<String>,
        /// Where the first run begins: a text with places.
        start: Option<String>,
    },
    /// By a token that the last page of a run gives, sent as `{since}`.
    SyncToken {
        /// Where.
        token: String,
    },
}

/// What a number counts from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

/// In which order a list comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By time of change, oldest first: it is checked.
    OldestFirst,
    /// In any: the time moves at the end of the run only.
    #[default]
    Any,
}

/// For what a list is read once each. One of the four.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentsOf {
    /// Each item of this stream's first list.
    pub stream: Option<String>,
    /// Each value of a list: `{config/boards}`.
    pub list: Option<String>,
    /// Each span of days up to now.
    pub days: Option<DaysOf>,
    /// Each of the last so many months, this one included.
    pub months: Option<u32>,
    /// Parents for which this does not hold are left out.
    #[serde(default)]
    pub when: Lines,
}

/// Spans of days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaysOf {
    /// How far back the first begins: `90d`.
    pub back: String,
    /// How long each is: `7d`.
    pub step: String,
}

/// Items that are asked for by id.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupOf {
    /// The request, with `{id}`, or `{ids}` where it takes several.
    pub request: RequestOf,
    /// Pointer to the id in a listed item; without it only what an event names is asked for.
    pub listed: Option<String>,
    /// Ids in one request.
    #[serde(default = "single")]
    pub batch: u32,
    /// Pointer to the list in the answer.
    pub items: Option<String>,
    /// Pointer to the one item in the answer.
    pub item: Option<String>,
    /// Pointer to the id in an item of the answer; none: the id of the first record.
    pub id: Option<String>,
    /// What it means that an answer lacks an id that was asked for.
    #[serde(default)]
    pub missing: Missing,
}

fn single() -> u32 {
    1
}

/// What it means that an answer lacks an id that was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is told, and nothing concluded.
    #[default]
    Unknown,
    /// The record is gone.
    Gone,
}

/// What an item becomes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordOf {
    /// The canonical entity.
    pub entity: String,
    /// One record for each item of this list in the item.
    pub each: Option<String>,
    /// Only where this holds.
    #[serde(default)]
    pub when: Lines,
    /// The vendor's own id: a pointer, or a text with places.
    pub id: String,
    /// When the vendor changed it.
    pub updated: Option<TimeOf>,
    /// When the record is gone.
    pub deleted: Option<DeletedOf>,
    /// Constants: canonical pointer to value.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// Canonical pointer to where its value comes from.
    #[serde(default)]
    pub fields: BTreeMap<String, SourceOf>,
}

/// Where a time stands.
#[derive(Debug, Clone)]
pub struct TimeOf(pub TimeTable);

/// Where a time stands, and in which form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeTable {
    /// Pointer.
    pub from: String,
    /// What a number counts.
    pub unit: Option<TimeUnit>,
    /// The zone of a time without one.
    pub zone: Option<String>,
}

/// When a record is gone.
#[derive(Debug, Clone)]
pub enum DeletedOf {
    /// `"always"`: the list is of what is gone.
    Always,
    /// Where this holds.
    When(Lines),
}

/// Where the value of a field comes from.
#[derive(Debug, Clone)]
pub enum SourceOf {
    /// From one place.
    One(Box<SourceTable>),
    /// From the first of these that has something.
    First(Vec<SourceOf>),
}

impl SourceOf {
    /// Each table in it.
    pub fn tables(&self) -> Vec<&SourceTable> {
        match self {
            Self::One(table) => vec![table],
            Self::First(sources) => sources.iter().flat_map(Self::tables).collect(),
        }
    }
}

/// Where the value of a field comes from, and what it means.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceTable {
    /// A pointer, or several of which the first counts that has something.
    pub from: Option<OneOrMore<String>>,
    /// A text with places in place of a pointer.
    pub text: Option<String>,
    /// A constant in place of a pointer: with `when`, among several.
    pub value: Option<Value>,
    /// One entry of a list for each item of this list.
    pub each: Option<String>,
    /// With `each`: the fields of an entry.
    pub fields: Option<BTreeMap<String, SourceOf>>,
    /// With `each`: constants of an entry.
    pub set: Option<BTreeMap<String, Value>>,
    /// Only where this holds, of the entry or the item.
    #[serde(default)]
    pub when: Lines,
    /// The value is JSON in a text: pointer into that.
    pub json: Option<String>,
    /// What it means.
    #[serde(rename = "as")]
    pub form: Option<String>,
    /// The record is refused without it.
    #[serde(default)]
    pub required: bool,
    /// Texts that count as nothing.
    #[serde(default)]
    pub blank: Vec<String>,
    /// What stands where there is nothing.
    pub default: Option<Value>,
    /// Words to codes: a table, or the name of one under `maps`.
    pub map: Option<Value>,
    /// The zone of a time without one.
    pub zone: Option<String>,
    /// Digits behind the point of an amount in the smallest unit: 2 for cents.
    pub minor: Option<u32>,
    /// Pointer to the currency.
    pub currency_from: Option<String>,
    /// Digits behind the point that a number is rounded to.
    pub round: Option<u32>,
    /// The mark before decimals in texts.
    pub decimal: Option<String>,
    /// Of the vocabulary: `localized`.
    pub lang: Option<Value>,
    /// Of the vocabulary: `ref`.
    pub of: Option<Value>,
    /// Of the vocabulary: `ref`.
    pub connection: Option<Value>,
    /// Of the vocabulary: `ref`.
    pub scheme: Option<Value>,
    /// Of the vocabulary: amounts.
    pub currency: Option<Value>,
    /// Of the vocabulary: amounts; of times: `ms` or `s`.
    pub unit: Option<Value>,
    /// Of the vocabulary: rates and ranges.
    pub per: Option<Value>,
    /// Of the vocabulary: `date`.
    pub formats: Option<Value>,
    /// Of the vocabulary: `percent` and `weight`.
    pub of_one: Option<Value>,
    /// Of the vocabulary: `score`.
    pub min: Option<Value>,
    /// Of the vocabulary: `score`.
    pub max: Option<Value>,
    /// Of the vocabulary: `score`.
    pub levels: Option<Value>,
}

/// What is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionOf {
    /// The request.
    pub request: RequestOf,
    /// What is asked first, so that nothing is written twice.
    pub before: Option<BeforeOf>,
    /// Pointer to the vendor's id of what was written.
    pub reference: Option<String>,
    /// Facts worth keeping: name to pointer.
    #[serde(default)]
    pub detail: BTreeMap<String, String>,
    /// When the write is known to have arrived; none: at once.
    pub confirmed: Option<Lines>,
}

/// What is asked before a write.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeforeOf {
    /// The request.
    pub request: RequestOf,
    /// Pointer to a list in the answer; none: the answer itself.
    pub items: Option<String>,
    /// What tells the item that is there already.
    pub when: Lines,
    /// Pointer to the vendor's id in it.
    pub reference: Option<String>,
}

/// What the vendor sends of its own accord.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookOf {
    /// How a delivery is proved; none where plugin.toml has `[webhook.proof]`.
    pub signature: Option<SignatureOf>,
    /// The delivery's id: a text with places.
    pub id: Option<String>,
    /// What deliveries mean; the first that fits counts.
    pub events: Vec<EventOf>,
}

/// A signature.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureOf {
    /// The slot with the key.
    pub slot: String,
    /// Where it stands: a text with places.
    pub at: String,
    /// What stands before it.
    #[serde(default)]
    pub prefix: String,
    /// `hex` or `base64`.
    pub encoding: Encoding,
    /// What is signed, piece by piece: texts with places.
    pub signed: Vec<String>,
    /// The time that was signed: a text with places.
    pub time: Option<String>,
    /// What that time counts; none: RFC 3339.
    pub unit: Option<TimeUnit>,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64 of the usual alphabet.
    Base64,
}

/// What a delivery means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventOf {
    /// What tells it.
    #[serde(default)]
    pub when: Lines,
    /// The stream that is to be read.
    pub refresh: Option<String>,
    /// Pointers to the ids that are to be read; none: the whole stream.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Pointer to the item that it brings; with `records`.
    #[serde(default)]
    pub item: String,
    /// What the item becomes.
    #[serde(default)]
    pub records: Vec<RecordOf>,
    /// What the vendor is answered, as JSON.
    pub answer: Option<Value>,
}

/// One, or a list of some.
#[derive(Debug, Clone)]
pub struct OneOrMore<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMore<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one, or a list")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                use serde::de::IntoDeserializer as _;
                T::deserialize(text.into_deserializer()).map(|one| OneOrMore(vec![one]))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMore(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::<T>::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMore)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// Types that are written as a text or as a table.
macro_rules! text_or_table {
    ($(
        $name:ident, $expecting:literal,
        $text:ident => $of_text:expr,
        $table:ident: $from:ty => $of_table:expr
        $(, $list:ident: $several:ty => $of_list:expr)?;
    )*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Either;
                impl<'de> Visitor<'de> for Either {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: Error>(self, $text: &str) -> Result<$name, E> {
                        $of_text
                    }
                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        let $table = <$from>::deserialize(MapAccessDeserializer::new(map))?;
                        Ok($of_table)
                    }
                    $(fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<$name, A::Error> {
                        let $list = <$several>::deserialize(SeqAccessDeserializer::new(list))?;
                        Ok($of_list)
                    })?
                }
                deserializer.deserialize_any(Either)
            }
        }
    )*};
}

text_or_table! {
    TimeOf, "a pointer, or a table with `from`",
        text => Ok(TimeOf(TimeTable { from: text.to_owned(), ..TimeTable::default() })),
        table: TimeTable => TimeOf(table);
    SourceOf, "a pointer, a table with `from`, `text`, `value` or `each`, or a list of these",
        text => Ok(SourceOf::One(Box::new(SourceTable { from: Some(OneOrMore(vec![text.to_owned()])), ..SourceTable::default() }))),
        table: SourceTable => SourceOf::One(Box::new(table)),
        list: Vec<SourceOf> => SourceOf::First(list);
    DeletedOf, "\"always\", or a table of pointers to values",
        text => match text {
            "always" => Ok(DeletedOf::Always),
            _ => Err(E::custom("expected \"always\", or a table of pointers to values")),
        },
        table: Lines => DeletedOf::When(table);
}
