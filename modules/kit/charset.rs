//! The charsets of text files, by the names Python knows them by.
//!
//! Nothing is replaced or dropped on the way: what a charset has no place for is a [`Misfit`].

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{DecoderResult, EncoderResult, Encoding};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MARK: char = '\u{feff}';

/// How the characters of a text file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(Form);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Utf8 {
        marked: bool,
    },
    /// UTF-16 and UTF-32.
    Wide {
        bytes: usize,
        order: Order,
    },
    Ascii,
    Latin1,
    Table {
        encoding: &'static Encoding,
        c1: C1,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
    /// As the mark at the beginning says; little without one, and written with one.
    Marked,
}

/// What the bytes 0x80 to 0x9f are. The web's tables, which are used here, fill the gaps of Windows' with control
/// characters, and use Windows' tables for two of ISO's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum C1 {
    AsInTable,
    NoControls,
    Nothing,
}

/// Text that its charset cannot write, or bytes that it cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Counted from 0.
    Byte(usize),
    Char(char),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(at) => write!(f, "byte {at}"),
            Self::Char(char) => write!(f, "the character '{char}' (U+{:04X})", u32::from(*char)),
        }
    }
}

impl Default for Charset {
    fn default() -> Self {
        Self(Form::Utf8 { marked: false })
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Form::Utf8 { marked: false } => "utf-8",
            Form::Utf8 { marked: true } => "utf-8-sig",
            Form::Wide { bytes: 2, order: Order::Marked } => "utf-16",
            Form::Wide { bytes: 2, order: Order::Little } => "utf-16-le",
            Form::Wide { bytes: 2, order: Order::Big } => "utf-16-be",
            Form::Wide { order: Order::Marked, .. } => "utf-32",
            Form::Wide { order: Order::Little, .. } => "utf-32-le",
            Form::Wide { order: Order::Big, .. } => "utf-32-be",
            Form::Ascii => "ascii",
            Form::Latin1 => "latin-1",
            Form::Table { encoding, .. } => encoding.name(),
        })
    }
}

impl Serialize for Charset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Charset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        if name.is_empty() {
            return Ok(Self::default());
        }
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("unknown encoding: {name}")))
    }
}

impl Charset {
    /// The charset of that name; `None` for a name that is none, or one of Python's rarer ones.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace(['_', ' '], "-");
        let wide = |bytes, order| Form::Wide { bytes, order };
        Some(Self(match name.as_str() {
            "utf-8" | "utf8" | "utf" | "u8" | "cp65001" => Form::Utf8 { marked: false },
            "utf-8-sig" | "utf8-sig" => Form::Utf8 { marked: true },
            "utf-16" | "utf16" | "u16" => wide(2, Order::Marked),
            "utf-16-le" | "utf-16le" => wide(2, Order::Little),
            "utf-16-be" | "utf-16be" => wide(2, Order::Big),
            "utf-32" | "utf32" | "u32" => wide(4, Order::Marked),
            "utf-32-le" | "utf-32le" => wide(4, Order::Little),
            "utf-32-be" | "utf-32be" => wide(4, Order::Big),
            "ascii" | "us-ascii" | "646" => Form::Ascii,
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" => {
                Form::Latin1
            }
            other => Self::in_table(other)?,
        }))
    }

    fn in_table(name: &str) -> Option<Form> {
        let iso = name.strip_prefix("iso-8859-").or_else(|| name.strip_prefix("iso8859-"));
        let label = match name {
            "mac-roman" => "macintosh".to_owned(),
            "mac-cyrillic" => "x-mac-cyrillic".to_owned(),
            "iso2022-jp" => "iso-2022-jp".to_owned(),
            "cp932" => "shift_jis".to_owned(),
            "cp936" => "gbk".to_owned(),
            "cp949" => "euc-kr".to_owned(),
            "cp950" => "big5".to_owned(),
            _ => match (iso, name.strip_prefix("cp")) {
                (Some(part), _) => format!("iso-8859-{part}"),
                (None, Some(page)) if page.len() == 4 => format!("windows-{page}"),
                (None, Some("874")) => "windows-874".to_owned(),
                _ => name.to_owned(),
            },
        };
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
        let c1 = match encoding.name() {
            "UTF-8" | "UTF-16LE" | "UTF-16BE" | "x-user-defined" => return None,
            windows if windows.starts_with("windows-") && iso.is_some() => C1::Nothing,
            windows if windows.starts_with("windows-") => C1::NoControls,
            _ => C1::AsInTable,
        };
        Some(Form::Table { encoding, c1 })
    }

    /// The text those bytes stand for. A mark of the order of bytes is no part of it.
    pub fn decode(self, bytes: Vec<u8>) -> Result<String, Misfit> {
        match self.0 {
            Form::Utf8 { marked } => {
                let mut text = String::from_utf8(bytes)
                    .map_err(|error| Misfit::Byte(error.utf8_error().valid_up_to()))?;
                if marked && text.starts_with(MARK) {
                    text.drain(..MARK.len_utf8());
                }
                Ok(text)
            }
            Form::Wide { bytes: width, order } => from_wide(&bytes, width, order),
            Form::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(at) => Err(Misfit::Byte(at)),
                None => {
                    String::from_utf8(bytes).map_err(|error| Misfit::Byte(error.utf8_error().valid_up_to()))
                }
            },
            Form::Latin1 => Ok(bytes.into_iter().map(char::from).collect()),
            Form::Table { encoding, c1 } => from_table(&bytes, encoding, c1),
        }
    }

    /// The bytes of a text. UTF-8 is borrowed as it is.
    pub fn encode(self, text: &str) -> Result<Cow<'_, [u8]>, Misfit> {
        match self.0 {
            Form::Utf8 { marked: false } => Ok(Cow::Borrowed(text.as_bytes())),
            Form::Utf8 { marked: true } => Ok(Cow::Owned(format!("{MARK}{text}").into_bytes())),
            Form::Wide { bytes, order } => Ok(Cow::Owned(to_wide(text, bytes, order))),
            Form::Ascii => match text.chars().find(|char| !char.is_ascii()) {
                Some(char) => Err(Misfit::Char(char)),
                None => Ok(Cow::Borrowed(text.as_bytes())),
            },
            Form::Latin1 => {
                let byte = |char| u8::try_from(u32::from(char)).map_err(|_| Misfit::Char(char));
                text.chars().map(byte).collect::<Result<_, _>>().map(Cow::Owned)
            }
            Form::Table { encoding, c1 } => to_table(text, encoding, c1).map(Cow::Owned),
        }
    }
}

