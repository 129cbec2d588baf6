//! Links of every kind, with the real worker.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use fanfare_modules::kit::memory::Memory;
use fanfare_modules::kit::serve::serve;
use fanfare_modules::kit::wire::{self, BEAT, Frame, GREETING, Kind, Reply, Request};

use super::*;

/// Content by key, and what workers sent back.
#[derive(Default)]
struct Shelf {
    content: HashMap<String, Vec<u8>>,
    received: Mutex<HashMap<String, Vec<u8>>>,
}

impl Blobs for Shelf {
    fn open(&self, key: &str) -> Option<std::io::Result<Box<dyn Read + Send>>> {
        let content = self.content.get(key)?.clone();
        Some(Ok(Box::new(std::io::Cursor::new(content))))
    }

    fn receive(&self, key: &str, piece: &[u8], _last: bool) -> std::io::Result<()> {
        self.received.lock().unwrap().entry(key.to_owned()).or_default().extend_from_slice(piece);
        Ok(())
    }
}

fn destination(transport: Transport) -> Destination {
    Destination { name: "web1".into(), transport, hop: None, remote_tmp: None, traceless: false }
}

fn ping(data: &str) -> Request {
    let mut request = Request { module: "ping".to_owned(), ..Request::default() };
    request.args.insert("data".to_owned(), data.into());
    request
}

fn answers(replies: &[Reply]) -> Vec<&str> {
    replies.iter().map(|reply| reply.result["ping"].as_str().unwrap()).collect()
}

/// Links to workers in memory.
fn lab() -> Links {
    lab_of(|stream| {
        let _ = serve(&*Memory::new(), &stream, &stream);
    })
}

/// Links to workers that behave like this.
fn lab_of(worker: impl Fn(UnixStream) + Send + Sync + 'static) -> Links {
    let worker = Arc::new(worker);
    Links::with_lab(Arc::new(move |_| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let worker = Arc::clone(&worker);
        std::thread::spawn(move || worker(theirs));
        ours.set_nonblocking(true).unwrap();
        Some(Box::new(tokio::net::UnixStream::from_std(ours).unwrap()))
    }))
}

/// The worker's end of a link, for workers that misbehave.
struct Script {
    stream: UnixStream,
    read: Vec<u8>,
}

impl Script {
    fn greet(mut stream: UnixStream) -> Self {
        stream.write_all(GREETING).unwrap();
        Self { stream, read: Vec::new() }
    }

    fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = wire::decode(&self.read).unwrap() {
                self.read.drain(..length);
                return Some(frame);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.read.extend_from_slice(&buffer[..read]),
            }
        }
    }

    fn say(&mut self, kind: Kind, id: u32, payload: &[u8]) {
        let mut frame = Vec::new();
        wire::encode(&mut frame, kind, id, payload);
        let _ = self.stream.write_all(&frame);
    }

    fn reply(&mut self, id: u32, text: &str) {
        let result = serde_json::json!({"result": {"ping": text}});
        self.say(Kind::Reply, id, result.to_string().as_bytes());
    }
}

async fn call(links: &Links, requests: Vec<Request>) -> Result<Vec<Reply>, CallError> {
    links.call(&destination(Transport::Local), requests, Arc::new(Shelf::default())).await
}

#[tokio::test]
async fn calls_are_answered_in_order_in_one_round_trip() {
    let links = lab();
    let to = destination(Transport::Local);
    let replies =
        links.call(&to, vec![ping("a"), ping("b"), ping("c")], Arc::new(Shelf::default())).await.unwrap();
    assert_eq!(answers(&replies), ["a", "b", "c"]);
    assert_eq!(links.counts().round_trips, 1);
    links.close().await;
}

#[tokio::test]
async fn the_control_node_itself() {
    let links = Links::new();
    let to = destination(Transport::Local);
    assert_eq!(answers(&call(&links, vec![ping("here")]).await.unwrap()), ["here"]);
    // Whether it was there before is not for us to say; now it is.
    let uploads = links.counts().uploads;
    links.reset(&to).await;
    assert_eq!(answers(&call(&links, vec![ping("again")]).await.unwrap()), ["again"]);
    assert_eq!(links.counts().uploads, uploads);
    links.close().await;
}

