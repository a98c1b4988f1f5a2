//! The state machines that groups replicate: meta, and shards.
