//! Modules that Ansible's users know and fanfare may lack.

/// Whether a name is one of Ansible's or of a collection, as opposed to a misspelling.
pub fn is_known_elsewhere(name: &str) -> bool {
    let parts = name.split('.').count();
    parts > 2 || (parts == 1 && NAMES.split_whitespace().any(|known| known == name))
}

/// All of ansible.builtin, and what public roles call most by its short name.
const NAMES: &str = "
    acl add_host alternatives apache2_module apt apt_key apt_repository archive assemble assert async_status
    authorized_key blockinfile capabilities command copy cron deb822_repository debconf debug django_manage dnf
    dnf5 docker_compose_v2 docker_container docker_image docker_login docker_network dpkg_selections ec2
    ec2_group ec2_key ec2_tag ec2_vpc_net expect fail fetch file filesystem find firewalld gather_facts gem
    get_url getent git git_config group group_by helm helm_repository homebrew homebrew_cask homebrew_tap
    hostname htpasswd import_playbook import_role import_tasks include_role include_tasks include_vars ini_file
    iptables k8s k8s_info known_hosts lineinfile locale_gen lvg lvol mail make meta modprobe mount mount_facts
    mysql_db mysql_user npm openssh_keypair openssl_csr openssl_privatekey package package_facts pacman
    pam_limits patch pause ping pip pkgng postgresql_db postgresql_ext postgresql_privs postgresql_query
    postgresql_user rabbitmq_plugin rabbitmq_user rabbitmq_vhost raw reboot replace rhsm_repository rpm_key
    script seboolean sefcontext selinux seport service service_facts set_fact set_stats setup shell slurp snap
    stat subversion supervisorctl synchronize sysctl systemd systemd_service sysvinit tempfile template timezone
    ufw unarchive uri user validate_argument_spec wait_for wait_for_connection win_chocolatey win_command
    win_copy win_feature win_file win_get_url win_package win_reboot win_regedit win_service win_shell win_stat
    win_template win_unzip x509_certificate x509_certificate_info yum yum_repository zypper zypper_repository
";
