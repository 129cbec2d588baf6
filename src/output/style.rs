//! Colours by meaning, in one table.

use anstyle::{AnsiColor, Style};

/// What a piece of text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Plain,
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    Included,
    Retrying,
    Verbose,
    Warning,
    Deprecation,
    Added,
    Removed,
    Hunk,
    Heading,
}

impl Meaning {
    /// Ansible's own colours.
    fn style(self) -> Style {
        let colour = match self {
            Self::Plain => return Style::new(),
            Self::Heading => return Style::new().bold(),
            Self::Ok | Self::Added => AnsiColor::Green,
            Self::Changed => AnsiColor::Yellow,
            Self::Skipped | Self::Included | Self::Hunk => AnsiColor::Cyan,
            Self::Failed | Self::Removed => AnsiColor::Red,
            Self::Unreachable => AnsiColor::BrightRed,
            Self::Retrying => AnsiColor::BrightBlack,
            Self::Verbose => AnsiColor::Blue,
            Self::Warning => AnsiColor::BrightMagenta,
            Self::Deprecation => AnsiColor::Magenta,
        };
        colour.on_default()
    }
}

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Painter {
    pub colour: bool,
}

impl Painter {
    /// Each line on its own, so that a pager or `grep` that cuts lines keeps the colours.
    pub fn paint(self, meaning: Meaning, text: &str) -> String {
        let style = meaning.style();
        if !self.colour || meaning == Meaning::Plain {
            return text.to_owned();
        }
        let lines: Vec<_> = text.split('\n').map(|line| format!("{style}{line}{style:#}")).collect();
        lines.join("\n")
    }
}
