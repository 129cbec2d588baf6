//! Which hosts: inventories and limits.

use clap::Args;

use crate::config::Config;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Hosts")]
pub struct Selection {
    /// An inventory: a file, a directory, an executable, or host names with a comma (`web1,web2` or `web1,`).
    /// May be given several times
    #[arg(short, long, visible_alias = "inventory-file", value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Narrows the hosts down to those that also match this pattern; `@FILE` reads patterns from a file.
    /// May be given several times
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Vec<String>,
    /// Forgets the facts that `fact_caching` kept of earlier runs
    #[arg(long)]
    pub flush_cache: bool,
}

impl Selection {
    pub(super) fn settle(self, config: &mut Config) {
        if !self.inventory.is_empty() {
            config.inventory.sources = self.inventory;
        }
        config.inventory.limit = self.limit;
        config.run.fact_cache.flush |= self.flush_cache;
    }
}
