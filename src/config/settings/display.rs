//! Settings about what is told of a run, and how it looks.

use super::Use::{OnlyAs, Sets};
use super::{NO, Setting, flag, of, plugin};
use crate::config::options::{Colour, ProfileOrder, ResultFormat};

pub(super) const DISPLAY: &[Setting] = &[
    of(
        &["DEFAULT_LOG_PATH"],
        Sets(|config, given| {
            config.display.log_path = given.optional().map(|path| given.resolve(&path));
            Ok(())
        }),
    ),
    of(
        &["CALLBACKS_ENABLED"],
        Sets(|config, given| {
            config.display.callbacks_enabled = given.list();
            Ok(())
        }),
    )
    .or(&[("defaults", "callback_whitelist"), ("defaults", "callback_enabled")], &[]),
    plugin(
        &[("callback_profile_tasks", "task_output_limit")],
        &["PROFILE_TASKS_TASK_OUTPUT_LIMIT"],
        Sets(|config, given| {
            let all = given.string() == "all";
            config.display.profile.limit = if all { usize::MAX } else { given.number()? };
            Ok(())
        }),
    ),
    plugin(
        &[("callback_profile_tasks", "sort_order")],
        &["PROFILE_TASKS_SORT_ORDER"],
        Sets(|config, given| {
            config.display.profile.order = given.choice(&[
                ("descending", ProfileOrder::Descending),
                ("ascending", ProfileOrder::Ascending),
                ("none", ProfileOrder::AsRun),
            ])?;
            Ok(())
        }),
    ),
    plugin(
        &[("callback_profile_tasks", "summary_only")],
        &["PROFILE_TASKS_SUMMARY_ONLY"],
        Sets(|config, given| flag(&mut config.display.profile.summary_only, given)),
    ),
    plugin(
        &[("callback_profile_tasks", "datetime_format")],
        &["PROFILE_TASKS_DATETIME_FORMAT"],
        Sets(|config, given| {
            let format = given.string();
            config.display.profile.datetime_format =
                if format == "iso8601" { "%Y-%m-%dT%H:%M:%S.%f".to_owned() } else { format };
            Ok(())
        }),
    ),
    plugin(
        &[("callback_log_plays", "log_folder")],
        &["ANSIBLE_LOG_FOLDER"],
        Sets(|config, given| {
            config.display.log_folder = given.path();
            Ok(())
        }),
    ),
    of(&["VERBOSE_TO_STDERR"], OnlyAs(NO, "what -v adds on stderr")),
    of(&["INJECT_INVOCATION"], OnlyAs(NO, "a module's arguments in its registered result")),
    plugin(
        &[("defaults", "callback_result_yaml_line_width")],
        &["ANSIBLE_CALLBACK_YAML_LINE_WIDTH"],
        OnlyAs(&["default"], "another line width of YAML results"),
    ),
    of(
        &["DEFAULT_VERBOSITY"],
        Sets(|config, given| {
            config.display.verbosity = given.number()?;
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_LOAD_CALLBACK_PLUGINS"],
        Sets(|config, given| flag(&mut config.display.adhoc_callbacks, given)),
    ),
    of(
        &["DEFAULT_STDOUT_CALLBACK"],
        Sets(|config, given| {
            config.display.callback = given.string();
            Ok(())
        }),
    ),
    plugin(
        &[
            ("defaults", "callback_result_format"),
            ("defaults", "result_format"),
            ("callback_default", "result_format"),
        ],
        &["ANSIBLE_CALLBACK_RESULT_FORMAT"],
        Sets(|config, given| {
            config.display.result_format =
                given.choice(&[("json", ResultFormat::Json), ("yaml", ResultFormat::Yaml)])?;
            Ok(())
        }),
    ),
    plugin(
        &[("defaults", "callback_format_pretty")],
        &["ANSIBLE_CALLBACK_FORMAT_PRETTY"],
        Sets(|config, given| {
            config.display.pretty_results = Some(given.boolean()?);
            Ok(())
        }),
    ),
    plugin(
        &[("defaults", "callback_result_indentation")],
        &["ANSIBLE_CALLBACK_RESULT_INDENTATION"],
        Sets(|config, given| {
            config.display.result_indentation = given.number()?;
            Ok(())
        }),
    ),
    plugin(
        &[("defaults", "display_ok_hosts")],
        &["ANSIBLE_DISPLAY_OK_HOSTS"],
        Sets(|config, given| flag(&mut config.display.ok_hosts, given)),
    ),
    of(&["DISPLAY_SKIPPED_HOSTS"], Sets(|config, given| flag(&mut config.display.skipped_hosts, given))),
    plugin(
        &[("defaults", "display_included_hosts")],
        &["ANSIBLE_DISPLAY_INCLUDED_HOSTS"],
        Sets(|config, given| flag(&mut config.display.included_hosts, given)),
    ),
    plugin(
        &[("defaults", "display_failed_stderr")],
        &["ANSIBLE_DISPLAY_FAILED_STDERR"],
        Sets(|config, given| flag(&mut config.display.failed_to_stderr, given)),
    ),
    of(&["DISPLAY_ARGS_TO_STDOUT"], OnlyAs(NO, "arguments in task banners")),
    of(&["SHOW_CUSTOM_STATS"], Sets(|config, given| flag(&mut config.display.custom_stats, given))),
    plugin(
        &[("defaults", "check_mode_markers")],
        &["ANSIBLE_CHECK_MODE_MARKERS"],
        Sets(|config, given| flag(&mut config.display.check_mode_markers, given)),
    ),
    plugin(
        &[("defaults", "show_task_path_on_failure")],
        &["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"],
        Sets(|config, given| flag(&mut config.display.task_path_on_failure, given)),
    ),
    plugin(
        &[("defaults", "show_per_host_start")],
        &["ANSIBLE_SHOW_PER_HOST_START"],
        Sets(|config, given| flag(&mut config.display.per_host_start, given)),
    ),
    of(
        &["DEPRECATION_WARNINGS"],
        Sets(|config, given| flag(&mut config.display.deprecation_warnings, given)),
    ),
    // The later of the two wins: whoever forces colour means it.
    of(
        &["ANSIBLE_NOCOLOR"],
        Sets(|config, given| {
            // NO_COLOR counts by being there, whatever it says; `0` and `false` are kept for ansible.cfg.
            if given.boolean().unwrap_or(true) {
                config.display.colour = Colour::Never;
            }
            Ok(())
        }),
    ),
    of(
        &["ANSIBLE_FORCE_COLOR"],
        Sets(|config, given| {
            if given.boolean()? {
                config.display.colour = Colour::Always;
            }
            Ok(())
        }),
    ),
];
