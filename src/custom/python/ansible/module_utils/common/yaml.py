"""Reads and writes YAML where the machine has PyYAML."""
HAS_YAML = HAS_LIBYAML = False
SafeLoader = SafeDumper = Parser = None

try:
    import yaml as _yaml
    HAS_YAML = True
except ImportError:
    pass

if HAS_YAML:
    HAS_LIBYAML = hasattr(_yaml, 'CSafeLoader')
    SafeLoader = _yaml.CSafeLoader if HAS_LIBYAML else _yaml.SafeLoader
    SafeDumper = _yaml.CSafeDumper if HAS_LIBYAML else _yaml.SafeDumper
    Parser = _yaml.cyaml.CParser if HAS_LIBYAML else _yaml.parser.Parser


def _library():
    if not HAS_YAML:
        from ansible.module_utils.basic import missing_required_lib
        raise ImportError(missing_required_lib('PyYAML'))
    return _yaml


def yaml_load(stream, Loader=None):
    """Reads one document."""
    return _library().load(stream, Loader=Loader or SafeLoader)


def yaml_load_all(stream, Loader=None):
    """Reads all documents."""
    return _library().load_all(stream, Loader=Loader or SafeLoader)


def yaml_dump(data, stream=None, Dumper=None, **kwargs):
    """Writes one document."""
    return _library().dump(data, stream, Dumper=Dumper or SafeDumper, **kwargs)


def yaml_dump_all(documents, stream=None, Dumper=None, **kwargs):
    """Writes several documents."""
    return _library().dump_all(documents, stream, Dumper=Dumper or SafeDumper, **kwargs)
