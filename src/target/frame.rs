//! The frames of `kit::wire`, on the control node's side.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use fanfare_modules::kit::wire::Kind;

/// What follows the length: kind and id.
const HEAD: usize = 5;
/// A frame beyond this is a broken stream, not a frame.
const LONGEST: usize = 1 << 30;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub kind: Kind,
    pub id: u32,
    pub payload: Bytes,
}

pub(super) fn encode(kind: Kind, id: u32, payload: &[&[u8]]) -> Bytes {
    let length = HEAD + payload.iter().map(|part| part.len()).sum::<usize>();
    let mut frame = BytesMut::with_capacity(4 + length);
    frame.put_u32_le(u32::try_from(length).unwrap_or(u32::MAX));
    frame.put_u8(kind as u8);
    frame.put_u32_le(id);
    for part in payload {
        frame.put_slice(part);
    }
    frame.freeze()
}

/// Takes one whole frame from the front of the buffer; `None` when there is none yet.
pub(super) fn decode(buffer: &mut BytesMut) -> Result<Option<Frame>, String> {
    let Some(length) = buffer.get(..4).and_then(|head| head.try_into().ok()).map(u32::from_le_bytes) else {
        return Ok(None);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if !(HEAD..=LONGEST).contains(&length) {
        return Err(format!("a frame of {length} bytes cannot be"));
    }
    if buffer.len() < 4 + length {
        buffer.reserve(4 + length - buffer.len());
        return Ok(None);
    }
    buffer.advance(4);
    let mut frame = buffer.split_to(length);
    let kind = match frame.get_u8() {
        1 => Kind::Request,
        2 => Kind::Reply,
        3 => Kind::Need,
        4 => Kind::Blob,
        5 => Kind::Refused,
        other => return Err(format!("a frame of kind {other} cannot be")),
    };
    let id = frame.get_u32_le();
    Ok(Some(Frame { kind, id, payload: frame.freeze() }))
}

/// A piece of content: the payload of [`Kind::Blob`].
pub(super) fn encode_blob(id: u32, key: &str, piece: &[u8], last: bool) -> Bytes {
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    encode(Kind::Blob, id, &[&[u8::from(last)], &length.to_le_bytes(), key.as_bytes(), piece])
}

/// Key, piece, and whether it is the last one.
pub(super) fn decode_blob(payload: &[u8]) -> Option<(&str, &[u8], bool)> {
    let (&last, rest) = payload.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (key, piece) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((std::str::from_utf8(key).ok()?, piece, last != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_arrive() {
        let mut wire = BytesMut::new();
        wire.extend_from_slice(&encode(Kind::Reply, 7, &[b"{}", b" "]));
        wire.extend_from_slice(&encode_blob(8, "k", b"piece", true));
        let whole = wire.clone().freeze();
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for byte in &whole {
            buffer.put_u8(*byte);
            frames.extend(decode(&mut buffer).unwrap());
        }
        assert!(buffer.is_empty());
        assert_eq!(frames[0], Frame { kind: Kind::Reply, id: 7, payload: Bytes::from_static(b"{} ") });
        assert_eq!((frames[1].kind, frames[1].id), (Kind::Blob, 8));
        assert_eq!(decode_blob(&frames[1].payload), Some(("k", b"piece".as_slice(), true)));
    }

    #[test]
    fn nonsense_is_an_error_at_once() {
        let check = |bytes: &[u8], expect: &str| {
            assert_eq!(decode(&mut BytesMut::from(bytes)).unwrap_err(), expect);
        };
        check(b"bash: command not found", "a frame of 1752392034 bytes cannot be");
        check(&[1, 0, 0, 0, 2], "a frame of 1 bytes cannot be");
        check(&[5, 0, 0, 0, 9, 0, 0, 0, 0], "a frame of kind 9 cannot be");
        assert_eq!(decode_blob(&[1, 9, 0, b'k']), None);
    }
}
