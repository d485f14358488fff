//! The generated side of the contract, and nothing else: only `export` and `host` look in here.
//!
//! Three worlds with different exports instead of the contract's own two: every connector exports `reader`, and also
//! `writer` or `listener` as it needs them; the component encoder unites them. So every interface is generated once,
//! and the types of a page are the same for all.
#![allow(unsafe_code, reason = "the canonical ABI is pointers and lengths; all of it is generated")]
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated code")]

pub mod reader {
    wit_bindgen::generate!({
        path: "wit/connector.wit",
        inline: "
            package renmen:sdk-reader;
            world reader {
                include renmen:connector/imports@0.2.0;
                export renmen:connector/source@0.2.0;
                export renmen:connector/probe@0.2.0;
            }
        ",
        world: "renmen:sdk-reader/reader",
        pub_export_macro: true,
        export_macro_name: "export_reader",
        default_bindings_module: "renmen_plugin::__private::bindings::reader",
        generate_all,
    });
}

pub mod writer {
    wit_bindgen::generate!({
        path: "wit/connector.wit",
        inline: "
            package renmen:sdk-writer;
            world writer {
                export renmen:connector/sink@0.2.0;
            }
        ",
        world: "renmen:sdk-writer/writer",
        pub_export_macro: true,
        export_macro_name: "export_writer",
        default_bindings_module: "renmen_plugin::__private::bindings::writer",
        with: { "renmen:connector/types@0.2.0": crate::bindings::reader::renmen::connector::types },
    });
}

pub mod listener {
    wit_bindgen::generate!({
        path: "wit/connector.wit",
        inline: "
            package renmen:sdk-listener;
            world listener {
                export renmen:connector/webhook@0.2.0;
            }
        ",
        world: "renmen:sdk-listener/listener",
        pub_export_macro: true,
        export_macro_name: "export_listener",
        default_bindings_module: "renmen_plugin::__private::bindings::listener",
        with: { "renmen:connector/types@0.2.0": crate::bindings::reader::renmen::connector::types },
    });
}
