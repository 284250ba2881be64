"""Words of sentences for people: how many of what."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 file``, ``2 files``, ``1,200 files``.

    Args:
        number: How many.
        one: The noun for one.
        many: The noun for any other number; ``one`` with an ``s`` when left out.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
