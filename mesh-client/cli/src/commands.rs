//! The commands, one per file.

pub(crate) mod bench;
pub(crate) mod cert;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod context;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod group;
pub(crate) mod node;
pub(crate) mod publish;
pub(crate) mod register;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod service;
pub(crate) mod subscribe;