#[tokio::test]
async fn content_travels_both_ways() {
    // Asks for two contents, one of them large and one unknown, and sends the large one back.
    let links = lab_of(|stream| {
        let mut script = Script::greet(stream);
        let request = script.next().unwrap();
        script.say(Kind::Need, request.id, b"large");
        let mut content = Vec::new();
        loop {
            let frame = script.next().unwrap();
            assert_eq!((frame.kind, frame.id), (Kind::Blob, request.id));
            let blob = wire::decode_blob(&frame.payload).unwrap();
            assert_eq!(blob.key, "large");
            assert!(blob.piece.len() <= wire::PIECE);
            content.extend_from_slice(blob.piece);
            if blob.last {
                break;
            }
        }
        let mut frames = Vec::new();
        for (i, piece) in content.chunks(wire::PIECE).enumerate() {
            wire::encode_blob(&mut frames, request.id, "back", piece, i == 4);
        }
        script.stream.write_all(&frames).unwrap();
        script.say(Kind::Need, request.id, b"unknown");
        let refused = script.next().unwrap();
        assert_eq!(refused.kind, Kind::Refused);
        script.reply(request.id, &String::from_utf8(refused.payload).unwrap());
    });
    // A whole number of pieces: the last one is told apart all the same.
    let large: Vec<u8> = (0..=250_u8).cycle().take(wire::PIECE * 5).collect();
    let content = HashMap::from([("large".to_owned(), large.clone())]);
    let shelf = Arc::new(Shelf { content, ..Shelf::default() });
    let replies =
        links.call(&destination(Transport::Local), vec![ping("")], Arc::clone(&shelf) as _).await.unwrap();
    assert_eq!(answers(&replies), ["the worker asks for content that nobody offered (unknown)"]);
    assert_eq!(shelf.received.lock().unwrap()["back"], large);
    assert_eq!(links.counts().round_trips, 3);
}

#[tokio::test]
async fn much_in_both_directions_does_not_lock_up() {
    // Replies before it has read the next request: neither side may wait for the other to read.
    let links = lab_of(|stream| {
        let mut script = Script::greet(stream);
        let text = "x".repeat(500_000);
        while let Some(request) = script.next() {
            script.reply(request.id, &text);
        }
    });
    let requests = (0..20).map(|_| ping(&"y".repeat(500_000))).collect();
    let replies = call(&links, requests).await.unwrap();
    assert_eq!(replies.len(), 20);
    assert!(answers(&replies).iter().all(|text| text.len() == 500_000));
}

#[tokio::test]
async fn content_that_is_not_read_to_its_end_does_no_harm() {
    let links = lab_of(|stream| {
        let mut script = Script::greet(stream);
        let request = script.next().unwrap();
        script.say(Kind::Need, request.id, b"large");
        // Enough of it: the answer comes while more is on its way.
        script.next().unwrap();
        script.reply(request.id, "enough");
        loop {
            let frame = script.next().unwrap();
            if frame.kind == Kind::Request {
                script.reply(frame.id, "next");
                break;
            }
            assert_eq!((frame.kind, frame.id), (Kind::Blob, request.id));
        }
    });
    let content = HashMap::from([("large".to_owned(), vec![7; 10_000_000])]);
    let shelf = Arc::new(Shelf { content, ..Shelf::default() });
    let to = destination(Transport::Local);
    assert_eq!(answers(&links.call(&to, vec![ping("")], shelf).await.unwrap()), ["enough"]);
    assert_eq!(answers(&call(&links, vec![ping("")]).await.unwrap()), ["next"]);
}

#[tokio::test]
async fn content_that_cannot_be_stored_fails_its_task_only() {
    struct Full;
    impl Blobs for Full {
        fn open(&self, _key: &str) -> Option<std::io::Result<Box<dyn Read + Send>>> {
            Some(Err(std::io::Error::other("cannot read that")))
        }
        fn receive(&self, _key: &str, _piece: &[u8], _last: bool) -> std::io::Result<()> {
            Err(std::io::Error::other("no space left"))
        }
    }
    let links = lab_of(|stream| {
        let mut script = Script::greet(stream);
        let request = script.next().unwrap();
        let mut frames = Vec::new();
        wire::encode_blob(&mut frames, request.id, "back", b"content", true);
        script.stream.write_all(&frames).unwrap();
        script.reply(request.id, "sent");
        let request = script.next().unwrap();
        script.say(Kind::Need, request.id, b"key");
        let refused = script.next().unwrap();
        script.reply(request.id, &String::from_utf8(refused.payload).unwrap());
    });
    let replies =
        links.call(&destination(Transport::Local), vec![ping(""), ping("")], Arc::new(Full)).await.unwrap();
    assert_eq!(replies[0].result["failed"], true);
    assert_eq!(replies[0].result["msg"], "no space left");
    assert_eq!(replies[1].result["ping"], "cannot read that");
}

