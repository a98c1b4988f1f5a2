//! Starting work at a steady rate.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Tells everybody who works that it is time to end.
pub(crate) type Stop = watch::Receiver<bool>;

/// Waits until it is time to end.
///
/// # Cancel safety
/// Safe.
pub(crate) async fn stopped(stop: &mut Stop) {
    // Who would tell is gone: that is an end, too.
    stop.wait_for(|stop| *stop).await.ok();
}

/// Starts `work(0)`, `work(1)`, … `rate` times a second until it is time to end, with at most `at_once` under way: then
/// the next one waits. Ends when all that was started has ended, and gives how many those were.
pub(crate) async fn pace<F, W>(rate: f64, at_once: usize, mut stop: Stop, work: F) -> u64
where
    F: Fn(u64) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = JoinSet::new();
    let mut started = 0;
    while !*stop.borrow() {
        tokio::select! {
            () = stopped(&mut stop) => break,
            _ = ticks.tick(), if under_way.len() < at_once => {
                under_way.spawn(work(started));
                started += 1;
            }
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
        }
    }
    while under_way.join_next().await.is_some() {}
    started
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_than_allowed_is_under_way_and_all_of_it_ends() {
        let (tell, stop) = watch::channel(false);
        let (gate, running) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let (work_gate, work_running) = (gate.clone(), running.clone());
        let pacing = tokio::spawn(pace(100.0, 3, stop, move |_| {
            let (gate, running) = (work_gate.clone(), work_running.clone());
            async move {
                running.fetch_add(1, Ordering::SeqCst);
                let pass = gate.acquire().await.expect("the gate stays");
                pass.forget();
                running.fetch_sub(1, Ordering::SeqCst);
            }
        }));
        // Time is virtual: it goes on when everybody waits, so after a second all are under way that may be.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(running.load(Ordering::SeqCst), 3);
        gate.add_permits(2);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(running.load(Ordering::SeqCst), 3, "two ended, two more began");
        tell.send(true).expect("it listens");
        gate.add_permits(3);
        assert_eq!(pacing.await.expect("it ends"), 5);
        assert_eq!(running.load(Ordering::SeqCst), 0);
    }
}
