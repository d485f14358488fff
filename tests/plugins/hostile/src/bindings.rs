//! What wit-bindgen makes of the contract. Nothing is written by hand here.
#![allow(
    unreachable_pub,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    rust_2018_idioms,
    clippy::all,
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    reason = "generated from the contract"
)]

wit_bindgen::generate!({
    path: "../../../plugin-sdk/wit",
    world: "full-connector",
    pub_export_macro: true,
});
