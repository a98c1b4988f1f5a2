//! Handlers: async functions of up to five arguments that can be extracted.

use std::future::Future;

use super::{FromRequest, IntoReply, Request, Response};

/// An async function that answers requests: up to five arguments that are [`FromRequest`], a result that is
/// [`IntoReply`]. `A` are the types of its arguments, `S` is the service's state.
pub trait Handler<A, S>: Clone + Send + Sync + 'static {
    /// Extracts the arguments, runs the function and makes the response.
    fn call(&self, request: Request, state: &S) -> impl Future<Output = Response> + Send + 'static;
}

/// What extraction came to: a running function, or the response that says why not.
async fn finish<Fut>(request: Request, started: Result<Fut, Response>) -> Response
where
    Fut: Future + Send,
    Fut::Output: IntoReply,
{
    match started {
        Ok(running) => running.await.into_reply(&request),
        Err(response) => response,
    }
}

impl<F, Fut, S> Handler<(), S> for F
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoReply,
{
    fn call(&self, request: Request, _state: &S) -> impl Future<Output = Response> + Send + 'static {
        finish(request, Ok(self()))
    }
}

impl<F, Fut, S, A> Handler<(A,), S> for F
where
    F: Fn(A) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoReply,
    A: FromRequest<S>,
{
    fn call(&self, request: Request, state: &S) -> impl Future<Output = Response> + Send + 'static {
        let started = A::from_request(&request, state).map(self);
        finish(request, started)
    }
}

impl<F, Fut, S, A, B> Handler<(A, B), S> for F
where
    F: Fn(A, B) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoReply,
    A: FromRequest<S>,
    B: FromRequest<S>,
{
    fn call(&self, request: Request, state: &S) -> impl Future<Output = Response> + Send + 'static {
        let start = || Ok(self(A::from_request(&request, state)?, B::from_request(&request, state)?));
        let started = start();
        finish(request, started)
    }
}

impl<F, Fut, S, A, B, C> Handler<(A, B, C), S> for F
where
    F: Fn(A, B, C) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoReply,
    A: FromRequest<S>,
    B: FromRequest<S>,
    C: FromRequest<S>,
{
    fn call(&self, request: Request, state: &S) -> impl Future<Output = Response> + Send + 'static {
        let r = &request;
        let start =
            || Ok(self(A::from_request(r, state)?, B::from_request(r, state)?, C::from_request(r, state)?));
        let started = start();
        finish(request, started)
    }
}

impl<F, Fut, S, A, B, C, D> Handler<(A, B, C, D), S> for F
where
    F: Fn(A, B, C, D) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoReply,
    A: FromRequest<S>,
    B: FromRequest<S>,
    C: FromRequest<S>,
    D: FromRequest<S>,
{
    fn call(&self, request: Request, state: &S) -> impl Future<Output = Response> + Send + 'static {
        let r = &request;
        let start = || {
            Ok(self(
                A::from_request(r, state)?,
                B::from_request(r, state)?,
                C::from_request(r, state)?,
                D::from_request(r, state)?,
            ))
        };
        let started = start();
        finish(request, started)
    }
}

impl<F, Fut, S, A, B, C, D, E> Handler<(A, B, C, D, E), S> for F
where
    F: Fn(A, B, C, D, E) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoReply,
    A: FromRequest<S>,
    B: FromRequest<S>,
    C: FromRequest<S>,
    D: FromRequest<S>,
    E: FromRequest<S>,
{
    fn call(&self, request: Request, state: &S) -> impl Future<Output = Response> + Send + 'static {
        let r = &request;
        let start = || {
            Ok(self(
                A::from_request(r, state)?,
                B::from_request(r, state)?,
                C::from_request(r, state)?,
                D::from_request(r, state)?,
                E::from_request(r, state)?,
            ))
        };
        let started = start();
        finish(request, started)
    }
}
