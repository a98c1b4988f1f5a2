//! What the session wants, done: one connection, and what is under way on it.

use etcd_client::{
    Client, Error, EventType, WatchOptions, WatchRequestSender, WatchResponse, WatchResponseStream,
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use mesh_wire::name::Name;

use super::{call, failure, keys::Keys, options::Checked};
use crate::{
    discovery::BoxFuture,
    session::{Action, Change, Input, Item},
};

/// Progress asked for and not yet sent.
const ASK: &str = "the watch takes no question";

/// See the module.
pub(super) struct Shell {
    options: Checked,
    keys: Keys,
    endpoint: String,
    client: Option<Client>,
    /// Whether anything came back on this connection.
    is_proven: bool,
    /// Asks the watch whether it is alive.
    asker: Option<WatchRequestSender>,
    /// Bounded by the session: it waits for one answer of each kind.
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
}

/// What came back.
pub(super) enum Done {
    Connected(Result<Box<Client>, Error>),
    Called(Result<Input, Error>),
    WatchOpened(Result<(WatchRequestSender, WatchResponseStream), Error>),
    Watched(Result<Option<WatchResponse>, Error>, WatchResponseStream),
    Asked(WatchRequestSender, Result<(), Error>),
}

impl Shell {
    pub(super) fn new(own: &Name, options: Checked) -> Self {
        Self {
            keys: Keys::new(&options.cluster, own),
            options,
            endpoint: String::new(),
            client: None,
            is_proven: false,
            asker: None,
            under_way: FuturesUnordered::new(),
        }
    }

    /// Whether something is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Waits for the next thing to come back. Loses nothing when it is dropped.
    pub(super) async fn next(&mut self) -> Option<Done> {
        self.under_way.next().await
    }

    /// Begins an action.
    pub(super) fn begin(&mut self, action: Action) {
        let keys = self.keys.clone();
        match action {
            Action::Connect { endpoint } => {
                self.endpoint = self.options.endpoints.get(endpoint).cloned().unwrap_or_default();
                let (endpoint, options) = (self.endpoint.clone(), self.options.connect.clone());
                self.under_way.push(Box::pin(async move {
                    Done::Connected(Client::connect([endpoint], Some(options)).await.map(Box::new))
                }));
            }
            Action::Close => {
                self.under_way.clear();
                self.asker = None;
                self.client = None;
                self.is_proven = false;
            }
            Action::Grant { ttl } => self.call(|client| call::grant(client, ttl)),
            Action::KeepAlive { lease } => self.call(|client| call::keep_alive(client, lease)),
            Action::Register { lease, guard, record } => {
                self.call(|client| call::register(client, keys, lease, guard, record));
            }
            Action::Look { lease } => self.call(|client| call::look(client, lease)),
            Action::Read { after, revision } => self.call(|client| call::read(client, keys, after, revision)),
            Action::Watch { from } => self.watch(from),
            Action::Progress => self.ask(),
            Action::Found { proposal, unchanged_since } => {
                self.call(|client| call::found(client, keys, proposal, unchanged_since));
            }
            Action::Depart { lease, record } => self.call(|client| call::depart(client, keys, lease, record)),
        }
    }

    /// Takes what came back, and says what it means to the session.
    pub(super) fn finish(&mut self, done: Done) -> Option<Input> {
        match done {
            Done::Connected(Ok(client)) => {
                self.client = Some(*client);
                Some(Input::Connected)
            }
            Done::Called(Ok(input)) => {
                self.is_proven = true;
                Some(input)
            }
            Done::WatchOpened(Ok((asker, stream))) => {
                self.asker = Some(asker);
                self.listen(stream);
                None
            }
            Done::Watched(Ok(Some(response)), stream) => {
                let input = self.watched(&response);
                if !response.canceled() {
                    self.listen(stream);
                }
                Some(input)
            }
            Done::Watched(Ok(None), _) => Some(failure::cancelled(&self.endpoint, "")),
            Done::Asked(asker, Ok(())) => {
                self.asker = Some(asker);
                None
            }
            Done::Connected(Err(error))
            | Done::Called(Err(error))
            | Done::WatchOpened(Err(error))
            | Done::Watched(Err(error), _)
            | Done::Asked(_, Err(error)) => Some(failure::input(&self.endpoint, self.is_proven, &error)),
        }
    }

    fn call<F>(&mut self, begin: impl FnOnce(Client) -> F)
    where
        F: Future<Output = Result<Input, Error>> + Send + 'static,
    {
        if let Some(client) = self.client.clone() {
            let call = begin(client);
            self.under_way.push(Box::pin(async move { Done::Called(call.await) }));
        }
    }

    fn watch(&mut self, from: i64) {
        let Some(mut client) = self.client.clone() else { return };
        let options = WatchOptions::new().with_range(&*self.keys.nodes_end).with_start_revision(from);
        let key = self.keys.nodes.clone();
        self.asker = None;
        self.under_way.push(Box::pin(async move {
            Done::WatchOpened(client.watch(key, Some(options)).await.map(etcd_client::WatchStream::split))
        }));
    }

    fn listen(&mut self, mut stream: WatchResponseStream) {
        self.under_way.push(Box::pin(async move {
            let message = stream.message().await;
            Done::Watched(message, stream)
        }));
    }

    fn ask(&mut self) {
        let Some(mut asker) = self.asker.take() else {
            let error = Error::WatchError(ASK.to_owned());
            return self.under_way.push(Box::pin(async move { Done::Called(Err(error)) }));
        };
        self.under_way.push(Box::pin(async move {
            let asked = asker.request_progress().await;
            Done::Asked(asker, asked)
        }));
    }

    fn watched(&self, response: &WatchResponse) -> Input {
        if response.compact_revision() > 0 {
            return Input::Compacted;
        }
        if response.canceled() {
            return failure::cancelled(&self.endpoint, response.cancel_reason());
        }
        if response.created() {
            return Input::Watching;
        }
        if response.events().is_empty() {
            return Input::Progress;
        }
        let changes = response.events().iter().filter_map(|event| {
            let kv = event.kv()?;
            let key = self.keys.id_of(kv.key());
            Some(match event.event_type() {
                EventType::Put => Change::Put(Item { key, value: kv.value().to_vec() }),
                EventType::Delete => Change::Delete { key },
            })
        });
        let revision = response.events().iter().filter_map(|event| Some(event.kv()?.mod_revision())).max();
        Input::Changes { changes: changes.collect(), revision: revision.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests;
