//! The table, in parts by subject matter.

mod batch;
mod client;
mod command;
mod config;
mod discovery;
mod disk;
mod identity;
mod lifetime;
mod link;
mod message;
mod meta;
mod network;
mod peer;
mod records;
mod replica;
mod request;
mod socket;
mod startup;
mod store;
mod subject;

use super::Code;
use super::entry::Entry;

/// Parts in the order of their numbers.
const PARTS: &[&[Entry]] = &[
    link::ENTRIES,
    message::ENTRIES,
    lifetime::ENTRIES,
    batch::ENTRIES,
    subject::ENTRIES,
    request::ENTRIES,
    config::ENTRIES,
    socket::ENTRIES,
    startup::ENTRIES,
    client::ENTRIES,
    command::ENTRIES,
    identity::ENTRIES,
    network::ENTRIES,
    peer::ENTRIES,
    discovery::ENTRIES,
    disk::ENTRIES,
    store::ENTRIES,
    replica::ENTRIES,
    meta::ENTRIES,
    records::ENTRIES,
];

/// All entries, by rising number.
pub(super) fn entries() -> impl Iterator<Item = &'static Entry> {
    PARTS.iter().copied().flatten()
}

/// The entry of a code. Errors are rare and the table is small, so it is searched from the front.
pub(super) fn entry(code: Code) -> &'static Entry {
    // Every code has an entry, which the tests assert; the first one stands in so that there is no panic here.
    entries().find(|entry| entry.code == code).unwrap_or(&link::ENTRIES[0])
}
