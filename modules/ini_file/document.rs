//! The lines of an INI file.

/// What is wanted of an option.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Without one the section as a whole is meant.
    pub option: Option<&'a str>,
    pub values: &'a [String],
    pub exclusive: bool,
    /// No blanks around `=`.
    pub tight: bool,
    pub ignore_spaces: bool,
    /// A line that is commented out counts, too.
    pub inactive: bool,
}

/// Which section is meant: the first of that name that holds what is required.
pub(super) struct Section<'a> {
    pub name: &'a str,
    pub required: &'a [Wish<'a>],
}

impl Wish<'_> {
    fn line(&self, value: Option<&str>) -> String {
        let option = self.option.unwrap_or_default();
        match value {
            None => option.to_owned(),
            Some(value) if self.tight => format!("{option}={value}"),
            Some(value) => format!("{option} = {value}"),
        }
    }

    /// The option's value on an active line: the inner `None` for one without. Blanks behind it are a part of it.
    #[expect(clippy::option_option, reason = "no such option, an option without a value, one with")]
    fn value<'l>(&self, line: &'l str) -> Option<Option<&'l str>> {
        let rest = line.trim_start().strip_prefix(self.option?)?.trim_start();
        match rest.strip_prefix('=') {
            Some(value) => Some(Some(value.trim_start())),
            None => rest.is_empty().then_some(None),
        }
    }

    /// The same of a line that may be commented out. As in Ansible, a bare word in a comment is the option only where
    /// one without a value is wanted.
    #[expect(clippy::option_option, reason = "no such option, an option without a value, one with")]
    fn found<'l>(&self, line: &'l str) -> Option<Option<&'l str>> {
        let comment = line.trim_start().strip_prefix(['#', ';']).filter(|_| self.inactive);
        let of_comment = || self.value(comment?).filter(|value| value.is_some() || self.values.is_empty());
        self.value(line).or_else(of_comment)
    }

    fn lines(&self) -> Vec<String> {
        if self.values.is_empty() {
            return vec![self.line(None)];
        }
        self.distinct().map(|value| self.line(Some(value))).collect()
    }

    /// Each value once.
    fn distinct(&self) -> impl Iterator<Item = &str> {
        let first =
            |(at, value): &(usize, &String)| !self.values.iter().take(*at).any(|known| known == *value);
        self.values.iter().enumerate().filter(first).map(|(_, value)| value.as_str())
    }

    /// Whether the line says the same.
    fn fits(&self, known: &str, wanted: &str) -> bool {
        known == wanted || (self.ignore_spaces && self.value(known) == self.value(wanted))
    }
}

pub(super) struct Document {
    lines: Vec<String>,
}

