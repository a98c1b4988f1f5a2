//! What the server answers.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::admin::api::{Api, ROUTES, Route};
use crate::admin::error::{Error, shortened};
use crate::metrics;

/// The paths of the server that are no questions to the node: path and meaning.
pub(in crate::admin) const PATHS: [(&str, &str); 4] = [
    ("/livez", "200 while the process lives"),
    ("/readyz", "200 while the node takes new clients, else 503 with the reason"),
    ("/startupz", "200 once the node has started, 503 before"),
    ("/metrics", "every metric in the OpenMetrics text format"),
];

/// Adds every path.
pub(super) fn configure(config: &mut ServiceConfig, api: &Api) {
    let probe = |check: fn(&Api) -> Result<(), Error>| {
        let api = api.clone();
        web::get().to(move || std::future::ready(probed(check(&api))))
    };
    config.route("/", web::get().to(index));
    config.route("/livez", probe(|_| Ok(())));
    config.route("/readyz", probe(|api| api.health().ready()));
    config.route("/startupz", probe(|api| api.health().started()));
    let scraped = api.clone();
    config.route("/metrics", web::get().to(move || std::future::ready(scrape(&scraped))));
    for route in &ROUTES {
        if let Some(path) = route.path {
            let api = api.clone();
            config.route(path, web::get().to(move |request: HttpRequest| ask(api.clone(), route, request)));
        }
    }
    config.default_service(web::to(nothing_there));
}

/// What there is, for somebody who looks around with a browser.
async fn index() -> HttpResponse {
    let mut text = String::from("Mesh node\n\n");
    let questions = ROUTES.iter().filter_map(|route| Some((route.path?, route.about)));
    for (path, about) in PATHS.into_iter().chain(questions) {
        text.push_str(&format!("{path:<24}{about}\n"));
    }
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(text)
}

fn probed(result: Result<(), Error>) -> HttpResponse {
    match result {
        Ok(()) => HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n"),
        Err(error) => refusal(&error),
    }
}

fn scrape(api: &Api) -> HttpResponse {
    HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(api.counters().to_text())
}

async fn ask(api: Api, route: &'static Route, request: HttpRequest) -> HttpResponse {
    match api.call(route, parameters(request.query_string())).await {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) => refusal(&error),
    }
}

async fn nothing_there(request: HttpRequest) -> HttpResponse {
    refusal(&Error::Unknown { name: shortened(request.path()) })
}

/// The parameters of a query as JSON: whole numbers as numbers, everything else as text. No parameter that is taken
/// has a character that would be escaped.
fn parameters(query: &str) -> Value {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let parameters: Map<String, Value> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from))
        })
        .collect();
    Value::Object(parameters)
}

fn refusal(error: &Error) -> HttpResponse {
    let status = match error {
        Error::NotReady { .. } | Error::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        Error::Unknown { .. } | Error::PeerUnknown { .. } => StatusCode::NOT_FOUND,
        Error::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    };
    HttpResponse::build(status).json(error.to_json())
}
