//! What a host or a cache says decides nothing about how hosts are reached.

use super::play;
use crate::lab::Lab;

#[test]
fn facts_set_no_connection() {
    let facts = serde_json::json!({"ansible_connection": "docker", "ansible_docker_command": "/bin/false", "ansible_become": true,
                    "ansible_distribution": "Debian", "ansible_user_id": "bob"});
    let kept = serde_json::json!({"__payload__": facts.to_string()}).to_string();
    let tasks = "
- {name: reach, ping: }
- {name: tell, debug: {msg: '{{ ansible_distribution }} {{ ansible_user_id }} {{ ansible_become is defined }}'}}
";
    let lab = Lab::new("a").playbook(&play("", tasks)).here("facts/s1_a", kept);
    let cache = lab.path("facts").to_str().unwrap().to_owned();
    let lab =
        lab.setting("ANSIBLE_CACHE_PLUGIN", "jsonfile").setting("ANSIBLE_CACHE_PLUGIN_CONNECTION", &cache);
    let run = lab.run(&[]);
    assert_eq!(run.order(), "a:reach:ok a:tell:ok", "{run}");
    assert_eq!(run.message("a", "tell"), "Debian bob False");
}
