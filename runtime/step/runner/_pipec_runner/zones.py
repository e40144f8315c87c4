"""Time zones of columns. pandas finds most of them by their names."""

from .path import stdlib


def describe(zone):
    """Describes a time zone: by its name, and by its class if pandas would choose another one."""
    name = str(zone)
    if name.startswith("pytz.FixedOffset("):  # what pandas 1 reads from text such as 2020-01-01 10:00+05:30
        minutes = int(zone.utcoffset(None).total_seconds()) // 60
        return {"tz": "%s%02d:%02d" % (("-" if minutes < 0 else "+",) + divmod(abs(minutes), 60))}
    return {"tz": name, "zoneinfo": True} if type(zone).__module__.startswith("zoneinfo") else {"tz": name}


def restore(spec):
    """Returns the time zone that was described, or its name."""
    import pandas

    name = spec["tz"]
    if name.startswith(("+", "-")):
        return pandas.Timestamp("2020-01-01 00:00" + name).tz
    return stdlib("zoneinfo").ZoneInfo(name) if spec.get("zoneinfo") else name
