//! The file attributes `lsattr` shows and `chattr` sets.

/// Letter, bit, and the name Ansible's `stat` gives it.
const TABLE: [(char, u32, &str); 20] = [
    ('s', 0x1, "secure-deletion"),
    ('u', 0x2, "undeletable"),
    ('c', 0x4, "compressed"),
    ('S', 0x8, "synchronous"),
    ('i', 0x10, "immutable"),
    ('a', 0x20, "append"),
    ('d', 0x40, "nodump"),
    ('A', 0x80, "noatime"),
    ('E', 0x800, "encrypted"),
    ('I', 0x1000, "indexed"),
    ('j', 0x4000, "journalled-data"),
    ('t', 0x8000, "notail"),
    ('D', 0x1_0000, "dirsync"),
    ('T', 0x2_0000, "topdir"),
    ('e', 0x8_0000, "extents"),
    ('V', 0x10_0000, "verity"),
    ('C', 0x80_0000, "nocow"),
    ('x', 0x200_0000, "dax"),
    ('N', 0x1000_0000, "inline-data"),
    ('P', 0x2000_0000, "project"),
];

/// The letters of those bits, in `lsattr`'s order.
pub fn letters(bits: u32) -> String {
    TABLE.iter().filter(|(_, bit, _)| bits & bit != 0).map(|(letter, ..)| letter).collect()
}

/// The bits of those letters.
pub fn bits(letters: &str) -> Result<u32, String> {
    letters.chars().try_fold(0, |bits, letter| {
        let row = TABLE.iter().find(|(known, ..)| *known == letter);
        row.map(|(_, bit, _)| bits | bit).ok_or_else(|| format!("there is no file attribute {letter:?}"))
    })
}

/// The names of those letters, as `stat` lists them.
pub fn names(letters: &str) -> Vec<&'static str> {
    let row = |letter| TABLE.iter().find(|(known, ..)| *known == letter);
    letters.chars().filter_map(row).map(|(_, _, name)| *name).collect()
}

/// What `chattr`'s `+i`, `-a` or `=e` (or plain letters, as `=`) makes of the present letters.
pub fn apply(change: &str, present: &str) -> Result<String, String> {
    let (how, wanted) = match change.chars().next() {
        Some(sign @ ('+' | '-' | '=')) => (sign, change.get(1..).unwrap_or_default()),
        _ => ('=', change),
    };
    let (now, wanted) = (bits(present)?, bits(wanted)?);
    Ok(letters(match how {
        '+' => now | wanted,
        '-' => now & !wanted,
        _ => wanted,
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn attributes_change_as_with_chattr() {
        for (change, present, expected) in
            [("+i", "e", "ie"), ("-i", "ie", "e"), ("=a", "ie", "a"), ("ae", "", "ae"), ("+e", "e", "e")]
        {
            assert_eq!(super::apply(change, present).unwrap(), expected, "{change} on {present}");
        }
        assert!(super::apply("+?", "").is_err());
        assert_eq!(super::names("ie"), ["immutable", "extents"]);
    }
}
