//! `mesh-shop`: one of the three services of a shop, until it is told to end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use mesh_shop::inventory::{self, Inventory};
use mesh_shop::orders::{self, Orders};
use mesh_shop::payment::{self, Payments};
use mesh_shop::{Bounds, STOCK_DEFAULT, parse_stock};

/// Orders, inventory and payment of a shop; each is a process of its own.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    node: mesh_program::Node,
    /// How long work under way may take after the signal to end.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration, global = true)]
    drain: Duration,
    /// Most entries that are open at once.
    #[arg(long, default_value_t = Bounds::default().open, global = true)]
    max_open: usize,
    /// Settled orders that are remembered, so that nothing is done twice for them.
    #[arg(long, default_value_t = Bounds::default().settled, global = true)]
    max_settled: usize,
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Place orders, by way of inventory and payment.
    Orders,
    /// Hold stock for orders.
    Inventory {
        /// What is in stock: lines of sku,price in cents,pieces. Without it, some things to try.
        #[arg(long)]
        stock: Option<PathBuf>,
        /// How long pieces are held for an order that nobody confirms.
        #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
        hold: Duration,
    },
    /// Charge cards.
    Payment,
}

impl Role {
    fn name(&self) -> &'static str {
        match self {
            Self::Orders => orders::SERVICE,
            Self::Inventory { .. } => inventory::SERVICE,
            Self::Payment => payment::SERVICE,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    mesh_program::log();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => mesh_program::failed(error.as_ref()),
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let told_to_end = mesh_program::told_to_end()?;
    let name = arguments.role.name();
    let bounds = Bounds { open: arguments.max_open, settled: arguments.max_settled };
    let client = arguments.node.client(name);
    let ended = || anyhow::anyhow!("the service ended, because the node refused it or is gone");
    match arguments.role {
        Role::Orders => {
            let mesh = client.connect().await?;
            let orders = Orders::serve(&mesh, bounds).await?;
            mesh_program::ready(&format!("{name}.>"))?;
            tokio::select! {
                () = told_to_end => {}
                () = orders.join() => return Err(ended()),
            }
            // Orders that nobody waits for any more come to their end, too, before the connection goes.
            let drained = tokio::time::timeout(arguments.drain, orders.drain()).await;
            mesh.drain().deadline(Duration::from_secs(1)).await?;
            drained.context("orders were still under way at the end")?;
        }
        Role::Inventory { stock, hold } => {
            let text = match &stock {
                Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
                None => STOCK_DEFAULT.to_owned(),
            };
            let stock = parse_stock(&text).context("the stock can't be read")?;
            let mesh = client.connect().await?;
            let server = inventory::serve(&mesh, Inventory::new(stock, hold, bounds)).await?;
            mesh_program::ready(&format!("{name}.>"))?;
            tokio::select! {
                () = told_to_end => {}
                () = server.join() => return Err(ended()),
            }
            mesh.drain().deadline(arguments.drain).await?;
        }
        Role::Payment => {
            let mesh = client.connect().await?;
            let server = payment::serve(&mesh, Payments::new(bounds)).await?;
            mesh_program::ready(&format!("{name}.>"))?;
            tokio::select! {
                () = told_to_end => {}
                () = server.join() => return Err(ended()),
            }
            mesh.drain().deadline(arguments.drain).await?;
        }
    }
    tracing::info!(service = name, "drained");
    Ok(())
}
