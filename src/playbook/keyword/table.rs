use super::Kind::{Bool, Class, Dict, Float, Int, List, Name, Percent, Text};
use super::Object::{
    Block, Handler, ImportPlaybook, IncludeRole, IncludeTasks, LoopControl, Play, Role, RoleMeta, Task,
};
use super::{Keyword, Kind, On};

const PLAY: On = On::of(&[Play]);
const BLOCK: On = On::of(&[Block]);
const LOOP: On = On::of(&[LoopControl]);
const META: On = On::of(&[RoleMeta]);
const TASKS: On = On::of(&[Task, Handler]);
const INCLUDES: On = On::of(&[IncludeTasks, IncludeRole]);
const TASKS_AND_INCLUDES: On = TASKS.and(INCLUDES);
/// On everything but dynamic includes, which hand such keywords on by `apply`.
const STATIC: On = On::of(&[Play, Role, Block, Task, Handler, ImportPlaybook, RoleMeta]);
const ANYWHERE: On = STATIC.and(INCLUDES);
const ANYWHERE_BUT_META: On = On::of(&[Play, Role, Block, Task, Handler, ImportPlaybook]).and(INCLUDES);

const fn row(name: &'static str, kind: Kind, on: On, help: &'static str) -> Keyword {
    Keyword { name, kind, on, help }
}

