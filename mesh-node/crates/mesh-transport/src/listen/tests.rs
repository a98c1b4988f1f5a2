use super::*;
use std::os::unix::net::{UnixDatagram, UnixListener as StdListener};
use std::process::Command;

use mesh_wire::code::Code;
use tempfile::TempDir;

use crate::connect::{self, connect};

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mesh.sock");
    (dir, path)
}

fn bind(path: &Path) -> Result<Listener, Error> {
    Listener::bind(UnixListenerOptions::new(path))
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names_in(dir: &Path) -> Vec<std::ffi::OsString> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[tokio::test]
async fn a_client_of_the_same_user_is_admitted() {
    let (_dir, path) = place();
    let listener = bind(&path).unwrap();
    assert_eq!(listener.path(), path);
    let _client = connect(&listener.endpoint(), SocketBuffers::default()).await.unwrap();
    let Incoming::Admitted(_, peer) = listener.accept().await.unwrap() else { panic!("refused") };
    assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
    assert_eq!(peer.pid, Some(std::process::id().cast_signed()));
}

#[tokio::test]
async fn the_directory_is_made_and_nothing_stays_behind() {
    let (dir, _) = place();
    let path = dir.path().join("a/b/mesh.sock");
    let listener = bind(&path).unwrap();
    assert_eq!(mode_of(path.parent().unwrap()), 0o700);
    drop(listener);
    assert!(names_in(path.parent().unwrap()).is_empty());
}

#[tokio::test]
async fn the_mode_is_exact_and_the_directory_follows_it() {
    for (mode, of_socket, of_dir) in
        [(0o600, 0o600, 0o700), (0o660, 0o660, 0o710), (0o666, 0o666, 0o711), (0o7600, 0o600, 0o700)]
    {
        let (dir, _) = place();
        let path = dir.path().join("sub/mesh.sock");
        let _listener =
            Listener::bind(UnixListenerOptions { mode, ..UnixListenerOptions::new(&path) }).unwrap();
        assert_eq!(mode_of(&path), of_socket, "{mode:o}");
        assert_eq!(mode_of(path.parent().unwrap()), of_dir, "{mode:o}");
    }
}

#[tokio::test]
async fn a_directory_that_is_there_keeps_its_mode() {
    let (dir, path) = place();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let _listener = bind(&path).unwrap();
    assert_eq!(mode_of(dir.path()), 0o755);
}

#[tokio::test]
async fn a_dead_socket_is_replaced() {
    let (_dir, path) = place();
    drop(StdListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = bind(&path).unwrap();
    connect(&listener.endpoint(), SocketBuffers::default()).await.unwrap();
}

#[tokio::test]
async fn a_live_socket_is_left_alone() {
    let (_dir, path) = place();
    let _ours = bind(&path).unwrap();
    let error = bind(&path).unwrap_err();
    assert_eq!(error.code(), Code::SocketInUse);
    assert!(error.to_string().contains("mesh.sock"), "{error}");
    assert!(error.hint().contains("mesh-node health --socket"), "{}", error.hint());
    connect(&Endpoint::Unix(path), SocketBuffers::default()).await.unwrap();
}

#[tokio::test]
async fn a_live_socket_of_a_program_without_our_lock_is_left_alone() {
    let (_dir, path) = place();
    let foreign = StdListener::bind(&path).unwrap();
    assert_eq!(bind(&path).unwrap_err().code(), Code::SocketInUse);
    drop(foreign);
    fs::remove_file(&path).unwrap();
    let _datagrams = UnixDatagram::bind(&path).unwrap();
    assert_eq!(bind(&path).unwrap_err().code(), Code::SocketInUse);
}

#[tokio::test]
async fn what_is_no_socket_is_never_removed() {
    let (dir, path) = place();
    fs::write(&path, "precious").unwrap();
    let error = bind(&path).unwrap_err();
    assert_eq!(error.code(), Code::SocketNotASocket);
    assert!(error.to_string().contains("regular file"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");

    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    assert!(bind(&folder).unwrap_err().to_string().contains("directory"));

    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(bind(&link).unwrap_err().to_string().contains("symbolic link"));
    assert!(link.exists() && folder.exists());
    assert_eq!(names_in(dir.path()).len(), 3, "no lock file stays behind a failed start");
}

#[tokio::test]
async fn a_path_is_bounded() {
    let (dir, _) = place();
    let room = SOCKET_PATH_BYTES - dir.path().as_os_str().len() - 1;
    let longest = dir.path().join("p".repeat(room));
    bind(&longest).unwrap();
    let longer = dir.path().join("p".repeat(room + 1));
    let error = bind(&longer).unwrap_err();
    assert_eq!(error.code(), Code::SocketPathTooLong);
    assert!(error.to_string().contains("108 bytes"), "{error}");
    assert_eq!(bind(Path::new("")).unwrap_err().code(), Code::SocketPathTooLong);
}

#[tokio::test]
async fn a_directory_that_is_a_file_says_so() {
    let (dir, _) = place();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = bind(&dir.path().join("file/mesh.sock")).unwrap_err();
    assert_eq!(error.code(), Code::SocketNoDirectory);
    assert!(error.to_string().contains("file"), "{error}");
}

#[tokio::test]
async fn only_our_own_file_is_removed() {
    let (_dir, path) = place();
    let ours = bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let theirs = StdListener::bind(&path).unwrap();
    drop(ours);
    assert!(path.exists());
    drop(theirs);
}

#[tokio::test]
async fn of_many_starters_one_gets_the_place() {
    for _ in 0..20 {
        let (_dir, path) = place();
        drop(StdListener::bind(&path).unwrap());
        let runtime = tokio::runtime::Handle::current();
        let starters: Vec<_> = (0..8)
            .map(|_| {
                let (runtime, path) = (runtime.clone(), path.clone());
                std::thread::spawn(move || {
                    let _inside = runtime.enter();
                    bind(&path)
                })
            })
            .collect();
        let results: Vec<_> = starters.into_iter().map(|starter| starter.join().unwrap()).collect();
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            assert_eq!(error.code(), Code::SocketInUse, "{error}");
        }
        connect(&Endpoint::Unix(path), SocketBuffers::default()).await.unwrap();
    }
}

#[tokio::test]
async fn buffers_reach_accepted_connections() {
    let (_dir, path) = place();
    let buffers = SocketBuffers { send_bytes: Some(32 * 1024), receive_bytes: None };
    let listener =
        Listener::bind(UnixListenerOptions { buffers, ..UnixListenerOptions::new(&path) }).unwrap();
    let _client = connect(&listener.endpoint(), SocketBuffers::default()).await.unwrap();
    let Incoming::Admitted(stream, _) = listener.accept().await.unwrap() else { panic!("refused") };
    assert_eq!(rustix::net::sockopt::socket_send_buffer_size(&stream).unwrap(), 64 * 1024);
}

#[tokio::test]
async fn a_client_is_told_what_is_wrong() {
    let (dir, path) = place();
    let at = |name: &str| Endpoint::Unix(dir.path().join(name));
    drop(StdListener::bind(&path).unwrap());
    fs::write(dir.path().join("file"), "").unwrap();
    let table = [
        (at("nowhere"), Code::ConnectNoSuchSocket, true),
        (at("file/deeper"), Code::ConnectNoSuchSocket, true),
        (at("mesh.sock"), Code::ConnectNothingListening, true),
        (at("file"), Code::SocketNotASocket, false),
        (at(&"p".repeat(SOCKET_PATH_BYTES)), Code::SocketPathTooLong, false),
    ];
    for (endpoint, code, retryable) in table {
        let error = connect(&endpoint, SocketBuffers::default()).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (code, retryable), "{error}");
        assert!(!error.hint().is_empty());
    }
}

#[tokio::test]
async fn a_full_backlog_is_busy_and_not_dead() {
    let (_dir, path) = place();
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let endpoint = Endpoint::Unix(path.clone());
    let _waiting = connect(&endpoint, SocketBuffers::default()).await.unwrap();
    let error = connect(&endpoint, SocketBuffers::default()).await.unwrap_err();
    assert!(matches!(error, connect::Error::Busy { .. }), "{error}");
    assert!(error.is_retryable());
    assert_eq!(bind(&path).unwrap_err().code(), Code::SocketInUse);
}

const SOCKET_FOR_HELPER: &str = "MESH_TEST_HELPER_SOCKET";
const NOBODY: u32 = 65_534;

/// Runs this test program again as another user; it then does what `helper_connects_where_it_is_told` says.
fn connect_as_nobody(path: &Path) -> std::process::Child {
    use std::os::unix::process::CommandExt;
    // Through the link, because the other user may not pass through the directories of the build.
    Command::new("/proc/self/exe")
        .args(["--exact", "listen::tests::helper_connects_where_it_is_told", "--nocapture"])
        .env(SOCKET_FOR_HELPER, path)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn helper_connects_where_it_is_told() {
    let Some(path) = std::env::var_os(SOCKET_FOR_HELPER) else { return };
    match connect(&Endpoint::unix(path).unwrap(), SocketBuffers::default()).await {
        Ok(stream) => {
            stream.readable().await.unwrap();
            println!("connected");
        }
        Err(error) => println!("{:?}", error.code()),
    }
}

fn output_of(child: std::process::Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn another_user_is_kept_out_by_the_mode_and_refused_by_credentials() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let (dir, path) = place();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let closed = bind(&path).unwrap();
    assert!(output_of(connect_as_nobody(&path)).contains("ConnectPermissionDenied"));
    drop(closed);

    let open = UnixListenerOptions { mode: 0o666, ..UnixListenerOptions::new(&path) };
    let listener = Listener::bind(open.clone()).unwrap();
    let child = connect_as_nobody(&path);
    let Incoming::Refused(stream, refused) = listener.accept().await.unwrap() else { panic!("admitted") };
    assert_eq!((refused.peer.uid, refused.peer.gid), (NOBODY, NOBODY));
    assert_eq!(refused.peer.pid, Some(child.id().cast_signed()));
    drop((stream, listener));
    assert!(output_of(child).contains("connected"));

    for options in [
        UnixListenerOptions { allowed_uids: vec![NOBODY], ..open.clone() },
        UnixListenerOptions { allowed_gids: vec![NOBODY], ..open },
    ] {
        let listener = Listener::bind(options).unwrap();
        let child = connect_as_nobody(&path);
        assert!(matches!(listener.accept().await.unwrap(), Incoming::Admitted(..)));
        drop(listener);
        output_of(child);
    }
}
