"""Runs a custom module: `called` holds its source, its options, and the files that it may import."""
import importlib.machinery
import os
import sys
import types

FILES = called["files"]
PACKAGES = set(name.rpartition(".")[0] for name in FILES)
OURS = ("ansible.module_utils", "ansible_collections.")
LACKING = "; it came neither with fanfare nor with the playbook, its roles and collections"


class Importer:
    """Gives what came along; the rest is the target's own."""

    def find_spec(self, name, path=None, target=None):
        if name in FILES:
            package = FILES[name]["package"]
        elif any(known == name or known.startswith(name + ".") for known in PACKAGES):
            package = True
        else:
            return None
        origin = FILES[name]["path"] if name in FILES else None
        return importlib.machinery.ModuleSpec(name, self, origin=origin, is_package=package)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__spec__.name
        if name in FILES:
            file = FILES[name]
            module.__file__ = file["path"]
            exec(compile(file["text"], file["path"], "exec", dont_inherit=True), module.__dict__)

    def get_source(self, name):
        return FILES[name]["text"] if name in FILES else ""


def end(message, error=None):
    """Tells a failure that the module itself did not tell."""
    import json

    result = {"failed": True, "changed": False, "msg": message}
    if error is not None and called["args"]["ANSIBLE_MODULE_ARGS"].get("_ansible_verbosity", 0) >= 3:
        import traceback

        kind, value, trace = error
        result["exception"] = "".join(traceback.format_exception(kind, value, trace))
    print("\n" + json.dumps(result))
    sys.exit(1)


def again(interpreter):
    """Runs the module once more, by another Python; gives its exit code."""
    import json
    import subprocess

    start = "import json,sys\ncalled=json.loads(sys.stdin.buffer.read().decode())\nexec(called['boot'])"
    return subprocess.run([interpreter, "-c", start], input=json.dumps(called).encode()).returncode


def main():
    """Runs the module as the program that it is."""
    import json

    # What has been read is read: a module, or what it starts, finds no options there.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.meta_path.insert(0, Importer())
    sys.argv = [called["path"]]
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=called["path"], __package__=called["package"])
    sys.modules["__main__"] = module
    try:
        import ansible.module_utils.basic as basic

        basic._ANSIBLE_ARGS = json.dumps(called["args"]).encode()
        basic._RESPAWN = again
        exec(compile(called["source"], called["path"], "exec", dont_inherit=True), module.__dict__)
    except Exception as error:
        missing = getattr(error, "name", None) or ""
        hint = LACKING if isinstance(error, ImportError) and missing.startswith(OURS) else ""
        end("Task failed: Module failed: %s%s" % (error, hint), sys.exc_info())
    end("New-style module did not handle its own exit.")


main()
