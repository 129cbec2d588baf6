//! `date_time`.

use jiff::tz::TimeZone;
use serde_json::json;

use super::Facts;
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let now = sys.now();
    let Ok(timestamp) = jiff::Timestamp::new(now.secs, i32::try_from(now.nanos).unwrap_or(0)) else {
        return Ok(());
    };
    let zone = zone(sys);
    let local = timestamp.to_zoned(zone.clone());
    let utc = timestamp.to_zoned(TimeZone::UTC);
    let part = |format: &str| local.strftime(format).to_string();
    let standard_name = || {
        // The name of the zone's standard time, and of its summer time where it has one.
        let of_month = |month: i8| {
            let date = jiff::civil::date(local.year(), month, 1).to_zoned(zone.clone()).ok()?;
            let info = zone.to_offset_info(date.timestamp());
            Some((info.abbreviation().to_owned(), info.dst().is_dst()))
        };
        let both: Vec<_> = [1, 7].into_iter().filter_map(of_month).collect();
        let pick = |dst: bool| both.iter().find(|(_, is_dst)| *is_dst == dst).map(|(name, _)| name.clone());
        let standard = pick(false).unwrap_or_default();
        let summer = pick(true).unwrap_or_else(|| standard.clone());
        (standard, summer)
    };
    let (_, summer) = standard_name();
    facts.insert(
        "date_time".to_owned(),
        json!({
            "year": part("%Y"),
            "month": part("%m"),
            "weekday": part("%A"),
            "weekday_number": part("%w"),
            "weeknumber": part("%W"),
            "day": part("%d"),
            "hour": part("%H"),
            "minute": part("%M"),
            "second": part("%S"),
            "epoch": now.secs.to_string(),
            "epoch_int": now.secs.to_string(),
            "date": part("%Y-%m-%d"),
            "time": part("%H:%M:%S"),
            "iso8601_micro": utc.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            "iso8601": utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "iso8601_basic": format!("{}{:06}", part("%Y%m%dT%H%M%S"), now.nanos / 1000),
            "iso8601_basic_short": part("%Y%m%dT%H%M%S"),
            "tz": part("%Z"),
            "tz_dst": summer,
            "tz_offset": part("%z"),
        }),
    );
    Ok(())
}

/// The machine's zone: `TZ`, else `/etc/localtime`, else UTC.
pub(crate) fn zone(sys: &System<'_>) -> TimeZone {
    if let Some(name) = sys.env("TZ").filter(|name| !name.is_empty()) {
        let name = name.trim_start_matches(':');
        if let Ok(zone) = TimeZone::posix(name) {
            return zone;
        }
        let path = std::path::Path::new("/usr/share/zoneinfo").join(name);
        if let Some(zone) = tzif(sys, &path) {
            return zone;
        }
    }
    tzif(sys, std::path::Path::new("/etc/localtime")).unwrap_or(TimeZone::UTC)
}

fn tzif(sys: &System<'_>, path: &std::path::Path) -> Option<TimeZone> {
    TimeZone::tzif("", &sys.read(path).ok()?).ok()
}
