mod batching;
mod network;
mod panics;
mod properties;
mod rules;
mod subject;
