//! Clients on a network: nodes in this process, frames by hand.

#[path = "network/bad_input.rs"]
mod bad_input;
#[path = "network/client.rs"]
mod client;
#[path = "network/ending.rs"]
mod ending;
#[path = "network/identities.rs"]
mod identities;
#[path = "network/lanes.rs"]
mod lanes;
#[path = "network/renewal.rs"]
mod renewal;
#[path = "network/site.rs"]
mod site;
