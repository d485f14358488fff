//! The mapping that was put into this component when it was built, and the connector that it makes.
#![allow(unsafe_code, reason = "the mapping lies in memory that was added after the compiler was done")]

use renmen_plugin::{
    Action, Delivery, Failure, Finding, Outcome, Page, Pull, Receipt, Sink, Source, Webhook, export_connector,
};
use serde_json::Value;

use crate::language::Document;

/// Tells the place in the module: who builds a connector looks for these bytes and writes address and length behind them.
const MARK: [u8; 24] = *b"renmen:mapping-stands-at";

/// Where the mapping lies.
#[repr(C)]
struct Place {
    mark: [u8; 24],
    address: u32,
    length: u32,
}

#[used]
static PLACE: Place = Place { mark: MARK, address: 0, length: 0 };

/// The mapping.
///
/// # Errors
/// A component without one.
fn document() -> Result<Document, Failure> {
    // Read as if anything could stand there: the compiler knows the static's first content alone.
    // SAFETY: it is a static of ours.
    let (address, length) = unsafe {
        (std::ptr::read_volatile(&raw const PLACE.address), std::ptr::read_volatile(&raw const PLACE.length))
    };
    if length == 0 {
        return Err(Failure::internal("this is the interpreter alone: a mapping must be put into it"));
    }
    // SAFETY: `embed` added a data segment of this length at this address, in pages of memory of its own that no allocator knows.
    let bytes = unsafe { std::slice::from_raw_parts(address as *const u8, length as usize) };
    serde_json::from_slice(bytes).map_err(|fault| Failure::internal(format!("the mapping cannot be read: {fault}")))
}

/// The connector.
struct Declarative;

impl Source for Declarative {
    type Config = Value;

    fn pull(config: Value, pull: Pull) -> Result<Page, Failure> {
        crate::pull(&document()?, &config, &pull)
    }

    fn probe(config: Value) -> Result<Vec<Finding>, Failure> {
        crate::probe(&document()?, &config)
    }
}

impl Sink for Declarative {
    type Config = Value;

    fn push(config: Value, action: Action) -> Result<Receipt, Failure> {
        crate::push(&document()?, &config, &action)
    }
}

impl Webhook for Declarative {
    type Config = Value;

    fn receive(config: Value, delivery: Delivery) -> Result<Outcome, Failure> {
        crate::receive(&document()?, &config, &delivery)
    }
}

export_connector!(Declarative);
