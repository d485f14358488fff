//! What wasmtime makes of the contract. Nothing is written by hand here.
//!
//! The flag that would trace calls stays off: it prints arguments, and those hold URLs, headers and people's data.
#![allow(unreachable_pub, unsafe_code, reason = "generated from the contract")]

wasmtime::component::bindgen!({
    path: "../../../plugin-sdk/wit",
    world: "full-connector",
    imports: {
        "renmen:connector/http": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
