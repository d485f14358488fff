//! Sealed slots: what the vendors' own protocols need works, with the vectors that they publish; and what an attacker tries, scheme
//! by scheme and pair by pair, is refused or tells what a signature tells.

mod attacks;
mod cuts;
mod pairs;
mod rig;
mod vendors;
