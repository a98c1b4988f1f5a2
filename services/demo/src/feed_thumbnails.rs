//! Sends pictures through the thumbnails service, saves what comes back and looks at it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use mesh_client::Client;
use mesh_thumbnails::{CallError, Options, Thumbnail, call};
use tokio::sync::mpsc;

use crate::board::{End, Observation, Work};
use crate::pictures::{Expected, Picture};

/// How long one thumbnail may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the feed of pictures needs.
#[derive(Debug, Clone)]
pub(crate) struct Thumbnails {
    /// The connection.
    pub(crate) mesh: Client,
    /// The pictures, taken in turn; at least one.
    pub(crate) pictures: Arc<[Picture]>,
    /// Where thumbnails are saved.
    pub(crate) folder: Arc<PathBuf>,
    /// Who is told.
    pub(crate) seen: mpsc::Sender<Observation>,
}

impl Thumbnails {
    /// Sends picture number `number`, over and over from the first after the last.
    pub(crate) async fn send(self, number: u64) {
        let index = usize::try_from(number).unwrap_or_default() % self.pictures.len().max(1);
        let Some(picture) = self.pictures.get(index).cloned() else { return };
        let (took, end) = match self.make(&picture).await {
            Ok((took, made)) => (took, self.judge(&picture, made).await),
            Err(error) => (Duration::ZERO, End::Unexpected(format!("{}: {error:#}", picture.path.display()))),
        };
        let label = match &end {
            End::Good => "resized",
            End::ExpectedError => "refused",
            End::Unexpected(_) => "unexpected",
        };
        // Nobody is interested any more when the receiver is gone.
        self.seen.send(Observation { work: Work::Thumbnails, took, end, label }).await.ok();
    }

    /// The time that the call took, and what came of it.
    async fn make(&self, picture: &Picture) -> anyhow::Result<(Duration, Result<Thumbnail, CallError>)> {
        let path = picture.path.clone();
        let bytes = tokio::task::spawn_blocking(move || std::fs::read(path)).await??;
        let mut options = Options::default().within(picture.within.width, picture.within.height)?;
        if let Some(format) = picture.convert {
            options = options.format(format);
        }
        let sent = Instant::now();
        let made = call(&self.mesh, bytes.into(), options, TIMEOUT).await;
        Ok((sent.elapsed(), made))
    }

    async fn judge(&self, picture: &Picture, made: Result<Thumbnail, CallError>) -> End {
        let name = picture.path.display();
        match (picture.expected, made) {
            (Expected::Refusal(code), Err(CallError::Mesh(error)))
                if error.failure().is_some_and(|failure| failure.code() == code) =>
            {
                End::ExpectedError
            }
            (Expected::Thumbnail { .. }, Ok(made)) => match self.save(picture, made).await {
                Ok(()) => End::Good,
                Err(error) => End::Unexpected(format!("{name}: {error:#}")),
            },
            (expected, Ok(made)) => {
                End::Unexpected(format!("{name}: {:?} came, expected {expected:?}", made.size))
            }
            (expected, Err(error)) => End::Unexpected(format!("{name}: {error}, expected {expected:?}")),
        }
    }

    /// Saves a thumbnail and reads the file back: it is a whole image of the right size and format.
    async fn save(&self, picture: &Picture, made: Thumbnail) -> anyhow::Result<()> {
        let name = picture.path.file_stem().unwrap_or_default().to_string_lossy();
        let path = self.folder.join(format!("{name}.thumbnail.{}", made.format));
        let expected = picture.expected;
        tokio::task::spawn_blocking(move || {
            // Written beside and moved, so that another one of the same name is never read half written.
            let beside = tempfile::NamedTempFile::new_in(path.parent().context("a folder")?)?;
            std::fs::write(beside.path(), &made.bytes)?;
            let file = beside.persist(&path)?;
            drop(file);
            let read = image::load_from_memory(&std::fs::read(&path)?)?;
            let came = Expected::Thumbnail {
                size: mesh_thumbnails::Dimensions { width: read.width(), height: read.height() },
                format: made.format,
            };
            anyhow::ensure!(came == expected, "{came:?} was saved, expected {expected:?}");
            Ok(())
        })
        .await?
    }
}
