//! Output and errors of a container's processes, which come in one stream.

/// One after the other, as they came.
pub fn all(bytes: &[u8]) -> String {
    let pieces: Vec<&[u8]> = pieces(bytes).map(|(_, piece)| piece).collect();
    String::from_utf8_lossy(&pieces.concat()).into_owned()
}

/// Those of one: 1 is the output, 2 what was said of errors.
pub fn of(bytes: &[u8], whose: u8) -> String {
    let pieces: Vec<&[u8]> = pieces(bytes).filter(|(of, _)| *of == whose).map(|(_, piece)| piece).collect();
    String::from_utf8_lossy(&pieces.concat()).into_owned()
}

/// Each piece has a head of eight bytes: whose it is, and how long it is.
fn pieces(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let ([whose, _, _, _, a, b, c, d], after) = rest.split_first_chunk::<8>()?;
        let size = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?;
        let (piece, after) = after.split_at_checked(size).unwrap_or((after, &[]));
        rest = after;
        Some((*whose, piece))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together() {
        let bytes = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x03err\x01\0\0\0\0\0\0\x01!";
        assert_eq!(all(bytes), "hierr!");
        assert_eq!((of(bytes, 1), of(bytes, 2)), ("hi!".to_owned(), "err".to_owned()));
        assert_eq!(all(b"\x01\0\0\0\0\0\0\x09cut"), "cut");
    }
}
