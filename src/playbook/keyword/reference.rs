//! The page `docs/guide/keywords.md`.

use std::fmt::Write;

use super::{KEYWORDS, Object};

/// The page, as a test demands it to be.
pub fn guide() -> String {
    let mut text = String::from(
        "# Keywords\n\n\
         <!-- Written by `playbook::keyword::guide` from the table in src/playbook/keyword/table.rs. -->\n\n\
         What may stand on a play, role, block or task. A keyword that is unknown, or stands where it does not\n\
         belong, is an error with its place. Values may be templates unless the text says otherwise. Dynamic includes\n\
         (`include_tasks`, `include_role`) keep their own keywords to themselves, save `vars`: give the others to the\n\
         included tasks by `apply:`.\n\n\
         | keyword | type | on | |\n|---|---|---|---|\n",
    );
    for keyword in KEYWORDS {
        let places: Vec<_> = keyword.on.objects().map(Object::phrase).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            keyword.name,
            keyword.kind.name(),
            places.join(", "),
            keyword.help
        );
    }
    text
}
