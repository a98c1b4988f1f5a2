//! W3C trace context in message headers.
//!
//! ```text
//!  traceparent   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//!                │  └ trace id, 16 bytes              │                └ flags: 1 sampled
//!                └ version                            └ parent's span id, 8 bytes
//!  tracestate    vendor=value,…                       at most 32 entries and 512 bytes
//!  baggage       key=value;property,…                 at most 64 entries and 8192 bytes
//! ```
//!
//! Sources: W3C Trace Context (Recommendation, 2021) and W3C Baggage. Reading is strict: a `traceparent` that breaks a
//! rule makes no context at all, a broken `tracestate` or `baggage` is left out, as the recommendations say.

mod baggage;
mod id;
mod state;

use std::fmt;

pub use id::{SpanId, TraceId};

/// Header that names the parent span.
pub const TRACEPARENT: &str = "traceparent";
/// Header with what tracing systems add of their own.
pub const TRACESTATE: &str = "tracestate";
/// Header with what applications carry along.
pub const BAGGAGE: &str = "baggage";

/// Length of a `traceparent` of version 0, in bytes.
pub const TRACEPARENT_BYTES: usize = 55;
/// Longest `traceparent` that is read (later versions may append to it), in bytes.
pub const TRACEPARENT_BYTES_MAX: usize = 256;
/// Longest `tracestate`, in bytes.
pub const TRACESTATE_BYTES: usize = 512;
/// Most entries in a `tracestate`.
pub const TRACESTATE_ENTRIES: usize = 32;
/// Longest `baggage`, in bytes.
pub const BAGGAGE_BYTES: usize = 8_192;
/// Most entries in a `baggage`.
pub const BAGGAGE_ENTRIES: usize = 64;

const SAMPLED: u8 = 0x01;

/// Where a message belongs in a trace.
///
/// ```
/// use mesh_telemetry::trace_context::TraceContext;
///
/// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context = TraceContext::parse(text)?;
/// assert!(context.is_sampled());
/// assert_eq!(context.to_string(), text);
/// # Ok::<(), mesh_telemetry::trace_context::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
    tracestate: Option<Box<str>>,
    baggage: Option<Box<str>>,
}

impl TraceContext {
    /// A context without `tracestate` and `baggage`.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, sampled: bool) -> Self {
        Self { trace_id, span_id, flags: u8::from(sampled), tracestate: None, baggage: None }
    }

    /// Reads a `traceparent`.
    ///
    /// # Errors
    /// [`Error`] names the rule that it breaks.
    pub fn parse(traceparent: &str) -> Result<Self, Error> {
        let bytes = traceparent.as_bytes();
        if bytes.len() < TRACEPARENT_BYTES || bytes.len() > TRACEPARENT_BYTES_MAX {
            return Err(Error::Length { bytes: bytes.len() });
        }
        let version = id::hex_byte([bytes[0], bytes[1]]).ok_or(Error::Malformed)?;
        let extended = bytes.len() > TRACEPARENT_BYTES;
        if version == 0xff || (version == 0 && extended) {
            return Err(Error::Version);
        }
        let dashes = [2, 35, 52].iter().all(|&at| bytes[at] == b'-');
        if !dashes || (extended && bytes[TRACEPARENT_BYTES] != b'-') {
            return Err(Error::Malformed);
        }
        let trace_id = TraceId::from_hex(&bytes[3..35])?;
        let span_id = SpanId::from_hex(&bytes[36..52])?;
        let flags = id::hex_byte([bytes[53], bytes[54]]).ok_or(Error::Malformed)?;
        // Flags that this version does not know must not be passed on.
        Ok(Self { trace_id, span_id, flags: flags & SAMPLED, tracestate: None, baggage: None })
    }

    /// Reads a context from headers; `get` gives the value of a header by its name. `None` without a `traceparent` that
    /// obeys the rules. A `tracestate` or `baggage` that breaks its rules is left out.
    pub fn from_headers<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let mut context = Self::parse(get(TRACEPARENT)?).ok()?;
        context.tracestate = get(TRACESTATE).filter(|text| state::check(text).is_ok()).map(Box::from);
        context.baggage = get(BAGGAGE).filter(|text| baggage::check(text).is_ok()).map(Box::from);
        Some(context)
    }

    /// Gives every header of this context to `put`, as name and value: one to three.
    pub fn to_headers(&self, mut put: impl FnMut(&'static str, &str)) {
        let traceparent = self.traceparent();
        // Hex digits and dashes only, so this always is text.
        if let Ok(text) = std::str::from_utf8(&traceparent) {
            put(TRACEPARENT, text);
        }
        if let Some(text) = self.tracestate() {
            put(TRACESTATE, text);
        }
        if let Some(text) = self.baggage() {
            put(BAGGAGE, text);
        }
    }

    /// The same context with this `tracestate`; an empty one means none.
    ///
    /// # Errors
    /// [`Error::TraceState`] when it breaks a rule.
    pub fn with_tracestate(mut self, text: &str) -> Result<Self, Error> {
        state::check(text)?;
        self.tracestate = (!text.is_empty()).then(|| text.into());
        Ok(self)
    }

    /// The same context with this `baggage`; an empty one means none.
    ///
    /// # Errors
    /// [`Error::Baggage`] when it breaks a rule.
    pub fn with_baggage(mut self, text: &str) -> Result<Self, Error> {
        baggage::check(text)?;
        self.baggage = (!text.is_empty()).then(|| text.into());
        Ok(self)
    }

    /// The `traceparent` of version 0.
    #[must_use]
    pub fn traceparent(&self) -> [u8; TRACEPARENT_BYTES] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        id::write_hex(&self.trace_id.to_bytes(), &mut text[3..35]);
        id::write_hex(&self.span_id.to_bytes(), &mut text[36..52]);
        id::write_hex(&[self.flags], &mut text[53..55]);
        text
    }

    /// The trace that this belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span that sent it.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether the sender records this trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The `tracestate`, never empty.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }

    /// The `baggage`, never empty.
    #[must_use]
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// Which rule a header breaks. None is worth failing a message for: the message goes on without what is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `traceparent` of another length than its version has.
    #[error("traceparent has {bytes} bytes, not {TRACEPARENT_BYTES}")]
    Length {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A version that is forbidden, or something behind the end of version 0.
    #[error("traceparent has a version that is not allowed")]
    Version,
    /// Something else than lowercase hex digits and dashes.
    #[error("traceparent is not made of lowercase hex digits and dashes")]
    Malformed,
    /// A trace id or span id of zeros.
    #[error("traceparent has an id of zeros")]
    ZeroId,
    /// A `tracestate` that is too long or malformed.
    #[error("tracestate is malformed, or over {TRACESTATE_ENTRIES} entries or {TRACESTATE_BYTES} bytes")]
    TraceState,
    /// A `baggage` that is too long or malformed.
    #[error("baggage is malformed, or over {BAGGAGE_ENTRIES} entries or {BAGGAGE_BYTES} bytes")]
    Baggage,
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> mesh_wire::code::Code {
        mesh_wire::code::Code::HeaderMalformed
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TraceState => "send a tracestate after W3C Trace Context, section 3.3, or none",
            Self::Baggage => "send a baggage after W3C Baggage, section 3, or none",
            _ => {
                "send a traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, or none"
            }
        }
    }

    /// Whether the same header may be accepted later: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
