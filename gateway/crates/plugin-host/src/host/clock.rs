//! `clock`: the call's own time, which does not move, so that a replay gives the same page.

use crate::bindings::renmen::connector::clock::Host;
use crate::state::CallState;

impl Host for CallState {
    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        Ok(self.now_ms)
    }
}