impl Document {
    pub fn parse(text: &str) -> Self {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // As in Ansible, what is made begins with a blank line.
        if lines.is_empty() {
            lines.push(String::new());
        }
        Self { lines }
    }

    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// Says what was done.
    pub fn ensure(&mut self, section: &Section<'_>, wish: &Wish<'_>) -> &'static str {
        let Some((start, end)) = self.body(section) else {
            self.lines.push(format!("[{}]", section.name));
            self.lines.extend(section.required.iter().flat_map(Wish::lines));
            if wish.option.is_none() {
                return "only section added";
            }
            self.lines.extend(wish.lines());
            return "section and option added";
        };
        if wish.option.is_none() {
            return "OK";
        }
        if wish.values.is_empty() {
            self.ensure_bare(start, end, wish)
        } else {
            self.ensure_values(start, end, wish)
        }
    }

    /// The option without a value: what its first line says is dropped, others stay.
    fn ensure_bare(&mut self, start: usize, end: usize, wish: &Wish<'_>) -> &'static str {
        let bare = wish.line(None);
        match self.lines.iter_mut().take(end).skip(start).find(|line| wish.found(line).is_some()) {
            Some(known) if *known == bare => "OK",
            Some(known) => {
                *known = bare;
                "option changed"
            }
            None => self.add(start, end, vec![bare]),
        }
    }

    /// Lines that have a wanted value are kept. All others of the option are replaced where it is to have no other
    /// values, also those that are commented out; what is too much goes, what is still missing is added.
    fn ensure_values(&mut self, start: usize, end: usize, wish: &Wish<'_>) -> &'static str {
        let mut missing: Vec<&str> = wish.distinct().collect();
        let (mut msg, mut others) = ("OK", Vec::new());
        for (at, known) in self.lines.iter_mut().enumerate().take(end).skip(start) {
            let Some(value) = wish.found(known) else { continue };
            let Some(index) = missing.iter().position(|wanted| value == Some(*wanted)) else {
                others.push(at);
                continue;
            };
            let line = wish.line(Some(missing.remove(index)));
            if !wish.fits(known, &line) {
                *known = line;
                msg = "option changed";
            }
        }
        let mut left = missing.into_iter().map(|value| wish.line(Some(value)));
        let mut surplus = Vec::new();
        if wish.exclusive {
            for at in others {
                msg = "option changed";
                match (left.next(), self.lines.get_mut(at)) {
                    (Some(line), Some(known)) => *known = line,
                    _ => surplus.push(at),
                }
            }
        }
        let added: Vec<String> = left.collect();
        if !added.is_empty() {
            msg = self.add(start, end, added);
        }
        for at in surplus.into_iter().rev() {
            self.lines.remove(at);
        }
        msg
    }

    fn add(&mut self, start: usize, end: usize, lines: Vec<String>) -> &'static str {
        let at = self.last_line(start, end);
        self.lines.splice(at..at, lines);
        "option added"
    }

    pub fn remove(&mut self, section: &Section<'_>, wish: &Wish<'_>) -> &'static str {
        let Some((start, end)) = self.body(section) else { return "OK" };
        if wish.option.is_none() {
            let from = if section.name.is_empty() { start } else { start.saturating_sub(1) };
            self.lines.drain(from..end);
            return "section removed";
        }
        let goes = |line: &String| {
            wish.value(line).is_some_and(|value| {
                wish.exclusive
                    || wish.values.iter().any(|wanted| wanted.as_str() == value.unwrap_or_default())
            })
        };
        let before = self.lines.len();
        let mut at = 0;
        self.lines.retain(|line| {
            let inside = (start..end).contains(&at);
            at += 1;
            !(inside && goes(line))
        });
        if self.lines.len() < before { "option changed" } else { "OK" }
    }

    /// Where the lines of a section are: of the first that holds what is required.
    fn body(&self, section: &Section<'_>) -> Option<(usize, usize)> {
        let is_it = |line: &&str| {
            let name = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            name.is_some_and(|(name, _)| name.trim() == section.name)
        };
        let heads = self.lines.iter().map(String::as_str).enumerate().filter(|(_, line)| is_it(line));
        let mut starts: Vec<usize> = heads.map(|(at, _)| at + 1).collect();
        if section.name.is_empty() {
            starts = vec![0];
        }
        // A head stands at the line's beginning: what is indented belongs to a value.
        let is_head = |line: &String| line.starts_with('[');
        let bodies = starts.into_iter().map(|start| {
            let length = self.lines.iter().skip(start).position(is_head);
            (start, length.map_or(self.lines.len(), |length| start + length))
        });
        // As in Ansible, one of several values will do, also one that is commented out.
        let holds = |(start, end): &(usize, usize), wish: &Wish<'_>| {
            let lines = self.lines.get(*start..*end).unwrap_or_default();
            lines
                .iter()
                .filter_map(|line| wish.found(line))
                .any(|value| wish.values.is_empty() || wish.values.iter().any(|wanted| value == Some(wanted)))
        };
        let mut bodies = bodies.filter(|body| section.required.iter().all(|wish| holds(body, wish)));
        bodies.next()
    }

    /// Behind the last line of a section that is neither blank nor a comment.
    fn last_line(&self, start: usize, end: usize) -> usize {
        let counts = |line: &String| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']);
        let body = self.lines.get(start..end).unwrap_or_default();
        body.iter().rposition(counts).map_or(start, |at| start + at + 1)
    }
}