#[tokio::test]
async fn workers_that_misbehave() {
    async fn check(worker: impl Fn(&mut Script, u32) + Send + Sync + 'static, expect: &str) {
        let links = lab_of(move |stream| {
            let mut script = Script::greet(stream);
            let request = script.next().unwrap();
            worker(&mut script, request.id);
            // Stays until the other side has had enough of it.
            while script.next().is_some() {}
        });
        match call(&links, vec![ping("")]).await {
            Err(CallError::Failed(reason)) => assert_eq!(reason, expect),
            other => panic!("{other:?}"),
        }
    }
    check(
        |script, id| script.reply(id + 1, ""),
        "the worker does not keep to the protocol: an answer to 2 where 1 is due",
    )
    .await;
    check(
        |script, id| script.say(Kind::Refused, id, b""),
        "the worker does not keep to the protocol: a frame that only we may send",
    )
    .await;
    check(
        |script, id| script.say(Kind::Reply, id, b"{"),
        "the worker does not keep to the protocol: EOF while parsing an object at line 1 column 1",
    )
    .await;
    check(
        |script, _| script.stream.write_all(b"bash: boom\n").unwrap(),
        "the worker does not keep to the protocol: a frame of unknown kind 58",
    )
    .await;
    check(
        |script, _| script.stream.shutdown(std::net::Shutdown::Both).unwrap(),
        "the worker ended in the middle of the task (closed its streams)",
    )
    .await;
}

#[tokio::test]
async fn a_panic_loses_one_host() {
    let links = Links::with_lab(Arc::new(|to| {
        assert_ne!(&*to.name, "bad", "this panic is part of the test");
        let (ours, theirs) = UnixStream::pair().unwrap();
        std::thread::spawn(move || serve(&*Memory::new(), &theirs, &theirs));
        ours.set_nonblocking(true).unwrap();
        Some(Box::new(tokio::net::UnixStream::from_std(ours).unwrap()))
    }));
    let bad = Destination { name: "bad".into(), ..destination(Transport::Local) };
    for _ in 0..2 {
        match links.call(&bad, vec![ping("")], Arc::new(Shelf::default())).await {
            Err(CallError::Unreachable(reason)) => assert!(reason.contains("link to bad"), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(answers(&call(&links, vec![ping("good")]).await.unwrap()), ["good"]);
    }
}

#[tokio::test]
async fn callers_of_one_destination_take_turns() {
    let links = lab();
    let calls = (0..50).map(|n| {
        let links = &links;
        async move { answers(&call(links, vec![ping(&n.to_string())]).await.unwrap()) == [n.to_string()] }
    });
    assert!(futures::future::join_all(calls).await.into_iter().all(|right| right));
}

#[tokio::test]
async fn raw_commands_on_the_control_node() {
    let links = Links::new();
    let to = destination(Transport::Local);
    let output = links.raw(&to, "echo out; echo err >&2; cat; exit 7", None).await.unwrap();
    let expect = RawOutput { rc: 7, stdout: b"out\n".to_vec(), stderr: b"err\n".to_vec() };
    assert_eq!(output, expect);
    let quoted = links.raw(&to, "echo \"it's $0\"", Some("/bin/sh")).await.unwrap();
    assert_eq!(quoted.stdout, b"it's /bin/sh\n");
}

#[tokio::test]
async fn an_idle_worker_hears_of_us() {
    let (heard, beats) = std::sync::mpsc::channel();
    let links = lab_of(move |stream| {
        let mut script = Script::greet(stream);
        while let Some(frame) = script.next() {
            match frame.kind {
                Kind::Request => script.reply(frame.id, "done"),
                other => heard.send((other, frame.payload.len())).unwrap(),
            }
        }
    });
    assert_eq!(answers(&call(&links, vec![ping("")]).await.unwrap()), ["done"]);
    // Time goes by as fast as nobody has anything to do.
    tokio::time::pause();
    tokio::time::sleep(BEAT * 3).await;
    tokio::time::resume();
    assert_eq!(answers(&call(&links, vec![ping("")]).await.unwrap()), ["done"]);
    links.close().await;
    let beats: Vec<_> = beats.try_iter().collect();
    assert!((2..=3).contains(&beats.len()), "{beats:?}");
    assert!(beats.iter().all(|beat| *beat == (Kind::Beat, 0)), "{beats:?}");
}
