"""What a verb says when it does not happen; the text is for the person who tried."""


class NotPossible(ValueError):
    """A lead (or its activity, its opportunity) cannot do this from where it stands, or a reason is missing."""


class MovedMeanwhile(NotPossible):
    """Somebody else was faster: the text says who, and what became of the lead."""
