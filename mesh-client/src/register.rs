//! Registers: append-only lists of records.

mod read;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mesh_wire::batch::{BatchBuilder, Record};
use mesh_wire::body;
use mesh_wire::code::Code;
use mesh_wire::durable::{DeclareV1, DeclaredV1, REGISTER};
use mesh_wire::frame::Kind;
use mesh_wire::name::Name;
use tokio::sync::OnceCell;

pub use self::read::{Read, Stored};
use crate::client::Client;
use crate::durable::ask::ask;
use crate::durable::producer::{Appended, Producer, ProducerBuilder, refused};
use crate::error::Error;

/// A list of records that a cluster keeps on disk: the plainest thing on the durable plane, for tests and benchmarks.
/// Cheap to clone.
///
/// ```no_run
/// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
/// let register = mesh.register("audit").await?;
/// let appended = register.append(["one", "two"]).await?;
/// let read = register.read(appended.first, 64 * 1024).await?;
/// for stored in read.records() {
///     println!("{}: {} bytes", stored.sequence, stored.value.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Register {
    client: Client,
    name: Arc<str>,
    declared: DeclaredV1,
    producer: Arc<OnceCell<Producer>>,
}

impl Client {
    /// The register of this name, which is made if there is none. That and reading take as long as requests may
    /// ([`ClientBuilder::request_timeout`](crate::ClientBuilder::request_timeout)).
    ///
    /// # Errors
    /// A malformed name, a node that keeps nothing, or nobody who could make it in time.
    ///
    /// # Cancel safety
    /// Safe: the register may be made all the same.
    pub async fn register(&self, name: &str) -> Result<Register, Error> {
        Register::declare(self, name, true).await
    }

    /// The register of this name, if there is one.
    ///
    /// # Errors
    /// As [`Client::register`]; [`Code::LaneUndeclared`] when there is none.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn existing_register(&self, name: &str) -> Result<Register, Error> {
        Register::declare(self, name, false).await
    }
}

impl Register {
    async fn declare(client: &Client, name: &str, create: bool) -> Result<Self, Error> {
        let not_a_name = |error: mesh_wire::name::NameError| {
            Error::new(error.code(), format!("{name:?} is no name for a register"))
                .with_cause(error.to_string())
        };
        Name::check(name.as_bytes()).map_err(not_a_name)?;
        let declare = DeclareV1 { sort: REGISTER, name: name.to_owned(), create };
        let unreadable = |error: body::BodyError| Error::of(error.code()).with_cause(error.to_string());
        let body = body::encode(&declare).map_err(unreadable)?;
        let answer = ask(client, Kind::Declare, &body, client.shared().request_timeout, name).await.map_err(
            |error| match error.code() == Code::LaneUndeclared {
                true => Error::new(error.code(), format!("there is no register {name:?}"))
                    .with_hint(format!("create it: `mesh register create {name}`")),
                false => error,
            },
        )?;
        let declared = body::decode(&answer).map_err(unreadable)?;
        Ok(Self { client: client.clone(), name: name.into(), declared, producer: Arc::default() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number, which is never that of another one.
    #[must_use]
    pub fn lane(&self) -> u64 {
        self.declared.lane
    }

    /// The group that keeps it.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.declared.group
    }

    /// Whether it was made just now.
    #[must_use]
    pub fn was_created(&self) -> bool {
        self.declared.created
    }

    /// Starts setting up a producer of its own.
    pub fn producer(&self) -> ProducerBuilder {
        ProducerBuilder::new(self.client.clone(), self.declared.lane)
    }

    /// Appends records, one behind the other and all or none of them; ready when they are on the disks of a quorum. For
    /// more than one call under way at once, [`Register::producer`] is faster.
    ///
    /// # Errors
    /// Records that don't fit into one batch, or why they are not kept; see [`Acknowledgement`](crate::Acknowledgement).
    ///
    /// # Cancel safety
    /// A dropped future has appended the records or not; it is not known which.
    pub async fn append(
        &self,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Appended, Error> {
        self.append_batch(&batch_of(values)?).await
    }

    /// As [`Register::append`], for records with keys and headers.
    ///
    /// # Errors
    /// As [`Register::append`].
    ///
    /// # Cancel safety
    /// As [`Register::append`].
    pub async fn append_batch(&self, batch: &BatchBuilder) -> Result<Appended, Error> {
        let open = || async { self.producer().open() };
        self.producer.get_or_try_init(open).await?.append(batch).await
    }
}

/// A batch of values, made now.
fn batch_of(values: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<BatchBuilder, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let mut batch = BatchBuilder::new(mesh_wire::batch::Producer::default());
    for value in values {
        let record = Record { value: Some(value.as_ref()), timestamp_ms, ..Record::default() };
        batch.push(&record).map_err(refused)?;
    }
    Ok(batch)
}
