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

    /// The option's value on an active line: the inner `None` for one without.
    #[expect(clippy::option_option, reason = "no such option, an option without a value, one with")]
    fn value<'l>(&self, line: &'l str) -> Option<Option<&'l str>> {
        let rest = line.trim_start().strip_prefix(self.option?)?.trim_start();
        match rest.strip_prefix('=') {
            Some(value) => Some(Some(value.trim())),
            None => rest.is_empty().then_some(None),
        }
    }

    fn is_inactive(&self, line: &str) -> bool {
        let bare = line.trim_start().trim_start_matches(['#', ';']);
        bare.len() < line.trim_start().len() && self.value(bare).is_some_and(|value| value.is_some())
    }

    fn lines(&self) -> Vec<String> {
        if self.values.is_empty() {
            return vec![self.line(None)];
        }
        self.values.iter().map(|value| self.line(Some(value))).collect()
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
        let mut missing = wish.lines();
        let mut replaceable = Vec::new();
        let mut inactive = Vec::new();
        for (at, known) in self.lines.iter().enumerate().take(end).skip(start) {
            if wish.value(known).is_some() {
                match missing.iter().position(|wanted| wish.fits(known, wanted)) {
                    Some(index) => drop(missing.remove(index)),
                    None => replaceable.push(at),
                }
            } else if wish.inactive && wish.is_inactive(known) {
                inactive.push(at);
            }
        }
        let mut msg = "OK";
        let mut left = missing.into_iter();
        // Other values are replaced, then lines that are commented out, in their order; more are added.
        let mut surplus = Vec::new();
        if wish.exclusive {
            for at in replaceable {
                msg = "option changed";
                match (left.next(), self.lines.get_mut(at)) {
                    (Some(line), Some(known)) => *known = line,
                    _ => surplus.push(at),
                }
            }
        }
        for at in inactive {
            let Some(line) = left.next() else { break };
            if let Some(known) = self.lines.get_mut(at) {
                msg = "option changed";
                *known = line;
            }
        }
        let added: Vec<String> = left.collect();
        if !added.is_empty() {
            let at = self.last_line(start, end);
            self.lines.splice(at..at, added);
            if msg == "OK" {
                msg = "option added";
            }
        }
        for at in surplus.into_iter().rev() {
            self.lines.remove(at);
        }
        msg
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
                    || wish.values.is_empty()
                    || wish.values.iter().any(|wanted| Some(wanted.as_str()) == value)
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
        let head = format!("[{}]", section.name);
        let heads =
            self.lines.iter().enumerate().filter(|(_, line)| line.trim() == head).map(|(at, _)| at + 1);
        let mut starts = heads.collect::<Vec<_>>();
        if section.name.is_empty() {
            starts = vec![0];
        }
        let is_head = |line: &String| line.trim_start().starts_with('[');
        let bodies = starts.into_iter().map(|start| {
            let length = self.lines.iter().skip(start).position(is_head);
            (start, length.map_or(self.lines.len(), |length| start + length))
        });
        let holds = |(start, end): &(usize, usize), wish: &Wish<'_>| {
            let values: Vec<Option<&str>> = self
                .lines
                .get(*start..*end)
                .unwrap_or_default()
                .iter()
                .filter_map(|line| wish.value(line))
                .collect();
            !values.is_empty() && wish.values.iter().all(|wanted| values.contains(&Some(wanted.as_str())))
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
