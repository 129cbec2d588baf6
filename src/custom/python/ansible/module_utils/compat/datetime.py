"""The time in UTC."""
import datetime as _datetime

UTC = _datetime.timezone.utc


def utcnow():
    """Gives the time now, with its zone."""
    return _datetime.datetime.now(UTC)


def utcfromtimestamp(timestamp):
    """Gives the time of a timestamp, with its zone."""
    return _datetime.datetime.fromtimestamp(timestamp, UTC)
