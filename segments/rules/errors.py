"""What is wrong with a rule, and where."""

Path = tuple[str | int, ...]


class RuleError(ValueError):
    """A rule that cannot be used: `path` leads to the wrong part ("all", 1, "any", 0), `message` says what to do."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
