//! A handler without its types, and layers around it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Handler, Request, Response};

/// The response, on its way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

trait Answers: Send + Sync {
    fn call(&self, request: Request) -> Answering;
}

/// A handler of a service, as layers see it: a `tower::Service` from [`Request`] to [`Response`] that never fails.
#[derive(Clone)]
pub struct Route(Arc<dyn Answers>);

impl Route {
    pub(crate) fn of_handler<A, S, H>(handler: H, state: S) -> Self
    where
        A: 'static,
        S: Clone + Send + Sync + 'static,
        H: Handler<A, S>,
    {
        struct Handles<A, S, H> {
            handler: H,
            state: S,
            arguments: std::marker::PhantomData<fn(A)>,
        }

        impl<A, S, H> Answers for Handles<A, S, H>
        where
            S: Clone + Send + Sync + 'static,
            H: Handler<A, S>,
        {
            fn call(&self, request: Request) -> Answering {
                Box::pin(self.handler.call(request, &self.state))
            }
        }

        Self(Arc::new(Handles { handler, state, arguments: std::marker::PhantomData }))
    }

    pub(crate) fn call(&self, request: Request) -> Answering {
        self.0.call(request)
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route").finish_non_exhaustive()
    }
}

#[cfg(feature = "tower")]
mod layers {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use mesh_wire::code::Code;
    use parking_lot::Mutex;
    use tower::{BoxError, Layer, Service, ServiceExt};

    use super::{Answering, Answers, Request, Response, Route};

    impl Route {
        pub(crate) fn layered<L>(self, layer: &L) -> Self
        where
            L: Layer<Route>,
            L::Service: Service<Request, Response = Response> + Clone + Send + 'static,
            <L::Service as Service<Request>>::Error: Into<BoxError>,
            <L::Service as Service<Request>>::Future: Send,
        {
            Self(Arc::new(Layered(Mutex::new(layer.layer(self)))))
        }
    }

    /// A clone per call, as tower wants it; the lock is held for the clone only, for services that are not `Sync`.
    struct Layered<Svc>(Mutex<Svc>);

    impl<Svc> Answers for Layered<Svc>
    where
        Svc: Service<Request, Response = Response> + Clone + Send + 'static,
        Svc::Error: Into<BoxError>,
        Svc::Future: Send,
    {
        fn call(&self, request: Request) -> Answering {
            let service = self.0.lock().clone();
            Box::pin(async move {
                match service.oneshot(request).await {
                    Ok(response) => response,
                    // Handlers answer with failures; an error is a layer's, which kept the request from them.
                    Err(error) => Response::refused(Code::RequestRefused, error.into().to_string()),
                }
            })
        }
    }

    impl Service<Request> for Route {
        type Response = Response;
        type Error = Infallible;
        type Future = Answered;

        fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request) -> Answered {
            Answered(self.0.call(request))
        }
    }

    /// The response of a [`Route`], on its way.
    pub struct Answered(Answering);

    impl std::future::Future for Answered {
        type Output = Result<Response, Infallible>;

        fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            self.0.as_mut().poll(cx).map(Ok)
        }
    }

    impl std::fmt::Debug for Answered {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Answered").finish_non_exhaustive()
        }
    }
}
