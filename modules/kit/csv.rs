//! CSV as Python's `csv` reads it.

/// How it is written.
#[derive(Clone, Copy)]
pub struct Dialect {
    pub delimiter: char,
    /// Spaces behind a delimiter are left out.
    pub skip_initial_space: bool,
    /// What is not well written is an error.
    pub strict: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: ',', skip_initial_space: false, strict: false }
    }
}

/// A delimiter as users write it.
pub fn delimiter(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) if !matches!(char, '"' | '\n' | '\r') => Ok(char),
        _ => Err("\"delimiter\" must be a 1-character string".to_owned()),
    }
}

impl Dialect {
    /// One of those that Python knows by name. They are read alike but for the delimiter.
    pub fn named(name: &str) -> Option<Self> {
        let delimiter = match name {
            "excel" | "unix" => ',',
            "excel-tab" => '\t',
            _ => return None,
        };
        Some(Self { delimiter, ..Self::default() })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    StartOfRow,
    StartOfField,
    InField,
    InQuotes,
    /// Behind a quote within quotes: their end, or the first of two.
    BehindQuote,
    BehindReturn,
}

/// The rows; an empty line is a row without fields.
pub fn rows(text: &str, dialect: Dialect) -> Result<Vec<Vec<String>>, String> {
    let mut rows = Vec::new();
    let (mut row, mut field) = (Vec::new(), String::new());
    let mut at = At::StartOfRow;
    for line in text.split_inclusive('\n') {
        for char in line.chars() {
            let ends = matches!(char, '\n' | '\r');
            at = match at {
                At::StartOfRow | At::BehindReturn if ends => At::BehindReturn,
                At::BehindReturn => {
                    return Err(
                        "new-line character seen in unquoted field - do you need to open the file in \
                                universal-newline mode?"
                            .to_owned(),
                    );
                }
                At::InQuotes if char == '"' => At::BehindQuote,
                At::InQuotes => {
                    field.push(char);
                    At::InQuotes
                }
                At::BehindQuote if char == '"' => {
                    field.push('"');
                    At::InQuotes
                }
                _ if ends => {
                    row.push(std::mem::take(&mut field));
                    At::BehindReturn
                }
                _ if char == dialect.delimiter => {
                    row.push(std::mem::take(&mut field));
                    At::StartOfField
                }
                At::BehindQuote if dialect.strict => {
                    return Err(format!("'{}' expected after '\"'", dialect.delimiter));
                }
                At::StartOfRow | At::StartOfField if char == '"' => At::InQuotes,
                At::StartOfRow | At::StartOfField if char == ' ' && dialect.skip_initial_space => {
                    At::StartOfField
                }
                _ => {
                    field.push(char);
                    At::InField
                }
            };
        }
        match at {
            // Quotes go on in the next line.
            At::InQuotes => continue,
            At::StartOfRow | At::BehindReturn => {}
            At::StartOfField | At::InField | At::BehindQuote => row.push(std::mem::take(&mut field)),
        }
        rows.push(std::mem::take(&mut row));
        at = At::StartOfRow;
    }
    if at == At::InQuotes {
        if dialect.strict {
            return Err("unexpected end of data".to_owned());
        }
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}

/// A row by the names of its fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// A field that the row lacks is `None`.
    pub fields: Vec<(String, Option<String>)>,
    /// Fields beyond those that have names.
    pub more: Vec<String>,
}

/// The names, of the first row where none are given, and the rows that are not empty.
pub fn records(
    text: &str,
    dialect: Dialect,
    names: Option<Vec<String>>,
) -> Result<(Vec<String>, Vec<Record>), String> {
    let mut rows = rows(text, dialect)?.into_iter();
    let names = names.or_else(|| rows.next()).unwrap_or_default();
    let record = |row: Vec<String>| {
        let mut row = row.into_iter();
        let mut fields: Vec<(String, Option<String>)> = Vec::new();
        for name in &names {
            let value = row.next();
            match fields.iter_mut().find(|(other, _)| other == name) {
                Some((_, place)) => *place = value,
                None => fields.push((name.clone(), value)),
            }
        }
        Record { fields, more: row.collect() }
    };
    let records = rows.filter(|row| !row.is_empty()).map(record).collect();
    Ok((names, records))
}

#[cfg(test)]
mod tests {
    use super::{Dialect, rows};

    fn check(text: &str, expected: &[&[&str]]) {
        let found = rows(text, Dialect::named("excel").unwrap()).unwrap();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn rows_are_pythons() {
        check("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]);
        check("a\r\n\r\nb", &[&["a"], &[], &["b"]]);
        check("1,\"x\r\ny\"\n", &[&["1", "x\r\ny"]]);
        check("\"1\"\"2\",3\n", &[&["1\"2", "3"]]);
        check("\"1\"2, \"3\"\n", &[&["12", " \"3\""]]);
        check("\"1,3\n", &[&["1,3\n"]]);
        check("x\"y\"z,\n", &[&["x\"y\"z", ""]]);
        check("", &[]);
        rows("a\rb", Dialect::named("excel").unwrap()).unwrap_err();
        let strict = Dialect { strict: true, ..Dialect::named("excel").unwrap() };
        assert_eq!(rows("\"1\"2", strict).unwrap_err(), "',' expected after '\"'");
        assert_eq!(rows("\"1", strict).unwrap_err(), "unexpected end of data");
        let skipping = Dialect { skip_initial_space: true, ..Dialect::named("excel-tab").unwrap() };
        assert_eq!(rows("a\t  \"b\"", skipping).unwrap(), [["a", "b"]]);
    }
}