fn from_wide(bytes: &[u8], width: usize, order: Order) -> Result<String, Misfit> {
    let little = |unit: &[u8]| unit.iter().rev().fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
    let big = |unit: &[u8]| unit.iter().fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
    let first = bytes.get(..width).unwrap_or_default();
    let (is_big, skip) = match order {
        Order::Big => (true, 0),
        Order::Marked if big(first) == u32::from(MARK) => (true, width),
        Order::Marked if little(first) == u32::from(MARK) => (false, width),
        Order::Little | Order::Marked => (false, 0),
    };
    let body = bytes.get(skip..).unwrap_or_default();
    let ragged = body.len() % width;
    if ragged != 0 {
        return Err(Misfit::Byte(bytes.len() - ragged));
    }
    let units = body.chunks_exact(width).map(|unit| if is_big { big(unit) } else { little(unit) });
    let mut text = String::with_capacity(body.len());
    let mut at = skip;
    let mut push = |read: Option<char>| -> Result<(), Misfit> {
        let char = read.ok_or(Misfit::Byte(at))?;
        at += if width == 2 { char.len_utf16() * 2 } else { width };
        text.push(char);
        Ok(())
    };
    if width == 2 {
        for read in char::decode_utf16(units.map(|unit| u16::try_from(unit).unwrap_or_default())) {
            push(read.ok())?;
        }
    } else {
        for unit in units {
            push(char::from_u32(unit))?;
        }
    }
    Ok(text)
}

fn to_wide(text: &str, width: usize, order: Order) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * width + width);
    let mark = (order == Order::Marked).then_some(MARK);
    for char in mark.into_iter().chain(text.chars()) {
        let mut units = [0; 2];
        let wide = [u32::from(char)];
        let narrow: Vec<u32> = char.encode_utf16(&mut units).iter().map(|unit| u32::from(*unit)).collect();
        for unit in if width == 2 { narrow.as_slice() } else { &wide } {
            match order {
                Order::Big => bytes.extend(unit.to_be_bytes().iter().skip(4 - width)),
                Order::Little | Order::Marked => bytes.extend(unit.to_le_bytes().iter().take(width)),
            }
        }
    }
    bytes
}

fn from_table(bytes: &[u8], encoding: &'static Encoding, c1: C1) -> Result<String, Misfit> {
    if let Some(at) = bytes.iter().position(|byte| is_gap(*byte, encoding, c1)) {
        return Err(Misfit::Byte(at));
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 4);
    let mut text = String::with_capacity(room);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Ok(text),
        (DecoderResult::Malformed(length, after), read) => {
            Err(Misfit::Byte(read.saturating_sub(usize::from(length) + usize::from(after))))
        }
        (DecoderResult::OutputFull, read) => Err(Misfit::Byte(read)),
    }
}

fn to_table(text: &str, encoding: &'static Encoding, c1: C1) -> Result<Vec<u8>, Misfit> {
    let mut encoder = encoding.new_encoder();
    let mut bytes = Vec::new();
    for char in text.chars() {
        // One at a time, so that what has no place is known whatever the reason.
        let (from, mut buffer) = (bytes.len(), [0; 4]);
        bytes.reserve(16);
        let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(
            char.encode_utf8(&mut buffer),
            &mut bytes,
            false,
        );
        let gap = bytes.iter().skip(from).any(|byte| is_gap(*byte, encoding, c1));
        if gap || result != EncoderResult::InputEmpty {
            return Err(Misfit::Char(char));
        }
    }
    bytes.reserve(16);
    // What leaves a charset with states (ISO-2022-JP) in its first one.
    let _ = encoder.encode_from_utf8_to_vec_without_replacement("", &mut bytes, true);
    Ok(bytes)
}

