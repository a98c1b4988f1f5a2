//! The streams that the other side opens, and the rules for them.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use mesh_wire::class::Class;
use mesh_wire::code::Code;
use quinn::{ReadError, RecvStream};
use tokio::io::ReadBuf;
use tokio::time::{Instant, sleep_until};

use super::{Whole, settings};
use crate::link::Closed;

/// Streams of the other side, by the class that each says first.
#[derive(Debug)]
pub(crate) struct Inbound {
    whole: Arc<Whole>,
    /// Streams that have not said their class, oldest first; at most as many as there may be open.
    nameless: VecDeque<Nameless>,
    /// Classes that have had their lane.
    given: [bool; Class::COUNT],
}

#[derive(Debug)]
struct Nameless {
    stream: RecvStream,
    deadline: Instant,
}

enum Event {
    Named(Class, RecvStream),
    Opened(RecvStream),
    Silent,
}

impl Inbound {
    pub(super) fn new(whole: Arc<Whole>) -> Self {
        Self { whole, nameless: VecDeque::new(), given: [false; Class::COUNT] }
    }

    /// The next lane; the first is that of control. Whoever breaks a rule loses the link.
    pub(crate) async fn accept(&mut self) -> io::Result<(Class, LaneReader)> {
        match self.next().await {
            Ok((class, stream)) => Ok((class, LaneReader { stream, whole: Arc::clone(&self.whole) })),
            Err(closed) => {
                self.whole.close(closed.clone());
                Err(closed.into())
            }
        }
    }

    async fn next(&mut self) -> Result<(Class, RecvStream), Closed> {
        let whole = Arc::clone(&self.whole);
        loop {
            let deadline = self.nameless.front().map(|first| first.deadline);
            let mut opened = pin!(whole.connection().accept_uni());
            let mut silence = pin!(async move {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            });
            let event = poll_fn(|cx| {
                if let Poll::Ready(named) = self.poll_named(cx) {
                    return Poll::Ready(named.map(|(class, stream)| Event::Named(class, stream)));
                }
                if let Poll::Ready(stream) = opened.as_mut().poll(cx) {
                    return Poll::Ready(stream.map(Event::Opened).map_err(|error| whole.end(&error)));
                }
                silence.as_mut().poll(cx).map(|()| Ok(Event::Silent))
            })
            .await?;
            match event {
                Event::Named(class, stream) => return Ok((class, stream)),
                Event::Opened(stream) => {
                    let deadline = Instant::now() + settings::LANE_SILENCE_MAX;
                    self.nameless.push_back(Nameless { stream, deadline });
                }
                Event::Silent => {
                    return Err(Closed::new(
                        Code::LaneSilent,
                        format!("a lane stayed silent for {:?}", settings::LANE_SILENCE_MAX),
                    ));
                }
            }
        }
    }

    /// A stream that says its class. Until the first one has, the others wait: it carries the handshake.
    fn poll_named(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Class, RecvStream), Closed>> {
        let is_first = !self.given.contains(&true);
        let considered = if is_first { self.nameless.len().min(1) } else { self.nameless.len() };
        for at in 0..considered {
            let mut byte = [0];
            let read = self.nameless[at].stream.poll_read(cx, &mut byte);
            let read = match read {
                Poll::Pending => continue,
                Poll::Ready(read) => read,
            };
            let class = self.judge(read, byte[0], is_first);
            let stream = self.nameless.remove(at).map(|nameless| nameless.stream);
            return Poll::Ready(class.and_then(|class| {
                // It was there at this place just now.
                stream.map(|stream| (class, stream)).ok_or_else(|| Closed::in_order("no stream"))
            }));
        }
        Poll::Pending
    }

    fn judge(&mut self, read: Result<usize, ReadError>, byte: u8, is_first: bool) -> Result<Class, Closed> {
        match read {
            Ok(1) => {}
            Ok(_) | Err(ReadError::Reset(_)) => {
                return Err(Closed::new(Code::LaneUnknown, "a lane ended before it said its class"));
            }
            Err(ReadError::ConnectionLost(error)) => return Err(self.whole.end(&error)),
            Err(error) => return Err(Closed::new(Code::LaneForbidden, error.to_string())),
        }
        let class = Class::from_byte(byte)
            .ok_or_else(|| Closed::new(Code::LaneUnknown, format!("a lane of class {byte}")))?;
        if is_first && class != Class::Control {
            let cause = format!("the first lane is {}, not control", class.as_str());
            return Err(Closed::new(Code::LaneForbidden, cause));
        }
        if std::mem::replace(&mut self.given[class.index()], true) {
            return Err(Closed::new(
                Code::LaneRepeated,
                format!("a second lane of class {}", class.as_str()),
            ));
        }
        Ok(class)
    }
}

/// The bytes of one stream behind its class.
#[derive(Debug)]
pub(crate) struct LaneReader {
    stream: RecvStream,
    whole: Arc<Whole>,
}

impl LaneReader {
    #[inline]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_buf(cx, buf).map_err(|error| match error {
            ReadError::ConnectionLost(error) => self.whole.end(&error).into(),
            ReadError::Reset(_) => Closed::new(Code::LinkReset, "the other side gave up a lane").into(),
            error => io::Error::other(error),
        })
    }
}
