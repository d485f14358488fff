//! A program that compiles one plugin within limits and does nothing else: what tests start in the place of `renmen`, which has the
//! same as a hidden command.

use std::process::ExitCode;

fn main() -> ExitCode {
    renmen_plugin_host::compile_worker()
}
