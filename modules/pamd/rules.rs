//! The rules of a PAM service, line by line. What is not changed stays as it was written.

/// A line, or several that backslashes join.
#[derive(Clone, Debug)]
pub struct Line {
    text: String,
    /// `None` for comments, blank lines and `@include`.
    pub rule: Option<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub kind: String,
    pub control: String,
    pub module: String,
    pub args: Vec<String>,
    /// With its `#`.
    comment: String,
}

impl Rule {
    pub fn new(kind: &str, control: &str, module: &str, args: Vec<String>) -> Self {
        Self {
            kind: kind.into(),
            control: control.into(),
            module: module.into(),
            args,
            comment: String::new(),
        }
    }

    /// As a line of the file, in Ansible's form.
    pub fn line(&self) -> String {
        let mut line = format!("{:<11}{} {}", self.kind, self.control, self.module);
        for more in self.args.iter().chain(Some(&self.comment).filter(|comment| !comment.is_empty())) {
            line.extend([" ", more.as_str()]);
        }
        line
    }

    pub fn is(&self, kind: &str, control: &str, module: &str) -> bool {
        self.kind == kind && self.control == control && self.module == module
    }

    /// `auth required pam_x.so a b # comment`; `None` when it is none.
    fn parse(text: &str) -> Option<Self> {
        let (text, comment) = match text.find('#') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let mut words = words(text).into_iter();
        let (kind, control, module) = (words.next()?, words.next()?, words.next()?);
        let known = ["account", "auth", "password", "session"];
        known.contains(&kind.strip_prefix('-').unwrap_or(&kind)).then_some(())?;
        Some(Self { kind, control, module, args: words.collect(), comment: comment.trim_end().to_owned() })
    }
}

/// Words; what stands in brackets is one.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut depth) = (String::new(), 0_u32);
    for c in text.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() && depth == 0 {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        } else {
            word.push(c);
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

impl Line {
    pub fn of(rule: Rule) -> Self {
        Self { text: format!("{}\n", rule.line()), rule: Some(rule) }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Another rule in its place.
    pub fn replace(&mut self, rule: Rule) {
        *self = Self::of(rule);
    }
}

/// Reads a file; the error is the line that makes no sense.
pub fn read(text: &str) -> Result<Vec<Line>, String> {
    let mut lines: Vec<Line> = Vec::new();
    let mut open = String::new();
    for line in text.split_inclusive('\n') {
        open.push_str(line);
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') {
            lines.push(whole(std::mem::take(&mut open))?);
        }
    }
    if !open.is_empty() {
        lines.push(whole(open)?);
    }
    if let Some(last) = lines.last_mut()
        && !last.text.ends_with('\n')
    {
        last.text.push('\n');
    }
    Ok(lines)
}

fn whole(text: String) -> Result<Line, String> {
    let joined = text.replace("\\\n", " ");
    let bare = joined.trim();
    if bare.is_empty() || bare.starts_with(['#', '@']) {
        return Ok(Line { text, rule: None });
    }
    match Rule::parse(bare) {
        Some(rule) => Ok(Line { rule: Some(rule), text }),
        None => Err(bare.to_owned()),
    }
}
