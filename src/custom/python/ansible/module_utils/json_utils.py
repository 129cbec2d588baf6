"""Finds JSON in a program's output."""


def _filter_non_json_lines(data, objects_only=False):
    """Drops the lines before and after a JSON value; gives the value's text and warnings about what followed it."""
    lines = data.splitlines()
    opening = ('{',) if objects_only else ('{', '[')
    for start, line in enumerate(lines):
        if line.strip().startswith(opening):
            break
    else:
        raise ValueError('No start of json char found')
    closing = '}' if lines[start].strip().startswith('{') else ']'
    lines = lines[start:]
    for end in range(len(lines), 0, -1):
        if lines[end - 1].strip().endswith(closing):
            break
    else:
        raise ValueError('No end of json char found')
    junk = lines[end:]
    warnings = ['Module invocation had junk after the JSON data: %s' % '\n'.join(junk)] if junk else []
    text = '\n'.join(lines[:end])
    return text, warnings
