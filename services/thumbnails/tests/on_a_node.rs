//! The service on a node, called as others call it, and its program from start to end.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::{BufRead, BufReader, Cursor, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use mesh_client::test_util::TestNode;
use mesh_client::{Client, Code};
use mesh_thumbnails::{
    CallError, Dimensions, FORMAT, Format, HEIGHT, Limits, MAX_WIDTH, Options, SUBJECT, Settings, WIDTH,
    call, serve,
};

const SOON: Duration = Duration::from_secs(20);

/// A picture that does not shrink when it is coded: its bytes are far more than fit into one frame.
fn noise(width: u32, height: u32) -> Bytes {
    let mut state = 1_u32;
    let image = RgbImage::from_fn(width, height, |_, _| {
        Rgb([0; 3].map(|_: u8| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        }))
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

fn settings() -> Settings {
    Settings { workers: 2, waiting: 4, limits: Limits::default() }
}

async fn on_a_node() -> (TestNode, Client, mesh_client::serve::Server) {
    let node = TestNode::start().await.unwrap();
    let mesh = node.client().await.unwrap();
    let server = serve(&mesh, settings()).await.unwrap();
    (node, mesh, server)
}

#[tokio::test]
async fn a_large_picture_goes_there_and_its_thumbnail_comes_back() {
    let (_node, mesh, _server) = on_a_node().await;
    let picture = noise(700, 500);
    assert!(picture.len() > 1024 * 1024, "it has {} bytes and goes in parts", picture.len());
    let options = Options::default().within(140, 140).unwrap().format(Format::Jpeg);
    let made = call(&mesh, picture, options, SOON).await.unwrap();
    assert_eq!(
        (made.size, made.source),
        (Dimensions { width: 140, height: 100 }, Dimensions { width: 700, height: 500 })
    );
    let read = image::load_from_memory_with_format(&made.bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!((read.width(), read.height()), (140, 100));
}

#[tokio::test]
async fn options_may_be_text_or_numbers() {
    let (_node, mesh, _server) = on_a_node().await;
    let picture = noise(64, 32);
    let as_text = mesh.request(SUBJECT, picture.clone()).header(MAX_WIDTH, "16").timeout(SOON).await.unwrap();
    let as_number = mesh.request(SUBJECT, picture).header(MAX_WIDTH, 16_u32).timeout(SOON).await.unwrap();
    for reply in [as_text, as_number] {
        let pixels = |header| reply.header(header).and_then(|value| value.as_u64());
        assert_eq!((pixels(WIDTH), pixels(HEIGHT)), (Some(16), Some(8)));
        assert_eq!(
            reply.header(FORMAT).and_then(|value| value.as_str().map(str::to_owned)),
            Some("png".to_owned())
        );
    }
}

#[tokio::test]
async fn a_refusal_comes_with_its_number_and_what_to_do() {
    let (_node, mesh, _server) = on_a_node().await;
    let refused = call(&mesh, Bytes::from_static(b"no picture"), Options::default(), SOON).await;
    let Err(CallError::Mesh(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code(), Code::ApplicationError);
    let failure = error.failure().unwrap();
    assert_eq!(failure.code(), 102);
    assert!(failure.message().contains("neither a PNG nor a JPEG") && failure.message().contains(".png"));

    let request = mesh.request(SUBJECT, noise(8, 8)).header(MAX_WIDTH, "wide").timeout(SOON);
    assert_eq!(request.await.unwrap_err().failure().map(|failure| failure.code()), Some(101));
}

/// The program of the service, killed when a test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn the_program_says_when_it_is_ready_and_ends_well_when_it_is_told_to() {
    let node = TestNode::start().await.unwrap();
    let mesh = node.client().await.unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_mesh-thumbnails"))
        .args(["--url", node.endpoint()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Program(child);
    let mut said = BufReader::new(program.0.stdout.take().unwrap());
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        said.read_line(&mut line).map(|_| line)
    });
    assert_eq!(line.await.unwrap().unwrap(), "ready: thumbnails.resize\n");
    let made = call(&mesh, noise(20, 10), Options::default().within(10, 10).unwrap(), SOON).await.unwrap();
    assert_eq!(made.size, Dimensions { width: 10, height: 5 });

    let pid = rustix::process::Pid::from_raw(program.0.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let (status, text) = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        program.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (program.0.wait().unwrap(), text)
    })
    .await
    .unwrap();
    assert!(status.success() && text.contains("drained"), "{status}: {text}");
    assert_eq!(mesh.request(SUBJECT, "").await.unwrap_err().code(), Code::NoResponders);
}

#[test]
fn the_program_says_what_to_do_when_there_is_no_node() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("unix://{}/nobody.sock", folder.path().display());
    let output = Command::new(env!("CARGO_BIN_EXE_mesh-thumbnails")).args(["--url", &url]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("error[MESH-") && text.contains("hint: "), "{text}");
}
