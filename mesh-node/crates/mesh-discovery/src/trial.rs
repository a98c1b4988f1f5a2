//! Real etcds on loopback, started and broken by tests and trials.
//!
//! The program is the one that `MESH_ETCD` names, else `etcd` on the `PATH`; `tests/run` and `deploy/etcd` install it.

mod certs;
mod member;

use std::{
    env, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use etcd_client::{Client, ConnectOptions};
use tempfile::TempDir;

use self::{certs::Certs, member::Member};
use crate::etcd::{Tls, User};

/// How long etcd may take to answer after it was started.
const START: Duration = Duration::from_secs(60);

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How many members; none is one.
    pub members: usize,
    /// Whether they speak TLS and ask for certificates.
    pub tls: bool,
}

/// An etcd of one or more members. Dropping it kills them all.
#[derive(Debug)]
pub struct Etcd {
    members: Vec<Member>,
    certs: Option<Certs>,
    /// Deleted last.
    _dir: TempDir,
}

/// Where the program is.
///
/// # Errors
/// When there is none, with what to do about it.
pub fn program() -> io::Result<PathBuf> {
    if let Some(path) = env::var_os("MESH_ETCD") {
        return Ok(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).map(|folder| folder.join("etcd"));
    let found = places.into_iter().find(|place| place.is_file());
    found.ok_or_else(|| {
        io::Error::other("there is no etcd: install etcd-server, or name the program with MESH_ETCD")
    })
}

impl Etcd {
    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn start(options: Options) -> io::Result<Self> {
        let program = program()?;
        let dir = tempfile::tempdir()?;
        let certs = if options.tls { Some(Certs::make(dir.path())?) } else { None };
        let members = member::prepare(&program, dir.path(), options.members.max(1), certs.as_ref())?;
        let mut etcd = Self { members, certs, _dir: dir };
        for member in &mut etcd.members {
            member.start()?;
        }
        etcd.wait().await?;
        Ok(etcd)
    }

    /// The URLs of all members.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(|member| member.url().to_owned()).collect()
    }

    /// What a client needs to be let in, when it speaks TLS.
    #[must_use]
    pub fn tls(&self) -> Option<Tls> {
        self.certs.as_ref().map(|certs| certs.tls.clone())
    }

    /// A client of one member, to do by hand what nodes or operators do.
    ///
    /// # Errors
    /// When it can't be reached or does not let the user in.
    pub async fn client(&self, member: usize, user: Option<User>) -> Result<Client, etcd_client::Error> {
        let mut options = ConnectOptions::new();
        if let Some(user) = user {
            options = options.with_user(user.name, user.password);
        }
        if let Some(tls) = self.tls() {
            options = options.with_tls(tls.options());
        }
        Client::connect([self.members[member].url()], Some(options)).await
    }

    /// Which member leads.
    ///
    /// # Errors
    /// When none says so.
    pub async fn leader(&self) -> io::Result<usize> {
        for index in 0..self.members.len() {
            let Ok(mut client) = self.client(index, None).await else { continue };
            let Ok(status) = client.status().await else { continue };
            if status.header().is_some_and(|header| header.member_id() == status.leader()) {
                return Ok(index);
            }
        }
        Err(io::Error::other("no member leads"))
    }

    /// Stops a member's process in its tracks: connections stay, and nothing answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self, member: usize) -> io::Result<()> {
        self.members[member].signal(rustix::process::Signal::STOP)
    }

    /// Lets a member go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self, member: usize) -> io::Result<()> {
        self.members[member].signal(rustix::process::Signal::CONT)
    }

    /// Kills a member.
    ///
    /// # Errors
    /// When it can't be.
    pub fn kill(&mut self, member: usize) -> io::Result<()> {
        self.members[member].kill()
    }

    /// Starts a member that was killed, and does not wait for anything.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_again(&mut self, member: usize) -> io::Result<()> {
        self.members[member].start()
    }

    /// Starts a member that was killed, with the data that it had, and waits until it answers.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn restart(&mut self, member: usize) -> io::Result<()> {
        self.members[member].start()?;
        self.wait().await
    }

    /// Starts a member that was killed, without the data that it had.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn restart_empty(&mut self, member: usize) -> io::Result<()> {
        self.members[member].empty()?;
        self.restart(member).await
    }

    /// Waits until all members that run answer.
    async fn wait(&mut self) -> io::Result<()> {
        let until = Instant::now() + START;
        for index in 0..self.members.len() {
            while self.members[index].is_running()? {
                if self.answers(index).await {
                    break;
                }
                if Instant::now() > until {
                    return Err(io::Error::other(format!(
                        "etcd does not answer: {}",
                        self.members[index].log()
                    )));
                }
                // There is nothing to wait for but an answer.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if !self.members[index].is_meant_to_run() {
                continue;
            }
            if !self.members[index].is_running()? {
                return Err(io::Error::other(format!("etcd has ended: {}", self.members[index].log())));
            }
        }
        Ok(())
    }

    async fn answers(&self, member: usize) -> bool {
        let Ok(mut client) = self.client(member, None).await else { return false };
        let asked = tokio::time::timeout(Duration::from_secs(2), client.get("/", None)).await;
        match asked {
            Ok(Ok(_)) => true,
            // Whoever is refused has been answered.
            Ok(Err(error)) => error.to_string().contains("user name is empty"),
            Err(_) => false,
        }
    }
}

/// A path as an argument.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
