"""Finds a locale whose messages programs can be read by."""


def get_best_parsable_locale(module, preferences=None, raise_on_locale=False):
    """Gives the first of `preferences` that the machine has, else `C`."""
    preferences = preferences or ['C.utf8', 'C.UTF-8', 'en_US.utf8', 'C', 'POSIX']
    try:
        program = module.get_bin_path('locale')
        if not program:
            raise RuntimeWarning("Could not find 'locale' tool")
        rc, out, err = module.run_command([program, '-a'])
        if rc:
            raise RuntimeWarning("Unable to get locale information, rc=%s: %s" % (rc, err))
        if not out:
            raise RuntimeWarning('No output from locale, rc=%s: %s' % (rc, err))
        available = out.strip().splitlines()
    except RuntimeWarning:
        if raise_on_locale:
            raise
        return 'C'
    return next((name for name in preferences if name in available), 'C')
