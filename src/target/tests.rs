//! Links of every kind, with the real worker.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use fanfare_modules::kit::memory::Memory;
use fanfare_modules::kit::serve::serve;
use fanfare_modules::kit::wire::{Reply, Request};

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
    Destination { name: "web1".into(), transport, hop: None, remote_tmp: None }
}

fn ping(data: &str) -> Request {
    let mut request = Request { module: "ping".to_owned(), ..Request::default() };
    request.args.insert("data".to_owned(), data.into());
    request
}

fn answers(replies: &[Reply]) -> Vec<&str> {
    replies.iter().map(|reply| reply.result["ping"].as_str().unwrap()).collect()
}

/// A link to workers in memory.
fn lab() -> Links {
    Links::with_lab(Arc::new(|_| {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        std::thread::spawn(move || serve(&*Memory::new(), &theirs, &theirs));
        ours.set_nonblocking(true).unwrap();
        Some(Box::new(tokio::net::UnixStream::from_std(ours).unwrap()))
    }))
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
    let home = tempfile::tempdir().unwrap();
    let links = Links::new();
    let to = Destination {
        remote_tmp: Some(home.path().to_string_lossy().into_owned()),
        ..destination(Transport::Local)
    };
    let replies = links.call(&to, vec![ping("here")], Arc::new(Shelf::default())).await.unwrap();
    assert_eq!(answers(&replies), ["here"]);
    assert_eq!(links.counts().uploads, 1);
    links.reset(&to).await;
    let replies = links.call(&to, vec![ping("again")], Arc::new(Shelf::default())).await.unwrap();
    assert_eq!((answers(&replies), links.counts().uploads), (vec!["again"], 1));
    links.close().await;
}