/// Every keyword, sorted by name.
#[rustfmt::skip]
pub const KEYWORDS: &[Keyword] = &[
    row("action", Text, TASKS_AND_INCLUDES, "The module and its options in one text: `action: copy src=a dest=b`. The name may not be a template."),
    row("allow_duplicates", Bool, META, "Whether the role runs again when it is used again with the same parameters."),
    row("always", List, BLOCK, "Tasks of a block that run whatever happened before them."),
    row("any_errors_fatal", Bool, STATIC, "A task that fails on one host ends the play on every host."),
    row("args", Dict, TASKS_AND_INCLUDES, "Further options for the module: a mapping, or a template that gives one."),
    row("argument_specs", Dict, META, "What options the role takes."),
    row("async", Int, TASKS, "Runs the task in the background for at most that many seconds."),
    row("become", Bool, STATIC, "Whether to become another user on the target."),
    row("become_exe", Text, STATIC, "The program that changes the user, such as `/usr/local/bin/sudo`."),
    row("become_flags", Text, STATIC, "Flags for the program that changes the user."),
    row("become_method", Text, STATIC, "How to become another user: `sudo`, `su` …"),
    row("become_user", Text, STATIC, "The user to become; `root` when not given."),
    row("block", List, BLOCK, "Tasks that share keywords, and whose failure `rescue` and `always` answer to."),
    row("break_when", List, LOOP, "Ends the loop after the item for which the conditions hold."),
    row("changed_when", List, TASKS, "Conditions that replace the module's own idea of whether something changed."),
    row("check_mode", Bool, STATIC, "`true` never changes anything and tells what would be; `false` runs for real even under `--check`."),
    row("collections", List, On::of(&[Play, Role, Block, Task, Handler, IncludeTasks, IncludeRole, RoleMeta]), "Collections to search for roles that are named without their namespace."),
    row("connection", Text, STATIC, "How to reach the target: `ssh`, `local` …"),
    row("debugger", Text, ANYWHERE, "When to open the task debugger: `always`, `never`, `on_failed`, `on_unreachable` or `on_skipped`."),
    row("delay", Float, TASKS, "Seconds to wait between retries of `until`; 5 when not given."),
    row("delegate_facts", Bool, On::of(&[Role, Block, Task, Handler]), "Gives gathered facts to the host delegated to instead of the current one."),
    row("delegate_to", Text, On::of(&[Role, Block, Task, Handler]), "Runs the task on that host, with the variables of the current one."),
    row("dependencies", List, META, "Roles that run before this one."),
    row("diff", Bool, STATIC, "Whether to show what changes in files."),
    row("environment", List, STATIC, "Environment variables for what the task starts on the target: a mapping, or a list of them."),
    row("extended", Bool, LOOP, "Whether `ansible_loop` tells about the loop's state."),
    row("extended_allitems", Bool, LOOP, "Whether `ansible_loop.allitems` is kept; `false` saves memory in long loops."),
    row("fact_path", Text, PLAY, "The directory of local facts on the target."),
    row("failed_when", List, TASKS, "Conditions that replace the module's own idea of whether it failed."),
    row("force_handlers", Bool, PLAY, "Runs notified handlers even on hosts that have failed."),
    row("galaxy_info", Dict, META, "The role's description for Ansible Galaxy; read by other tools."),
    row("gather_facts", Bool, PLAY, "Whether the play begins with gathering facts."),
    row("gather_subset", List, PLAY, "Which facts to gather: `all`, `min`, `network`, `!hardware` …"),
    row("gather_timeout", Int, PLAY, "Seconds that gathering one fact may take."),
    row("handlers", List, PLAY, "Tasks that run when another task that changed something notifies them."),
    row("hosts", List, PLAY, "The hosts to run on: a pattern, or a list of patterns."),
    row("ignore_errors", Bool, ANYWHERE, "Goes on with the host when the task fails."),
    row("ignore_unreachable", Bool, STATIC, "Goes on with the host when it cannot be reached."),
    row("import_playbook", Text, On::of(&[ImportPlaybook]), "Another playbook, whose plays take this place."),
    row("index_var", Text, LOOP, "The variable that holds the item's number, counted from 0."),
    row("label", Text, LOOP, "What to show for an item instead of all of it."),
    row("listen", List, On::of(&[Handler]), "Topics that notify the handler besides its name. No templates."),
    row("loop", List, TASKS_AND_INCLUDES, "The list to repeat the task for; each item is `item`."),
    row("loop_control", Class, TASKS_AND_INCLUDES, "How the loop names, shows and paces its items."),
    row("loop_var", Text, LOOP, "The variable that holds the item; `item` when not given."),
    row("max_fail_percentage", Percent, PLAY, "Ends the play when more than that part of the hosts has failed."),
    row("module_defaults", List, STATIC, "Options for modules, by module name, where a task does not give them."),
    row("name", Text, ANYWHERE, "What the output calls it."),
    row("no_log", Bool, ANYWHERE, "Keeps options and results out of output and logs."),
    row("notify", List, On::of(&[Block, Task, Handler]), "Handlers to run later when the task changed something."),
    row("order", Text, PLAY, "The order of hosts: `inventory`, `reverse_inventory`, `sorted`, `reverse_sorted` or `shuffle`."),
    row("pause", Float, LOOP, "Seconds to wait between items."),
    row("poll", Int, TASKS, "How often to look at a background task, in seconds; 15 when not given, and 0 does not wait for it."),
    row("port", Int, STATIC, "The port to connect to."),
    row("post_tasks", List, PLAY, "Tasks that run after `tasks` and their handlers."),
    row("pre_tasks", List, PLAY, "Tasks that run before the roles."),
    row("register", Name, TASKS_AND_INCLUDES, "The variable that takes the task's result; or a mapping of variables to expressions of `_task.result` and, in loops, `_task.loop_result`."),
    row("remote_user", Text, STATIC, "The user to log in as."),
    row("rescue", List, BLOCK, "Tasks of a block that run when one of its tasks failed."),
    row("retries", Int, TASKS, "How often to try again until `until` holds; 3 when not given."),
    row("role", Text, On::of(&[Role]), "The role's name or path."),
    row("roles", List, PLAY, "Roles to run, before `tasks`."),
    row("run_once", Bool, ANYWHERE, "Runs the task on the first host only and gives its result to all."),
    row("serial", List, PLAY, "How many hosts at a time: a number, a percentage, or a list of them for successive batches."),
    row("strategy", Text, PLAY, "`linear` keeps the hosts together task by task, `free` and `host_pinned` let each go its own pace; `debug` is `linear` with the task debugger for what fails."),
    row("tags", List, ANYWHERE_BUT_META, "Names by which `--tags` and `--skip-tags` choose tasks."),
    row("tasks", List, PLAY, "The play's main list of tasks."),
    row("throttle", Int, STATIC, "At most that many hosts run the task at the same time."),
    row("timeout", Int, ANYWHERE, "Seconds after which the task fails."),
    row("until", List, TASKS, "Conditions to repeat the task for, until they hold."),
    row("user", Text, PLAY, "An old name of `remote_user`."),
    row("validate_argspec", Text, PLAY, "Checks the play's variables against an argument spec in `<playbook>.meta.yml`: that of the play's name (`true`), or of the name given."),
    row("vars", Dict, ANYWHERE, "Variables."),
    row("vars_files", List, PLAY, "Files of variables; of a list within the list the first that exists."),
    row("vars_prompt", List, PLAY, "Variables to ask the operator for before the play begins, unless the command line gives them: `name`, and `prompt`, `default`, `private`, `confirm`, `encrypt`, `salt`, `salt_size`, `unsafe`."),
    row("when", List, On::of(&[Role, Block, Task, Handler, IncludeTasks, IncludeRole, ImportPlaybook]), "Conditions without which the task is skipped."),
];
