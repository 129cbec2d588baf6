"""What is wrong with a module's arguments."""


class AnsibleFallbackNotFound(Exception):
    """A fallback has no value."""


class AnsibleValidationError(Exception):
    """One fault of an argument."""

    def __init__(self, message):
        super(AnsibleValidationError, self).__init__(message)
        self.error_message = message

    @property
    def msg(self):
        return self.args[0]


class AnsibleValidationErrorMultiple(AnsibleValidationError):
    """Several faults; its message is the first one's."""

    def __init__(self, errors=None):
        self.errors = list(errors or ())

    def __getitem__(self, index):
        return self.errors[index]

    def __setitem__(self, index, value):
        self.errors[index] = value

    def __delitem__(self, index):
        del self.errors[index]

    @property
    def msg(self):
        return self.errors[0].args[0]

    @property
    def messages(self):
        return [e.msg for e in self.errors]

    def append(self, error):
        self.errors.append(error)

    def extend(self, errors):
        self.errors.extend(errors.errors if isinstance(errors, AnsibleValidationErrorMultiple) else errors)


class AliasError(AnsibleValidationError):
    """A fault of an alias."""


class ArgumentTypeError(AnsibleValidationError):
    """A value that its type cannot be made of."""


class ArgumentValueError(AnsibleValidationError):
    """A value that is not among the choices."""


class DeprecationError(AnsibleValidationError):
    """A deprecation that is described wrongly."""


class ElementError(AnsibleValidationError):
    """An element that its type cannot be made of."""


class MutuallyExclusiveError(AnsibleValidationError):
    """Arguments that exclude each other."""


class NoLogError(AnsibleValidationError):
    """A secret that cannot be listed."""


class RequiredByError(AnsibleValidationError):
    """An argument that another one needs is missing."""


class RequiredDefaultError(AnsibleValidationError):
    """An argument with a default that is also required."""


class RequiredError(AnsibleValidationError):
    """A required argument is missing."""


class RequiredIfError(AnsibleValidationError):
    """An argument that another one's value needs is missing."""


class RequiredOneOfError(AnsibleValidationError):
    """None of several arguments is given."""


class RequiredTogetherError(AnsibleValidationError):
    """An argument is given without the ones that belong to it."""


class SubParameterTypeError(AnsibleValidationError):
    """Suboptions that are no dictionary."""


class UnsupportedError(AnsibleValidationError):
    """An argument that the module does not know."""
