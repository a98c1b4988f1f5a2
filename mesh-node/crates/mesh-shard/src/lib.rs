//! The state machines that groups replicate, and what a cluster does with its groups.
//!
//! ```text
//!   mesh_core::meta::Meta ──────────┐
//!   mesh_core::register::Registers ─┴─► ShardMachine ─► mesh_replica's host
//!
//!   bootstrap, founding, join: how a node begins (once)
//!   reconcile: what is to be done next, given what is wanted and what is seen   (again and again)
//!   retire: what is declared no more frees its records
//! ```
//! All of it is pure: no async, clock, random source, log, lock or I/O.

pub mod bootstrap;
pub mod convert;
pub mod founding;
pub mod join;
pub mod machine;
pub mod reconcile;
pub mod retire;

pub use machine::ShardMachine;
