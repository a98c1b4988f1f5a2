//! Which host names the server answers for.
//!
//! The server has no passwords: whoever reaches it may ask. A web page must not reach it through a visitor's browser,
//! neither by a name that its owner lets point here (DNS rebinding) nor from another origin.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};

use crate::admin::error::{Error, shortened};

/// The names that are answered for, besides `localhost` and every IP address.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    /// Answers for these names too, given in lowercase.
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.into())
    }

    /// Whether a request with these headers is answered.
    fn check(&self, headers: &HeaderMap) -> Result<(), Error> {
        let refused = |host: &str| Error::HostRefused { host: shortened(host) };
        let mut hosts = headers.get_all(HOST);
        let (host, further) = (hosts.next(), hosts.next());
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        if further.is_some() || !self.answers_for(host) {
            return Err(refused(host));
        }
        // Sent by browsers, for everything but plain navigation.
        for origin in headers.get_all(ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            if !origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)) {
                return Err(refused(origin));
            }
        }
        Ok(())
    }

    fn answers_for(&self, authority: &str) -> bool {
        match host_of(authority) {
            // A page can't make an address point elsewhere, only a name.
            Some(host) if host.parse::<IpAddr>().is_ok() => true,
            Some(host) => {
                let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
                host == "localhost" || self.0.contains(&host)
            }
            None => false,
        }
    }
}

/// The host of `host`, `host:port` or `[address]:port`.
fn host_of(authority: &str) -> Option<&str> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        return (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address);
    }
    match authority.split_once(':') {
        Some((host, port)) => is_port(port).then_some(host),
        None => Some(authority),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Lets a request through, or answers that its host is refused.
pub(super) async fn guard(
    hosts: web::Data<Hosts>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, actix_web::Error> {
    match hosts.check(request.headers()) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => {
            let answer = HttpResponse::Forbidden().json(error.to_json());
            Ok(request.into_response(answer).map_into_right_body())
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn check(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        Hosts::new(&["node.local".to_owned()]).check(&headers).is_ok()
    }

    #[test]
    fn hosts() {
        let table = [
            ("localhost", true),
            ("localhost:7480", true),
            ("LOCALHOST:7480", true),
            ("localhost.", true),
            ("127.0.0.1:7480", true),
            ("[::1]:7480", true),
            ("[::1]", true),
            ("10.1.2.3:7480", true),
            ("node.local:7480", true),
            ("Node.Local", true),
            ("evil.example:7480", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1@evil.example", false),
            ("localhost:evil", false),
            ("localhost:", false),
            ("[::1", false),
            ("[::1]x", false),
            ("", false),
        ];
        for (host, answered) in table {
            assert_eq!(check(host, None), answered, "{host:?}");
        }
    }

    #[test]
    fn origins() {
        let table = [
            ("http://localhost:7480", true),
            ("https://LOCALHOST:7480", true),
            ("http://localhost:3000", false),
            ("http://localhost", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
        ];
        for (origin, answered) in table {
            assert_eq!(check("localhost:7480", Some(origin)), answered, "{origin:?}");
        }
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_refused() {
        let hosts = Hosts::new(&[]);
        let mut headers = HeaderMap::new();
        assert!(hosts.check(&headers).is_err());
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(hosts.check(&headers).is_ok());
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(hosts.check(&headers).is_err());
    }
}
