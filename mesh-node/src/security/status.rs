//! What became of files that are looked at again and again.

use std::time::SystemTime;

use mesh_wire::code::Code;
use parking_lot::Mutex;

/// Told by who looks at the files, read by whoever asks.
#[derive(Debug)]
pub(crate) struct Status(Mutex<Snapshot>);

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// When the current contents were taken.
    pub(crate) loaded: SystemTime,
    /// Times that new contents were taken since the start.
    pub(crate) reloads: u64,
    /// Times that new contents were bad; the old ones stayed.
    pub(crate) failures: u64,
    /// What is wrong with the files now.
    pub(crate) failing: Option<Failing>,
}

/// What is wrong with files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) since: SystemTime,
}

impl Status {
    pub(crate) fn new(now: SystemTime) -> Self {
        Self(Mutex::new(Snapshot { loaded: now, reloads: 0, failures: 0, failing: None }))
    }

    /// New contents are in force.
    pub(super) fn changed(&self, now: SystemTime) {
        let mut status = self.0.lock();
        status.loaded = now;
        status.reloads += 1;
        status.failing = None;
    }

    /// New contents are bad.
    pub(super) fn failed(&self, now: SystemTime, code: Code, message: String) {
        let mut status = self.0.lock();
        status.failures += 1;
        // Another fault does not make the files any newer.
        let since = status.failing.as_ref().map_or(now, |failing| failing.since);
        status.failing = Some(Failing { code, message, since });
    }

    /// The files are those that are in force again.
    pub(super) fn restored(&self) {
        self.0.lock().failing = None;
    }

    pub(crate) fn get(&self) -> Snapshot {
        self.0.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fault_lasts_from_its_beginning_to_its_end() {
        let start = SystemTime::UNIX_EPOCH;
        let at = |seconds| start + Duration::from_secs(seconds);
        let status = Status::new(start);
        status.failed(at(1), Code::CertsMalformed, "one".into());
        status.failed(at(2), Code::CertsMissing, "two".into());
        let failing = status.get().failing.unwrap();
        assert_eq!(
            (failing.code, failing.message.as_str(), failing.since),
            (Code::CertsMissing, "two", at(1))
        );
        status.restored();
        assert_eq!(status.get().failing, None);
        status.failed(at(3), Code::CertsMissing, "three".into());
        status.changed(at(4));
        let now = status.get();
        assert_eq!((now.loaded, now.reloads, now.failures, now.failing), (at(4), 1, 3, None));
    }
}
