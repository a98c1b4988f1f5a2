//! One run from beginning to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use mesh_client::Client;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval_at};

use crate::audit::{Books, Seen, audit};
use crate::board::{Board, Observation, Work};
use crate::feed_orders::{Orders, Tally};
use crate::feed_thumbnails::Thumbnails;
use crate::orders_file::Wish;
use crate::pace::{Stop, pace};
use crate::pictures::paint;
use crate::screen::Screen;
use crate::summary::Summary;
use crate::watch::{Decisions, Events, Sensors, now_ms};

/// Observations that may wait for the board.
const OBSERVATIONS: usize = 1024;
/// Pictures under way at once.
const PICTURES_AT_ONCE: usize = 8;
/// Orders under way at once.
const ORDERS_AT_ONCE: usize = 128;

/// How the demo runs.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long work is begun.
    pub(crate) length: Duration,
    /// Pictures a second.
    pub(crate) pictures_rate: f64,
    /// Orders a second.
    pub(crate) orders_rate: f64,
    /// The orders.
    pub(crate) wishes: Vec<Wish>,
    /// Whether others use the services, too.
    pub(crate) shared: bool,
}

/// Everybody who works, and how they are told to end.
#[derive(Debug)]
struct Crew {
    stop: watch::Sender<bool>,
    thumbnails: tokio::task::JoinHandle<u64>,
    orders: tokio::task::JoinHandle<u64>,
    sensors: tokio::task::JoinHandle<(crate::ledger::Totals, u64)>,
    events: tokio::task::JoinHandle<Events>,
    tally: Arc<Tally>,
}

/// Feeds the services until time is over or `told_to_end`, and says what it came to. Files go into `folder`.
///
/// # Errors
/// When it can't begin: a file can't be written, a service is not there. What goes wrong later is in the summary.
pub(crate) async fn run(
    mesh: &Client,
    settings: Settings,
    folder: &Path,
    told_to_end: impl Future<Output = ()>,
) -> anyhow::Result<(Summary, Board)> {
    let sources = folder.join("pictures");
    let results: PathBuf = folder.join("thumbnails");
    std::fs::create_dir_all(&sources)?;
    std::fs::create_dir_all(&results)?;
    let pictures = tokio::task::spawn_blocking(move || paint(&sources)).await??;

    let before = Books::ask(mesh).await.context("a service is not there; deploy/run demo starts them all")?;
    let (seen, mut observations) = mpsc::channel(OBSERVATIONS);
    let feed = Thumbnails {
        mesh: mesh.clone(),
        pictures: pictures.into(),
        folder: results.into(),
        seen: seen.clone(),
    };
    let (length, shared) = (settings.length, settings.shared);
    let crew = Crew::start(mesh, settings, feed, seen).await?;

    let mut board = Board::new()?;
    let began = Instant::now();
    show(&mut board, &mut observations, began, length, told_to_end).await;
    let ran = began.elapsed();
    let (started, decisions, mut seen_by_us, dropped) = crew.end(&mut board, &mut observations).await?;
    seen_by_us.events = decisions;

    let mut problems = match Books::ask(mesh).await {
        Ok(after) => audit(&before, &after, &seen_by_us, !shared),
        Err(error) => vec![format!("the books of the services can't be compared: {error}")],
    };
    if dropped > 0 {
        problems.push(format!("{dropped} readings or aggregates were dropped on the way to us"));
    }
    Ok((Summary::new(&board, ran, &started, problems), board))
}

/// Takes observations and shows the board until time is over.
async fn show(
    board: &mut Board,
    observations: &mut mpsc::Receiver<Observation>,
    began: Instant,
    length: Duration,
    told_to_end: impl Future<Output = ()>,
) {
    let mut screen = Screen::of_stderr();
    let mut ticks = interval_at((began + screen.period()).into(), screen.period());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = began;
    let over = tokio::time::sleep_until((began + length).into());
    tokio::pin!(over, told_to_end);
    loop {
        tokio::select! {
            biased;
            () = &mut told_to_end => break,
            () = &mut over => break,
            _ = ticks.tick() => {
                let now = Instant::now();
                board.handle_tick(now - last);
                last = now;
                screen.show(board, began.elapsed(), length);
            }
            Some(observation) = observations.recv() => board.handle_observation(observation),
        }
    }
    screen.clear();
}

impl Crew {
    async fn start(
        mesh: &Client,
        settings: Settings,
        thumbnails: Thumbnails,
        seen: mpsc::Sender<Observation>,
    ) -> anyhow::Result<Self> {
        // Numbers of orders differ from run to run, so that no service takes them for repeated.
        let prefix: Arc<str> = format!("demo-{}-{}", now_ms(), std::process::id()).into();
        let sensors = Sensors::follow(mesh, seen.clone()).await?;
        let mut events = Events::follow(mesh, &prefix).await?;
        let tally = Arc::new(Tally::default());
        let orders =
            Orders { mesh: mesh.clone(), wishes: settings.wishes.into(), prefix, tally: tally.clone(), seen };
        let (tell, stop) = watch::channel(false);
        let (mut events_stop, sensors_stop, orders_stop): (Stop, Stop, Stop) =
            (stop.clone(), stop.clone(), stop.clone());
        Ok(Self {
            thumbnails: tokio::spawn(pace(settings.pictures_rate, PICTURES_AT_ONCE, stop, move |number| {
                thumbnails.clone().send(number)
            })),
            orders: tokio::spawn(pace(settings.orders_rate, ORDERS_AT_ONCE, orders_stop, move |number| {
                orders.clone().place(number)
            })),
            sensors: tokio::spawn(sensors.run(sensors_stop)),
            events: tokio::spawn(async move {
                tokio::select! {
                    () = events.count() => {}
                    () = crate::pace::stopped(&mut events_stop) => {}
                }
                events
            }),
            stop: tell,
            tally,
        })
    }

    /// Tells everybody to end, and takes what they still have to say. Gives what was begun, the events about our
    /// orders, what we saw, and the messages that were dropped.
    async fn end(
        self,
        board: &mut Board,
        observations: &mut mpsc::Receiver<Observation>,
    ) -> anyhow::Result<(Vec<(Work, u64)>, Decisions, Seen, u64)> {
        // Everybody listens until they end, so somebody hears it.
        self.stop.send(true).ok();
        // The channel closes when the last feed has ended; reading it to its end makes room for them to do so.
        while let Some(observation) = observations.recv().await {
            board.handle_observation(observation);
        }
        let started = vec![(Work::Thumbnails, self.thumbnails.await?), (Work::Orders, self.orders.await?)];
        let (aggregates, dropped) = self.sensors.await?;
        let count = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
        let (placed, rejected) = (count(&self.tally.placed), count(&self.tally.rejected));
        let decisions = self.events.await?.await_decisions(Decisions { placed, rejected }).await;
        let placed_cents = count(&self.tally.placed_cents);
        let seen = Seen { placed, placed_cents, rejected, events: Decisions::default(), aggregates };
        Ok((started, decisions, seen, dropped))
    }
}
