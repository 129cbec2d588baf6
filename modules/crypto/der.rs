//! DER, the encoding of keys and certificates: reading and writing.

/// One element: its tag, what it holds, and the whole of it as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'d> {
    pub tag: u8,
    pub content: &'d [u8],
    pub whole: &'d [u8],
}

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OID: u8 = 0x06;
pub const UTF8_STRING: u8 = 0x0c;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const T61_STRING: u8 = 0x14;
pub const IA5_STRING: u8 = 0x16;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const BMP_STRING: u8 = 0x1e;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The tag `[n]`, of something that holds elements.
pub fn inside(n: u8) -> u8 {
    0xa0 | n
}

/// The tag `[n]`, of something that holds bytes.
pub fn plain(n: u8) -> u8 {
    0x80 | n
}

impl<'d> Element<'d> {
    /// The one element that these bytes are.
    pub fn of(bytes: &'d [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let element = reader.next()?;
        reader.0.is_empty().then_some(element)
    }

    /// What is in it, one after the other.
    pub fn elements(&self) -> Reader<'d> {
        Reader(self.content)
    }

    /// Its content, where it has that tag.
    pub fn content_of(&self, tag: u8) -> Option<&'d [u8]> {
        (self.tag == tag).then_some(self.content)
    }

    /// The bytes of a BIT STRING that has no unused bits.
    pub fn bits(&self) -> Option<&'d [u8]> {
        match self.content_of(BIT_STRING)?.split_first()? {
            (0, bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The numbers of the bits that are set in a BIT STRING, the first being 0.
    pub fn flags(&self) -> Option<Vec<usize>> {
        let (_, bytes) = self.content_of(BIT_STRING)?.split_first()?;
        let is_set = |bit: &usize| bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
        Some((0..bytes.len() * 8).filter(is_set).collect())
    }

    /// An object identifier, with dots.
    pub fn oid(&self) -> Option<String> {
        let mut arcs: Vec<u64> = Vec::new();
        let mut arc: u64 = 0;
        for byte in self.content_of(OID)? {
            arc = arc.checked_mul(128)? | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                arcs.push(arc);
                arc = 0;
            }
        }
        let (first, rest) = arcs.split_first()?;
        let root = (*first / 40).min(2);
        let named = [root, first - root * 40].into_iter().chain(rest.iter().copied());
        Some(named.map(|arc| arc.to_string()).collect::<Vec<_>>().join("."))
    }

    /// Text of any kind.
    pub fn text(&self) -> Option<String> {
        match self.tag {
            BMP_STRING => {
                let units =
                    self.content.chunks(2).map(|pair| pair.iter().fold(0, |n, b| (n << 8) | u16::from(*b)));
                Some(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
            }
            T61_STRING => Some(self.content.iter().map(|byte| char::from(*byte)).collect()),
            _ => String::from_utf8(self.content.to_vec()).ok(),
        }
    }

    /// A small number.
    pub fn number(&self) -> Option<u64> {
        let bytes = self.content_of(INTEGER)?;
        let is_small = bytes.len() <= 8 && bytes.first().is_some_and(|first| first & 0x80 == 0);
        is_small.then(|| bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }
}

/// Reads elements that stand one after the other. `None` at the end, and where there is no DER.
#[derive(Clone, Debug)]
pub struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// The next element, where it has that tag; else it stays.
    pub fn optional(&mut self, tag: u8) -> Option<Element<'d>> {
        if self.0.first() == Some(&tag) { self.next() } else { None }
    }
}

impl<'d> Iterator for Reader<'d> {
    type Item = Element<'d>;

    fn next(&mut self) -> Option<Element<'d>> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            let (bytes, after) = rest.split_at_checked(length & 0x7f)?;
            if bytes.len() > 4 {
                return None;
            }
            length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag: *tag, content, whole })
    }
}

/// An element of that tag.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match digits.as_slice() {
        [] => bytes.push(0),
        [short] if *short < 0x80 => bytes.push(*short),
        long => {
            bytes.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            bytes.extend(long);
        }
    }
    bytes.extend(content);
    bytes
}

/// An element that holds others.
pub fn holding(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// A SET OF: its members in order.
pub fn set(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    holding(SET, &parts)
}

/// A number that is not negative, from its bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let lead = if bytes.first().is_none_or(|first| first & 0x80 != 0) { &[0][..] } else { &[] };
    element(INTEGER, &[lead, &bytes].concat())
}

pub fn boolean(value: bool) -> Vec<u8> {
    element(BOOLEAN, &[if value { 0xff } else { 0 }])
}

pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// A BIT STRING of flags, given by their numbers.
pub fn flags(set: &[usize]) -> Vec<u8> {
    let Some(last) = set.iter().max() else { return element(BIT_STRING, &[0]) };
    let mut bytes = vec![0u8; last / 8 + 1];
    for bit in set {
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte |= 0x80 >> (bit % 8);
        }
    }
    let unused = u8::try_from(7 - last % 8).unwrap_or_default();
    element(BIT_STRING, &[&[unused], bytes.as_slice()].concat())
}

/// An object identifier, from its form with dots. `None` where that is none.
pub fn oid(dotted: &str) -> Option<Vec<u8>> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().ok()).collect::<Option<_>>()?;
    let (first, second, rest) = match arcs.as_slice() {
        [first, second, rest @ ..] if *first <= 2 && (*first == 2 || *second < 40) => (first, second, rest),
        _ => return None,
    };
    let mut bytes = Vec::new();
    for arc in std::iter::once(first.checked_mul(40)?.checked_add(*second)?).chain(rest.iter().copied()) {
        let mut digits = vec![u8::try_from(arc & 0x7f).unwrap_or_default()];
        let mut rest = arc >> 7;
        while rest > 0 {
            digits.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
            rest >>= 7;
        }
        bytes.extend(digits.iter().rev());
    }
    Some(element(OID, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for dotted in ["2.5.4.3", "1.2.840.113549.1.1.11", "2.100.3", "1.3.101.112"] {
            let bytes = oid(dotted).unwrap();
            assert_eq!(Element::of(&bytes).unwrap().oid().unwrap(), dotted);
        }
        assert_eq!(oid("3.1"), None);
        assert_eq!(oid("1.x"), None);
        let long = element(OCTET_STRING, &[7; 300]);
        assert_eq!(long.get(..4), Some(&[4, 0x82, 1, 44][..]));
        assert_eq!(Element::of(&long).unwrap().content.len(), 300);
        assert_eq!(Element::of(&flags(&[0, 2])).unwrap().flags().unwrap(), [0, 2]);
        assert_eq!(flags(&[0, 2]), [3, 2, 5, 0xa0]);
        assert_eq!(flags(&[5, 6]), [3, 2, 1, 6]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0]), [2, 1, 0]);
        assert_eq!(Element::of(&integer(&[1, 0])).unwrap().number(), Some(256));
    }

    #[test]
    fn what_ends_too_early_is_none() {
        for bytes in [&[0x30][..], &[0x30, 5, 1], &[0x30, 0x82, 1], &[0x30, 0x85, 0, 0, 0, 0, 1, 9], &[]] {
            assert_eq!(Element::of(bytes), None, "{bytes:?}");
        }
    }
}
