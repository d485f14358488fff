//! Names the processor that this tool is built for: releases are made for it where no other platform is named.

fn main() {
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    println!("cargo::rustc-env=XTASK_ARCH={arch}");
    println!("cargo::rerun-if-changed=build.rs");
}
