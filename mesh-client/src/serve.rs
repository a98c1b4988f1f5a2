//! Answering requests: services, their handlers, what handlers take and give.
//!
//! A handler is an async function. What it takes is extracted from the request, what it gives is made into the reply:
//!
//! ```no_run
//! use mesh_client::serve::{Body, Deadline, State};
//! use mesh_client::{Client, Error, Failure};
//! # use serde::{Deserialize, Serialize};
//!
//! # #[derive(Clone)] struct Stock;
//! # impl Stock { async fn find(&self, _id: u64) -> Option<Order> { None } }
//! #[derive(Deserialize)]
//! struct GetOrder { id: u64 }
//! #[derive(Serialize)]
//! struct Order { total: u64 }
//!
//! async fn get(State(stock): State<Stock>, Body(wanted): Body<GetOrder>) -> Result<Body<Order>, Failure> {
//!     let order = stock.find(wanted.id).await;
//!     order.map(Body).ok_or_else(|| Failure::new(404, "no such order"))
//! }
//!
//! # async fn example(mesh: Client) -> Result<(), Error> {
//! let server = mesh
//!     .serve("orders")
//!     .version("1.2.0")
//!     .state(Stock)
//!     .handle("get", get) // answers on orders.get
//!     .spawn()
//!     .await?;
//! // …
//! server.drain().await;
//! # Ok(())
//! # }
//! ```

mod answering;
mod calls;
mod endpoint;
mod extract;
mod handler;
mod probe;
mod reply;
mod request;
mod route;
mod server;
mod service;
mod stream;

pub use extract::{Body, Caller, Deadline, FromRequest, Raw, State, Subject};
pub use handler::Handler;
pub use reply::{IntoReply, Response};
pub use request::Request;
pub use route::Route;
pub use server::Server;
pub(crate) use server::ServerState;
pub use service::ServiceBuilder;
pub use stream::ReplyStream;
