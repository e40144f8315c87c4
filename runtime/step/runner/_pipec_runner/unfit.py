"""What a file can't bring back as it was."""


class Unfit(Exception):
    """The text says what a column contains, such as "contains list values". `help` says what to do."""

    def __init__(self, text, help=""):
        super().__init__(text)
        self.help = help