fn is_gap(byte: u8, encoding: &'static Encoding, c1: C1) -> bool {
    (0x80..=0x9f).contains(&byte)
        && match c1 {
            C1::AsInTable => false,
            C1::Nothing => true,
            C1::NoControls => {
                let bytes = [byte];
                let read = encoding.decode_without_bom_handling_and_without_replacement(&bytes);
                read.is_none_or(|text| text.chars().eq([char::from(byte)]))
            }
        }
}

#[cfg(test)]
mod tests {
    use super::{Charset, Misfit};

    /// As Python writes it, there and back.
    #[track_caller]
    fn check(name: &str, text: &str, bytes: &[u8]) {
        let charset = Charset::named(name).unwrap();
        assert_eq!(charset.encode(text).unwrap(), bytes, "{name}");
        assert_eq!(charset.decode(bytes.to_vec()).as_deref(), Ok(text), "{name}");
    }

    #[test]
    fn there_and_back() {
        check("UTF_8", "ä", b"\xc3\xa4");
        check("utf-8-sig", "ä", b"\xef\xbb\xbf\xc3\xa4");
        check("utf-16", "ä\n", b"\xff\xfe\xe4\0\n\0");
        check("utf-16-be", "\u{1f600}", b"\xd8\x3d\xde\0");
        check("utf-16le", "\u{feff}a", b"\xff\xfea\0");
        check("utf-32", "ä", b"\xff\xfe\0\0\xe4\0\0\0");
        check("utf-32-be", "ä", b"\0\0\0\xe4");
        check("us-ascii", "a", b"a");
        check("latin-1", "ä\u{85}", b"\xe4\x85");
        check("cp1252", "ä€", b"\xe4\x80");
        check("iso8859-15", "€", b"\xa4");
        check("ISO-8859-9", "ğ", b"\xf0");
        check("koi8-r", "я", b"\xd1");
        check("cp866", "я", b"\xef");
        check("shift_jis", "日本", b"\x93\xfa\x96\x7b");
        check("euc_jp", "日", b"\xc6\xfc");
        check("iso2022_jp", "a日b", b"a\x1b$BF|\x1b(Bb");
        check("gb18030", "中", b"\xd6\xd0");
        check("big5", "中", b"\xa4\xa4");
        check("euc-kr", "가", b"\xb0\xa1");
        check("mac_roman", "ä", b"\x8a");
    }

    #[test]
    fn the_mark_tells_the_order() {
        let utf16 = Charset::named("utf-16").unwrap();
        assert_eq!(utf16.decode(b"\xfe\xff\0a".to_vec()).as_deref(), Ok("a"));
        assert_eq!(utf16.decode(b"a\0".to_vec()).as_deref(), Ok("a"));
    }

    #[test]
    fn what_does_not_fit() {
        let decode = |name: &str, bytes: &[u8]| Charset::named(name).unwrap().decode(bytes.to_vec());
        assert_eq!(decode("utf-8", b"ab\xe4\n"), Err(Misfit::Byte(2)));
        assert_eq!(decode("ascii", b"ab\xe4\n"), Err(Misfit::Byte(2)));
        assert_eq!(decode("utf-16", b"\xff\xfea\0b"), Err(Misfit::Byte(4)));
        assert_eq!(decode("utf-16", b"\xff\xfea\0\0\xd8b\0"), Err(Misfit::Byte(4)));
        assert_eq!(decode("utf-32-le", b"a\0\0\0\0\0\xff\0"), Err(Misfit::Byte(4)));
        assert_eq!(decode("cp1252", b"a\x81"), Err(Misfit::Byte(1)));
        assert_eq!(decode("iso-8859-9", b"\x80"), Err(Misfit::Byte(0)));
        assert_eq!(decode("cp1255", b"ab\xd9"), Err(Misfit::Byte(2)));
        assert_eq!(decode("euc-jp", b"ab\xff"), Err(Misfit::Byte(2)));
        let encode = |name: &str, text: &str| Charset::named(name).unwrap().encode(text).map(|_| ());
        assert_eq!(encode("latin-1", "a€"), Err(Misfit::Char('€')));
        assert_eq!(encode("ascii", "ä"), Err(Misfit::Char('ä')));
        assert_eq!(encode("cp1252", "\u{81}"), Err(Misfit::Char('\u{81}')));
        assert_eq!(encode("iso-8859-9", "€"), Err(Misfit::Char('€')));
        assert_eq!(encode("koi8-r", "ä"), Err(Misfit::Char('ä')));
    }

    #[test]
    fn names() {
        for name in ["nix", "", "utf-7", "replacement", "x-user-defined", "cp1", "unicode-1-1-utf-8"] {
            assert_eq!(Charset::named(name), None, "{name}");
        }
    }
}
