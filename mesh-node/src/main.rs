//! `mesh-node`: one node of a Mesh, in the foreground.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use mesh_node::{
    Node, ask,
    cli::{Arguments, Command},
    config::Config,
};
use mesh_telemetry::logging;
use mesh_wire::code::Report;
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status after a second signal: the drain was cut short.
const CUT_SHORT: u8 = 130;

fn main() -> ExitCode {
    // The allocator's arenas on huge pages would make an idle node hold several times what it uses. A system that
    // can't switch them off costs memory, nothing else.
    rustix::thread::disable_transparent_huge_pages(true).ok();
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(Report::new(mesh_wire::code::Code::InternalError, error.to_string())),
    };
    match arguments.command {
        Some(Command::Health(how)) => runtime.block_on(ask::health(how)),
        Some(Command::Drain(how)) => runtime.block_on(ask::drain(how)),
        Some(Command::Log(what)) => mesh_node::cli::log::run(&what),
        None => {
            let print_only = arguments.run.print_config;
            match Config::load(arguments.run.into_layers()) {
                Err(error) => fail(Report::new(error.code(), error.to_string()).hint(error.hint())),
                Ok(config) if print_only => print(&config.to_toml()),
                Ok(config) => runtime.block_on(serve(config)),
            }
        }
    }
}

async fn serve(config: Config) -> ExitCode {
    if let Err(error) = logging::init(config.log.filter.clone(), config.log.format) {
        return fail(Report::new(error.code(), error.to_string()).hint(error.hint()));
    }
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return fail(Report::new(mesh_wire::code::Code::InternalError, "signals can't be handled"));
    };
    let node = match Node::start(config) {
        Ok(node) => node,
        Err(error) => return fail(Report::new(error.code(), error.to_string()).hint(error.hint())),
    };
    greet(&node);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = node.stopped() => return ExitCode::SUCCESS,
    }
    tracing::info!("draining; a second signal stops at once");
    node.begin_drain();
    tokio::select! {
        () = node.stopped() => ExitCode::SUCCESS,
        _ = terminate.recv() => std::process::exit(CUT_SHORT.into()),
        _ = interrupt.recv() => std::process::exit(CUT_SHORT.into()),
    }
}

/// Where the node listens, and the first two commands to try.
fn greet(node: &Node) {
    let Some(socket) = node.endpoint().socket_path() else { return };
    let mut text = format!("mesh-node {} listens on {}\n", env!("CARGO_PKG_VERSION"), socket.display());
    if let Some(address) = node.listen_address() {
        text += &format!("  network  quic://{address} tls://{address}\n");
    }
    if let Some(http) = node.http_address() {
        text += &format!("  admin    http://{http}/api/v1/node\n");
    }
    let mesh = mesh_command(socket);
    text += &format!(
        "Try, in two terminals:\n  {mesh} sub 'greetings.>'\n  {mesh} pub greetings.first 'hello, mesh'\n"
    );
    // A node without a standard output serves all the same.
    io::stdout().write_all(text.as_bytes()).ok();
    io::stdout().flush().ok();
}

/// How a person reaches this node: without a URL when it listens where clients look by themselves.
fn mesh_command(socket: &Path) -> String {
    let found = mesh_transport::socket_path::candidate_socket_paths().iter().any(|path| path == socket);
    if found { "mesh".into() } else { format!("mesh --url unix://{}", socket.display()) }
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(report: Report<'_>) -> ExitCode {
    let mut stderr = io::stderr();
    let red = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (on, off) = if red { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
    writeln!(stderr, "{on}{report}{off}").ok();
    ExitCode::FAILURE
}
